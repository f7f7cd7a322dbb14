"""Tables of vectors."""

from __future__ import annotations

from typing import Any

from ..embedding import Embedding
from .run import Input, run_with, shape_of, undrawn

__all__ = ["embedding"]


def embedding(
    input: Input,
    weight: Input,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """W[x]: :class:`~numnet.nn.Embedding`. With ``max_norm`` it scales rows of ``weight`` itself down.

    Raises:
        ShapeError: ``weight`` is not (rows, D), or as for the layer.
    """
    rows, size = shape_of(weight, "rows D")
    layer = Embedding(rows, size, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, rng=undrawn)
    return run_with(layer, input, weight=weight)
