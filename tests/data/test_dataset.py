"""Data sets: a user's own, arrays and frames, subsets, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, Tensor, tensor
from numnet.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset
from numnet.errors import DataError, DtypeError, NumnetError, ShapeError

pd = pytest.importorskip("pandas")


class Squares(Dataset):
    def __getitem__(self, index: int) -> tuple[int, int]:
        return index, index**2

    def __len__(self) -> int:
        return 5


@pytest.mark.proves("C031")
def test_a_class_of_ones_own_is_indexed_iterated_and_loaded() -> None:
    squares = Squares()
    assert squares[3] == (3, 9)
    assert len(squares) == 5
    assert list(squares) == [(0, 0), (1, 1), (2, 4), (3, 9), (4, 16)]
    batches = [(x.tolist(), y.tolist()) for x, y in DataLoader(squares, batch_size=2)]
    assert batches == [([0, 1], [0, 1]), ([2, 3], [4, 9]), ([4], [16])]


@pytest.mark.proves("C031")
@pytest.mark.parametrize("use", [len, list, lambda dataset: dataset[0]])
def test_a_method_that_is_missing_is_named(use: Callable[[Any], Any]) -> None:
    class Half(Dataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Half has no __(getitem|len)__\(self"):
        use(Half())


@pytest.mark.proves("C042")
def test_tensor_dataset_zips_arrays() -> None:
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 3
    dataset = TensorDataset(x, y)
    assert len(dataset) == 6
    row, label = dataset[-1]
    np.testing.assert_array_equal(row, [10, 11])
    assert label == 2
    assert dataset.tensors[0] is x
    for n, (row, label) in enumerate(dataset):
        np.testing.assert_array_equal(row, x[n])
        assert label == y[n]


@pytest.mark.proves("C042")
def test_tensor_dataset_zips_tensors() -> None:
    dataset = TensorDataset(tensor([[1.0], [2.0]]), tensor([3, 4]))
    x, y = dataset[1]
    assert isinstance(x, Tensor)
    assert isinstance(y, Tensor)
    assert (x.tolist(), y.item()) == ([2.0], 4)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_made_at_once_is_the_batch_of_its_samples(shuffle: bool) -> None:
    x, y = np.random.default_rng(0).random((10, 3, 2), np.float32), np.arange(10)
    columns: list[tuple[Any, ...]] = [(x, y), (Tensor(x), Tensor(y)), (Tensor(x), y), (x,)]
    for given in columns:
        dataset = TensorDataset(*given)
        assert dataset.gather([0]) is not NotImplemented
        fast, slow = (list(DataLoader(d, 4, shuffle, rng=np.random.default_rng(5))) for d in (dataset, list(dataset)))
        assert len(fast) == len(slow) == 3
        for a, b in zip(fast, slow, strict=True):
            assert [type(part) for part in a] == [type(part) for part in b]
            for one, other in zip(a, b, strict=True):
                assert one.dtype == other.dtype
                np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_batch_is_a_copy() -> None:
    x = np.zeros((4, 2))
    (batch,) = next(iter(DataLoader(TensorDataset(x), 4)))
    batch += 1
    assert not x.any()


def test_a_subclass_with_samples_of_its_own_is_asked_for_them() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: int) -> Any:
            return tuple(2 * part for part in super().__getitem__(index))

    class Shifted(Subset):
        def __getitem__(self, index: int) -> Any:
            return tuple(part + 1 for part in super().__getitem__(index))

    doubled = Doubled(np.arange(3))
    assert next(iter(DataLoader(doubled, 3)))[0].tolist() == [0, 2, 4]
    assert next(iter(DataLoader(Shifted(doubled, [1, 2]), 2)))[0].tolist() == [3, 5]
    assert next(iter(DataLoader(Shifted(TensorDataset(np.arange(3)), [1, 2]), 2)))[0].tolist() == [2, 3]


@pytest.mark.parametrize(
    "columns, error, words",
    [
        ((np.zeros((3, 2)), np.zeros(4)), ShapeError, "3, as in number 0.*4 in number 1"),
        ((np.zeros(3), np.zeros(())), ShapeError, "a single number as number 1"),
        ((np.zeros(3), [1, 2, 3]), DtypeError, r"list \[1, 2, 3\] as number 1"),
        ((np.array(["a", "b"]),), DtypeError, "numbers"),
        ((np.zeros(2), Parameter(np.zeros(2))), DtypeError, "requires_grad=True as number 1"),
        ((), DataError, r"TensorDataset\(x, y\)"),
    ],
)
def test_columns_that_do_not_fit(columns: Any, error: type[NumnetError], words: str) -> None:
    with pytest.raises(error, match=f"(?s){words}"):
        TensorDataset(*columns)


# ---------------------------------------------------------------------- frames


@pytest.mark.proves("C050")
def test_the_frame_of_the_phone_prices_is_fed_as_it_is(data_folder: Path) -> None:
    data = pd.read_csv(data_folder / "mobile_price.csv")
    x, y = data.iloc[:, :-1].astype(np.float32), data.iloc[:, -1].astype(np.int64)
    dataset = TensorDataset(x, y)
    assert len(dataset) == 2000
    rows, labels = next(iter(DataLoader(dataset, batch_size=8)))
    assert (rows.dtype, rows.shape, labels.dtype, labels.shape) == (np.float32, (8, 20), np.int64, (8,))
    np.testing.assert_array_equal(rows, x.values[:8])
    np.testing.assert_array_equal(labels, y.values[:8])


@pytest.mark.proves("C050")
def test_a_row_of_a_frame_is_a_place_and_not_its_label() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": [7, 8, 9]}, index=[30, 10, 20])
    x, y = TensorDataset(frame[["a"]], frame["y"])[1]
    assert (x.tolist(), int(y)) == ([2.0], 8)


@pytest.mark.proves("C050")
def test_numnet_never_imports_pandas() -> None:
    for path in Path(TensorDataset.__init__.__code__.co_filename).parents[1].rglob("*.py"):
        assert "import pandas" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    "frame, error, words",
    [
        (pd.DataFrame({"ram": [1, 2], "brand": ["a", "b"]}), DtypeError, "column 'brand', which begins with 'a'"),
        (pd.Series(["1", "2"], name="price"), DtypeError, "column 'price', which begins with '1'"),
        (pd.DataFrame({"ram": [1.0, 2.0], "wifi": [True, False]}), DtypeError, r"'ram' float64, 'wifi' bool"),
        (pd.DataFrame({"ram": [1, 2], "px": [1.0, None]}), DataError, r"column 'px', row 1 .*; 1 are missing"),
        (pd.Series([None, 1.0, None], name="px"), DataError, r"column 'px', row 0 .*; 2 are missing"),
        (pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}), DtypeError, "datetime64.* in column 'when'"),
    ],
)
def test_a_frame_that_is_no_numbers_names_the_column(frame: Any, error: type[NumnetError], words: str) -> None:
    with pytest.raises(error, match=words):
        TensorDataset(frame)


# ---------------------------------------------------------------------- parts of data sets


def test_a_subset_of_a_subset_knows_its_rows() -> None:
    data = TensorDataset(np.arange(10) * 10)
    half = Subset(data, [1, 3, 5, -1], role="test")
    quarter = Subset(half, np.array([3, 0]))
    assert [int(sample[0]) for sample in quarter] == [90, 10]
    root, rows = quarter.rows()
    assert root is data
    assert rows.tolist() == [9, 1]
    assert quarter.role == "test"
    assert Subset(half, [0], role="train").role == "train"
    assert repr(quarter) == "Subset(2 of 4 samples of Subset, role='test')"
    assert len(Subset(data, [])) == 0


@pytest.mark.parametrize(
    "indices, error, words",
    [
        ([0, 3], DataError, "index 3"),
        ([-4], DataError, "index -4"),
        (np.array([True, False, True]), DtypeError, r"np\.flatnonzero"),
        ([0.5], DtypeError, "integers"),
        ([[0]], ShapeError, r"\(1, 1\)"),
    ],
)
def test_indices_that_cannot_be(indices: Any, error: type[NumnetError], words: str) -> None:
    with pytest.raises(error, match=words):
        Subset(range(3), indices)


def test_data_sets_one_after_the_other() -> None:
    both = Squares() + TensorDataset(np.array([7, 8]), np.array([0, 0])) + []
    assert isinstance(both, ConcatDataset)
    assert len(both) == 7
    assert [int(x) for x, _ in both] == [0, 1, 2, 3, 4, 7, 8]
    assert int(both[-1][0]) == 8
    assert [x.tolist() for x, _ in DataLoader(both, 4)] == [[0, 1, 2, 3], [4, 7, 8]]
    for index in (7, -8):
        with pytest.raises(IndexError, match=f"sample {index} of a ConcatDataset of 7"):
            both[index]
    with pytest.raises(DataError, match="at least one data set"):
        ConcatDataset([])


@pytest.mark.parametrize(
    "dataset", [Subset(range(3), [0, 2]), ConcatDataset([range(3), range(2)])], ids=["subset", "concat"]
)
def test_slices_are_no_numbers(dataset: Dataset) -> None:
    with pytest.raises(TypeError, match="'slice' object cannot be interpreted as an integer"):
        dataset[0:2]  # type: ignore[index]
