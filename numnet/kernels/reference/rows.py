"""Rows chosen by number, as an embedding chooses them, or a loader of data; and the way back."""

from __future__ import annotations

from ...arrays import Array, array_module
from ...errors import ShapeError, describe

__all__ = ["gather_rows", "scatter_rows"]


def gather_rows(x: Array, index: Array) -> Array:
    """y[n] = x[index[n]], the rows of these numbers.

    Shapes: x (rows, …) of any dtype, index any shape of integers from -``rows`` to ``rows`` - 1, y (…of index, …).

    Raises:
        IndexError: a number that is no row.
    """
    return x.take(index, axis=0)


def scatter_rows(delta: Array, index: Array, rows: int) -> Array:
    """∂J/∂W for y = W[index]: each row of δ added to the row of W that it came from.

        ∂J/∂W[r] = Σ δ[n] over all n with index[n] = r

    Shapes: delta (N, D), index (N,) of integers from 0 to ``rows`` - 1, ∂J/∂W (``rows``, D).

    Raises:
        ShapeError: ``index`` has not one number for each row of ``delta``.
    """
    if delta.ndim != 2 or index.shape != delta.shape[:1]:
        expected = f"one index for each row of delta, which has shape {tuple(delta.shape)}"
        raise ShapeError(expected, describe(index), "delta is (N, D) and index (N,)")
    dW = array_module(delta).zeros((rows, delta.shape[1]), delta.dtype)
    for n, r in enumerate(index.tolist()):  # NumPy's add.at takes several times as long
        dW[r] += delta[n]
    return dW
