"""Source: the lines of a formula, and which of them ran."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..call import Ctx

__all__ = ["Source", "SourceLine", "Watch"]

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of code.

    Attributes:
        number: in the file, from 1.
        text: without the end of the line.
        ran: whether it ran; ``None`` if nobody could watch, since a debugger was there first.
    """

    number: int
    text: str
    ran: bool | None


@dataclass(frozen=True, slots=True)
class Source:
    """The method that a formula is.

    Attributes:
        file: its file: of numnet's own ``numnet/nn/linear.py``, of others from the current folder on.
        lines: all of its lines.
    """

    file: str
    lines: tuple[SourceLine, ...]

    @property
    def ran(self) -> tuple[SourceLine, ...]:
        """The lines that ran; all of them, if nobody could watch."""
        return tuple(line for line in self.lines if line.ran is not False)

    @property
    def telling_line(self) -> str:
        """The line that the formula is: ``numnet/nn/linear.py:62  delta_x, dW, db = …``; empty if there is none."""
        ran = [line for line in self.ran if not line.text.strip().startswith(("def ", '"""', "@", "#"))]
        kernels = [i for i, line in enumerate(ran) if "kernels." in line.text or "self.kernel" in line.text]
        found = kernels or [i for i, line in enumerate(ran) if "return" in line.text or "=" in line.text]
        return f"{self.file}:{ran[found[-1]].number}  {_statement(ran[found[-1] :])}" if found else ""

    def __str__(self) -> str:
        marks = {True: ">", False: " ", None: "?"}
        return "\n".join([self.file, *(f"{line.number:5} {marks[line.ran]} {line.text}" for line in self.lines)])


def _statement(lines: list[SourceLine]) -> str:
    """The first line, and what follows up to its last bracket; without a comment."""
    text = ""
    for line in lines:
        text = f"{text} {line.text.partition('  #')[0].strip()}".strip()
        if text.count("(") <= text.count(")"):
            break
    return text.replace("( ", "(").replace(" )", ")")


class Watch:
    """Notes which lines of formulas run, by Python's own trace function, while :meth:`watching`.

    Where a debugger or a coverage tool has that function already it is left to them, and every ``ran`` is ``None``.
    """

    def __init__(self) -> None:
        self.active = False
        self._ran: dict[tuple[int, str], tuple[types.CodeType, set[int]]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch, inside the block."""
        if sys.gettrace() is not None:
            yield
            return
        self.active = True
        sys.settrace(self._entered)
        try:
            yield
        finally:
            sys.settrace(None)
            self.active = False

    def source(self, formulas: Any, direction: str) -> Source | None:
        """The lines of the method ``direction`` of ``formulas``, and which of them ran at its latest call."""
        code, ran = self._ran.pop((id(formulas), direction), (None, None))
        if code is None:
            method = inspect.unwrap(getattr(type(formulas), direction, None) or _nothing)
            code = getattr(method, "__code__", None)
        if code is None or code is _nothing.__code__:
            return None
        return source_of(code, ran)

    def _entered(self, frame: types.FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        direction = frame.f_code.co_name
        if direction not in ("forward", "backward"):
            return None
        names = frame.f_code.co_varnames[:2]
        if len(names) < 2 or not isinstance(frame.f_locals.get(names[1]), Ctx):
            return None
        lines: set[int] = set()
        self._ran[id(frame.f_locals[names[0]]), direction] = frame.f_code, lines

        def ran(frame: types.FrameType, event: str, arg: Any) -> Any:
            if event == "line":
                lines.add(frame.f_lineno)
            return ran

        return ran


def _nothing() -> None:
    """Stands for a method that is not there."""


_texts: dict[types.CodeType, tuple[str, int, list[str]] | None] = {}


def _text(code: types.CodeType) -> tuple[str, int, list[str]] | None:
    if code not in _texts:
        try:
            lines, first = inspect.getsourcelines(code)
            file = Path(code.co_filename)
            root = _PACKAGE.parent if file.is_relative_to(_PACKAGE) else Path.cwd()
            shown = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
            _texts[code] = shown, first, [line.rstrip("\n") for line in lines]
        except (OSError, TypeError):
            _texts[code] = None  # typed at a prompt, or compiled away
    return _texts[code]


def source_of(code: types.CodeType, ran: set[int] | None) -> Source | None:
    """The source of ``code``; ``None`` if there is no file of it."""
    text = _text(code)
    if text is None:
        return None
    file, first, lines = text
    if ran is not None:
        ran = _whole_statements(lines, first, ran)
    numbered = enumerate(lines, start=first)
    return Source(file, tuple(SourceLine(n, line, None if ran is None else n in ran) for n, line in numbered))


def _whole_statements(lines: list[str], first: int, ran: set[int]) -> set[int]:
    """Python notes where a part of a statement begins: if one line of a simple statement ran, all of them did."""
    whole = set(ran)
    for node in ast.walk(ast.parse(textwrap.dedent("\n".join(lines)))):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            span = set(range(first + node.lineno - 1, first + (node.end_lineno or node.lineno)))
            if span & ran:
                whole |= span
    return whole
