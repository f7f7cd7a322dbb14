"""In what order samples come."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import numnet
from numnet.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from numnet.errors import DomainError, DtypeError, NumnetError, OptionError, ShapeError

theirs = pytest.importorskip("torch.utils.data")

TEN = range(10)


def test_the_sequential_one_counts() -> None:
    sampler = SequentialSampler(TEN)
    assert list(sampler) == list(sampler) == list(TEN)
    assert len(sampler) == 10


def test_the_random_one_has_a_new_order_every_epoch_and_comes_again_with_the_seed() -> None:
    sampler = RandomSampler(TEN)
    numnet.manual_seed(4)
    a, b = list(sampler), list(sampler)
    assert sorted(a) == sorted(b) == list(TEN)
    assert a != b
    numnet.manual_seed(4)
    assert [list(sampler), list(sampler)] == [a, b]


def test_rng_is_used_and_the_default_left_alone() -> None:
    numnet.manual_seed(0)
    expected = numnet.manual_seed(0).random()
    numnet.manual_seed(0)
    orders = [list(RandomSampler(TEN, rng=np.random.default_rng(1))) for _ in range(2)]
    assert orders[0] == orders[1]
    assert numnet.random.default_rng().random() == expected


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("num_samples", [None, 4, 25])
def test_how_many_the_random_one_gives(replacement: bool, num_samples: int | None) -> None:
    sampler, torchs = RandomSampler(TEN, replacement, num_samples), theirs.RandomSampler(TEN, replacement, num_samples)
    given = list(sampler)
    assert len(given) == len(sampler) == len(torchs) == len(list(torchs))
    counts = Counter(given)
    if replacement:
        assert set(counts) <= set(TEN)
    else:
        assert max(counts.values()) - min(counts.get(i, 0) for i in TEN) <= 1


def test_a_random_order_is_uniform() -> None:
    sampler = RandomSampler(range(4), rng=np.random.default_rng(0))
    counts = Counter(tuple(sampler) for _ in range(2400))
    assert len(counts) == 24
    assert sum((n - 100) ** 2 / 100 for n in counts.values()) < 49.7  # χ² of 23 degrees: 0.1 %


def test_the_subset_one_gives_its_own() -> None:
    sampler = SubsetRandomSampler([3, 5, 9], rng=np.random.default_rng(0))
    orders = {tuple(sampler) for _ in range(50)}
    assert len(orders) == 6
    assert all(sorted(order) == [3, 5, 9] for order in orders)
    assert len(sampler) == 3
    with pytest.raises(DtypeError, match=r"np\.flatnonzero"):
        SubsetRandomSampler(np.array([True, False]))


def test_the_weighted_one_draws_by_weight() -> None:
    sampler = WeightedRandomSampler([1, 0, 3], 4000, rng=np.random.default_rng(0))
    counts = Counter(sampler)
    assert set(counts) == {0, 2}
    assert abs(counts[2] / 4000 - 0.75) < 0.03
    without = WeightedRandomSampler([1, 0, 3], 2, replacement=False)
    assert sorted(without) == [0, 2]
    assert len(without) == 2


@pytest.mark.parametrize("n, batch_size", [(8, 3), (9, 3), (2, 3), (0, 3)])
@pytest.mark.parametrize("drop_last", [False, True])
def test_lists_are_pytorchs(n: int, batch_size: int, drop_last: bool) -> None:
    ours = BatchSampler(SequentialSampler(range(n)), batch_size, drop_last)
    torchs = theirs.BatchSampler(theirs.SequentialSampler(range(n)), batch_size, drop_last)
    assert list(ours) == list(torchs)
    assert len(ours) == len(torchs) == len(list(ours))


def test_one_of_ones_own_draws_from_the_seed_of_the_epoch() -> None:
    class Shuffled(Sampler):
        def __iter__(self) -> Any:
            for _ in range(6):  # a draw at a time, while the loop below draws too
                yield int(numnet.random.default_rng().integers(100))

        def __len__(self) -> int:
            return 6

    orders = []
    for noise in (0, 3):
        numnet.manual_seed(8)
        order = []
        for (x,) in DataLoader(TensorDataset(np.arange(100)), sampler=Shuffled()):
            numnet.random.default_rng().random(noise)
            order.append(int(x[0]))
        orders.append(order)
    assert orders[0] == orders[1]
    assert len(set(orders[0])) > 1
    with pytest.raises(NotImplementedError, match="Sampler has no __iter__"):
        iter(Sampler())


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: RandomSampler(TEN, num_samples=0), OptionError, "num_samples=0"),
        (lambda: RandomSampler(TEN, num_samples=1.5), OptionError, "num_samples=1.5"),  # type: ignore[arg-type]
        (lambda: RandomSampler(TEN, rng=3), DtypeError, "int 3"),  # type: ignore[arg-type]
        (lambda: list(RandomSampler([], True, 3)), OptionError, "samples to draw from"),
        (lambda: BatchSampler(TEN, 0, False), OptionError, "batch_size=0"),
        (lambda: BatchSampler(TEN, True, False), OptionError, "batch_size=True"),
        (lambda: WeightedRandomSampler([1, -1], 3), DomainError, "-1.0 for sample 1"),
        (lambda: WeightedRandomSampler([1, np.nan], 3), DomainError, "nan for sample 1"),
        (lambda: WeightedRandomSampler([0, 0], 3), DomainError, "a sum of 0"),
        (lambda: WeightedRandomSampler([[1]], 3), ShapeError, r"\(1, 1\)"),  # type: ignore[list-item]
        (lambda: WeightedRandomSampler([1, 0], 2, False), OptionError, "at most 1"),
    ],
)
def test_what_cannot_be(make: Any, error: type[NumnetError], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
