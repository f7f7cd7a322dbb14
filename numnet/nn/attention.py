"""Attention: the pair of formulas. Several heads of it, with their projections, are in ``multihead_attention.py``."""

from __future__ import annotations

from math import sqrt

import numpy as np

from .. import kernels
from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DtypeError, OptionError, ShapeError, describe
from ..operations.operation import broadcast_back
from .dropout import inverted_mask
from .expect import expect_floating
from .layer import Layer

__all__ = ["ScaledDotProductAttention"]


class ScaledDotProductAttention(Layer):
    """Every query answered by a mean of the values, in which a value weighs the more the better its key fits.

        s = q kᵀ / √E + M        a = softmax(s)        w = m ⊙ a        y = w v

        ∂J/∂v = wᵀ δ        δw = δ vᵀ        δa = m ⊙ δw        δs = a ⊙ (δa - Σⱼ δaⱼ aⱼ)
        ∂J/∂q = δs k / √E        ∂J/∂k = δsᵀ q / √E        ∂J/∂M = δs

    There are two outputs, y and the weights w, to be looked at; a δ that arrives at w itself is added to δw. M may be
    left out; a boolean M is True where a key takes part, and means 0 there and -∞ elsewhere. m is the mask of
    :class:`~numnet.nn.Dropout`, 1 in evaluation mode.

    A query from which M hides every key has the weights 0 and the answer 0, and hands no δ back: what
    ``torch.nn.functional.scaled_dot_product_attention`` does, where the formula alone would say 0 / 0.

    Shapes: q (…, L, E), k (…, S, E), v (…, S, V), y and δ (…, L, V), w (…, L, S), M what broadcasts to w. Leading axes
    broadcast; the last of them are the heads.

    Args:
        dropout_p: the probability of dropping a weight, 0 … 1.
        is_causal: whether query i sees the keys 0 … i alone; there is no M then.
        scale: what stands in the place of 1 / √E.
        enable_gqa: whether k and v may have fewer heads than q has, each serving as many neighbouring heads of q.
        rng: where m is drawn from; the default generator if ``None``.

    Raises:
        OptionError: a probability outside 0 … 1, or M together with ``is_causal``.
        ShapeError: shapes that do not fit each other.
        DtypeError: q, k, v and M are not of one floating dtype; M may be boolean instead.

    Source: Vaswani et al., Attention is all you need, 2017, equation 1. Shared heads: Ainslie et al., GQA: training
    generalized multi-query transformer models from multi-head checkpoints, 2023.
    """

    def __init__(
        self,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= dropout_p <= 1:
            raise OptionError("a probability dropout_p from 0 to 1", f"dropout_p={dropout_p!r}", "0.1 drops a tenth")
        self.dropout_p = float(dropout_p)
        self.is_causal = is_causal
        self.scale = None if scale is None else float(scale)  # a NumPy scalar would turn float32 into float64
        self.enable_gqa = enable_gqa
        self.rng = rng

    def forward(self, ctx: Ctx, q: Array, k: Array, v: Array, M: Array | None = None) -> tuple[Array, Array]:
        ctx.shared = self._expect(q, k, v)
        if ctx.shared > 1:
            k, v = k.repeat(ctx.shared, axis=-3), v.repeat(ctx.shared, axis=-3)
        ctx.q, ctx.k, ctx.v = q, k, v
        ctx.M_shape = None if M is None else M.shape
        if self.is_causal:
            M = self._causal(q, k, M)
        products = kernels.matmul(q, _transposed(k))  # (…, L, S)
        ctx.a = a = kernels.masked_softmax(products, M, self._scale(q))
        ctx.m = inverted_mask(a.shape, self.dropout_p, self.rng, a) if self.training and self.dropout_p > 0 else None
        w = a if ctx.m is None else ctx.m * a
        return kernels.matmul(w, v), w  # (…, L, V), (…, L, S)

    def backward(self, ctx: Ctx, deltas: tuple[Array | None, Array | None]) -> tuple[Array | None, ...]:
        q, k, v, a, m, M_shape = ctx.q, ctx.k, ctx.v, ctx.a, ctx.m, ctx.M_shape
        needs_q, needs_k, needs_v, *needs_M = ctx.needs_input_grad
        delta, delta_w = deltas
        delta_q = delta_k = delta_v = delta_M = None
        if delta is not None:
            if needs_v:
                w = a if m is None else m * a
                delta_v = broadcast_back(kernels.matmul(_transposed(w), delta), v.shape)  # (…, S, V)
            through_y = kernels.matmul(delta, _transposed(v))  # (…, L, S)
            delta_w = through_y if delta_w is None else through_y + delta_w
        if delta_w is not None and (needs_q or needs_k or any(needs_M)):
            delta_s = kernels.softmax_backward(a, delta_w if m is None else m * delta_w, -1)  # (…, L, S)
            if needs_q:
                delta_q = broadcast_back(kernels.matmul(delta_s, k), q.shape)  # (…, L, E)
                delta_q *= self._scale(q)
            if needs_k:
                delta_k = broadcast_back(kernels.matmul(_transposed(delta_s), q), k.shape)  # (…, S, E)
                delta_k *= self._scale(q)
            if any(needs_M):
                delta_M = broadcast_back(delta_s, M_shape)
        delta_k, delta_v = (d if d is None else _sum_shared(d, ctx.shared) for d in (delta_k, delta_v))
        return (delta_q, delta_k, delta_v, delta_M)[: len(ctx.needs_input_grad)]

    def _scale(self, q: Array) -> float:
        return 1 / sqrt(max(1, q.shape[-1])) if self.scale is None else self.scale

    def _causal(self, q: Array, k: Array, M: Array | None) -> Array:
        if M is not None:
            cure = "put both into one mask, or leave one out"
            raise OptionError("either is_causal=True or a mask", "both", cure)
        return array_module(q).tri(q.shape[-2], k.shape[-2], dtype=bool)

    def _expect(self, q: Array, k: Array, v: Array) -> int:
        """How many heads of q share one of k and v, once the three are known to fit."""
        expect_floating(q)
        for name, x in (("k", k), ("v", v)):
            if not is_array(x) or x.dtype != q.dtype:
                raise DtypeError(f"{name} of {q.dtype}, as q is", describe(x), f"astype(np.{q.dtype})")
        if min(q.ndim, k.ndim, v.ndim) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
            cure = "each query needs a key's size E, and each key its value"
            raise ShapeError("q (…, L, E), k (…, S, E) and v (…, S, V)", _shapes(q, k, v), cure)
        shared, leading = 1, [x.shape[:-2] for x in (q, k, v)]
        if self.enable_gqa:
            heads = [shape[-1] if shape else 0 for shape in leading]
            if heads[1] != heads[2] or heads[1] == 0 or heads[0] % heads[1]:
                cure = "as many heads in k as in v, and a multiple of that in q"
                raise ShapeError("q (…, heads, L, E), k and v (…, fewer heads, S, …)", _shapes(q, k, v), cure)
            shared = heads[0] // heads[1]
            leading = [shape[:-1] for shape in leading]
        if leading[0] == leading[1] == leading[2]:  # as almost always
            return shared
        try:
            np.broadcast_shapes(*leading)
        except ValueError:
            cure = "as many batches and heads in each; enable_gqa=True lets heads of q share one of k and v"
            raise ShapeError("leading axes of q, k and v that broadcast", _shapes(q, k, v), cure) from None
        return shared

    def extra_repr(self) -> str:
        options = {"is_causal": self.is_causal, "scale": self.scale, "enable_gqa": self.enable_gqa}
        return ", ".join(
            [f"dropout_p={self.dropout_p}", *(f"{name}={value}" for name, value in options.items() if value)]
        )


def _shapes(q: Array, k: Array, v: Array) -> str:
    return f"q {tuple(q.shape)}, k {tuple(k.shape)}, v {tuple(v.shape)}"


def _transposed(x: Array) -> Array:
    """Every matrix of x."""
    return x.swapaxes(-1, -2)


def _sum_shared(delta: Array, shared: int) -> Array:
    """∂J/∂x for an x whose every head was taken ``shared`` times."""
    if shared == 1:
        return delta
    *leading, heads, n, size = delta.shape
    return delta.reshape(*leading, heads // shared, shared, n, size).sum(axis=-3)
