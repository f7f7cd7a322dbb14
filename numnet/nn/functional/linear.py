"""Linear maps."""

from __future__ import annotations

from typing import Any

from ..linear import Linear
from .run import Input, run_with, shape_of, undrawn

__all__ = ["linear"]


def linear(input: Input, weight: Input, bias: Input | None = None) -> Any:
    """x Wᵀ + b: :class:`~numnet.nn.Linear`.

    Raises:
        ShapeError: ``weight`` is not (out, in), or as for the layer.
    """
    out_features, in_features = shape_of(weight, "out in")
    layer = Linear(in_features, out_features, bias is not None, rng=undrawn)
    return run_with(layer, input, weight=weight, bias=bias)
