"""The Transformer: stacks of encoder and decoder layers, and the two together."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import ShapeError
from ..tensor import Tensor
from . import init
from .container import ModuleList
from .layer_norm import LayerNorm
from .module import Module
from .multihead_attention import as_tensor
from .transformer_layer import Activation, TransformerDecoderLayer, TransformerEncoderLayer

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


class TransformerEncoder(Module):
    """Encoder layers one after the other.

        xˡ⁺¹ = layerˡ⁺¹(xˡ)        y = norm(xᴸ), or xᴸ where there is no norm

        δᴸ = norm.backward(δ)        δˡ = layerˡ⁺¹.backward(δˡ⁺¹)        ∂J/∂src = δ⁰

    Called as ``encoder(src)``; ``mask``, ``src_key_padding_mask`` and ``is_causal`` go to every layer.

    Shapes: src, y and δ as the layers have them.

    Args:
        encoder_layer: a layer, copied ``num_layers`` times: all start from the same values, as in PyTorch.
        num_layers: L.
        norm: a module for the end, such as ``nn.LayerNorm(d_model)``.
        enable_nested_tensor, mask_check: taken for PyTorch's sake; they change nothing here.

    Raises:
        ShapeError, DtypeError: as the layers do.

    Source: Vaswani et al., Attention is all you need, 2017, section 3.1.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Tensor:
        x = as_tensor(src)
        for layer in self.layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
        return x if self.norm is None else self.norm(x)

    def _differentiates(self, position: int) -> bool:
        return position < 1


class TransformerDecoder(Module):
    """Decoder layers one after the other, all of which look at the same memory.

        xˡ⁺¹ = layerˡ⁺¹(xˡ, memory)        y = norm(xᴸ), or xᴸ where there is no norm

        δᴸ = norm.backward(δ)        δˡ, δmˡ = layerˡ⁺¹.backward(δˡ⁺¹)        ∂J/∂tgt = δ⁰        ∂J/∂memory = Σₗ δmˡ

    Called as ``decoder(tgt, memory)``; all other arguments of the layers may be given and go to every one.

    Shapes: tgt, memory, y and δ as the layers have them.

    Args:
        decoder_layer: a layer, copied ``num_layers`` times: all start from the same values, as in PyTorch.
        num_layers: L.
        norm: a module for the end, such as ``nn.LayerNorm(d_model)``.

    Raises:
        ShapeError, DtypeError: as the layers do.

    Source: Vaswani et al., Attention is all you need, 2017, section 3.1.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        options = {
            "tgt_mask": tgt_mask,
            "memory_mask": memory_mask,
            "tgt_key_padding_mask": tgt_key_padding_mask,
            "memory_key_padding_mask": memory_key_padding_mask,
            "tgt_is_causal": bool(tgt_is_causal),
            "memory_is_causal": memory_is_causal,
        }
        x, memory = as_tensor(tgt), as_tensor(memory)
        for layer in self.layers:
            x = layer(x, memory, **options)
        return x if self.norm is None else self.norm(x)

    def _differentiates(self, position: int) -> bool:
        return position < 2


class Transformer(Module):
    """An encoder, and a decoder that looks at what it made.

        memory = encoder(src)        y = decoder(tgt, memory)

        ∂J/∂tgt, δm = decoder.backward(δ)        ∂J/∂src = encoder.backward(δm)

    Called as ``transformer(src, tgt)``; further arguments, by name: ``src_mask`` (S, S), ``tgt_mask`` (T, T),
    ``memory_mask`` (T, S), ``src_key_padding_mask`` and ``memory_key_padding_mask`` (N, S), ``tgt_key_padding_mask``
    (N, T), as :class:`~numnet.nn.MultiheadAttention` takes them, and the hints ``src_is_causal``, ``tgt_is_causal`` and
    ``memory_is_causal``. There is no embedding and no encoding of positions in it.

    Shapes: src (S, N, E), tgt, y and δ (T, N, E); with ``batch_first`` N comes first, without a batch there is no N.

    Args:
        d_model: E.
        nhead: number of heads, which divides E.
        num_encoder_layers, num_decoder_layers: how many layers the two have, each followed by a norm.
        dim_feedforward: size of the hidden layer at each position.
        dropout: the probability of dropping a number, or an attention weight, in training.
        activation: ``"relu"``, ``"gelu"``, a Module or a function of a Tensor.
        custom_encoder, custom_decoder: modules to stand in for the two.
        layer_norm_eps: ε of the norms.
        batch_first: whether batches are (N, S, E).
        norm_first: whether each norm comes before its part and not after the sum.
        bias: whether linear maps, attentions and norms have biases.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Initial values: every matrix Xavier uniform, as in PyTorch.

    Raises:
        OptionError: heads that do not divide E, or another name of an activation.
        ShapeError: src and tgt of other sizes or batches. ShapeError, DtypeError: as the layers do.

    Source: Vaswani et al., Attention is all you need, 2017.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias)

        encoder, decoder = custom_encoder, custom_decoder
        if encoder is None:
            encoder = TransformerEncoder(TransformerEncoderLayer(*sizes, rng=rng), num_encoder_layers, norm())
        if decoder is None:
            decoder = TransformerDecoder(TransformerDecoderLayer(*sizes, rng=rng), num_decoder_layers, norm())
        self.encoder = encoder
        self.decoder = decoder
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter, rng=rng)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        src, tgt = as_tensor(src), as_tensor(tgt)
        self._expect(src, tgt)
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, *, dtype: Any = np.float32) -> Array:
        """The causal mask (sz, sz): 0 on and below the diagonal, -∞ above, in ``dtype``, the inputs' dtype."""
        return np.triu(np.full((sz, sz), -np.inf, dtype), 1)

    def _differentiates(self, position: int) -> bool:
        return position < 2

    def _expect(self, src: Tensor, tgt: Tensor) -> None:
        batch = slice(0, 1) if self.batch_first else slice(1, 2)
        fits = src.ndim == tgt.ndim and src.ndim in (2, 3) and src.shape[-1] == tgt.shape[-1] == self.d_model
        if not fits or (src.ndim == 3 and src.shape[batch] != tgt.shape[batch]):
            E = self.d_model
            batched = f"(N, S, {E}) and (N, T, {E})" if self.batch_first else f"(S, N, {E}) and (T, N, {E})"
            cure = "" if self.batch_first else "batch_first=True if the batch is the first axis"
            error = ShapeError(f"src and tgt {batched}, or both without N", f"{src.shape} and {tgt.shape}", cure)
            error.where = "Transformer, forward"
            raise error


def _copies(layer: Module, count: int) -> ModuleList:
    """Copies of a layer that draw from its own generators: copied along, these would give all copies the same masks."""
    generators = [vars(module).get("rng") for module in layer.modules()]
    return ModuleList([copy.deepcopy(layer, {id(rng): rng for rng in generators}) for _ in range(count)])
