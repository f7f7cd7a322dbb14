"""TensorDataset: arrays that belong together row by row, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..arrays import Array, array_module, is_array
from ..errors import DataError, DtypeError, ShapeError, describe
from ..tensor import Tensor
from .dataset import Dataset, as_integers

__all__ = ["TensorDataset"]


class TensorDataset(Dataset):
    """Sample i is row i of every column: ``TensorDataset(x, y)[i]`` is ``(x[i], y[i])``.

    Args:
        tensors: arrays, Tensors, or frames and series of pandas (of anything with ``to_numpy()``), all with the same
            number of rows. Arrays and Tensors are shared, not copied.

    Attributes:
        tensors: the columns, each an array or a Tensor.

    Raises:
        ShapeError: columns of different lengths, or a single number.
        DtypeError: something that is no numbers, named by the column of the frame; a Tensor on the tape.
        DataError: missing values in a frame, named by column and row; no columns at all.
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise DataError("at least one array", "none", "TensorDataset(x, y)")
        self.tensors: tuple[Any, ...] = tuple([_as_column(column, n) for n, column in enumerate(tensors)])
        for n, column in enumerate(self.tensors):
            if column.ndim == 0:
                raise ShapeError("columns with an axis of samples", f"a single number as number {n}")
        lengths = [len(column) for column in self.tensors]
        for n, length in enumerate(lengths):
            if length != lengths[0]:
                expected = f"as many rows in every column: {lengths[0]}, as in number 0"
                raise ShapeError(expected, f"{length} in number {n}, a {describe(self.tensors[n])}")

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple([Tensor(c.array[index]) if isinstance(c, Tensor) else c[index] for c in self.tensors])

    def __len__(self) -> int:
        return len(self.tensors[0])

    def gather(self, indices: Sequence[int] | np.ndarray) -> Any:
        """The batch of these samples, each column picked at once."""
        if type(self).__getitem__ is not TensorDataset.__getitem__:
            return NotImplemented  # a subclass with samples of its own
        rows = as_integers(indices)
        arrays = [c.array if isinstance(c, Tensor) else c for c in self.tensors]
        arrays = [kernels.gather_rows(x, array_module(x).asarray(rows)) for x in arrays]
        if any(isinstance(c, Tensor) for c in self.tensors):
            return tuple([Tensor(array) for array in arrays])
        return tuple(arrays)


def _as_column(value: Any, n: int) -> Array | Tensor:
    """The array or Tensor that column ``n`` is, or that a frame holds."""
    if isinstance(value, Tensor):
        if value.requires_grad:
            raise DtypeError("data", f"a Tensor with requires_grad=True as number {n}", "tensor.detach()")
        return value
    if not is_array(value):
        if not callable(getattr(value, "to_numpy", None)):  # the one sign by which frames of any library are known
            raise DtypeError("an array, a Tensor or a frame", f"{describe(value)} as number {n}", "np.asarray(…)")
        return _of_frame(value)
    if value.dtype.kind not in "fiub":
        raise DtypeError("numbers", f"{describe(value)} as number {n}", "x.astype(np.float32)")
    return value


def _of_frame(frame: Any) -> np.ndarray:
    array: np.ndarray = frame.to_numpy()
    if array.ndim == 1:
        columns = {getattr(frame, "name", None): array}
    else:
        columns = {name: frame[name].to_numpy() for name in frame.columns} if array.dtype.kind not in "fiub" else {}
    for name, column in columns.items():
        if column.dtype.kind not in "fiub":
            got = f"{column.dtype} in column {name!r}, which begins with {column[0]!r}" if len(column) else column.dtype
            cure = "leave the column out; or encode it by numbers; or, if it holds numbers, frame.astype(np.float32)"
            raise DtypeError("numbers in every column", str(got), cure)
    if array.dtype.kind not in "fiub":  # numbers that have no dtype in common, such as bool beside float
        kinds = ", ".join(f"{name!r} {column.dtype}" for name, column in columns.items())
        raise DtypeError("columns of one dtype", kinds, "frame.astype(np.float32)")
    if array.dtype.kind == "f" and np.isnan(array).any():
        row, *rest = (int(i) for i in np.argwhere(np.isnan(array))[0])
        name = frame.columns[rest[0]] if rest else getattr(frame, "name", None)
        got = (
            f"a missing one in column {name!r}, row {row} (counted from 0); {np.isnan(array).sum()} are missing in all"
        )
        raise DataError("a number in every row", got, "frame.dropna(), or fill them in")
    return array
