"""The checks of the reference twins: an array has this shape and dtype; labels are labels."""

from __future__ import annotations

import itertools
from typing import Any

from ...arrays import Array
from ...errors import DtypeError, LabelError, ShapeError, describe

__all__ = ["broadcast", "expect", "expect_labels"]


def expect(name: str, array: Array | None, shape: tuple[int, ...], dtype: Any, cure: str) -> None:
    """Raise unless ``array`` is ``None`` or has exactly this shape and dtype: no broadcasting, no silent upcast.

    Raises:
        ShapeError: another shape.
        DtypeError: another dtype.
    """
    if array is None:
        return
    if array.shape != shape:
        raise ShapeError(f"{name} of shape {shape}", describe(array), cure)
    if array.dtype != dtype:
        raise DtypeError(f"{name} of dtype {dtype}", describe(array), f"convert one side, as in array.astype({dtype})")


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that arrays of these shapes broadcast to, or ``None`` if they do not."""
    result: list[int] = []
    for sizes in itertools.zip_longest(*[shape[::-1] for shape in shapes], fillvalue=1):
        stretched = {n for n in sizes if n != 1}
        if len(stretched) > 1:
            return None
        result.append(stretched.pop() if stretched else 1)
    return tuple(reversed(result))


def expect_labels(labels: Array, classes: int, ignore_index: int) -> Array:
    """Which of the labels, of any shape, count, those that are not ``ignore_index``: a mask.

    Raises:
        LabelError: one that counts is outside 0 … ``classes`` - 1.
    """
    kept = labels != ignore_index
    wrong = kept & ((labels < 0) | (labels >= classes))
    if bool(wrong.any()):
        rest = int(wrong.argmax())
        place: list[int] = []
        for n in reversed(wrong.shape):
            rest, i = divmod(rest, n)
            place.insert(0, i)
        where = f"in row {place[0]}" if len(place) == 1 else f"at y{place}"
        cure = "count the classes from 0, and give the last layer one output per class"
        raise LabelError(f"class labels 0 … {classes - 1}", f"label {int(labels[tuple(place)])} {where}", cure)
    return kept
