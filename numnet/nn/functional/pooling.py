"""Pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..pooling import AvgPool2d, MaxPool2d
from .run import Input, run

__all__ = ["avg_pool2d", "max_pool2d"]


def max_pool2d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element under each window: :class:`~numnet.nn.MaxPool2d`, with its last two arguments swapped."""
    return run(MaxPool2d(kernel_size, stride, padding, dilation, return_indices, ceil_mode), input)


def avg_pool2d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of the elements under each window: :class:`~numnet.nn.AvgPool2d`."""
    return run(AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override), input)
