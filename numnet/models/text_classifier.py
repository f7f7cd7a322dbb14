"""A recurrent classifier: a text becomes one class."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import cat
from ..nn import Linear
from ..tensor import Tensor
from .sequence import Cell, Reader
from .sizes import expect_sizes

__all__ = ["TextClassifier"]


class TextClassifier(Reader):
    """The scores of the classes of a text, from the state in which a recurrent layer ends that has read it.

        state = rnn(E[x])        z = linear(h)        h: the last layer's hidden state at the end of each text

        δh = linear.backward(δ)        δe = rnn.backward(0, δh)        ∂J/∂E = embedding.backward(δe)

    Called as ``model(x, lengths)``: texts are padded to T tokens, and ``lengths`` says how many of each count; all, if
    it is left out. With ``bidirectional`` a second layer reads from the end, and h is both final states.

    Shapes: x (N, T) and lengths (N,) of integers, z and δ (N, C).

    Args:
        vocab_size: how many tokens there are.
        num_classes: C.
        embedding_size: length of the rows of E.
        hidden_size: H.
        cell: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        num_layers: how many recurrent layers.
        bidirectional: whether the text is read from its end, too.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1, another cell, or lengths outside 1 … T. ShapeError: x is not (N, T).
        DtypeError, LabelError: x does not hold numbers of tokens.

    Source: Hochreiter and Schmidhuber, Long short-term memory, 1997; in the form of Zhang, Lipton, Li and Smola, Dive
    into deep learning, 2023, section 16.2.
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        embedding_size: int,
        hidden_size: int,
        cell: Cell = "lstm",
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        expect_sizes(num_classes=num_classes)
        super().__init__(vocab_size, embedding_size, hidden_size, cell, num_layers, bidirectional, rng)
        self.linear = Linear(hidden_size * (2 if bidirectional else 1), num_classes, rng=rng)

    def forward(self, x: Any, lengths: Any = None) -> Tensor:
        _, state = self._read(x, lengths=lengths)
        h = state[0] if isinstance(state, tuple) else state  # (layers · D, N, H)
        ends = [h[-2], h[-1]] if self.rnn.bidirectional else [h[-1]]
        return self.linear(cat(ends, 1))
