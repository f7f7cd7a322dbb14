"""The methods named after number types and devices."""

from __future__ import annotations

import builtins
from typing import Any, Self

import numpy as np

from .arrays import as_dtype

__all__ = ["NAMES", "Casts"]

NAMES = {
    "BoolTensor": np.dtype(np.bool_),
    "ByteTensor": np.dtype(np.uint8),
    "DoubleTensor": np.dtype(np.float64),
    "FloatTensor": np.dtype(np.float32),
    "IntTensor": np.dtype(np.int32),
    "LongTensor": np.dtype(np.int64),
}
"""The names that PyTorch's tensors had by their number type."""


class Casts:
    """Abstract: what can be had in another number type or on another device, by :meth:`to`.

    A base of its own, because in a class with a method ``int`` the type of that name is out of reach.
    """

    __slots__ = ()

    dtype: Any
    device: Any

    def to(self, target: Any) -> Self:
        """In another dtype or on another device."""
        raise NotImplementedError

    def astype(self, dtype: Any) -> Self:
        """In another dtype, as NumPy's arrays have it: what an error message advises holds for both."""
        return self.to(as_dtype(dtype))

    def double(self) -> Self:
        """In float64."""
        return self.to(np.float64)

    def float(self) -> Self:
        """In float32."""
        return self.to(np.float32)

    def long(self) -> Self:
        """In int64, without a gradient."""
        return self.to(np.int64)

    def int(self) -> Self:
        """In int32, as PyTorch's ``int``, without a gradient."""
        return self.to(np.int32)

    def bool(self) -> Self:
        """Whether each number is other than 0."""
        return self.to(np.bool_)

    def type(self, target: Any = None) -> Any:
        """In another dtype, as in ``x.type(numnet.FloatTensor)``; without an argument the name of its own.

        Raises:
            DtypeError: ``target`` names no dtype.
        """
        if target is None:
            own = [name for name, dtype in NAMES.items() if dtype == self.dtype]
            return f"numnet.{own[0] if own else self.dtype.name}"
        if isinstance(target, str):
            target = NAMES.get(target.rpartition(".")[2], target)
        return self.to(as_dtype(target))

    def type_as(self, other: Any) -> Self:
        """In the dtype and on the device of the tensor ``other``."""
        return self.to(other.dtype).to(other.device)

    def cpu(self) -> Self:
        """On the CPU."""
        return self.to("cpu")

    def cuda(self, device: builtins.int | None = None) -> Self:
        """On the GPU of this number, or on the current one. Raises MissingExtraError without CuPy."""
        return self.to("cuda" if device is None else f"cuda:{device}")
