"""Pooling over regions that are as many as asked for, or drawn, and the way back from max pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ..adaptive_pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
)
from ..fractional_pooling import FractionalMaxPool2d, FractionalMaxPool3d
from ..unpooling import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d
from .run import Input, run

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


def adaptive_avg_pool1d(input: Input, output_size: int | Sequence[int | None] | None) -> Any:
    """The mean of each of ``output_size`` regions: :class:`~numnet.nn.AdaptiveAvgPool1d`."""
    return run(AdaptiveAvgPool1d(output_size), input)


def adaptive_avg_pool2d(input: Input, output_size: int | Sequence[int | None] | None) -> Any:
    """The mean of each of ``output_size`` regions: :class:`~numnet.nn.AdaptiveAvgPool2d`."""
    return run(AdaptiveAvgPool2d(output_size), input)


def adaptive_avg_pool3d(input: Input, output_size: int | Sequence[int | None] | None) -> Any:
    """The mean of each of ``output_size`` regions: :class:`~numnet.nn.AdaptiveAvgPool3d`."""
    return run(AdaptiveAvgPool3d(output_size), input)


def adaptive_max_pool1d(
    input: Input, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """The largest element of each of ``output_size`` regions: :class:`~numnet.nn.AdaptiveMaxPool1d`."""
    return run(AdaptiveMaxPool1d(output_size, return_indices), input)


def adaptive_max_pool2d(
    input: Input, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """The largest element of each of ``output_size`` regions: :class:`~numnet.nn.AdaptiveMaxPool2d`."""
    return run(AdaptiveMaxPool2d(output_size, return_indices), input)


def adaptive_max_pool3d(
    input: Input, output_size: int | Sequence[int | None] | None, return_indices: bool = False
) -> Any:
    """The largest element of each of ``output_size`` regions: :class:`~numnet.nn.AdaptiveMaxPool3d`."""
    return run(AdaptiveMaxPool3d(output_size, return_indices), input)


def fractional_max_pool2d(
    input: Input,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """The largest element under windows at drawn distances: :class:`~numnet.nn.FractionalMaxPool2d`."""
    options = output_size, output_ratio, return_indices, _random_samples
    return run(FractionalMaxPool2d(kernel_size, *options, rng=rng), input)


def fractional_max_pool3d(
    input: Input,
    kernel_size: int | Sequence[int],
    output_size: int | Sequence[int] | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """The largest element under windows at drawn distances: :class:`~numnet.nn.FractionalMaxPool3d`."""
    options = output_size, output_ratio, return_indices, _random_samples
    return run(FractionalMaxPool3d(kernel_size, *options, rng=rng), input)


def max_unpool1d(
    input: Input,
    indices: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Every number put to where it stood before max pooling: :class:`~numnet.nn.MaxUnpool1d`."""
    return run(MaxUnpool1d(kernel_size, stride, padding), input, indices, output_size)


def max_unpool2d(
    input: Input,
    indices: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Every number put to where it stood before max pooling: :class:`~numnet.nn.MaxUnpool2d`."""
    return run(MaxUnpool2d(kernel_size, stride, padding), input, indices, output_size)


def max_unpool3d(
    input: Input,
    indices: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """Every number put to where it stood before max pooling: :class:`~numnet.nn.MaxUnpool3d`."""
    return run(MaxUnpool3d(kernel_size, stride, padding), input, indices, output_size)
