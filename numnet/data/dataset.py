"""Dataset: samples by number. And data sets made of others: some of the rows of one, several one after the other."""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..errors import DataError, DtypeError, ShapeError, describe

__all__ = ["ConcatDataset", "Dataset", "Subset", "as_integers"]


class Dataset:
    """Abstract: samples by number, ``dataset[0]`` … ``dataset[len(dataset) - 1]``.

    A subclass writes ``__getitem__(self, index)``, which returns sample number ``index``, and ``__len__(self)``.

    What is random in a sample is drawn from :func:`numnet.random.default_rng`, asked for anew in every ``__getitem__``:
    a :class:`DataLoader` sees to it that every sample of every epoch has numbers of its own, the same for any number
    of workers.

        >>> class Squares(Dataset):
        ...     def __getitem__(self, index):
        ...         return index, index**2
        ...     def __len__(self):
        ...         return 4
        >>> list(Squares())
        [(0, 0), (1, 1), (2, 4), (3, 9)]
    """

    def __getitem__(self, index: int) -> Any:
        """Sample number ``index``: an array, or several as a tuple or a dictionary."""
        raise NotImplementedError(
            f"{type(self).__name__} has no __getitem__(self, index), which returns sample number index: (x, y), say"
        )

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__(self), which returns how many samples it has")

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])

    def gather(self, indices: Sequence[int] | np.ndarray) -> Any:
        """The batch that :func:`default_collate` would make of these samples, made at once.

        A data set in memory can pick the rows of a batch in one go, which is many times faster than row by row.
        ``NotImplemented``, as here, sends the loader the long way, by ``__getitem__`` and ``default_collate``.
        """
        return NotImplemented


class Subset(Dataset):
    """Some of the samples of a data set, in an order of their own.

    Args:
        dataset: where the samples are.
        indices: their numbers there.
        role: what these samples are for: ``"train"``, ``"validation"``, ``"test"``, or any word. Left out, it is that
            of ``dataset`` if this is a Subset too: some rows of the test rows are test rows. ``numnet.train`` refuses
            to learn from a role ``"test"``.

    Attributes:
        indices: an integer array.

    Raises:
        DtypeError: indices that are no integers.
        ShapeError: indices in more than one row.
        DataError: an index that the data set does not have.
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray, role: str = "") -> None:
        self.dataset = dataset
        self.indices = _indices_of(len(dataset), indices)  # (N,)
        self.role: str = role or (dataset.role if isinstance(dataset, Subset) else "")

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[operator.index(index)])]

    def __len__(self) -> int:
        return len(self.indices)

    def gather(self, indices: Sequence[int] | np.ndarray) -> Any:
        """The batch of these samples, made at once where ``dataset`` can."""
        if not isinstance(self.dataset, Dataset) or type(self).__getitem__ is not Subset.__getitem__:
            return NotImplemented  # a subclass with samples of its own
        return self.dataset.gather(self.indices[as_integers(indices)])

    def rows(self) -> tuple[Any, np.ndarray]:
        """The data set at the bottom of subsets of subsets, and the numbers that these samples have there, all ≥ 0.

        Two subsets share samples if the data set is the same object and the numbers meet.
        """
        if not isinstance(self.dataset, Subset):
            return self.dataset, self.indices % max(len(self.dataset), 1)
        dataset, rows = self.dataset.rows()
        return dataset, rows[self.indices]

    def __repr__(self) -> str:
        role = f", role={self.role!r}" if self.role else ""
        return f"Subset({len(self)} of {len(self.dataset)} samples of {type(self.dataset).__name__}{role})"


class ConcatDataset(Dataset):
    """Several data sets one after the other; ``a + b`` makes one too.

    Args:
        datasets: at least one.

    Raises:
        DataError: none.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise DataError("at least one data set", "none")
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))

    def __getitem__(self, index: int) -> Any:
        index, n = operator.index(index), len(self)
        if not -n <= index < n:
            raise IndexError(f"sample {index} of a ConcatDataset of {n}")
        index %= n
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - ([0, *self.cumulative_sizes])[which]]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def as_integers(indices: Any) -> np.ndarray:
    """``indices`` as an array (N,) of int64. Raises DtypeError, ShapeError."""
    array = np.asarray(indices)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        cure = "np.flatnonzero(mask)" if array.dtype.kind == "b" else "whole numbers"
        raise DtypeError("indices as integers", describe(indices), cure)
    if array.ndim != 1:
        raise ShapeError("indices of shape (N,)", f"shape {array.shape}")
    return array.astype(np.int64, copy=False)


def _indices_of(n: int, indices: Any) -> np.ndarray:
    """``indices`` of a data set of n samples."""
    array = as_integers(indices)
    outside = array[(array < -n) | (array >= n)]
    if len(outside):
        raise DataError(f"indices of a data set of {n} samples", f"index {outside[0]}")
    return array
