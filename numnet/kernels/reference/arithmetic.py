"""Sums and multiples of arrays, and copies."""

from __future__ import annotations

from collections.abc import Sequence

from ...arrays import Array, array_module

__all__ = ["absolute_sum", "add", "contiguous", "empty_like", "scaled", "sign", "square_sum", "subtract"]


def add(a: Array, b: Array) -> Array:
    """Sum of two arrays of one dtype, which broadcast.

    y = a + b

    Compiled for two of one shape, as where ways around layers meet, and for one that repeats along first axes of the
    other.
    """
    return a + b


def contiguous(x: Array) -> Array:
    """The same numbers, row by row in memory: x itself where they lie so, else a copy."""
    return x if x.flags.c_contiguous else array_module(x).ascontiguousarray(x)


def empty_like(x: Array, shape: Sequence[int]) -> Array:
    """An array of this shape and of the type of x, to be filled; it lies where the results of kernels lie."""
    return array_module(x).empty(shape, x.dtype)


def scaled(x: Array, factor: float) -> Array:
    """c x, for one number c of Python's; NumPy takes more time to see what that is than for 1000 products."""
    return array_module(x).asarray(factor * x)


def sign(x: Array, factor: float) -> Array:
    """c where x > 0, -c where x < 0, 0 where it is 0, for one number c = ``factor``: the gradient of c Σ |x|."""
    return array_module(x).asarray(float(factor) * array_module(x).sign(x))


def absolute_sum(x: Array) -> Array:
    """Σ |x|, over all numbers."""
    return abs(x).sum()


def square_sum(x: Array) -> Array:
    """Σ x², over all numbers: the square of the length of x, as one vector."""
    return (x * x).sum()


def subtract(a: Array, b: Array) -> Array:
    """Difference of two arrays of one dtype, which broadcast.

    y = a - b

    Compiled for two of one shape.
    """
    return a - b
