"""A small GPT: a language model of causal Transformer blocks."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..arrays import Array, array_module
from ..call import no_grad
from ..data.text.draw import draw
from ..errors import ShapeError
from ..nn import Dropout, Embedding, LayerNorm, Linear, Module, ModuleList, TransformerEncoderLayer, init
from ..tensor import Tensor
from .sequence import expect_length, expect_prefix, expect_tokens
from .sizes import expect_sizes

__all__ = ["GPT"]


class GPT(Module):
    """After every token, the scores of the token that follows it, from all tokens before it at once.

        x⁰ = drop(E[x] + P[0 … T - 1])        xˡ = hˡ(xˡ⁻¹), with every place after t hidden from t
        z = lm_head(ln_f(xᴸ))        P(xₜ₊₁ | x₁ … xₜ) = softmax(zₜ)

        δᴸ = ln_f.backward(lm_head.backward(δ))        δˡ⁻¹ = hˡ.backward(δˡ)        δx = drop.backward(δ⁰)
        ∂J/∂E = wte.backward(δx)        ∂J/∂P = Σₙ δx        with tied weights E has lm_head's ∂J/∂W as well

    The blocks hˡ are :class:`~numnet.nn.TransformerEncoderLayer` with ``norm_first`` and GELU. The names are GPT-2's:
    ``wte`` holds E, ``wpe`` P.

    Shapes: x (N, T) of integers, T at most ``context``, z and δ (N, V, T), with the classes on axis 1 as
    :class:`~numnet.nn.CrossEntropyLoss` takes them beside labels y (N, T).

    Args:
        vocab_size: V.
        context: how many tokens it sees at most.
        embed_dim: length of the rows of E and P.
        num_heads: heads of every attention; they divide ``embed_dim``.
        num_layers: L.
        dropout: the probability of dropping a number, or an attention weight, in training.
        tie_weights: whether ``lm_head`` has E itself as its weight.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Initial values: matrices normal with σ = 0.02, those that write into the sum around a block with 0.02 / √(2 L);
    biases 0.

    Raises:
        OptionError: sizes below 1, or heads that do not divide ``embed_dim``. ShapeError: x is not (N, T), or T is
        above ``context``. DtypeError, LabelError: x does not hold numbers of tokens.

    Source: Radford et al., Language models are unsupervised multitask learners, 2019, section 2.3; for tied weights
    Press and Wolf, Using the output embedding to improve language models, 2017.
    """

    def __init__(
        self,
        vocab_size: int,
        context: int,
        embed_dim: int,
        num_heads: int,
        num_layers: int,
        dropout: float = 0.0,
        tie_weights: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_sizes(vocab_size=vocab_size, context=context, num_layers=num_layers)
        self.context = context
        self.wte = Embedding(vocab_size, embed_dim, rng=rng)
        self.wpe = Embedding(context, embed_dim, rng=rng)
        self.drop = Dropout(dropout, rng=rng)
        block = (embed_dim, num_heads, 4 * embed_dim, dropout, "gelu")
        options: dict[str, Any] = {"batch_first": True, "norm_first": True, "rng": rng}
        self.h = ModuleList([TransformerEncoderLayer(*block, **options) for _ in range(num_layers)])
        self.ln_f = LayerNorm(embed_dim)
        self.lm_head = Linear(embed_dim, vocab_size, bias=False, rng=rng)
        if tie_weights:
            self.lm_head.weight = self.wte.weight
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                into_the_sum = name.endswith(("out_proj.weight", "linear2.weight"))
                init.normal_(parameter, std=0.02 / sqrt(2 * num_layers) if into_the_sum else 0.02, rng=rng)
            elif name.endswith("bias"):
                init.zeros_(parameter)

    def forward(self, x: Any) -> Tensor:
        x = expect_tokens(self, x, self.wte.num_embeddings)
        T = x.shape[1]
        if self.context < T:
            cure = "cut the text, or build with a larger context"
            error = ShapeError(f"at most context={self.context} tokens", f"x of shape {x.shape}", cure)
            error.where = "GPT, forward"
            raise error
        xp = array_module(x.array)
        later = Tensor(xp.triu(xp.ones((T, T), bool), 1))  # True where a token would look at one behind it
        a = self.drop(self.wte(x) + self.wpe(Tensor(xp.arange(T))))  # (N, T, embed_dim)
        for block in self.h:
            a = block(a, src_mask=later, is_causal=True)
        return self.lm_head(self.ln_f(a)).transpose(1, 2)

    def generate(
        self, prefix: Any, length: int, *, temperature: float = 1.0, rng: np.random.Generator | None = None
    ) -> Array:
        """``prefix`` and ``length`` further tokens, each drawn given the ``context`` tokens before it; without dropout.

        Args:
            prefix: the numbers of the tokens to start from, at least one.
            length: how many to draw.
            temperature: softmax(z / temperature) is drawn from; 0 takes the most probable token.
            rng: where they are drawn from; the default generator if ``None``.

        Returns:
            The numbers of the tokens, (len(prefix) + length,).

        Raises:
            ShapeError, DtypeError, LabelError: a prefix that is empty, or not numbers of tokens.
            OptionError: a negative length or temperature.
        """
        tokens = expect_prefix(prefix)
        expect_length(length)
        training = [module for module in self.modules() if module.training]
        try:
            self.eval()
            with no_grad():
                for _ in range(length):
                    z = self(Tensor(np.array([tokens[-self.context :]])))  # (1, V, T)
                    tokens.append(int(draw(z.array[0, :, -1], temperature, rng)))
        finally:
            for module in training:
                module.training = True
        return np.array(tokens)
