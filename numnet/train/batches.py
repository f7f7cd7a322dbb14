"""What is handed to training as data, made one thing: a DataLoader. And what of it is refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arrays import Array, is_array, is_floating
from ..data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)
from ..errors import DataError, DtypeError, OptionError, describe
from ..tensor import Tensor

__all__ = [
    "between_epochs",
    "expect_apart",
    "expect_fitted_on",
    "expect_no_test_rows",
    "loader_of",
    "scaled",
    "unpacked",
    "with_scaler",
]

Rng = np.random.Generator | None


def loader_of(name: str, data: Any, batch_size: int | None, *, shuffle: bool = False, rng: Rng = None) -> DataLoader:
    """A loader over arrays ``(x, y)`` or a data set; a loader stays what it is.

    Args:
        name: what errors call it.
        data: what the caller gave.
        batch_size: ``None`` for all samples in one batch.
        shuffle: whether each epoch has an order of its own; one batch of everything needs none.
        rng: where the order is drawn from.

    Raises:
        DtypeError: it is none of these. DataError: no samples. OptionError: a batch size below 1.
    """
    if isinstance(data, DataLoader):
        loader = data
    else:
        dataset = _dataset_of(name, data)
        size = max(len(dataset), 1) if batch_size is None else batch_size
        loader = DataLoader(dataset, size, shuffle=shuffle and size < len(dataset), rng=rng)
    if not len(loader):
        raise DataError(f"samples in {name}", "none", "look at how it was split or filtered")
    return loader


def between_epochs(loader: DataLoader) -> None:
    """Let the next epoch be a new one, whatever epoch was broken off, as ``next(iter(loader))`` does."""
    order = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    rng = order.rng if isinstance(order, Sampler) else None
    own = None if rng is None else rng.bit_generator.state
    loader.load_state_dict({**loader.state_dict(), "seed": None, "batch": 0, "sampler_rng": own})


def unpacked(batch: Any) -> tuple[tuple[Any, ...], Any]:
    """The inputs and the target of a batch ``(x, y)``, or ``(x₁, x₂, y)``, as arrays.

    Raises:
        DtypeError: a batch of something else.
    """
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        cure = "let dataset[i] return a pair (x, y); an autoencoder has (x, x)"
        raise DtypeError("batches (x, y)", describe(batch), cure)
    *inputs, y = [part.array if isinstance(part, Tensor) else part for part in batch]
    return tuple(inputs), y


def _dataset_of(name: str, data: Any) -> Any:
    numbered = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    rows_alone = _is_column(data) or (isinstance(data, list) and data and _is_column(data[0]))
    if isinstance(data, tuple) and len(data) > 1 and all(_is_column(part) for part in data):
        return TensorDataset(*data)
    if not numbered or rows_alone or isinstance(data, tuple):
        cure = f"{name}=(x, y), a pair; an autoencoder has (x, x)"
        raise DtypeError(f"{name} as arrays (x, y), a Dataset or a DataLoader", describe(data), cure)
    return data


def _is_column(part: Any) -> bool:
    return is_array(part) or isinstance(part, Tensor) or callable(getattr(part, "to_numpy", None))


# ---------------------------------------------------------------------------------------------- rows


def _taken(loader: DataLoader) -> np.ndarray | None:
    """The numbers of the samples that an epoch may give; ``None`` if they are not known."""
    if isinstance(loader.sampler, SubsetRandomSampler):
        return np.asarray(loader.sampler.indices)
    known = isinstance(loader.sampler, SequentialSampler | RandomSampler)
    return np.arange(len(loader.dataset)) if known and isinstance(loader.batch_sampler, BatchSampler) else None


def _rows(loader: DataLoader) -> Iterator[tuple[Any, np.ndarray]]:
    """The data sets at the bottom, each with the numbers of its samples that the loader gives; none if unknown."""
    taken = _taken(loader)
    if taken is not None:
        yield from _below(loader.dataset, taken)


def _below(dataset: Any, rows: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    if isinstance(dataset, Subset):
        bottom, numbers = dataset.rows()
        yield from _below(bottom, numbers[rows])
    elif isinstance(dataset, ConcatDataset):
        start = 0
        for part, end in zip(dataset.datasets, dataset.cumulative_sizes, strict=True):
            yield from _below(part, rows[(rows >= start) & (rows < end)] - start)
            start = end
    else:
        yield dataset, rows


def expect_apart(train: DataLoader, validation: DataLoader) -> None:
    """No sample is both learned from and validated on, as far as it can be known.

    Raises:
        DataError: the same rows of one data set, or arrays that share memory.
    """
    for a, of_a in _rows(train):
        for b, of_b in _rows(validation):
            cure = "split once, and by rows: data.random_split(dataset, [0.8, 0.2])"
            if a is b or _same_column(a, b):
                both = np.intersect1d(of_a, of_b)
                if len(both):
                    some = ", ".join(map(str, both[:3])) + (", …" if len(both) > 3 else "")
                    got = f"{len(both)} in both: {some} of {type(a).__name__}"
                    raise DataError("validation rows that training does not see", got, cure)
            elif _overlap(a, of_a, b, of_b):
                got = "slices of one array that overlap"
                raise DataError("validation rows that training does not see", got, cure)


def _first(dataset: Any) -> Any:
    """The first column of a data set in memory; ``None`` of any other."""
    if not isinstance(dataset, TensorDataset):
        return None
    column = dataset.tensors[0]
    return column.array if isinstance(column, Tensor) else column


def _same_column(a: Any, b: Any) -> bool:
    return _first(a) is not None and _first(a) is _first(b)


def _overlap(a: Any, of_a: np.ndarray, b: Any, of_b: np.ndarray) -> bool:
    x, y = _first(a), _first(b)
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray) or len(of_a) < len(x) or len(of_b) < len(y):
        return False  # some of the rows of two arrays: which of them meet would be a long search
    try:
        return np.shares_memory(x, y, max_work=10_000)  # type: ignore[arg-type]  # any number, says NumPy
    except np.exceptions.TooHardError:
        return False


def expect_no_test_rows(name: str, loader: DataLoader) -> None:
    """No subset with the role "test" is learned from or chosen by. Raises DataError."""
    datasets = [loader.dataset]
    while datasets:
        dataset = datasets.pop()
        if isinstance(dataset, Subset):
            if dataset.role == "test":
                purpose = "to learn from" if name == "train" else "to choose by"
                cure = "keep the test rows for one look at the end: train.evaluate(net, loss, test)"
                got = f"{len(dataset)} with role='test' as {name}"
                raise DataError(f"rows {purpose}, of any role but 'test'", got, cure)
            datasets.append(dataset.dataset)
        elif isinstance(dataset, ConcatDataset):
            datasets += dataset.datasets


# ---------------------------------------------------------------------------------------------- scalers


def with_scaler(name: str, loader: DataLoader, scaler: Any) -> DataLoader:
    """The loader over rows whose first column, x, the fitted transformer has gone over.

    Raises:
        OptionError: its samples are not in memory.
    """
    x, *others = _columns(name, loader.dataset)
    loader = copy.copy(loader)
    loader.dataset = TensorDataset(scaled(scaler, x), *others)
    return loader


def _columns(name: str, dataset: Any) -> tuple[Array, ...]:
    """All rows of a data set in memory, column by column, as arrays."""
    gathered = dataset.gather(np.arange(len(dataset))) if isinstance(dataset, Dataset) else NotImplemented
    if gathered is NotImplemented:
        got, cure = f"{type(dataset).__name__} as {name}", "scale each sample in its __getitem__, by scaler.transform"
        raise OptionError("arrays or a TensorDataset with scaler=", got, cure)
    return tuple([part.array if isinstance(part, Tensor) else part for part in gathered])


def scaled(scaler: Any, x: Array) -> Array:
    """What the fitted transformer makes of the rows x, in the dtype of x."""
    return np.asarray(scaler.transform(x)).astype(x.dtype, copy=False)


def expect_fitted_on(scaler: Any, train: DataLoader) -> None:
    """The transformer knows the training rows and no others: fitted anew on them it is the same.

    Raises:
        DataError: it is not, so that it was fitted on other rows, as a rule on validation rows too.
    """
    x, taken = _columns("train", train.dataset)[0], _taken(train)
    if taken is not None:
        x = x[taken]
    dtypes = (np.float64, np.float32) if is_floating(x) else (x.dtype, x.dtype)
    fitted = [scaler, *[copy.deepcopy(scaler).fit(x.astype(dtype)) for dtype in dtypes]]
    learned = [{n: v for n, v in vars(s).items() if n.endswith("_") and n[0] != "_"} for s in fitted]
    if not learned[0]:  # a Pipeline, say, keeps what it has learned elsewhere
        learned = [{"transform(x)": scaled(s, x)} for s in fitted]
    mine, right, rounded = learned
    limit = float(np.abs(x).max(initial=0)) * 1e-6  # what rounding in float32 may make of a sum
    mine.pop("n_iter_", None)  # how long the search took
    for name in sorted(mine, key=lambda name: (name == "n_samples_seen_", name)):
        if fault := _difference(mine[name], right.get(name), rounded.get(name), limit):
            kind = type(scaler).__name__
            raise DataError(
                f"a {kind} fitted on the {len(x)} training rows alone",
                f"{name} = {fault[0]}; fitted on these rows it would be {fault[1]}",
                "scaler.fit(x_train), after the split; fit scales both sets itself, so give it rows as they were",
            )


def _difference(a: Any, b: Any, rounded: Any, limit: Any) -> tuple[str, str] | None:
    """The first number in which a and b differ, of each; ``None`` if they do not, or hold no numbers.

    By more, that is, than float32 may change b: the last components of a PCA turn at a touch.
    """
    a, b, rounded = np.asarray(a), np.asarray(b), np.asarray(rounded)
    if a.dtype.kind not in "fiu" or b.dtype.kind not in "fiu":
        return None
    if a.shape != b.shape:
        return f"of shape {a.shape}", f"of shape {b.shape}"
    exact = a.dtype.kind in "iu"
    if not exact and rounded.shape == b.shape:
        limit = limit + 10 * np.nan_to_num(abs(b - rounded))
    wrong = ~np.isclose(a, b, rtol=0 if exact else 1e-4, atol=0 if exact else limit, equal_nan=True)
    if not wrong.any():
        return None
    place = tuple(map(int, np.unravel_index(int(wrong.argmax()), a.shape)))
    column = f" in column {place[-1]}" if place else ""
    return f"{a[place]:.6g}{column}", f"{b[place]:.6g}"
