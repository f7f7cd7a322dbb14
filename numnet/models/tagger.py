"""A recurrent tagger: every token of a text gets a class of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn import Linear
from ..tensor import Tensor
from .sequence import Cell, Reader
from .sizes import expect_sizes

__all__ = ["Tagger"]


class Tagger(Reader):
    """The scores of the tags of every token, from what stands before it and, if ``bidirectional``, behind it.

        H = rnn(E[x])        zₜ = linear(Hₜ)

        δH = linear.backward(δ)        δe = rnn.backward(δH)        ∂J/∂E = embedding.backward(δe)

    Called as ``model(x, lengths)``: texts are padded to T tokens, and ``lengths`` says how many of each count; all, if
    it is left out. Give the padding the label ``ignore_index`` of the loss.

    Shapes: x (N, T) and lengths (N,) of integers, z and δ (N, C, T), with the tags on axis 1 as
    :class:`~numnet.nn.CrossEntropyLoss` takes them beside labels y (N, T).

    Args:
        vocab_size: how many tokens there are.
        num_tags: C.
        embedding_size: length of the rows of E.
        hidden_size: H.
        cell: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        num_layers: how many recurrent layers.
        bidirectional: whether the text is read from its end, too.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1, another cell, or lengths outside 1 … T. ShapeError: x is not (N, T).
        DtypeError, LabelError: x does not hold numbers of tokens.

    Source: Graves and Schmidhuber, Framewise phoneme classification with bidirectional LSTM, 2005.
    """

    def __init__(
        self,
        vocab_size: int,
        num_tags: int,
        embedding_size: int,
        hidden_size: int,
        cell: Cell = "lstm",
        num_layers: int = 1,
        bidirectional: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        expect_sizes(num_tags=num_tags)
        super().__init__(vocab_size, embedding_size, hidden_size, cell, num_layers, bidirectional, rng)
        self.linear = Linear(hidden_size * (2 if bidirectional else 1), num_tags, rng=rng)

    def forward(self, x: Any, lengths: Any = None) -> Tensor:
        H, _ = self._read(x, lengths=lengths)  # (N, T, D · H)
        return self.linear(H).transpose(1, 2)
