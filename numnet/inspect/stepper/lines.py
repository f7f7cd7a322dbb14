"""Lines of text with styles: what every part of the stepper makes, and what the screen prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

__all__ = ["Line", "Span", "fold", "line", "text_of"]


class Span(NamedTuple):
    """A piece of a line.

    Attributes:
        text: without an end of line.
        style: ``"here"``, ``"quiet"``, … as the screen knows them; a number from −1 to 1 is shown as heat.
    """

    text: str
    style: str | float = ""


_WORD = r"\s+|\([\d, ]+\)|norm \S+|\S+(?: … \S+)?"  # what stays together

Line: TypeAlias = tuple[Span, ...]


def line(*parts: str | Span) -> Line:
    """A line of plain strings and spans."""
    return tuple([part if isinstance(part, Span) else Span(part) for part in parts])


def text_of(spans: Line) -> str:
    """The line without its styles."""
    return "".join(span.text for span in spans).rstrip()


def fold(lines: Iterable[Line], width: int) -> Iterator[Line]:
    """The lines, those that are longer than ``width`` broken at blanks; what follows stands below the second column.

    The second column begins behind the first run of two blanks, if it is near the left; else below the first word.
    A word that is too long stays whole.
    """
    for spans in lines:
        text = text_of(spans)
        if len(text) <= width:
            yield spans
            continue
        left = len(text) - len(text.lstrip())
        columns = re.search(r"(?<=\S)\s{2,}", text)
        indent = columns.end() if columns and columns.end() <= width * 3 // 8 else left or 4
        yield from _folded(spans, width, indent)


def _folded(spans: Line, width: int, indent: int) -> Iterator[Line]:
    row: list[Span] = []
    used = 0
    for span in spans:
        for word in re.findall(_WORD, span.text):
            if used + len(word) > width and not word.isspace() and used > indent:
                yield tuple(row[:-1] if row[-1].text.isspace() else row)
                row, used = [Span(" " * indent)], indent
            if word.isspace() and used == indent and len(row) == 1 and row[0].text.isspace():
                continue  # a row begins with a word
            row.append(Span(word, span.style))
            used += len(word)
    yield tuple(row)
