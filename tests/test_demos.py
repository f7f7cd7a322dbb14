"""Every script in demos runs as its first lines say, and prints what the pages show of it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn", reason='scikit-learn is not installed: pip install ".[demos]"')

TREE = Path(__file__).parents[1]
DEMOS = sorted((TREE / "demos").rglob("*.py"))
SHOWN = re.compile(r"^```text demo: (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def head(demo: Path) -> dict[str, Any]:
    """The constants at the head of a demo: PROVES, DATA (what it needs of NUMNET_DATA), MINUTES (if it is slow)."""
    found: dict[str, Any] = {}
    for node in ast.parse(demo.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("PROVES", "DATA", "MINUTES"):
                found[name] = ast.literal_eval(node.value)
    return found


def name(demo: Path) -> str:
    return demo.relative_to(TREE / "demos").with_suffix("").as_posix()


def draws(demo: Path) -> bool:
    return "[picture.png]" in demo.read_text(encoding="utf-8")


def run(demo: Path, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", str(demo), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def words(text: str) -> str:
    """A text without its numbers: what stays the same where the last digits, or the luck of a draw, do not."""
    numbers = r"[-−+]?(\d+(,\d{3})*(\.\d*)*(e[-+]?\d+)?|\b(inf|nan)\b)"
    text = re.sub(r"\s+", " ", re.sub(numbers, "#", text.replace("#", "")))
    return text.replace("[ ", "[").replace(" ]", "]").strip()


def shown() -> dict[str, list[str]]:
    """What the pages show of each demo, by its path."""
    found: dict[str, list[str]] = {}
    for page in sorted((TREE / "docs").rglob("*.md")):
        for path, output in SHOWN.findall(page.read_text(encoding="utf-8")):
            found.setdefault(path, []).append(output)
    return found


PARAMETERS = [
    pytest.param(demo, id=name(demo), marks=[pytest.mark.slow] if "MINUTES" in head(demo) else []) for demo in DEMOS
]


def test_there_are_demos() -> None:
    assert DEMOS


@pytest.mark.parametrize("demo", PARAMETERS)
def test_a_demo_runs(demo: Path, tmp_path: Path) -> None:
    """It ends well (its own assertions are the proof), draws its picture, and prints what the pages say.

    What takes minutes prints what a long training comes to, a text that it writes even, and that is the luck of the
    last digits.
    """
    folder = os.environ.get("NUMNET_DATA")
    for needed in head(demo).get("DATA", ()):
        if not folder or not (Path(folder) / needed).exists():
            pytest.skip(f"no data: {needed} in the folder that NUMNET_DATA names")
    if "import torch" in demo.read_text(encoding="utf-8"):
        pytest.importorskip("torch", reason='PyTorch is not installed: pip install ".[test]"')
    picture = tmp_path / "picture.png"
    printed = run(demo, tmp_path, *([str(picture)] if draws(demo) else []))
    assert printed.strip()
    assert picture.exists() == draws(demo)
    for output in shown().get(demo.relative_to(TREE).as_posix(), []) if "MINUTES" not in head(demo) else []:
        assert words(printed) == words(output), (
            "printed == what the page says, but for digits: tools/demos writes it anew"
        )


def test_what_the_pages_show_are_demos() -> None:
    assert set(shown()) <= {demo.relative_to(TREE).as_posix() for demo in DEMOS}


def test_pictures_of_the_pages_are_there() -> None:
    for page in [TREE / "README.md", *sorted((TREE / "docs").rglob("*.md"))]:
        for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_words() -> None:
    assert words("J = 0.25,  1.5e-03\n x") == words("J = 1,234, -7\nx") == "J = #, # x"
    assert words("[ 1.  -0.5  nan]") == words("[1.5 2. 3. ]")
    assert words("loss") != words("gain")


@pytest.mark.proves("C229")
def test_a_training_is_filmed_and_followed_without_a_pause(tmp_path: Path) -> None:
    """Every fifth of 100 steps with its loss as text: a film in HTML, and a window that never blocks."""
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    demo = TREE / "demos" / "figures" / "square.py"
    run(demo, tmp_path, "film.html")
    film = (tmp_path / "film.html").read_text(encoding="utf-8")
    assert film.count("data:image/png") == 20
    assert 'axis.text(0.35, 0, f"Loss={J:.4f}"' in demo.read_text(encoding="utf-8")
    assert not re.search(r"\bpause\(", demo.read_text(encoding="utf-8"))
    assert "MSE" in run(demo, tmp_path, "live")


def test_three_ways_give_the_same_bits(tmp_path: Path) -> None:
    demo = next(demo for demo in DEMOS if demo.stem == "three_ways")
    assert run(demo, tmp_path).splitlines()[-1] == "the same bits in all 4 gradients: True; in ∂J/∂x: True"
