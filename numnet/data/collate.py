"""Collating: how samples become a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import array_module, is_array
from ..errors import DataError, DtypeError, NumnetError, ShapeError, describe
from ..tensor import Tensor

__all__ = ["collate", "converted", "default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of samples, like stacked with like: arrays of shape (…) become one of shape (N, …).

    Numbers become an array of shape (N,): int64 for Python's int, float64 for its float. Strings and bytes become
    lists. Tuples (named ones too), lists and dictionaries keep their structure. If there is a Tensor in the samples,
    every array of the batch becomes a Tensor, as PyTorch's loops expect.

        >>> default_collate([(np.zeros(2), 7), (np.ones(2), 8)])
        (array([[0., 0.],
               [1., 1.]]), array([7, 8]))

    Args:
        batch: at least one sample.

    Raises:
        ShapeError: arrays of different shapes in one place, named by sample.
        DtypeError: arrays of different dtypes, or something that can not be stacked, named by sample.
        DataError: no samples; or samples of different structure, named by sample.
    """
    return collate(batch, range(len(batch)))


def collate(samples: Sequence[Any], names: Sequence[Any]) -> Any:
    """:func:`default_collate`, where ``names`` says what errors call the samples: their numbers in the data set."""
    if not len(samples):
        raise DataError("at least one sample", "none", "batches without samples cannot be made; leave them out")
    batch, found_tensor = _Stack(names).stacked(list(samples), "")
    return converted(batch, _as_tensor) if found_tensor else batch


def default_convert(data: Any) -> Any:
    """One sample by itself, as ``batch_size=None`` hands it on: with a Tensor in it, its arrays become Tensors."""
    return converted(data, _as_tensor) if _has_tensor(data) else data


class _Stack:
    """Samples put together, place by place."""

    def __init__(self, names: Sequence[Any]) -> None:
        self.names = names

    def stacked(self, parts: list[Any], at: str) -> tuple[Any, bool]:
        """What the parts of the samples in one place (``[0]``, ``["image"]``) make, and whether one was a Tensor."""
        first = parts[0]
        if isinstance(first, Tensor) or is_array(first):
            return self._arrays(parts, at)
        if isinstance(first, (str, bytes)):
            self._expect(parts, (str, bytes), at)
            return parts, False
        if isinstance(first, (bool, int, float, np.generic)):
            return self._numbers(parts, at), False
        if isinstance(first, Mapping):
            self._expect(parts, Mapping, at)
            self._expect_equal([set(part) for part in parts], "keys", at)
            items = {key: self.stacked([part[key] for part in parts], f"{at}[{key!r}]") for key in first}
            return {key: value for key, (value, _) in items.items()}, any(found for _, found in items.values())
        if isinstance(first, (tuple, list)):
            self._expect(parts, type(first), at)
            self._expect_equal([len(part) for part in parts], "length", at)
            columns = [self.stacked([part[i] for part in parts], f"{at}[{i}]") for i in range(len(first))]
            values = [value for value, _ in columns]
            return _rebuilt(first, values), any(found for _, found in columns)
        cure = "return arrays, numbers, strings, tuples, lists or dictionaries; or pass a collate_fn of your own"
        if type(first).__module__.startswith("PIL."):
            cure = "transform=transforms.ToTensor(), which makes a Tensor of an image of Pillow's"
        raise DtypeError("a sample that can be stacked", f"{describe(first)} in {self._place(0, at)}", cure)

    def _arrays(self, parts: list[Any], at: str) -> tuple[Any, bool]:
        found = False
        arrays = []
        for n, part in enumerate(parts):
            if isinstance(part, Tensor):
                found = True
                if part.requires_grad:
                    got = f"a Tensor with requires_grad=True in {self._place(n, at)}"
                    raise DtypeError("data", got, "tensor.detach()")
                part = part.array
            elif isinstance(part, np.generic):  # x.sum() of an array is a number, beside a sample where it is an array
                part = np.asarray(part)
            elif not is_array(part):
                raise self._differs(DataError, describe(parts[0]), describe(part), n, at)
            arrays.append(part)
        first = arrays[0]
        if first.dtype.kind not in "fiub":
            raise DtypeError("arrays of numbers", f"{describe(first)} in {self._place(0, at)}")
        for n, array in enumerate(arrays):
            if array.shape != first.shape:
                cure = "make all of one size in the data set (crop, resize, pad), or pass a collate_fn of your own"
                raise self._differs(ShapeError, f"shape {first.shape}", f"shape {array.shape}", n, at, cure)
            if array.dtype != first.dtype:
                raise self._differs(DtypeError, f"{first.dtype}", f"{array.dtype}", n, at, "x.astype(np.float32)")
        xp = array_module(first)
        if first.ndim == 0:
            return xp.stack(arrays), found
        return xp.concatenate(arrays).reshape(len(arrays), *first.shape), found  # stack, of what is known to be alike

    def _numbers(self, parts: list[Any], at: str) -> np.ndarray:
        first = parts[0]
        for n, part in enumerate(parts):
            if not isinstance(part, (bool, int, float, np.bool_, np.integer, np.floating)):
                raise self._differs(DataError, describe(first), describe(part), n, at)
            of_numpy = isinstance(first, np.generic) or isinstance(part, np.generic)  # they have a dtype, which stays
            if of_numpy and type(part) is not type(first) and np.asarray(part).dtype != np.asarray(first).dtype:
                raise self._differs(DtypeError, describe(first), describe(part), n, at, "np.float32(…) in each")
        numbers = np.array(parts)
        if numbers.dtype.kind not in "fiub":
            raise DtypeError("numbers that fit into 64 bits", f"{max(parts)} among those of {self._place(0, at)}")
        return numbers

    def _expect(self, parts: list[Any], kind: Any, at: str) -> None:
        for n, part in enumerate(parts):
            if not isinstance(part, kind):
                raise self._differs(DataError, describe(parts[0]), describe(part), n, at)

    def _expect_equal(self, values: list[Any], what: str, at: str) -> None:
        for n, value in enumerate(values):
            if value != values[0]:
                raise self._differs(DataError, f"{what} {values[0]}", f"{what} {value}", n, at)

    def _differs(self, error: type[NumnetError], first: str, got: str, n: int, at: str, cure: str = "") -> NumnetError:
        return error(f"{first}, as in {self._place(0, at)}", f"{got} in {self._place(n, at)}", cure)

    def _place(self, n: int, at: str) -> str:
        return f"sample {self.names[n]}{', at ' + at if at else ''}"


def _rebuilt(like: Any, values: list[Any]) -> Any:
    """A tuple, named tuple or list of ``like``'s kind with these values."""
    if isinstance(like, list):
        return values
    return type(like)(*values) if hasattr(like, "_fields") else tuple(values)  # the mark of a named tuple


def converted(batch: Any, change: Callable[[Any], Any]) -> Any:
    """The batch with every array changed."""
    if is_array(batch) or isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, Mapping):
        return {key: converted(value, change) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return _rebuilt(batch, [converted(value, change) for value in batch])
    return batch


def _has_tensor(data: Any) -> bool:
    if isinstance(data, Mapping):
        data = list(data.values())
    return isinstance(data, Tensor) or (isinstance(data, (tuple, list)) and any(_has_tensor(part) for part in data))


def _as_tensor(array: Any) -> Tensor:
    return array if isinstance(array, Tensor) else Tensor(array)
