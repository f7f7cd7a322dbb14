"""The HTML of a trace: the template with its style, its script and the content put in."""

from __future__ import annotations

import html
import json
from importlib.resources import files

from ..recording import Recording
from .content import content

__all__ = ["in_notebook", "page"]


def page(trace: Recording, limit: int) -> str:
    """The whole page as text; it holds at most about ``limit`` bytes of numbers."""
    data = json.dumps(content(trace, limit), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    parts = {
        "title": html.escape(f"numnet: {trace.net_name}"),
        "style": _part("page.css"),
        "script": _part("page.js"),
        "data": data.replace("<", "\\u003c"),  # no </script> inside a script
    }
    text = _part("page.html")
    for name, part in parts.items():
        before, mark, after = text.partition(f"@{name}@")
        assert mark, f"the template has no @{name}@"
        text = before + part + after
    return text


def in_notebook(trace: Recording, limit: int) -> str:
    """The page in a frame of its own, so that neither style nor keys meet those of the notebook."""
    inside = html.escape(page(trace, limit))
    style = "width:100%;height:820px;border:1px solid #8884;border-radius:8px"
    about = f'title="{html.escape(repr(trace))}" style="{style}"'
    return f'<iframe sandbox="allow-scripts" {about} srcdoc="{inside}"></iframe>'


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
