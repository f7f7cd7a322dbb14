"""Convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..conv import Conv2d
from .run import Input, run_with, shape_of, undrawn

__all__ = ["conv2d"]


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
    filters, channels, *kernel = shape_of(weight, "F C K K")
    layer = Conv2d(channels * groups, filters, kernel, stride, padding, dilation, groups, bias is not None, rng=undrawn)
    return run_with(layer, input, weight=weight, bias=bias)
