"""Grids: the numbers of an array in aligned columns, and a picture of them, as large as a screen has room for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arrays import Array
from .lines import Line, Span, line

__all__ = ["grid", "numbers_of", "picture", "shape_text"]

_MARGIN = 4
_POSITIVE, _NEGATIVE = "·+#", ":-="


def grid(array: Array, width: int, rows: int, around_largest: bool = False) -> Iterator[Line]:
    """Rows and columns of ``array``, each number with its share of the largest one as heat.

    Of more than two axes, the last two at index 0 of the others, and what is too large from its first row and column
    on; with ``around_largest`` there where the largest number stands. Which part it is is said above it.
    """
    host = array if isinstance(array, np.ndarray) else array.get()
    margin = " " * _MARGIN
    if host.size == 0:
        yield line(margin, Span("empty", "quiet"))
        return
    front, top, left = (0,) * max(host.ndim - 2, 0), 0, 0
    if front and around_largest and host.dtype.kind == "f":
        largest = np.unravel_index(int(np.argmax(np.abs(np.nan_to_num(host)))), host.shape)
        *found, top, left = [int(i) for i in largest]
        front = tuple(found)
    plane = np.atleast_2d(host[front] if front else host)
    top = max(0, min(top - rows // 2, len(plane) - rows))
    cells = numbers_of(plane[top : top + rows])
    cell = max(len(text) for row in cells for text in row)
    fit = max(1, (width - _MARGIN - 2) // (cell + 2))
    if plane.shape[1] * (cell + 2) - 2 <= width - _MARGIN:
        fit = plane.shape[1]
    left = max(0, min(left - fit // 2, plane.shape[1] - fit))
    if front:
        place = [*map(str, front), _range(top, rows, len(plane)), _range(left, fit, plane.shape[1])]
        yield line(margin, Span(f"[{', '.join(place)}] of {shape_text(host.shape)}", "quiet"))
    heats = _heat(plane[top : top + rows, left : left + fit])
    for texts, row in zip(cells, heats, strict=True):
        spans = [Span(margin)]
        for i, (text, heat) in enumerate(zip(texts[left : left + fit], row, strict=True)):
            spans += [Span("  " if i else ""), Span(f"{text:>{cell}}", float(heat))]
        if left + fit < plane.shape[1]:
            spans.append(Span(" …", "quiet"))
        yield tuple(spans)
    if top + rows < len(plane) and not front:
        yield line(margin, Span(f"… {len(plane) - rows} more rows", "quiet"))


def picture(array: Array, width: int) -> Iterator[Line]:
    """The last two axes of ``array`` at index 0 of the others, a sign for each number: · + # above 0, : - = below."""
    host = array if isinstance(array, np.ndarray) else array.get()
    front = (0,) * max(host.ndim - 2, 0)
    heats = _heat(np.atleast_2d(host[front] if front else host)[:, : width - _MARGIN])
    if front:
        place = ", ".join([*map(str, front), ":", ":"])
        yield line(" " * _MARGIN, Span(f"[{place}] of {shape_text(host.shape)}", "quiet"))
    wide = 2 if heats.shape[1] * 2 <= width - _MARGIN else 1
    for row in heats:
        yield (Span(" " * _MARGIN), *[Span(_sign(float(heat)) * wide, float(heat)) for heat in row])


def _sign(heat: float) -> str:
    level = sum(abs(heat) >= limit for limit in (0.03, 0.3, 0.65))
    return " " if not level else (_POSITIVE if heat > 0 else _NEGATIVE)[level - 1]


def numbers_of(plane: Array) -> list[list[str]]:
    """The numbers as text, all with as many decimals as show the largest one well."""
    if plane.dtype.kind in "iub":
        return [[_minus(str(int(a))) for a in row] for row in plane]
    finite = np.abs(plane[np.isfinite(plane)].astype(np.float64))
    whole = bool(np.all(finite == np.round(finite)))
    largest = float(finite.max()) if finite.size else 0.0
    if largest and not 1e-3 <= largest < 1e5:
        return [[_minus(f"{float(a):.3e}") for a in row] for row in plane]
    decimals = 0 if whole else max(0, 5 - len(str(int(largest)))) if largest >= 0.1 else 6
    return [[_minus(f"{float(a):.{decimals}f}") for a in row] for row in plane]


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text


def _heat(plane: Array) -> Array:
    """Each number from −1 to 1, by the largest of the whole."""
    numbers = np.nan_to_num(plane.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    largest = float(np.abs(numbers).max(initial=0.0))
    return numbers / largest if largest else numbers


def _range(first: int, count: int, size: int) -> str:
    return ":" if count >= size else f"{first}:{first + count}"


def shape_text(shape: tuple[int, ...]) -> str:
    """``"(6, 5)"``, ``"(3,)"``."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
