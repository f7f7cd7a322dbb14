"""Screen: prints lines, in colour where the terminal has it, as plain text everywhere else."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from .lines import Line, text_of

__all__ = ["Screen"]

_STYLES = {
    "forward": "bold cyan",
    "loss": "bold magenta",
    "backward": "bold yellow",
    "update": "bold green",
    "here": "bold",
    "name": "bold",
    "caption": "italic",
    "formula": "bold",
    "code": "cyan",
    "made": "green",
    "role": "",
    "mode": "bold",
    "quiet": "dim",
    "origin": "dim italic",
    "note": "italic yellow",
    "error": "red",
}
# Orange for positive, violet for negative: colour-blind people tell them apart. In the ink, muted behind it and vivid
# behind it, so that more is more on dark and on light terminals.
_HEAT = {
    1: ("#c26a00", "black on #d9b48f", "bold black on #ff8c00"),
    -1: ("#7b6fd0", "black on #b9b3d9", "bold white on #6a3df0"),
}


class Screen:
    """Where a session prints.

    Args:
        out: the stream; what ``sys.stdout`` is if left out.
        plain: never any colour.

    Attributes:
        colours: whether it prints in colour: ``out`` is a terminal, rich is installed, neither NO_COLOR nor TERM=dumb.
    """

    def __init__(self, out: TextIO | None = None, plain: bool = False) -> None:
        self.out = sys.stdout if out is None else out
        self._console = None if plain else self._rich()
        self.colours = self._console is not None

    def _rich(self) -> Any:
        if not self.out.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return None
        try:
            from rich.console import Console
        except ImportError:
            return None
        console = Console(file=self.out, highlight=False, markup=False, emoji=False, soft_wrap=True)
        return None if console.legacy_windows else console  # which knows no escape sequences

    @property
    def width(self) -> int:
        """Of a line, from 40 to 140; 80 where it is no terminal."""
        if not self.out.isatty():
            return 80
        return max(40, min(shutil.get_terminal_size((80, 24)).columns - 1, 140))

    def show(self, lines: Iterable[Line]) -> None:
        """Print the lines."""
        if self._console is None:
            self.write("".join(f"{text_of(spans)}\n" for spans in lines))
            return
        from rich.text import Text

        with self._console.capture() as styled:
            for spans in lines:
                self._console.print(Text.assemble(*[(span.text, _style(span.style)) for span in spans]))
        self.write(styled.get())

    def write(self, text: str) -> None:
        """Print text as it is, such as a prompt; a ? where the stream has no δ."""
        encoding = getattr(self.out, "encoding", None) or "utf-8"
        self.out.write(text.encode(encoding, "replace").decode(encoding))
        self.out.flush()


def _style(style: str | float) -> str:
    if isinstance(style, str):
        return _STYLES.get(style, "")
    size = abs(style)
    level = sum(size >= limit for limit in (0.1, 0.4, 0.75))
    return _HEAT[1 if style > 0 else -1][level - 1] if level else ""
