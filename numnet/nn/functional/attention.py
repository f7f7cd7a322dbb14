"""Attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..attention import ScaledDotProductAttention
from .run import Input, run

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Input,
    key: Input,
    value: Input,
    attn_mask: Input | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """softmax(q kᵀ / √E + mask) v: the first output of :class:`~numnet.nn.ScaledDotProductAttention`.

    A boolean mask is True where a key takes part, the opposite of what :class:`~numnet.nn.MultiheadAttention` takes.
    ``dropout_p`` is applied always: pass 0 in evaluation mode.
    """
    layer = ScaledDotProductAttention(dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa, rng=rng)
    masks = () if attn_mask is None else (attn_mask,)
    y, _ = run(layer, query, key, value, *masks)
    return y
