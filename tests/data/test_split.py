"""Parts of a data set that share no sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numnet
from numnet.data import random_split
from numnet.errors import DataError, DtypeError, NumnetError, OptionError, ShapeError

theirs = pytest.importorskip("torch.utils.data")
train_test_split = pytest.importorskip("sklearn.model_selection").train_test_split


@pytest.mark.parametrize(
    "lengths", [[7, 3], [0.5, 0.5], [0.6, 0.2, 0.2], [0.29, 0.71], [1.0], [10], [0.33, 0.33, 0.34], [0, 10]]
)
@pytest.mark.parametrize("n", [10, 100, 101])
def test_sizes_are_pytorchs_and_every_sample_is_in_one_part(lengths: list[Any], n: int) -> None:
    if all(isinstance(length, int) for length in lengths):
        n = sum(lengths)
    parts = random_split(range(n), lengths)
    assert [len(part) for part in parts] == [len(part) for part in theirs.random_split(range(n), lengths)]
    assert sorted(int(i) for part in parts for i in part.indices) == list(range(n))


def test_the_seed_decides() -> None:
    def split(seed: int) -> list[int]:
        return random_split(range(50), [25, 25], rng=np.random.default_rng(seed))[0].indices.tolist()

    assert split(1) == split(1) != split(2)
    assert split(1) != sorted(split(1))
    numnet.manual_seed(3)
    a = random_split(range(50), [25, 25])[0].indices.tolist()
    numnet.manual_seed(3)
    assert random_split(range(50), [25, 25])[0].indices.tolist() == a


@pytest.mark.proves("C051")
def test_class_counts_of_the_phone_prices_are_scikit_learns(data_folder: Path) -> None:
    y = np.loadtxt(data_folder / "mobile_price.csv", delimiter=",", skiprows=1)[:, -1].astype(np.int64)
    train, valid = train_test_split(y, train_size=0.8, random_state=88, stratify=y)
    parts = random_split(range(2000), [0.8, 0.2], stratify=y, rng=np.random.default_rng(88))
    assert [np.bincount(y[part.indices]).tolist() for part in parts] == [[400] * 4, [100] * 4]
    assert [np.bincount(part).tolist() for part in (train, valid)] == [[400] * 4, [100] * 4]
    assert sorted(np.concatenate([part.indices for part in parts])) == list(range(2000))


@pytest.mark.proves("C051")
@pytest.mark.parametrize("seed", range(20))
def test_class_counts_are_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(4, 40, rng.integers(2, 6))
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n_train = int(rng.integers(len(sizes) * 2, len(y) - len(sizes)))
    train, _ = train_test_split(y, train_size=n_train, test_size=len(y) - n_train, stratify=y, random_state=seed)
    part, rest = random_split(range(len(y)), [n_train, len(y) - n_train], stratify=y, rng=rng)
    remainders = sizes * n_train % len(y)
    ours, sklearns = (np.bincount(labels, minlength=len(sizes)) for labels in (y[part.indices], train))
    if len(set(remainders)) == len(remainders):
        np.testing.assert_array_equal(ours, sklearns)
    else:  # of classes with equal remainders, scikit-learn too draws those that get one more
        assert sorted(ours - sizes * n_train // len(y)) == sorted(sklearns - sizes * n_train // len(y))
    assert np.abs(ours - sizes * n_train / len(y)).max() < 1
    assert len(rest) + len(part) == len(y)


def test_three_parts_with_names_and_classes_in_proportion() -> None:
    y = np.repeat([0, 1, 2], [60, 30, 10])
    parts = random_split(range(100), [0.6, 0.2, 0.2], stratify=y, names=("train", "validation", "test"))
    assert [part.role for part in parts] == ["train", "validation", "test"]
    assert [np.bincount(y[part.indices]).tolist() for part in parts] == [[36, 18, 6], [12, 6, 2], [12, 6, 2]]
    assert sorted(np.concatenate([part.indices for part in parts])) == list(range(100))
    assert np.any(np.diff(y[parts[0].indices]) < 0)  # classes are mixed


@pytest.mark.parametrize(
    "lengths, options, error, words",
    [
        ([7, 4], {}, OptionError, r"the 10 samples.*\[7, 4\], which add up to 11"),
        ([0.5, 0.6], {}, OptionError, "add up to 1.1"),
        ([11, -1], {}, OptionError, "at least 0"),
        ([5, 5], {"names": ["train"]}, OptionError, "2 names"),
        ([5, 5], {"stratify": [0, 1]}, ShapeError, r"10 samples.*\(2,\)"),
        ([5, 5], {"stratify": ["a"] * 9 + ["b"]}, DataError, "1 of class .*'b'"),
        ([5, 5], {"rng": 3}, DtypeError, "int 3"),
    ],
)
def test_what_cannot_be(lengths: list[Any], options: Any, error: type[NumnetError], words: str) -> None:
    with pytest.raises(error, match=f"(?s){words}"):
        random_split(range(10), lengths, **options)
