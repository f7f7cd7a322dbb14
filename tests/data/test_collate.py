"""How samples become a batch."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, Tensor, tensor
from numnet.data import DataLoader, default_collate, default_convert
from numnet.errors import DataError, DtypeError, NumnetError, ShapeError

torch = pytest.importorskip("torch")

Point = namedtuple("Point", "x y")

SAMPLES: list[list[Any]] = [
    [np.arange(6.0).reshape(2, 3), np.ones((2, 3))],
    [np.array([1, 2], np.int32), np.array([3, 4], np.int32)],
    [np.float32(1.5), np.float32(2.5)],
    [np.array(3), np.array(4)],
    [1, 2, 3],
    [0.5, 0.25],
    [True, False],
    ["one", "two"],
    [b"one", b"two"],
    [(np.zeros(2), 1), (np.ones(2), 2)],
    [[np.zeros(2), 1], [np.ones(2), 2]],
    [Point(1.0, 2), Point(3.0, 4)],
    [{"x": np.zeros((1, 2), np.float32), "name": "a"}, {"x": np.ones((1, 2), np.float32), "name": "b"}],
    [((1, (2.0, "a")), {"b": [3, 4]}), ((5, (6.0, "c")), {"b": [7, 8]})],
]


def assert_like_torch(ours: Any, theirs: Any, array: type) -> None:
    """Equal numbers, dtypes and structure; but that our tuples stay tuples."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, array)
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        np.testing.assert_array_equal(np.asarray(ours), theirs.numpy())
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            assert_like_torch(ours[key], theirs[key], array)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_like_torch(one, other, array)
    else:
        assert ours == theirs


@pytest.mark.proves("C038")
@pytest.mark.parametrize("samples", SAMPLES)
def test_batches_are_pytorchs_as_arrays(samples: list[Any]) -> None:
    before = repr(samples)
    ours = default_collate(samples)
    assert_like_torch(ours, torch.utils.data.default_collate(samples), np.ndarray)
    assert type(ours) is (type(samples[0]) if isinstance(samples[0], (tuple, list, dict)) else type(ours))
    assert repr(samples) == before


@pytest.mark.proves("C038")
@pytest.mark.parametrize("samples", SAMPLES)
def test_a_tensor_in_the_samples_makes_tensors_of_all(samples: list[Any]) -> None:
    ours = default_collate([(tensor([1.0]), sample) for sample in samples])
    theirs = torch.utils.data.default_collate([(torch.tensor([1.0]), sample) for sample in samples])
    assert_like_torch(ours, theirs, Tensor)


@pytest.mark.proves("C038")
def test_a_collate_fn_of_ones_own() -> None:
    def padded(samples: list[np.ndarray]) -> np.ndarray:
        longest = max(map(len, samples))
        return np.stack([np.pad(x, (0, longest - len(x))) for x in samples])

    dataset = [np.arange(n) for n in range(1, 5)]
    batches = list(DataLoader(dataset, 2, collate_fn=padded))
    assert [batch.tolist() for batch in batches] == [[[0, 0], [0, 1]], [[0, 1, 2, 0], [0, 1, 2, 3]]]


@pytest.mark.parametrize(
    "samples, error, words",
    [
        ([(np.zeros(2), 0), (np.zeros(3), 0)], ShapeError, r"\(2,\), as in sample 0, at \[0\].*\(3,\) in sample 1"),
        ([{"x": np.zeros(2)}, {"x": np.zeros(2, "f4")}], DtypeError, r"float64, .* at \['x'\].*float32 in sample 1"),
        ([(1, 2), (1,)], DataError, "length 2, as in sample 0.*length 1 in sample 1"),
        ([{"a": 1}, {"b": 1}], DataError, r"keys \{'a'\}.*keys \{'b'\} in sample 1"),
        ([np.zeros(2), 3], DataError, "int 3 in sample 1"),
        ([3, np.zeros(2)], DataError, "float64 array of shape .* in sample 1"),
        ([(1, 2), [1, 2]], DataError, r"list \[1, 2\] in sample 1"),
        (["a", 1], DataError, "int 1 in sample 1"),
        ([np.float32(1), np.float64(1)], DtypeError, "in sample 1"),
        ([np.float32(1), 2.0], DtypeError, r"float32 .* in sample 0.*float 2\.0 in sample 1"),
        ([2.0, np.float32(1)], DtypeError, r"float 2\.0, .*float32 .* in sample 1"),
        ([None, None], DtypeError, "NoneType None in sample 0.*collate_fn"),
        ([np.array(["a"])], DtypeError, "arrays of numbers.*in sample 0"),
        ([Parameter(np.zeros(1))], DtypeError, r"sample 0.*detach"),
        ([2**70], DtypeError, "64 bits"),
        ([], DataError, "at least one sample"),
    ],
)  # fmt: skip
def test_samples_that_are_not_alike_are_named(samples: list[Any], error: type[NumnetError], words: str) -> None:
    with pytest.raises(error, match=f"(?s){words}"):
        default_collate(samples)


def test_one_sample_by_itself() -> None:
    x = np.zeros(2)
    assert default_convert((x, 3, "a"))[0] is x
    made = default_convert({"x": x, "t": tensor([1.0]), "n": 3})
    assert isinstance(made["x"], Tensor)
    assert made["n"] == 3
    assert np.shares_memory(default_convert(Point(tensor([1.0]), x)).y.data, x)
