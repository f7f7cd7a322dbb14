"""Convolution and its transpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..conv import Conv1d, Conv2d, Conv3d
from ..conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .run import Input, run_with, shape_of, undrawn

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]

_Conv = type[Conv1d] | type[Conv2d] | type[Conv3d]
_ConvTranspose = type[ConvTranspose1d] | type[ConvTranspose2d] | type[ConvTranspose3d]


def _conv(make: _Conv, input: Input, weight: Input, bias: Input | None, *options: Any) -> Any:
    filters, channels, *kernel = shape_of(weight, "F C" + " K" * make.axes)
    stride, padding, dilation, groups = options
    layer = make(channels * groups, filters, kernel, stride, padding, dilation, groups, bias is not None, rng=undrawn)
    return run_with(layer, input, weight=weight, bias=bias)


def _conv_transpose(make: _ConvTranspose, input: Input, weight: Input, bias: Input | None, *options: Any) -> Any:
    channels, filters, *kernel = shape_of(weight, "C F" + " K" * make.axes)
    stride, padding, output_padding, groups, dilation = options
    settings = kernel, stride, padding, output_padding, groups, bias is not None, dilation
    layer = make(channels, filters * groups, *settings, rng=undrawn)
    return run_with(layer, input, weight=weight, bias=bias)


def conv1d(
    input: Input,
    weight: Input,
    bias: Input | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | Literal["same", "valid"] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """Every filter slid over every sequence: :class:`~numnet.nn.Conv1d`.

    Raises:
        ShapeError: ``weight`` is not (F, C / groups, K), or as for the layer.
    """
    return _conv(Conv1d, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Input,
    weight: Input,
    bias: Input | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | Literal["same", "valid"] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """Every filter slid over every image: :class:`~numnet.nn.Conv2d`.

    Raises:
        ShapeError: ``weight`` is not (F, C / groups, K, K), or as for the layer.
    """
    return _conv(Conv2d, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Input,
    weight: Input,
    bias: Input | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | Literal["same", "valid"] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """Every filter slid over every volume: :class:`~numnet.nn.Conv3d`.

    Raises:
        ShapeError: ``weight`` is not (F, C / groups, K, K, K), or as for the layer.
    """
    return _conv(Conv3d, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Input,
    weight: Input,
    bias: Input | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Any:
    """A copy of the filter for every element of every sequence: :class:`~numnet.nn.ConvTranspose1d`.

    Raises:
        ShapeError: ``weight`` is not (C, F / groups, K), or as for the layer.
    """
    return _conv_transpose(ConvTranspose1d, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Input,
    weight: Input,
    bias: Input | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Any:
    """A copy of the filter for every element of every image: :class:`~numnet.nn.ConvTranspose2d`.

    Raises:
        ShapeError: ``weight`` is not (C, F / groups, K, K), or as for the layer.
    """
    return _conv_transpose(ConvTranspose2d, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Input,
    weight: Input,
    bias: Input | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Any:
    """A copy of the filter for every element of every volume: :class:`~numnet.nn.ConvTranspose3d`.

    Raises:
        ShapeError: ``weight`` is not (C, F / groups, K, K, K), or as for the layer.
    """
    return _conv_transpose(ConvTranspose3d, input, weight, bias, stride, padding, output_padding, groups, dilation)
