"""Linear maps."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ..bilinear import Bilinear
from ..linear import Linear
from ..maxout import Maxout
from .run import Input, run_with, shape_of, undrawn

__all__ = ["bilinear", "linear", "maxout"]


def linear(input: Input, weight: Input, bias: Input | None = None) -> Any:
    """x Wᵀ + b: :class:`~numnet.nn.Linear`.

    Raises:
        ShapeError: ``weight`` is not (out, in), or as for the layer.
    """
    layer = Linear.__new__(Linear)  # its constructor would make parameters, only for them to be replaced
    layer.out_features, layer.in_features = shape_of(weight, "out in")
    return run_with(layer, input, weight=weight, bias=bias)


def bilinear(input1: Input, input2: Input, weight: Input, bias: Input | None = None) -> Any:
    """x₁ W x₂ + b: :class:`~numnet.nn.Bilinear`.

    Raises:
        ShapeError: ``weight`` is not (out, in1, in2), or as for the layer.
    """
    out_features, in1_features, in2_features = shape_of(weight, "out in1 in2")
    layer = Bilinear(in1_features, in2_features, out_features, bias is not None, rng=undrawn)
    return run_with(layer, input1, input2, weight=weight, bias=bias)


def maxout(input: Input, weight: Input, bias: Input | None = None, pieces: int = 2) -> Any:
    """The largest of ``pieces`` affine maps: :class:`~numnet.nn.Maxout`.

    Raises:
        ShapeError: ``weight`` is not (pieces · out, in), or as for the layer.
    """
    rows, in_features = shape_of(weight, "pieces·out in")
    if rows % pieces:
        raise ShapeError(f"weight of shape ({pieces} · out, in)", f"{rows} rows", "as many rows for each piece")
    layer = Maxout(in_features, rows // pieces, pieces, bias is not None, rng=undrawn)
    return run_with(layer, input, weight=weight, bias=bias)
