"""A corpus as batches: what random sampling and sequential partition promise, on any corpus."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numnet
from numnet.data.text import pad, seq_iter_random, seq_iter_sequential
from numnet.errors import DataError, DtypeError, OptionError, ShapeError

both = pytest.mark.parametrize("iterate", [seq_iter_random, seq_iter_sequential])
sizes = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(0, 60), st.integers(0, 2**32))


def epoch(iterate: Callable[..., Any], size: tuple[int, int, int, int]) -> tuple[np.ndarray, list[Any], int, int]:
    """One epoch over a corpus whose tokens are their own positions: what is in a batch says where it comes from."""
    N, T, more, seed = size
    corpus = np.arange(N * T + T + more)
    return corpus, list(iterate(corpus, N, T, rng=np.random.default_rng(seed))), N, T


@both
@pytest.mark.proves("C251")
@given(size=sizes)
def test_labels_are_the_input_moved_on_by_one(iterate: Callable[..., Any], size: tuple[int, int, int, int]) -> None:
    _, batches, N, T = epoch(iterate, size)
    assert batches
    for x, y in batches:
        assert x.shape == y.shape == (N, T)
        np.testing.assert_array_equal(y, x + 1)
        np.testing.assert_array_equal(np.diff(x, axis=1), 1)


@both
@pytest.mark.proves("C247", "C248")
@given(size=sizes)
def test_no_token_twice_and_nearly_all_of_them(iterate: Callable[..., Any], size: tuple[int, int, int, int]) -> None:
    corpus, batches, N, T = epoch(iterate, size)
    seen = np.concatenate([x.ravel() for x, _ in batches])
    assert len(set(seen.tolist())) == len(seen), "subsequences do not overlap"
    unused = len(corpus) - 1 - len(seen)  # the last token is a label only
    assert unused < T + N * T + N, "an offset, and a rest that fills no batch"


@given(size=sizes)
@pytest.mark.proves("C247")
def test_random_sampling_cuts_at_one_grid(size: tuple[int, int, int, int]) -> None:
    corpus, batches, N, T = epoch(seq_iter_random, size)
    starts = np.concatenate([x[:, 0] for x, _ in batches])
    offset = starts[0] % T
    assert (starts % T == offset).all()
    assert len(batches) == (len(corpus) - 1 - offset) // T // N


@pytest.mark.proves("C247")
def test_random_sampling_has_every_offset_and_no_neighbours_by_design() -> None:
    corpus, N, T = np.arange(1000), 4, 5
    offsets, neighbours, pairs = set(), 0, 0
    for seed in range(40):
        starts = [x[:, 0] for x, _ in seq_iter_random(corpus, N, T, rng=np.random.default_rng(seed))]
        offsets.add(int(starts[0][0]) % T)
        neighbours += sum(int((b == a + T).sum()) for a, b in itertools.pairwise(starts))
        pairs += N * (len(starts) - 1)
    assert offsets == set(range(T))
    assert neighbours / pairs < 0.02, "as often as chance has it: 1 in 200"


@given(size=sizes)
@pytest.mark.proves("C248")
def test_sequential_batches_continue_each_other(size: tuple[int, int, int, int]) -> None:
    _, batches, _, _ = epoch(seq_iter_sequential, size)
    for (_, before), (x, _) in itertools.pairwise(batches):
        np.testing.assert_array_equal(x[:, 0], before[:, -1])


@pytest.mark.proves("C248")
def test_sequential_partition_has_every_offset() -> None:
    starts = {
        int(next(seq_iter_sequential(np.arange(99), 2, 5, rng=np.random.default_rng(seed)))[0][0, 0])
        for seed in range(60)
    }
    assert starts == set(range(5))


@both
def test_same_seed_same_batches_and_arrays_of_their_own(iterate: Callable[..., Any]) -> None:
    corpus = list(range(100))
    numnet.manual_seed(3)
    first = list(iterate(corpus, 2, 7))
    numnet.manual_seed(3)
    again = list(iterate(np.array(corpus), 2, 7))
    np.testing.assert_array_equal(first, again)
    array = np.arange(100)
    for x, y in iterate(array, 2, 7):
        assert not np.shares_memory(x, array)
        assert not np.shares_memory(x, y)


@both
def test_refusals_come_at_once(iterate: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=r"of 12 tokens at least, for one batch of 2 × 4\n.*11 tokens"):
        iterate(np.arange(11), 2, 4)
    assert list(iterate(np.arange(12), 2, 4))
    with pytest.raises(DtypeError, match=r"vocab\[tokens\]"):
        iterate(list("the time machine"), 2, 4)
    with pytest.raises(ShapeError, match="reshape"):
        iterate(np.zeros((3, 4), int), 2, 4)
    with pytest.raises(OptionError, match="0 and 4"):
        iterate(np.arange(12), 0, 4)


def test_texts_of_different_lengths_become_one_batch() -> None:
    x, lengths = pad([[1, 2, 3], [4], [5, 6]], 9)
    np.testing.assert_array_equal(x, [[1, 2, 3], [4, 9, 9], [5, 6, 9]])
    np.testing.assert_array_equal(lengths, [3, 1, 2])
    x, lengths = pad([[1, 2, 3], [4]], length=2)
    np.testing.assert_array_equal(x, [[1, 2], [4, 0]])
    np.testing.assert_array_equal(lengths, [2, 1])
    with pytest.raises(DataError, match="none in text 1"):
        pad([[1], []])
    with pytest.raises(DataError, match="leave empty"):
        pad([])
    with pytest.raises(DtypeError, match="as text 1"):
        pad([[1], [1.5, 2]])
    with pytest.raises(DtypeError, match="as text 0"):
        pad(["ab"])  # type: ignore[list-item]
    with pytest.raises(DtypeError, match="as text 0"):
        pad([1, 2])  # type: ignore[list-item]
    with pytest.raises(OptionError, match="length of at least 1"):
        pad([[1]], length=0)
