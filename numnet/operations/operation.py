"""What every Tensor operation is, and what several of them need: operands that fit, axes that exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array, array_module, is_array, is_floating
from ..call import Ctx
from ..errors import DtypeError, ShapeError, describe

__all__ = [
    "Axes",
    "Operation",
    "as_array",
    "as_floating",
    "as_operand",
    "broadcast_back",
    "expect_alike",
    "expect_broadcastable",
    "fitting",
    "normalised_axes",
    "of_one_dtype",
]

Axes = int | tuple[int, ...] | None
"""One axis, several, or ``None`` for all of them; negative ones count from the end."""


class Operation:
    """Abstract: the pair of formulas of one Tensor operation; settings in the constructor, nothing else on it."""

    forward: Callable[..., Any]
    """``forward(self, ctx, *inputs)``: arrays to arrays."""
    backward: Callable[..., Any]
    """``backward(self, ctx, delta)``: ∂J/∂input, in the order of the inputs."""

    ufunc: str = ""
    """NumPy's name for the forward where it can write its result over an operand."""

    def in_place(self, x: Array, *others: Array) -> None:
        """The forward, written over ``x``: for underscore methods, and without a backward.

        Raises:
            ShapeError, DtypeError: the result is not of x's shape and dtype.
        """
        if self.ufunc and all(b.dtype == x.dtype and b.shape in ((), x.shape) for b in others) and is_floating(x):
            getattr(array_module(x), self.ufunc)(x, *others, out=x)
            return
        y = self.forward(Ctx((False,) * (1 + len(others)), recording=False), x, *others)
        expect_alike(x, y)
        x[...] = y

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


def expect_alike(x: Array, y: Array) -> None:
    """``y`` may be written over ``x``.

    Raises:
        ShapeError, DtypeError: it is of another shape or dtype.
    """
    if y.shape != x.shape:
        raise ShapeError(f"a result of shape {x.shape}, to be written in place", f"shape {y.shape}", _NEW)
    if y.dtype != x.dtype:
        raise DtypeError(f"a result of {x.dtype}, to be written in place", f"{y.dtype}", _NEW)


_NEW = "make a new tensor, without the underscore: x = x.mul(2), not x.mul_(2) or x *= 2"


def as_array(data: Any) -> Array:
    """``data`` as an array: one that is given is shared; of Python's numbers floats become float32.

    Raises:
        DtypeError: it is not numbers.
    """
    array = data if is_array(data) else np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise DtypeError("real numbers", describe(data), "pass an array, a number, or nested lists of equal lengths")
    if isinstance(array, np.ndarray) and type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    pythons = not is_array(data) and not isinstance(data, np.generic)
    return array.astype(np.float32) if pythons and array.dtype == np.float64 else array


def as_operand(other: Any, like: Array) -> Array:
    """The other side of an operator: a number takes the array's dtype, unless only a larger kind can hold it."""
    if isinstance(other, np.generic):
        other = other.item()
    if not isinstance(other, (bool, int, float)):
        return as_array(other)
    dtype = like.dtype
    if isinstance(other, float) and dtype.kind != "f":
        dtype = np.float32
    elif not isinstance(other, bool) and dtype.kind == "b":
        dtype = np.int64
    return array_module(like).asarray(other, dtype)


def of_one_dtype(a: Array, b: Array) -> tuple[Array, Array]:
    """Both operands in one dtype: integers beside floating numbers take theirs, as in PyTorch.

    Raises:
        DtypeError: two different floating dtypes. NumPy would silently go on in the larger one.
    """
    if a.dtype == b.dtype:
        return a, b
    if is_floating(a) and is_floating(b):
        cure = "convert one of them: tensor.float() or tensor.double(), array.astype(np.float32)"
        raise DtypeError("two operands of one floating dtype", f"{a.dtype} and {b.dtype}", cure)
    if is_floating(a):
        return a, b.astype(a.dtype)
    return (a.astype(b.dtype), b) if is_floating(b) else (a, b)


def expect_broadcastable(*shapes: tuple[int, ...]) -> None:
    """The shapes broadcast together.

    Raises:
        ShapeError: they do not.
    """
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            "shapes that broadcast: from the last axis on, equal sizes or a 1",
            " and ".join(str(shape) for shape in shapes),
            _column_cure(shapes) or "reshape or transpose one of them; x.unsqueeze(dim) gives it an axis of size 1",
        ) from None


def _column_cure(shapes: tuple[tuple[int, ...], ...]) -> str:
    """For one number a row, (64, 10) with (64,): a vector counts as a row, and has to be made a column."""
    vectors = [shape for shape in shapes if len(shape) == 1]
    matrices = [shape for shape in shapes if len(shape) == 2]
    if len(vectors) == len(matrices) == 1 and vectors[0][0] == matrices[0][0]:
        n = vectors[0][0]
        return (
            f"the vector counts as a row, (1, {n}); one number for each row of the other is a column, ({n}, 1): "
            "b[:, None] or b.unsqueeze(1)"
        )
    return ""


def fitting(a: Array, b: Array) -> tuple[Array, Array]:
    """Both operands in one dtype, once their shapes are known to broadcast.

    Raises:
        ShapeError: they do not. DtypeError: two different floating dtypes.
    """
    if a.shape != b.shape and a.ndim and b.ndim:
        expect_broadcastable(a.shape, b.shape)
    return of_one_dtype(a, b)


def broadcast_back(delta: Array, shape: tuple[int, ...]) -> Array:
    """∂J/∂x for an ``x`` of ``shape`` that broadcasting stretched: δ summed over the axes added or stretched."""
    if delta.shape == shape:
        return delta
    added = delta.ndim - len(shape)
    axes = tuple(range(added)) + tuple(added + i for i, n in enumerate(shape) if n == 1 and delta.shape[added + i] != 1)
    return delta.sum(axis=axes, keepdims=True).reshape(shape)


def as_floating(x: Array) -> Array:
    """``x``, integers as float32, for what has no integer result."""
    return x if is_floating(x) else x.astype(np.float32)


def normalised_axes(dim: Axes, ndim: int) -> tuple[int, ...]:
    """``dim`` as non-negative axes of an array with ``ndim`` axes; all of them for ``None``.

    Raises:
        ShapeError: there is no such axis, or one is named twice.
    """
    if isinstance(dim, int) and 0 <= dim < ndim:  # as almost always
        return (dim,)
    dims = range(ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    axes = tuple([d + ndim if d < 0 else d for d in dims])
    if ndim == 0 and all(d in (-1, 0) for d in dims):
        return ()  # a single number counts as an axis of one number, as in PyTorch
    if not all(0 <= axis < ndim for axis in axes) or len(set(axes)) < len(axes):
        raise ShapeError(f"different axes from {-ndim} to {ndim - 1} for an array of {ndim}", f"dim={dim}")
    return axes
