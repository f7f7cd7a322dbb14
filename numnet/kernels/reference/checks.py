"""The one check of the reference twins: an array that has to have this shape and dtype."""

from __future__ import annotations

from typing import Any

from ...arrays import Array
from ...errors import DtypeError, ShapeError, describe

__all__ = ["expect"]


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
