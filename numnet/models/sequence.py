"""What the models of sequences share: tokens become vectors, and a recurrent layer reads them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from ..arrays import array_module
from ..errors import DtypeError, LabelError, NumnetError, OptionError, ShapeError, describe
from ..nn import GRU, LSTM, RNN, Embedding, Module
from ..tensor import Tensor
from .sizes import expect_sizes

__all__ = ["Cell", "Reader", "expect_length", "expect_prefix", "expect_tokens"]

Cell = Literal["rnn", "lstm", "gru"]


class Reader(Module):
    """Abstract: an embedding and a recurrent layer. A subclass says what becomes of the states."""

    cells: ClassVar[dict[str, type[RNN | LSTM | GRU]]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int | None,
        hidden_size: int,
        cell: Cell,
        num_layers: int,
        bidirectional: bool,
        rng: np.random.Generator | None,
    ) -> None:
        super().__init__()
        if cell not in self.cells:
            raise OptionError('cell "rnn", "lstm" or "gru"', repr(cell), "choose one of the three")
        expect_sizes(vocab_size=vocab_size, embedding_size=embedding_size)
        expect_sizes(hidden_size=hidden_size, num_layers=num_layers)
        self.vocab_size = vocab_size
        self.embedding = None if embedding_size is None else Embedding(vocab_size, embedding_size, rng=rng)
        self.rnn = self.cells[cell](
            vocab_size if embedding_size is None else embedding_size,
            hidden_size,
            num_layers,
            batch_first=True,
            bidirectional=bidirectional,
            rng=rng,
        )

    def _read(self, x: Any, state: Any = None, lengths: Any = None) -> tuple[Tensor, Any]:
        """The output at every step (N, T, D · H), and the state at the end."""
        x = expect_tokens(self, x, self.vocab_size)
        if self.embedding is not None:
            return self.rnn(self.embedding(x), state, lengths)
        W = next(self.rnn.parameters()).array
        one_hot = array_module(W).eye(self.vocab_size, dtype=W.dtype)[x.array]  # (N, T, V)
        return self.rnn(Tensor(one_hot), state, lengths)


def expect_tokens(model: Module, x: Any, vocab_size: int) -> Tensor:
    """``x`` as a Tensor of the numbers of tokens, (N, T).

    Raises:
        ShapeError, DtypeError, LabelError: it is not (N, T), or not of integers 0 … vocab_size - 1.
    """
    x = x if isinstance(x, Tensor) else Tensor(x)
    error: NumnetError | None = None
    if x.dtype.kind not in "iu":
        error = DtypeError("the numbers of tokens, integers", f"x of {x.dtype}", "x.astype(np.int64)")
    elif x.ndim != 2:
        cure = "x[None] makes a batch of one text" if x.ndim == 1 else "one number for each token"
        error = ShapeError("tokens of shape (N, T)", f"shape {x.shape}", cure)
    elif bool((wrong := (x.array < 0) | (x.array >= vocab_size)).any()):
        row, step = (int(axis[0]) for axis in wrong.nonzero())
        cure = "build with len(vocab) of the vocabulary that made x"
        got = f"{x.array[row, step]} in x[{row}, {step}]"
        error = LabelError(f"numbers of tokens, 0 … {vocab_size - 1}", got, cure)
    if error is not None:
        error.where = f"{type(model).__name__}, forward"
        raise error
    return x


def expect_prefix(prefix: Any) -> list[int]:
    """The numbers of the tokens that a text starts with.

    Raises:
        DtypeError, ShapeError: not a sequence of integers, or an empty one.
    """
    tokens = np.asarray(prefix)
    if tokens.size and tokens.dtype.kind not in "iu":
        raise DtypeError("prefix as the numbers of tokens", describe(prefix), "vocab[list(prefix)]")
    if tokens.ndim != 1 or not tokens.size:
        cure = "a list of one token at least, such as vocab[['<bos>']]"
        raise ShapeError("prefix as one sequence of tokens", describe(prefix), cure)
    return [int(token) for token in tokens]


def expect_length(length: int) -> None:
    """How many tokens to write is not negative. Raises OptionError."""
    if length < 0:
        raise OptionError("a length of at least 0: how many tokens to write", f"length={length}", "length=100")
