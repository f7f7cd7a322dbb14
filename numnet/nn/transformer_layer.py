"""The layers of a Transformer. Stacks of them, and the whole of it, are in ``transformer.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..errors import OptionError
from ..tensor import Tensor
from .activation import GELU, ReLU
from .dropout import Dropout
from .layer_norm import LayerNorm
from .linear import Linear
from .module import Module
from .multihead_attention import MultiheadAttention, as_tensor

__all__ = ["Activation", "TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = str | Callable[[Any], Any]


class _TransformerLayer(Module):
    """Abstract: attentions and a network for each position, a way around each, a norm after or before each.

    A subclass says whether there is a second attention, to the encoder's output.
    """

    attends_to_memory: ClassVar[bool]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng)
        if self.attends_to_memory:
            self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng)
        self.linear1 = Linear(d_model, dim_feedforward, bias, rng=rng)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, rng=rng)
        self.norm_first = norm_first
        parts = (1, 2, 3) if self.attends_to_memory else (1, 2)
        for i in parts:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias))
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout, rng=rng))
        self.activation = _activation(activation)

    def _around(self, i: int, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        """x and what part ``i`` makes of it, added; its norm before the part, or after the sum."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        return x + dropout(part(norm(x))) if self.norm_first else norm(x + dropout(part(x)))

    def _attended(self, x: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        options = {"attn_mask": mask, "key_padding_mask": padding, "is_causal": is_causal, "need_weights": False}
        return self.self_attn(x, x, x, **options)[0]

    def _fed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention, then a small network at each position; a way around both, and norms.

        u = norm1(x + self_attn(x))        y = norm2(u + ff(u))        ff(u) = linear2(f(linear1(u)))
        with norm_first:        u = x + self_attn(norm1(x))        y = u + ff(norm2(u))

        δ₂ = norm2.backward(δ)        δu = δ₂ + ff.backward(δ₂)
        δ₁ = norm1.backward(δu)        ∂J/∂x = δ₁ + self_attn.backward(δ₁)
        with norm_first:        δu = δ + norm2.backward(ff.backward(δ))
        with norm_first:        ∂J/∂x = δu + norm1.backward(self_attn.backward(δu))

    Dropout follows self_attn, f and ff. Called as ``layer(src)``; further arguments, by name: ``src_mask`` (S, S) or
    (N · H, S, S) and ``src_key_padding_mask`` (N, S), as :class:`~numnet.nn.MultiheadAttention` takes them, and the
    hint ``is_causal``.

    Shapes: x = src, y and δ (S, N, E); with ``batch_first`` (N, S, E); without a batch (S, E).

    Args:
        d_model: E.
        nhead: number of heads, which divides E.
        dim_feedforward: size of the hidden layer of ff.
        dropout: the probability of dropping a number, or an attention weight, in training.
        activation: f: ``"relu"``, ``"gelu"``, a Module or a function of a Tensor.
        layer_norm_eps: ε of the norms.
        batch_first: whether batches are (N, S, E).
        norm_first: whether each norm comes before its part and not after the sum.
        bias: whether linear maps, attention and norms have biases.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Raises:
        OptionError: heads that do not divide E, or another name of an activation.
        ShapeError, DtypeError: inputs or masks that do not fit.

    Source: Vaswani et al., Attention is all you need, 2017, section 3.1. With norm_first: Xiong et al., On layer
    normalization in the transformer architecture, 2020, table 1.
    """

    attends_to_memory = False

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Tensor:
        u = self._around(1, as_tensor(src), lambda x: self._attended(x, src_mask, src_key_padding_mask, is_causal))
        return self._around(2, u, self._fed_forward)

    def _differentiates(self, position: int) -> bool:
        return position < 1


class TransformerDecoderLayer(_TransformerLayer):
    """Self-attention, attention to what an encoder made, then a small network at each position; ways around, and norms.

        u = norm1(x + self_attn(x))        v = norm2(u + attend(u, memory))        y = norm3(v + ff(v))
        with norm_first:        u = x + self_attn(norm1(x))        v = u + attend(norm2(u), memory)
        with norm_first:        y = v + ff(norm3(v))

        δ₃ = norm3.backward(δ)        δv = δ₃ + ff.backward(δ₃)
        δ₂ = norm2.backward(δv)        δq, ∂J/∂memory = attend.backward(δ₂)        δu = δ₂ + δq
        δ₁ = norm1.backward(δu)        ∂J/∂x = δ₁ + self_attn.backward(δ₁)
        with norm_first:        δv = δ + norm3.backward(ff.backward(δ))
        with norm_first:        δq, ∂J/∂memory = attend.backward(δv)        δu = δv + norm2.backward(δq)
        with norm_first:        ∂J/∂x = δu + norm1.backward(self_attn.backward(δu))

    Here attend is the child ``multihead_attn``, with memory as its keys and its values, and
    ff(v) = linear2(f(linear1(v))). Dropout follows each attention, f and ff. Called as ``layer(tgt, memory)``; further
    arguments, by name: ``tgt_mask`` (T, T), ``memory_mask`` (T, S), ``tgt_key_padding_mask`` (N, T) and
    ``memory_key_padding_mask`` (N, S), as :class:`~numnet.nn.MultiheadAttention` takes them, and the hints
    ``tgt_is_causal`` and ``memory_is_causal``.

    Shapes: x = tgt, y and δ (T, N, E), memory (S, N, E); with ``batch_first`` N comes first, without a batch there is
    no N.

    Args:
        d_model: E.
        nhead: number of heads, which divides E.
        dim_feedforward: size of the hidden layer of ff.
        dropout: the probability of dropping a number, or an attention weight, in training.
        activation: f: ``"relu"``, ``"gelu"``, a Module or a function of a Tensor.
        layer_norm_eps: ε of the norms.
        batch_first: whether batches are (N, T, E).
        norm_first: whether each norm comes before its part and not after the sum.
        bias: whether linear maps, attentions and norms have biases.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Raises:
        OptionError: heads that do not divide E, or another name of an activation.
        ShapeError, DtypeError: inputs or masks that do not fit.

    Source: Vaswani et al., Attention is all you need, 2017, section 3.1. With norm_first: Xiong et al., On layer
    normalization in the transformer architecture, 2020, table 1.
    """

    attends_to_memory = True

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        options = {
            "attn_mask": memory_mask,
            "key_padding_mask": memory_key_padding_mask,
            "is_causal": memory_is_causal,
            "need_weights": False,
        }
        u = self._around(1, as_tensor(tgt), lambda x: self._attended(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))
        v = self._around(2, u, lambda u: self.multihead_attn(u, memory, memory, **options)[0])
        return self._around(3, v, self._fed_forward)

    def _differentiates(self, position: int) -> bool:
        return position < 2


def _activation(activation: Activation) -> Callable[[Any], Any]:
    if not isinstance(activation, str):
        return activation
    known: dict[str, Callable[[], Module]] = {"relu": ReLU, "gelu": GELU}
    if activation not in known:
        cure = "pass the module itself, such as nn.SiLU()"
        raise OptionError('activation "relu" or "gelu"', repr(activation), cure)
    return known[activation]()
