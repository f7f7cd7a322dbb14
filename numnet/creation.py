"""Tensors that are made from nothing, from numbers, or from an array: PyTorch's functions with PyTorch's signatures.

Where there is no ``dtype``, floating numbers are float32 and whole ones int64. Random numbers come from ``rng``, or
else from the default generator, which :func:`numnet.manual_seed` starts anew; PyTorch's streams are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import array_module, as_dtype, is_array
from .errors import DtypeError, OptionError, describe
from .random import default_rng
from .tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "tensor",
    "zeros",
    "zeros_like",
]

Size = int | Sequence[int]  # ``zeros(2, 3)``, ``zeros((2, 3))`` and ``zeros(size=(2, 3))``


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A new leaf Tensor with its own copy of ``data``.

    Python floats become float32, as in PyTorch; arrays keep their dtype.
    """
    array = Tensor(data).array
    return Tensor(array_module(array).array(array, dtype=_dtype(dtype, array.dtype)), requires_grad)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """``data`` as a Tensor, sharing memory where nothing has to be converted: a Tensor is returned as it is."""
    x = data if isinstance(data, Tensor) else Tensor(data)
    return x if dtype is None else x.to(as_dtype(dtype))


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor that shares the memory of ``array``: write into one and the other changes with it.

    Raises:
        DtypeError: it is no array of NumPy's.
    """
    if not isinstance(array, np.ndarray):
        cure = "numnet.tensor(…) takes numbers and lists too; of a table (pandas) take .to_numpy()"
        raise DtypeError("an array of NumPy's", describe(array), cure)
    return Tensor(array)


# ---------------------------------------------------------------------- one value, or a pattern of values


def zeros(*size: Size, dtype: Any = None, requires_grad: bool = False, **named: Size) -> Tensor:
    """A Tensor of zeros of this size: ``zeros(2, 3)``, ``zeros((2, 3))`` or ``zeros(size=(2, 3))``."""
    return Tensor(np.zeros(_size(size, named), _dtype(dtype)), requires_grad)


def ones(*size: Size, dtype: Any = None, requires_grad: bool = False, **named: Size) -> Tensor:
    """A Tensor of ones of this size."""
    return Tensor(np.ones(_size(size, named), _dtype(dtype)), requires_grad)


def empty(*size: Size, dtype: Any = None, requires_grad: bool = False, **named: Size) -> Tensor:
    """A Tensor of this size that holds whatever stands in memory: to be written into."""
    return Tensor(np.empty(_size(size, named), _dtype(dtype)), requires_grad)


def full(size: Size, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of this size full of one number, with that number's dtype if none is given."""
    value = Tensor(fill_value)
    return Tensor(np.full(_size((size,), {}), value.array, _dtype(dtype, value.dtype)), requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """The (n, m) matrix with ones on the diagonal; m = n if it is left out."""
    return Tensor(np.eye(n, m, dtype=_dtype(dtype)), requires_grad)


def arange(
    start: float, end: float | None = None, step: float = 1, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """start, start + step, … up to, and without, ``end``; ``arange(n)`` is 0 … n - 1.

    Raises:
        OptionError: a step of 0, or one that leads away from ``end``.
    """
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) / step < 0:
        raise OptionError(f"a step that leads from {start} to {end}", f"step={step}")
    whole = all(isinstance(number, (int, np.integer)) for number in (start, end, step))
    return Tensor(np.arange(start, end, step).astype(_dtype(dtype, np.int64 if whole else np.float32)), requires_grad)


def linspace(start: float, end: float, steps: int, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both included, at equal distances."""
    return Tensor(np.linspace(start, end, steps).astype(_dtype(dtype)), requires_grad)


# ---------------------------------------------------------------------- random numbers


def rand(
    *size: Size,
    dtype: Any = None,
    requires_grad: bool = False,
    rng: np.random.Generator | None = None,
    **named: Size,
) -> Tensor:
    """Uniform numbers from 0 up to, and without, 1."""
    dtype = _floating(dtype)
    drawn = (rng or default_rng()).random(_size(size, named), np.float64 if dtype == np.float64 else np.float32)
    return Tensor(drawn.astype(dtype, copy=False), requires_grad)


def randn(
    *size: Size,
    dtype: Any = None,
    requires_grad: bool = False,
    rng: np.random.Generator | None = None,
    **named: Size,
) -> Tensor:
    """Normal numbers with mean 0 and standard deviation 1."""
    dtype = _floating(dtype)
    drawn = (rng or default_rng()).standard_normal(
        _size(size, named), np.float64 if dtype == np.float64 else np.float32
    )
    return Tensor(drawn.astype(dtype, copy=False), requires_grad)


def randint(
    low: int,
    high: int | Sequence[int] | None = None,
    size: Size | None = None,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """Whole numbers from ``low`` up to, and without, ``high``; ``randint(high, size)`` starts at 0.

    Raises:
        OptionError: no size, or no number between the bounds.
    """
    if size is None:
        low, high, size = 0, low, high
    if size is None or high is None or not isinstance(high, (int, np.integer)):
        raise OptionError("randint(low, high, size) or randint(high, size)", "no size", "randint(0, 10, (5, 8))")
    if high <= low:
        raise OptionError("low below high", f"{low} and {high}")
    drawn = (rng or default_rng()).integers(low, high, _size((size,), {}))
    return Tensor(drawn.astype(_dtype(dtype, np.int64)), requires_grad)


def randperm(n: int, *, dtype: Any = None, rng: np.random.Generator | None = None) -> Tensor:
    """0 … n - 1 in random order."""
    return Tensor((rng or default_rng()).permutation(n).astype(_dtype(dtype, np.int64)))


# ---------------------------------------------------------------------- of the size, dtype and device of another


def zeros_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros, of the size and dtype of ``x``."""
    return full_like(x, 0, dtype, requires_grad)


def ones_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones, of the size and dtype of ``x``."""
    return full_like(x, 1, dtype, requires_grad)


def empty_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Whatever stands in memory, of the size and dtype of ``x``."""
    array = Tensor(x).array
    return Tensor(array_module(array).empty(array.shape, _dtype(dtype, array.dtype)), requires_grad)


def full_like(x: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One number everywhere, of the size and dtype of ``x``."""
    array = Tensor(x).array
    return Tensor(array_module(array).full(array.shape, fill_value, _dtype(dtype, array.dtype)), requires_grad)


def rand_like(
    x: Any, dtype: Any = None, requires_grad: bool = False, *, rng: np.random.Generator | None = None
) -> Tensor:
    """Uniform numbers from 0 to 1, of the size and dtype of ``x``. Raises DtypeError for integers."""
    array = Tensor(x).array
    drawn = rand(size=array.shape, dtype=_dtype(dtype, array.dtype), rng=rng).array
    return Tensor(array_module(array).asarray(drawn), requires_grad)


def randn_like(
    x: Any, dtype: Any = None, requires_grad: bool = False, *, rng: np.random.Generator | None = None
) -> Tensor:
    """Normal numbers, of the size and dtype of ``x``. Raises DtypeError for integers."""
    array = Tensor(x).array
    drawn = randn(size=array.shape, dtype=_dtype(dtype, array.dtype), rng=rng).array
    return Tensor(array_module(array).asarray(drawn), requires_grad)


def _size(size: tuple[Any, ...], named: dict[str, Any]) -> tuple[int, ...]:
    if set(named) - {"size"} or (named and size):
        raise OptionError("a size, as in zeros(2, 3) or zeros(size=(2, 3))", f"{', '.join(named)}, and {size}")
    size = (named["size"],) if named else size
    sizes = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in sizes):
        cure = "numnet.tensor(…) makes a tensor of given numbers" if any(is_array(n) for n in size) else ""
        raise OptionError("a size of whole numbers", f"{sizes}", cure)
    return tuple([int(n) for n in sizes])


def _dtype(dtype: Any, default: Any = np.float32) -> np.dtype[Any]:
    return np.dtype(default) if dtype is None else as_dtype(dtype)


def _floating(dtype: Any) -> np.dtype[Any]:
    found = _dtype(dtype)
    if found.kind != "f":
        raise DtypeError("a floating dtype, for random numbers between whole ones", str(found), "numnet.randint")
    return found
