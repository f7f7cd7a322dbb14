"""Convolution (cross-correlation, as everywhere in deep learning) in 1, 2 and 3 dimensions."""

from __future__ import annotations

from math import prod

from ...arrays import Array
from ...errors import OptionError, ShapeError, describe
from ...window import Window
from .checks import expect
from .windows import fold, window_view

__all__ = ["conv", "conv_backward"]


def conv(x: Array, weight: Array, bias: Array | None, window: Window, groups: int) -> Array:
    """Every filter slid over every image; group g of the filters sees group g of the channels only.

        z[n, f, o] = b[f] + Σ_c,k W[f, c, k] u[n, c, k, o]        u = unfold(x): what the window sees at position o

    As matrices, per image and group: Z = W U, with W (F/G, K) and U (K, P).

    Shapes: x (N, C, *in), W (F, C/G, *kernel), b (F,), z (N, F, *out).

    Raises:
        ShapeError: sizes that do not fit each other, or a window larger than the padded x.
        OptionError: ``groups`` does not divide the channels and the filters.
        DtypeError: the dtypes differ.

    Source: Chellapilla, Puri and Simard, High performance convolutional neural networks for document processing, 2006.
    """
    _check(x, weight, bias, window, groups)
    out = window.output_shape(x.shape[2:])
    z = _matrices(weight, groups) @ _columns(x, window, groups)  # (N, G, F/G, P)
    z = z.reshape(len(x), len(weight), *out)  # (N, F, *out)
    return z if bias is None else z + bias.reshape(-1, *(1,) * window.axes)


def conv_backward(
    x: Array, weight: Array, delta: Array, window: Window, groups: int, needs: tuple[bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of :func:`conv` with respect to (x, W, b); ``None`` where ``needs`` says no.

        ∂J/∂x = fold(Wᵀ δ)        ∂J/∂W = Σₙ δₙ Uₙᵀ        ∂J/∂b[f] = Σ_n,o δ[n, f, o]

    Shapes: δ (N, F, *out); the results have the shapes of x, W and b. Of ``x`` only the shape is read when
    ``needs[1]`` is false, which is how a transposed convolution runs forward.

    Raises:
        ShapeError: ``delta`` is not of the shape of z, or as for :func:`conv`.
        OptionError, DtypeError: as for :func:`conv`.
    """
    _check(x, weight, None, window, groups)
    spatial = x.shape[2:]
    out = window.output_shape(spatial)
    expect("delta", delta, (len(x), len(weight), *out), x.dtype, "delta has the shape of the output z")
    d = delta.reshape(len(x), groups, len(weight) // groups, prod(out))  # (N, G, F/G, P)
    delta_x = dW = db = None
    if needs[0]:
        u = _matrices(weight, groups).swapaxes(1, 2) @ d  # (N, G, K, P)
        delta_x = fold(u.reshape(*x.shape[:2], *window.kernel, *out), window, spatial)
    if needs[1]:
        dW = (d @ _columns(x, window, groups).swapaxes(2, 3)).sum(axis=0).reshape(weight.shape)
    if needs[2]:
        db = delta.sum(axis=(0, *range(2, delta.ndim)))
    return delta_x, dW, db


def _matrices(weight: Array, groups: int) -> Array:
    """The filters of each group as the rows of one matrix: (G, F/G, K)."""
    return weight.reshape(groups, len(weight) // groups, prod(weight.shape[1:]))


def _columns(x: Array, window: Window, groups: int) -> Array:
    """What the window sees at each position as the columns of one matrix per image and group: (N, G, K, P)."""
    u = window_view(x, window)  # (N, C, *kernel, *out)
    seen = x.shape[1] // groups * prod(window.kernel)
    return u.reshape(len(x), groups, seen, prod(u.shape[2 + window.axes :]))


def _check(x: Array, weight: Array, bias: Array | None, window: Window, groups: int) -> None:
    if x.ndim != 2 + window.axes or weight.ndim != x.ndim:
        got = f"{describe(x)} and {describe(weight)}"
        raise ShapeError(f"x and weight with {2 + window.axes} axes", got, "x is (batch, channels, *spatial)")
    channels, filters = x.shape[1], len(weight)
    if groups < 1 or channels % groups or filters % groups:
        got = f"groups={groups} with {channels} channels and {filters} filters"
        raise OptionError("groups that divide the channels and the filters", got, "choose a common divisor")
    shape = (filters, channels // groups, *window.kernel)
    expect("weight", weight, shape, x.dtype, "set in_channels to the number of channels of x")
    expect("bias", bias, (filters,), x.dtype, "one bias per filter")
