"""Pooling by a sliding window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..pooling import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    LPPool1d,
    LPPool2d,
    LPPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from .run import Input, run

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
]


def max_pool1d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element under each window: :class:`~numnet.nn.MaxPool1d`, with its last two arguments swapped."""
    return run(MaxPool1d(kernel_size, stride, padding, dilation, return_indices, ceil_mode), input)


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


def max_pool3d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element under each window: :class:`~numnet.nn.MaxPool3d`, with its last two arguments swapped."""
    return run(MaxPool3d(kernel_size, stride, padding, dilation, return_indices, ceil_mode), input)


def avg_pool1d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of the elements under each window: :class:`~numnet.nn.AvgPool1d`."""
    return run(AvgPool1d(kernel_size, stride, padding, ceil_mode, count_include_pad), input)


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


def avg_pool3d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of the elements under each window: :class:`~numnet.nn.AvgPool3d`."""
    return run(AvgPool3d(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override), input)


def lp_pool1d(
    input: Input,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Any:
    """The norm of the elements under each window: :class:`~numnet.nn.LPPool1d`."""
    return run(LPPool1d(norm_type, kernel_size, stride, ceil_mode), input)


def lp_pool2d(
    input: Input,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Any:
    """The norm of the elements under each window: :class:`~numnet.nn.LPPool2d`."""
    return run(LPPool2d(norm_type, kernel_size, stride, ceil_mode), input)


def lp_pool3d(
    input: Input,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Any:
    """The norm of the elements under each window: :class:`~numnet.nn.LPPool3d`."""
    return run(LPPool3d(norm_type, kernel_size, stride, ceil_mode), input)
