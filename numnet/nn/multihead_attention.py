"""Attention with several heads, and the projections before and after them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import operations as ops
from ..arrays import array_module, is_floating
from ..errors import DtypeError, NumnetError, OptionError, ShapeError, describe
from ..functions import cat, split
from ..tape import apply
from ..tensor import Parameter, Tensor
from . import init
from .attention import ScaledDotProductAttention
from .expect import conversion
from .functional.linear import linear
from .linear import Linear
from .module import Module

__all__ = ["MultiheadAttention", "as_tensor"]


class MultiheadAttention(Module):
    """Attention of several heads at once, each in a subspace of its own.

        q = query W_qᵀ + b_q        k = key W_kᵀ + b_k        v = value W_vᵀ + b_v        each split into H heads
        yʰ = attention(qʰ, kʰ, vʰ, M)        y = [y¹ … yᴴ] W_oᵀ + b_o

        [δ¹ … δᴴ] = δ W_o        δq, δk, δv = attention.backward(δʰ), joined        ∂J/∂query = δq W_q
        ∂J/∂W_q = δqᵀ query        ∂J/∂b_q = Σ δq        the same for k and v        ∂J/∂W_o = δᵀ [y¹ … yᴴ]

    The child ``attention`` is the :class:`~numnet.nn.ScaledDotProductAttention` of all heads. W_q, W_k and W_v lie one
    below the other in ``in_proj_weight``, b_q, b_k and b_v in ``in_proj_bias``; where key or value have a size of their
    own, the weights are apart, as ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight``.

    Called as ``attention(query, key, value)``, it returns ``(y, weights)``. Further arguments, by name:

    - ``key_padding_mask`` (N, S): the keys that nobody may look at.
    - ``attn_mask`` (L, S), or (N · H, L, S) with one for each head: the keys that each query may not look at.
      Both are boolean, *True where a key is hidden*, or numbers to add to the scores; both may be given.
    - ``need_weights``: return ``None`` in the place of the weights if False.
    - ``average_attn_weights``: the weights of each head, (N, H, L, S), if False.
    - ``is_causal``: a hint in PyTorch that ``attn_mask`` is the causal one; here the mask itself is what counts.

    A query from which all keys are hidden has the weights 0 and the answer b_o. PyTorch says the same with
    ``need_weights=False``, and NaN with ``need_weights=True``.

    Shapes: query (L, N, E), key (S, N, kdim), value (S, N, vdim), y and δ (L, N, E), weights (N, L, S); with
    ``batch_first`` N comes first, and without a batch there is no N.

    Args:
        embed_dim: E.
        num_heads: H, which divides E.
        dropout: the probability of dropping a weight in training.
        bias: whether there are the biases b.
        add_bias_kv: append a key and a value that are learned: ``bias_k`` and ``bias_v``.
        add_zero_attn: append a key and a value of zeros.
        kdim, vdim: sizes of key and value; E if ``None``.
        batch_first: whether batches are (N, L, E).
        rng: where the initial values and the mask of dropout are drawn from; the default generator if ``None``.

    Initial values: the packed W_q, W_k and W_v Xavier uniform as one matrix (or each by itself), ``bias_k`` and
    ``bias_v`` Xavier normal, W_o as :class:`~numnet.nn.Linear` has it, the biases 0; as PyTorch's.

    Raises:
        OptionError: sizes below 1, heads that do not divide E, or ``is_causal`` without a mask.
        ShapeError: inputs or masks that do not fit.
        DtypeError: inputs that are not of the parameters' dtype; a mask neither boolean nor of that dtype.

    Source: Vaswani et al., Attention is all you need, 2017, section 3.2.2.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            got = f"embed_dim={embed_dim}, num_heads={num_heads}"
            raise OptionError("num_heads that divide embed_dim, both 1 or more", got, "choose a divisor")
        E = self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.kdim = E if kdim is None else kdim
        self.vdim = E if vdim is None else vdim
        self.add_zero_attn = add_zero_attn
        self.batch_first = batch_first
        sizes = (E, self.kdim, self.vdim)
        packed = sizes == (E, E, E)
        self.in_proj_weight = _drawn((3 * E, E), rng) if packed else None
        self.q_proj_weight, self.k_proj_weight, self.v_proj_weight = (
            None if packed else _drawn((E, size), rng) for size in sizes
        )
        self.in_proj_bias = Parameter(np.zeros(3 * E, np.float32)) if bias else None
        self.bias_k, self.bias_v = (
            init.xavier_normal_(Parameter(np.empty((1, 1, E), np.float32)), rng=rng) if add_bias_kv else None
            for _ in "kv"
        )
        self.attention = ScaledDotProductAttention(dropout, rng=rng)
        self.out_proj = Linear(E, E, bias, rng=rng)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value, padding, mask = map(as_tensor, (query, key, value, key_padding_mask, attn_mask))
        batched = query.ndim == 3
        batch_first = self.batch_first or not batched
        self._expect_inputs(query, key, value, batch_first)
        if is_causal and mask is None:
            cure = "attn_mask=nn.Transformer.generate_square_subsequent_mask(L)"
            raise self._located(OptionError("an attn_mask, of which is_causal=True is a hint", "none", cure))
        if not batched:
            query, key, value = (x.unsqueeze(0) for x in (query, key, value))
            padding = None if padding is None else padding.unsqueeze(0)
        N, L = query.shape[:2] if batch_first else query.shape[1::-1]
        S = key.shape[1 if batch_first else 0]
        q, k, v = self._projected(query, key, value, batch_first)
        k, v = self._appended(k, self.bias_k), self._appended(v, self.bias_v)
        seen = self._mask(padding, mask, (N, L, S), q.dtype)
        y, weights = self.attention(q, k, v) if seen is None else self.attention(q, k, v, seen)
        y = self.out_proj(apply(ops.MergeHeads(batch_first), y))
        if need_weights and average_attn_weights:
            weights = weights.mean(1)  # (N, L, S)
        if not batched:
            y, weights = y.squeeze(0), weights.squeeze(0)
        return y, weights if need_weights else None

    def _differentiates(self, position: int) -> bool:
        return position < 3

    def _projected(self, query: Tensor, key: Tensor, value: Tensor, batch_first: bool) -> Sequence[Tensor]:
        """q, k and v, (N, H, …, E / H)."""
        if self.in_proj_weight is not None and query is key and key is value:  # one product, of 3 H heads
            return self._heads(3, linear(query, self.in_proj_weight, self.in_proj_bias), batch_first)
        weights: Any = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        if self.in_proj_weight is not None:
            weights = split(self.in_proj_weight, self.embed_dim)
        biases: Any = (None, None, None) if self.in_proj_bias is None else split(self.in_proj_bias, self.embed_dim)
        inputs = zip((query, key, value), weights, biases, strict=True)
        return [self._heads(1, linear(x, W, b), batch_first)[0] for x, W, b in inputs]

    def _heads(self, parts: int, x: Tensor, batch_first: bool) -> tuple[Tensor, ...]:
        heads: tuple[Tensor, ...] = apply(ops.SplitHeads(parts, self.num_heads, batch_first), x)
        return heads

    @property
    def _extra_keys(self) -> int:
        return (self.bias_k is not None) + self.add_zero_attn

    def _appended(self, x: Tensor, learned: Parameter | None) -> Tensor:
        """Keys or values (N, H, S, E / H) with those that are appended to them."""
        if not self._extra_keys:
            return x
        one = [*x.shape[:2], 1, x.shape[3]]
        parts = [x]
        if learned is not None:
            parts.append(learned.reshape(1, self.num_heads, 1, -1).expand(one))
        if self.add_zero_attn:
            parts.append(Tensor(array_module(x.array).zeros(one, x.dtype)))
        return cat(parts, 2)

    def _mask(self, padding: Tensor | None, mask: Tensor | None, sizes: tuple[int, int, int], dtype: Any) -> Any:
        """Both masks as one, as :class:`ScaledDotProductAttention` takes it: True where a key is seen, or numbers."""
        N, L, S = sizes
        H = self.num_heads
        masks = []
        if padding is not None:
            self._expect_mask("key_padding_mask", padding, [(N, S)], dtype)
            masks.append(padding.reshape(N, 1, 1, S))
        if mask is not None:
            self._expect_mask("attn_mask", mask, [(L, S), (N * H, L, S)], dtype)
            masks.append(mask.reshape(N, H, L, S) if mask.ndim == 3 else mask)
        if not masks:
            return None
        if all(m.dtype == bool for m in masks):
            hidden = masks[0] if len(masks) == 1 else masks[0] | masks[1]
            return ~self._extended(hidden)
        scores = [m if is_floating(m.array) else _as_scores(m, dtype) for m in masks]
        return self._extended(scores[0] if len(scores) == 1 else scores[0] + scores[1])

    def _extended(self, mask: Tensor) -> Tensor:
        """The mask with 0 or False, for seen, where keys are appended."""
        if not self._extra_keys:
            return mask
        seen = array_module(mask.array).zeros((*mask.shape[:-1], self._extra_keys), mask.dtype)
        return cat([mask, Tensor(seen)], -1)

    def _expect_inputs(self, query: Tensor, key: Tensor, value: Tensor, batch_first: bool) -> None:
        q, k, v = shapes = query.shape, key.shape, value.shape
        sizes = (self.embed_dim, self.kdim, self.vdim)
        batch = 0 if batch_first else 1  # the axis of N, if there is one
        fits = len(q) in (2, 3) and len(q) == len(k) and k[:-1] == v[:-1] and (q[-1], k[-1], v[-1]) == sizes
        if not fits or (len(q) == 3 and q[batch] != k[batch]):
            letters = "(N, L, {}), (N, S, {}), (N, S, {})" if self.batch_first else "(L, N, {}), (S, N, {}), (S, N, {})"
            expected = f"query, key, value of shapes {letters}, or without a batch (L, {{}}), (S, {{}}), (S, {{}})"
            got = ", ".join(str(shape) for shape in shapes)
            cure = "" if self.batch_first else "batch_first=True if the batch is the first axis"
            raise self._located(ShapeError(expected.format(*sizes, *sizes), got, cure))
        dtype = self.out_proj.weight.array.dtype
        for name, x in (("query", query), ("key", key), ("value", value)):
            if x.array.dtype != dtype:
                expected = f"{name} of {dtype}, as the parameters are"
                raise self._located(DtypeError(expected, describe(x.array), conversion(name, x.array, dtype)))

    def _expect_mask(self, name: str, mask: Tensor, shapes: list[tuple[int, ...]], dtype: Any) -> None:
        if mask.dtype != bool and mask.dtype != dtype:
            known = is_floating(mask.array)
            cure = f"mask.astype(np.{dtype}), or a boolean mask" if known else "mask.astype(bool): True hides a key"
            expected = f"{name} of booleans or of {dtype}, as the inputs are"
            raise self._located(DtypeError(expected, describe(mask.array), cure))
        if mask.shape not in shapes:
            cure = "one row for each query, one column for each key"
            if name == "key_padding_mask":
                cure = "one row for each sequence of the batch, one column for each key, whatever batch_first is"
            expected = f"{name} of shape {' or '.join(str(shape) for shape in shapes)}"
            raise self._located(ShapeError(expected, f"shape {mask.shape}", cure))

    def _located(self, error: NumnetError) -> NumnetError:
        error.where = f"MultiheadAttention({self.embed_dim}, {self.num_heads}), forward"
        return error


def _drawn(shape: tuple[int, ...], rng: np.random.Generator | None) -> Parameter:
    return init.xavier_uniform_(Parameter(np.empty(shape, np.float32)), rng=rng)


def _as_scores(hidden: Tensor, dtype: Any) -> Tensor:
    return Tensor(array_module(hidden.array).where(hidden.array, dtype.type(-np.inf), dtype.type(0)))


def as_tensor(x: Any) -> Any:
    """An array among Tensors as one of them; ``None`` stays."""
    return x if x is None or isinstance(x, Tensor) else Tensor(x)
