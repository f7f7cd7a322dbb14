"""Samplers: in what order the samples of an epoch come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np

from ..errors import DomainError, DtypeError, OptionError, ShapeError, describe
from ..random import default_rng
from .dataset import as_integers

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "expect_generator",
    "expect_whole",
]

Rng: TypeAlias = np.random.Generator | None


class Sampler:
    """Abstract: an iterable of sample numbers, with a length; every ``iter()`` is an epoch.

    What is random in an order is drawn from :func:`numnet.random.default_rng`, asked for in ``__iter__``: a loader
    then repeats it when a run is resumed. Or from ``rng``, which the loader saves too.

    Attributes:
        rng: a generator of the sampler's own, or ``None``.
    """

    rng: Rng = None

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__(self), which gives numbers of samples")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__(self), which returns how many it gives")


class SequentialSampler(Sampler):
    """0, 1, …, n - 1.

    Args:
        data_source: anything with a length n.
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """0 … n - 1 in random order, a new one every epoch; or, with ``replacement``, each drawn anew from all.

    Args:
        data_source: anything with a length n.
        replacement: whether a number may come again before all have come.
        num_samples: how many numbers an epoch has; n if ``None``. Without replacement, more than n means one random
            order after the other.
        rng: where the order is drawn from; the default generator if ``None``.

    Raises:
        OptionError: ``num_samples`` below 1, or any where there is nothing to draw from.
        DtypeError: ``rng`` is no generator.
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, *, rng: Rng = None
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = None if num_samples is None else expect_whole("num_samples", num_samples)
        self.rng = expect_generator(rng)

    @property
    def num_samples(self) -> int:
        """How many numbers an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._orders())  # without a step of Python for each number

    def _orders(self) -> Iterator[list[int]]:
        rng, n, left = self.rng or default_rng(), len(self.data_source), self.num_samples
        if left and not n:
            raise OptionError("samples to draw from", "none")
        if self.replacement and left:
            yield rng.integers(n, size=left).tolist()
            return
        while left > 0:
            yield rng.permutation(n)[:left].tolist()
            left -= n

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given numbers in random order, a new one every epoch.

    Args:
        indices: numbers of samples.
        rng: where the order is drawn from; the default generator if ``None``.

    Raises:
        DtypeError: indices that are no integers, such as a mask; ``rng`` is no generator.
        ShapeError: indices in more than one row.
    """

    def __init__(self, indices: Sequence[int] | np.ndarray, *, rng: Rng = None) -> None:
        self.indices = as_integers(indices)  # (N,)
        self.rng = expect_generator(rng)

    def __iter__(self) -> Iterator[int]:
        rng = self.rng or default_rng()
        yield from rng.permutation(self.indices).tolist()

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Numbers drawn with given weights: sample i with probability wᵢ / Σⱼ wⱼ.

    Rare classes come as often as others do if each sample weighs 1 / (size of its class).

    Args:
        weights: w, one for each sample; at least 0, finite, not all 0.
        num_samples: how many numbers an epoch has.
        replacement: whether a number may come again; without it, ``num_samples`` is at most the number of positive
            weights.
        rng: where they are drawn from; the default generator if ``None``.

    Raises:
        ShapeError: weights in more than one row.
        DomainError: weights that cannot be.
        OptionError: ``num_samples`` below 1, or more than there are to draw without replacement.
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, *, rng: Rng = None
    ) -> None:
        self.weights = np.asarray(weights, np.float64)
        self.num_samples = expect_whole("num_samples", num_samples)
        self.replacement = replacement
        self.rng = expect_generator(rng)
        if self.weights.ndim != 1:
            raise ShapeError("weights of shape (N,)", f"shape {self.weights.shape}")
        wrong = np.flatnonzero(~(np.isfinite(self.weights) & (self.weights >= 0)))
        if len(wrong) or not self.weights.sum() > 0:
            got = f"{self.weights[wrong[0]]} for sample {wrong[0]}" if len(wrong) else "a sum of 0"
            raise DomainError("finite weights of at least 0, one of them positive", got)
        if not replacement and num_samples > (self.weights > 0).sum():
            expected = f"num_samples of at most {(self.weights > 0).sum()}, the positive weights"
            raise OptionError(expected, f"num_samples={num_samples}", "replacement=True")

    def __iter__(self) -> Iterator[int]:
        rng = self.rng or default_rng()
        p = self.weights / self.weights.sum()
        yield from rng.choice(len(p), self.num_samples, self.replacement, p).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """What another sampler gives, in lists of ``batch_size``.

        >>> list(BatchSampler(SequentialSampler(range(8)), 3, False))
        [[0, 1, 2], [3, 4, 5], [6, 7]]

    Args:
        sampler: an iterable of sample numbers.
        batch_size: how many make a list.
        drop_last: whether a last list that is shorter is left out.

    Raises:
        OptionError: ``batch_size`` below 1.
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = expect_whole("batch_size", batch_size)
        self.drop_last = drop_last
        if isinstance(sampler, Sampler):
            self.rng = sampler.rng

    def __iter__(self) -> Iterator[list[Any]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n: int = len(self.sampler)  # type: ignore[arg-type]  # of an iterable without one, Python says so
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def expect_whole(name: str, value: Any, least: int = 1) -> int:
    """``value`` as a whole number of at least ``least``. Raises OptionError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise OptionError(f"{name} as a whole number of at least {least}", f"{name}={value!r}")
    return int(value)


def expect_generator(rng: Any) -> Rng:
    """``rng`` itself, a generator or ``None``. Raises DtypeError."""
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise DtypeError("rng as a generator of NumPy's", describe(rng), "np.random.default_rng(seed)")
    return rng
