"""Affine map and matrix product."""

from __future__ import annotations

from math import prod

from ...arrays import Array
from ...errors import ShapeError, describe
from .checks import broadcast, expect

__all__ = ["linear", "linear_backward", "matmul"]


def matmul(a: Array, b: Array) -> Array:
    """Matrix product of two matrices, or of every two in a batch.

        y = a b

    Shapes: a (…, M, K), b (…, K, N), y (…, M, N). Axes in front broadcast.

    Raises:
        ShapeError: not matrices whose inner sizes agree, or axes in front that do not broadcast.
        DtypeError: the dtypes differ.
    """
    if a.ndim < 2 or b.ndim < 2:
        raise ShapeError("two matrices", f"{describe(a)} and {describe(b)}", "give both two axes")
    right = (*b.shape[:-2], a.shape[-1], b.shape[-1])
    expect("right factor", b, right, a.dtype, "its rows must be as many as the left one's columns")
    if broadcast(a.shape[:-2], b.shape[:-2]) is None:
        cure = "equal sizes, or a 1, from the last of the axes in front on"
        raise ShapeError("axes in front that broadcast", f"{describe(a)} and {describe(b)}", cure)
    return a @ b


def linear(x: Array, weight: Array, bias: Array | None) -> Array:
    """Affine map of every row.

        z = x Wᵀ + b

    Shapes: x (…, in), W (out, in), b (out,), z (…, out). Leading axes count as one batch.

    Raises:
        ShapeError: ``weight`` does not have the columns of ``x``, or ``bias`` is not one number per row of ``weight``.
        DtypeError: the dtypes differ.
    """
    _check(x, weight, bias)
    z = _rows(x) @ weight.T  # (N, out)
    return (z if bias is None else z + bias).reshape(*x.shape[:-1], len(weight))


def linear_backward(
    x: Array, weight: Array, delta: Array, needs: tuple[bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of :func:`linear` with respect to (x, W, b); ``None`` where ``needs`` says no.

        ∂J/∂x = δ W        ∂J/∂W = δᵀ x        ∂J/∂b = Σₙ δₙ

    Shapes: δ (…, out); the results have the shapes of x, W and b.

    Raises:
        ShapeError: ``delta`` is not of the shape of z.
        DtypeError: the dtypes differ.
    """
    _check(x, weight, None)
    expect("delta", delta, (*x.shape[:-1], len(weight)), x.dtype, "delta has the shape of the output z")
    rows, d = _rows(x), _rows(delta)  # (N, in), (N, out)
    return (
        (d @ weight).reshape(x.shape) if needs[0] else None,
        d.T @ rows if needs[1] else None,  # (out, in)
        d.sum(axis=0) if needs[2] else None,  # (out,)
    )


def _rows(x: Array) -> Array:
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _check(x: Array, weight: Array, bias: Array | None) -> None:
    if x.ndim == 0 or weight.ndim != 2:
        got = f"{describe(x)} and {describe(weight)}"
        raise ShapeError("x of shape (…, in) and a weight of shape (out, in)", got, "give x an axis of features")
    out = len(weight)
    expect("weight", weight, (out, x.shape[-1]), x.dtype, "set in_features to the number of columns of x")
    expect("bias", bias, (out,), x.dtype, "one bias per row of weight")
