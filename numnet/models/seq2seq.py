"""Sequence to sequence: a text is read to its end, and another is written from what has been kept of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array
from ..call import no_grad
from ..errors import ShapeError
from ..nn import Module
from ..tensor import Tensor
from .language_model import RNNLanguageModel
from .sequence import Cell, Reader, expect_length, expect_tokens

__all__ = ["Encoder", "Seq2Seq"]


class Encoder(Reader):
    """The state in which a recurrent layer ends that has read a text.

        state = rnn(E[x])

        δe = rnn.backward(0, δstate)        ∂J/∂E = embedding.backward(δe)

    Called as ``encoder(x, lengths)``.

    Shapes: x (N, S) and lengths (N,) of integers, state and δstate (layers, N, H), for ``"lstm"`` the pair (h, c).

    Args:
        vocab_size, embedding_size, hidden_size, cell, num_layers, rng: as for :class:`Seq2Seq`.

    Raises:
        OptionError, ShapeError, DtypeError, LabelError: as for :class:`Seq2Seq`.

    Source: Sutskever, Vinyals and Le, Sequence to sequence learning with neural networks, 2014, section 2.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        hidden_size: int,
        cell: Cell = "gru",
        num_layers: int = 1,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(vocab_size, embedding_size, hidden_size, cell, num_layers, False, rng)

    def forward(self, x: Any, lengths: Any = None) -> Any:
        return self._read(x, lengths=lengths)[1]


class Seq2Seq(Module):
    """Encoder and decoder: the decoder is a language model that starts from the state in which the encoder ends.

        state = encoder(x)        z = decoder(y, state)        P(yₜ₊₁ | y₁ … yₜ, x) = softmax(zₜ)

        δstate = decoder.backward(δ)        encoder.backward(δstate)

    Called as ``model(x, y, lengths)``: y is the target behind a start token, the labels are the target itself
    (*teacher forcing*). ``lengths`` says how many tokens of each x count; all, if it is left out.

    Shapes: x (N, S), y (N, T) and lengths (N,) of integers, z and δ (N, V, T), with the classes on axis 1 as
    :class:`~numnet.nn.CrossEntropyLoss` takes them.

    Args:
        source_size: how many tokens there are in x.
        target_size: V, how many there are in y.
        embedding_size: length of the vectors of both embeddings.
        hidden_size: H of both recurrent layers.
        cell: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        num_layers: how many recurrent layers both have.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1, another cell, or lengths outside 1 … S. ShapeError: x or y is not (N, T),
        or they are not as many. DtypeError, LabelError: x or y do not hold numbers of tokens.

    Source: Sutskever, Vinyals and Le, Sequence to sequence learning with neural networks, 2014, section 2.
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        embedding_size: int,
        hidden_size: int,
        cell: Cell = "gru",
        num_layers: int = 1,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(source_size, embedding_size, hidden_size, cell, num_layers, rng=rng)
        self.decoder = RNNLanguageModel(target_size, hidden_size, cell, num_layers, embedding_size, rng=rng)

    def forward(self, x: Any, y: Any, lengths: Any = None) -> Tensor:
        x = expect_tokens(self, x, self.encoder.vocab_size)
        y = expect_tokens(self, y, self.decoder.vocab_size)
        if len(x) != len(y):
            cure = "one y for each x, behind its start token"
            error = ShapeError("x and y of as many texts", f"{len(x)} and {len(y)}", cure)
            error.where = "Seq2Seq, forward"
            raise error
        return self.decoder(y, self.encoder(x, lengths))[0]

    def generate(self, x: Array, start: int, length: int, *, stop: int | None = None, lengths: Any = None) -> Array:
        """Answers to the texts x, the most probable token at every step.

        Args:
            x: (N, S), of integers.
            start: the token that every y started with in training.
            length: how many tokens to write.
            stop: the token that ends an answer; it fills the places behind it.
            lengths: how many tokens of each x count.

        Returns:
            The numbers of the tokens, (N, length), without the start.

        Raises:
            ShapeError, DtypeError, LabelError: x or the start are not numbers of tokens.
            OptionError: a negative length.
        """
        expect_length(length)
        answers = np.empty((len(x), length), np.int64)
        with no_grad():
            state, token = self.encoder(Tensor(x), lengths), np.full((len(x), 1), start)
            for t in range(length):
                z, state = self.decoder(Tensor(token), state)  # (N, V, 1)
                token = z.array.argmax(axis=1)
                answers[:, t] = token[:, 0]
        if stop is not None:
            stopped = answers == stop
            answers[stopped.cumsum(axis=1) > stopped] = stop
        return answers
