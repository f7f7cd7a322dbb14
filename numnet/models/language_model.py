"""A recurrent language model: what is the next token?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array
from ..call import no_grad
from ..data.text.draw import draw
from ..nn import Linear
from ..tensor import Tensor
from .sequence import Cell, Reader, expect_length, expect_prefix

__all__ = ["RNNLanguageModel"]


class RNNLanguageModel(Reader):
    """After every token, the scores of the token that follows it.

        H, state′ = rnn(e(x), state)        z = linear(H)        P(xₜ₊₁ | x₁ … xₜ) = softmax(zₜ)

        δH = linear.backward(δ)        δe, δstate = rnn.backward(δH, δstate′)        ∂J/∂E = embedding.backward(δe)

    e(x) are the rows of an embedding E, or one-hot vectors, with 1 in place x and 0 elsewhere. Called as
    ``model(x, state)``, it returns (z, state′), as :class:`~numnet.nn.RNN` does; without a state it starts from 0.

    Where a text goes on from batch to batch, so does the state: what a call with arrays returned is given to the next
    call. δ ends there, unless δstate, which ``backward`` returns, is handed to the batch before as its δstate′. In
    PyTorch's way of use cut it with ``state.detach()``.

    Shapes: x (N, T) of integers, z and δ (N, V, T), with the classes on axis 1 as :class:`~numnet.nn.CrossEntropyLoss`
    takes them beside labels y (N, T); state (layers, N, H), for ``"lstm"`` the pair (h, c).

    Args:
        vocab_size: V.
        hidden_size: H.
        cell: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        num_layers: how many recurrent layers.
        embedding_size: length of the vectors e; ``None`` for one-hot vectors.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1, or another cell. ShapeError: x is not (N, T), or a state that does not fit.
        DtypeError, LabelError: x does not hold numbers 0 … V - 1.

    Source: Mikolov et al., Recurrent neural network based language model, 2010; in the form of Zhang, Lipton, Li and
    Smola, Dive into deep learning, 2023, section 9.5.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        cell: Cell = "rnn",
        num_layers: int = 1,
        embedding_size: int | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(vocab_size, embedding_size, hidden_size, cell, num_layers, False, rng)
        self.linear = Linear(hidden_size, vocab_size, rng=rng)

    def forward(self, x: Any, state: Any = None) -> tuple[Tensor, Any]:
        H, state = self._read(x, state)  # (N, T, H)
        return self.linear(H).transpose(1, 2), state

    def generate(
        self, prefix: Any, length: int, *, temperature: float = 1.0, rng: np.random.Generator | None = None
    ) -> Array:
        """``prefix`` and ``length`` further tokens, each drawn given all the ones before it.

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
        x, state = tokens, None
        with no_grad():
            for _ in range(length):
                z, state = self(Tensor(np.array([x])), state)  # (1, V, T)
                x = [int(draw(z.array[0, :, -1], temperature, rng))]
                tokens = tokens + x
        return np.array(tokens)
