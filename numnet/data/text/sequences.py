"""Texts as batches: a long one as subsequences x, with y the same moved on by one token; short ones padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ...errors import DataError, DtypeError, OptionError, ShapeError, describe
from ...random import default_rng

__all__ = ["pad", "seq_iter_random", "seq_iter_sequential"]


def seq_iter_random(
    corpus: Any, batch_size: int, num_steps: int, *, rng: np.random.Generator | None = None
) -> Iterator[tuple[Array, Array]]:
    """Batches of subsequences that do not overlap, in random order: neighbours in the text fall into any two batches.

        y[n, t] = the token after x[n, t]

    The text is cut every ``num_steps`` tokens, after a random number 0 … num_steps - 1 of tokens that are left out. So
    the cuts are elsewhere in every epoch. A rest that fills no batch is left out too.

    Args:
        corpus: the numbers of the tokens, (tokens,).
        batch_size: N.
        num_steps: T.
        rng: where the offset and the order are drawn from; the default generator if ``None``.

    Returns:
        An iterator over pairs (x, y), both (N, T) and arrays of their own; one epoch.

    Raises:
        DtypeError, ShapeError: ``corpus`` is not a sequence of integers. OptionError: sizes below 1.
        DataError: ``corpus`` is too short for a single batch.

    Source: Zhang, Lipton, Li and Smola, Dive into deep learning, 2021, section 8.3.4.1.
    """
    tokens, start = _cut(corpus, batch_size, num_steps, rng)
    starts = start + num_steps * np.arange((len(tokens) - 1 - start) // num_steps)
    starts = (default_rng() if rng is None else rng).permutation(starts)
    batches = starts[: len(starts) // batch_size * batch_size].reshape(-1, batch_size, 1) + np.arange(num_steps)
    return ((tokens[batch], tokens[batch + 1]) for batch in batches)  # batch (N, T)


def seq_iter_sequential(
    corpus: Any, batch_size: int, num_steps: int, *, rng: np.random.Generator | None = None
) -> Iterator[tuple[Array, Array]]:
    """Batches of subsequences in the order of the text: row n of a batch goes on where row n of the last one ended.

        y[n, t] = the token after x[n, t]        x of the next batch [n, 0] = y[n, T - 1]

    So the state that a recurrent network has at the end of a batch is where it starts in the next. The text, after a
    random number 0 … num_steps - 1 of tokens that are left out, is cut into N long rows, and these into batches.

    Args:
        corpus: the numbers of the tokens, (tokens,).
        batch_size: N.
        num_steps: T.
        rng: where the offset is drawn from; the default generator if ``None``.

    Returns:
        An iterator over pairs (x, y), both (N, T) and arrays of their own; one epoch.

    Raises:
        DtypeError, ShapeError: ``corpus`` is not a sequence of integers. OptionError: sizes below 1.
        DataError: ``corpus`` is too short for a single batch.

    Source: Zhang, Lipton, Li and Smola, Dive into deep learning, 2021, section 8.3.4.2.
    """
    tokens, start = _cut(corpus, batch_size, num_steps, rng)
    length = (len(tokens) - 1 - start) // batch_size  # of a row
    starts = start + length * np.arange(batch_size)[:, None] + np.arange(num_steps)  # (N, T), of the first batch
    return ((tokens[starts + t], tokens[starts + t + 1]) for t in range(0, length - num_steps + 1, num_steps))


def pad(sequences: Sequence[Sequence[int]], value: int = 0, length: int | None = None) -> tuple[Array, Array]:
    """Texts of different lengths as one batch: the shorter ones are filled up with ``value``, longer ones are cut.

    Args:
        sequences: the numbers of the tokens of each text, such as ``vocab[tokens]``.
        value: what they are filled up with, such as ``vocab["<pad>"]``.
        length: T; the length of the longest if ``None``.

    Returns:
        The batch x (N, T), and how many tokens of each text count, (N,), as the models take it for ``lengths``.

    Raises:
        DataError: no text, or one without a token, named by its number.
        DtypeError: a text that is no sequence of integers, named by its number. OptionError: a length below 1.
    """
    if length is not None and length < 1:
        raise OptionError("length of at least 1", f"{length}", "None takes that of the longest text")
    texts = [np.asarray(sequence) for sequence in sequences]
    for n, tokens in enumerate(texts):
        if tokens.ndim == 1 and not tokens.size:
            raise DataError("texts of one token at least", f"none in text {n}", "leave empty texts out")
        if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
            cure = "pad(vocab[tokens]), with a list of tokens for each text"
            raise DtypeError(f"the numbers of tokens, integers, as text {n}", describe(sequences[n]), cure)
    if not texts:
        raise DataError("texts of one token at least", "no text", "leave empty batches out")
    T = max(map(len, texts)) if length is None else length
    x = np.full((len(texts), T), value, np.int64)
    for row, tokens in zip(x, texts, strict=True):
        row[: len(tokens)] = tokens[:T]
    return x, np.array([min(len(tokens), T) for tokens in texts])


def _cut(corpus: Any, batch_size: int, num_steps: int, rng: np.random.Generator | None) -> tuple[Array, int]:
    """The corpus as an array, and the first token that is not left out; refusals are raised here, not at first use."""
    if batch_size < 1 or num_steps < 1:
        raise OptionError("batch_size and num_steps of at least 1", f"{batch_size} and {num_steps}", "raise them")
    tokens = np.asarray(corpus)
    if tokens.dtype.kind not in "iu":
        cure = "corpus = [i for line in vocab[tokens] for i in line]"
        raise DtypeError("corpus as the numbers of tokens, integers", describe(corpus), cure)
    if tokens.ndim != 1:
        raise ShapeError("corpus as one sequence, (tokens,)", f"shape {tokens.shape}", "corpus.reshape(-1)")
    needed = batch_size * num_steps + num_steps  # a batch, its last label, and the largest offset
    if len(tokens) < needed:
        expected = f"a corpus of {needed} tokens at least, for one batch of {batch_size} × {num_steps}"
        raise DataError(expected, f"{len(tokens)} tokens", "a smaller batch_size or num_steps, or a longer text")
    return tokens, int((default_rng() if rng is None else rng).integers(num_steps))
