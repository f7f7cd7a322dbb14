"""A page in a real browser: opened from the disk in headless Chromium, driven by a script, its answer read back."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Browser", "find_browser"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_BEFORE = """<script>
window.complaints = [];
addEventListener("error", (e) => complaints.push(String(e.message || e.target.src)), true);
addEventListener("unhandledrejection", (e) => complaints.push(String(e.reason)));
addEventListener("securitypolicyviolation", (e) => complaints.push(e.violatedDirective + " " + e.blockedURI));
for (const kind of ["error", "warn"]) console[kind] = (...all) => complaints.push(all.join(" "));
</script>"""
_AFTER = """<pre id="answer"></pre><script>
const press = (key, on = document.body) =>
  on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const point = (canvas, x, y, kind = "click") => { // in cells
  const box = canvas.getBoundingClientRect();
  const clientX = box.left + (x + 0.5) * box.width / canvas.width;
  const where = { clientX, clientY: box.top + (y + 0.5) * box.height / canvas.height };
  canvas.dispatchEvent(kind === "click" ? new MouseEvent("click", { bubbles: true, ...where })
    : new PointerEvent("pointermove", { bubbles: true, pointerType: "mouse", ...where }));
};
const shown = (id) => document.getElementById(id).innerText;
(async () => {
  let found;
  try { found = await (async () => { @script@ })(); } catch (error) { complaints.push(String(error.stack)); }
  document.getElementById("answer").textContent = JSON.stringify({ found: found ?? null, complaints });
})();
</script></body>"""


class Browser:
    """Runs scripts in pages. ``program``: the browser; ``folder``: for its files."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder = program, folder

    def run(self, page: str, script: str, *, place: str = "", size: tuple[int, int] = (1400, 1000)) -> Any:
        """What ``script`` (the body of an async function) returns in ``page``, which must not complain.

        Args:
            page: HTML.
            place: what stands behind # in the address.
            size: of the window.
        """
        file = self.folder / "page.html"
        text = page.replace("<head>", f"<head>{_BEFORE}", 1)
        before, _, after = text.rpartition("</body>")
        file.write_text(before + _AFTER.replace("@script@", script) + after, encoding="utf-8")
        command = [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += ["--virtual-time-budget=20000", f"--window-size={size[0]},{size[1]}"]
        command += [f"--user-data-dir={self.folder / 'profile'}", f"{file.as_uri()}#{place}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        found = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
        assert found, f"no answer from the page; the browser says {done.stderr[-2000:]}"
        assert found[1], "the script has not come to its end"
        answer = json.loads(html.unescape(found[1]))
        assert answer["complaints"] == [], answer["complaints"]
        return answer["found"]


def find_browser(folder: Path) -> Browser:
    """A browser that can run without a window; skips the test where there is none."""
    for name in _NAMES:
        program = shutil.which(name)
        if program is not None:
            return Browser(program, folder)
    pytest.skip("no Chromium, Chrome or Edge on this machine, in which the page could be opened")
