"""random_split: a data set in random parts, for training, validation and test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, OptionError, ShapeError
from ..random import default_rng
from .dataset import Subset
from .sampler import Rng, expect_generator

__all__ = ["random_split"]


def random_split(
    dataset: Any,
    lengths: Sequence[int] | Sequence[float],
    *,
    rng: Rng = None,
    stratify: Any = None,
    names: Sequence[str] | None = None,
) -> list[Subset]:
    """A data set in random parts that share no sample.

    With ``stratify``, every part has the classes in the proportions of the whole: n_c = ⌊N p_c⌋ samples of class c,
    p_c its share, and one more in the classes with the largest remainders N p_c - ⌊N p_c⌋ until there are N; where
    remainders are equal, in classes drawn by lot. The counts are those of scikit-learn's
    ``train_test_split(stratify=y)``.

        >>> train, validation, test = random_split(range(10), [0.6, 0.2, 0.2], names=("train", "validation", "test"))
        >>> len(train), len(validation), len(test), test.role
        (6, 2, 2, 'test')

    Args:
        dataset: anything with a length.
        lengths: how many samples each part has; or fractions of the whole that add up to 1, whose parts are rounded
            down and the samples left over given to the first parts, one each.
        rng: where the order is drawn from; the default generator if ``None``.
        stratify: the class of every sample, (N,).
        names: the role of each part: "train", "validation", "test". ``numnet.train`` refuses to learn from a part
            with the role "test".

    Raises:
        OptionError: lengths that do not add up, or are not as many as the names.
        ShapeError: not one class for every sample.
        DataError: a class with fewer samples than parts.

    Source: the sizes, ``torch.utils.data.random_split``; stratification, scikit-learn's ``StratifiedShuffleSplit``.
    """
    n = len(dataset)
    sizes = _sizes(lengths, n)
    if names is not None and len(names) != len(sizes):
        raise OptionError(f"{len(sizes)} names, one for each part", f"{len(names)}: {list(names)}")
    rng = expect_generator(rng) or default_rng()
    if stratify is None:
        parts = np.split(rng.permutation(n), np.cumsum(sizes)[:-1])
    else:
        parts = _stratified(np.asarray(stratify), sizes, n, rng)
    return [Subset(dataset, part, role) for part, role in zip(parts, names or [""] * len(sizes), strict=True)]


def _sizes(lengths: Sequence[Any], n: int) -> list[int]:
    if any(length < 0 for length in lengths):
        raise OptionError("lengths of at least 0", f"{list(lengths)}")
    if all(isinstance(length, (int, np.integer)) for length in lengths) and sum(lengths) == n:
        return [int(length) for length in lengths]
    if not math.isclose(sum(lengths), 1):
        got = f"{list(lengths)}, which add up to {sum(lengths):g}"
        raise OptionError(f"lengths that add up to the {n} samples, or fractions that add up to 1", got)
    sizes = [math.floor(n * fraction) for fraction in lengths]
    for i in range(n - sum(sizes)):
        sizes[i % len(sizes)] += 1
    return sizes


def _stratified(labels: np.ndarray, sizes: list[int], n: int, rng: np.random.Generator) -> list[np.ndarray]:
    if labels.shape != (n,):
        raise ShapeError(f"stratify with one class for each of {n} samples", f"shape {labels.shape}")
    classes, class_of, left = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) and left.min() < len(sizes):
        got = f"{left.min()} of class {classes[left.argmin()].item()!r}"
        raise DataError(f"at least {len(sizes)} samples of every class, one for each part", got)
    rows = [rng.permutation(np.flatnonzero(class_of == c)) for c in range(len(classes))]
    parts = []
    for size in sizes:
        counts = _proportional(left, size, rng)
        taken = [row[:count] for row, count in zip(rows, counts, strict=True)]
        rows = [row[count:] for row, count in zip(rows, counts, strict=True)]
        left = left - counts
        parts.append(rng.permutation(np.concatenate([np.empty(0, np.int64), *taken])))  # classes mixed
    return parts


def _proportional(available: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """How many to take of each class, in proportion to what is there: ``size`` in all."""
    total = int(available.sum())
    if size == total:
        return available
    exact = available * size  # in units of 1 / total: whole numbers, so that remainders are compared exactly
    counts, remainders = exact // total, exact % total
    lot = rng.permutation(len(available))
    largest = lot[np.argsort(-remainders[lot], kind="stable")]
    counts[largest[: size - counts.sum()]] += 1
    return counts
