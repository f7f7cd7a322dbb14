"""The number types by PyTorch's names, and the tensor classes that were named after them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .casts import NAMES
from .creation import empty
from .tensor import Tensor

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "DoubleTensor",
    "FloatTensor",
    "IntTensor",
    "LongTensor",
    "TensorType",
    "double",
    "float32",
    "float64",
    "int32",
    "int64",
    "long",
    "uint8",
]

float32 = np.dtype(np.float32)
double = float64 = np.dtype(np.float64)
int32 = np.dtype(np.int32)
long = int64 = np.dtype(np.int64)
uint8 = np.dtype(np.uint8)


class TensorType:
    """A number type, as ``torch.FloatTensor`` is: called it makes a Tensor, and ``x.type(FloatTensor)`` converts one.

    Args:
        name: the name, from which the dtype follows.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dtype = NAMES[name]

    def __call__(self, *data: Any) -> Tensor:
        """``FloatTensor([1, 0.1])`` holds a copy of the numbers; ``FloatTensor(2, 3)`` whatever stands in memory."""
        if len(data) == 1 and not isinstance(data[0], int):
            array = Tensor(data[0]).array
            return Tensor(array.astype(self.dtype))
        return empty(*data, dtype=self.dtype) if data else empty(0, dtype=self.dtype)

    def __repr__(self) -> str:
        return f"numnet.{self.name}"


BoolTensor = TensorType("BoolTensor")
ByteTensor = TensorType("ByteTensor")
DoubleTensor = TensorType("DoubleTensor")
FloatTensor = TensorType("FloatTensor")
IntTensor = TensorType("IntTensor")
LongTensor = TensorType("LongTensor")
