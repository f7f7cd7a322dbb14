"""Max and average pooling in 1, 2 and 3 dimensions."""

from __future__ import annotations

from math import prod

from ...arrays import Array, array_module
from ...errors import ShapeError
from ...window import Window
from .checks import expect
from .windows import fold, window_view

__all__ = ["avg_pool", "avg_pool_backward", "max_pool", "max_pool_backward"]


def max_pool(x: Array, window: Window) -> tuple[Array, Array]:
    """The largest element that the window sees, and where it stands.

        y[n, c, o] = max_k x[n, c, o · stride + k · dilation - before]        index = its place in the plane

    The place is counted row by row. The first of equals wins, and NaN wins over every number. Padding never wins.

    Shapes: x (N, C, *in), y and index (N, C, *out); index is int64 into the unpadded plane of ∏ in elements.

    Raises:
        ShapeError: a window larger than the padded x, or one that sees nothing but padding.
    """
    xp, spatial = array_module(x), x.shape[2:]
    taps, out = prod(window.kernel), window.output_shape(spatial)
    u = window_view(x, window, -xp.inf).reshape(*x.shape[:2], taps, prod(out))  # (N, C, K, P)
    places = xp.arange(prod(spatial), dtype=xp.int64).reshape(1, 1, *spatial)
    places = window_view(places, window, -1).reshape(taps, prod(out))  # (K, P)
    first = (places >= 0).argmax(axis=0)  # (P,) the first tap that is not padding
    positions = xp.arange(prod(out))
    if bool((places[first, positions] < 0).any()):
        got = f"{window} on a plane of {spatial}"
        raise ShapeError("windows that see at least one element", got, "use less padding, or a smaller dilation")
    tap = u.argmax(axis=2)  # (N, C, P)
    tap = xp.where(places[tap, positions] < 0, first, tap)  # where all is -inf, the first tap may be padding
    y = xp.take_along_axis(u, tap[:, :, None], axis=2)
    shape = (*x.shape[:2], *out)
    return y.reshape(shape), places[tap, positions].reshape(shape)


def max_pool_backward(delta: Array, index: Array, x_shape: tuple[int, ...]) -> Array:
    """Gradient of :func:`max_pool` with respect to x: δ goes to the elements that won, and adds up where one won twice.

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] [index[n, c, o] = i]

    Shapes: δ and index (N, C, *out), result ``x_shape`` (N, C, *in).

    Raises:
        ShapeError: ``delta`` and ``index`` differ in shape, or an index lies outside its plane.
    """
    expect("delta", delta, index.shape, delta.dtype, "delta has the shape of the output y")
    xp, planes, size = array_module(delta), prod(x_shape[:2]), prod(x_shape[2:])
    if bool(((index < 0) | (index >= size)).any()):
        got = f"indices from {index.min()} to {index.max()}"
        raise ShapeError(f"indices into a plane of {size} elements", got, "hand over what max_pool returned for this x")
    delta_x = xp.zeros(planes * size, delta.dtype)
    start = size * xp.arange(planes)[:, None]  # where each plane begins
    xp.add.at(delta_x, (start + index.reshape(planes, prod(index.shape[2:]))).ravel(), delta.ravel())
    return delta_x.reshape(x_shape)


def avg_pool(x: Array, window: Window, count_include_pad: bool, divisor_override: int | None) -> Array:
    """The mean of what the window sees.

        y[n, c, o] = Σ_k x[n, c, o · stride + k · dilation - before] / count[o]        x is 0 outside

    count[o] is the number of taps inside x, its padding included where ``count_include_pad`` says so, but never what
    ``ceil_mode`` sees beyond it; or ``divisor_override``.

    Shapes: x (N, C, *in), y (N, C, *out).

    Raises:
        ShapeError: a window larger than the padded x.
    """
    u = window_view(x, window)  # (N, C, *kernel, *out)
    total = u.sum(axis=tuple(range(2, 2 + window.axes)))  # (N, C, *out)
    return total / _count(x, x.shape[2:], window, count_include_pad, divisor_override)


def avg_pool_backward(
    delta: Array, x_shape: tuple[int, ...], window: Window, count_include_pad: bool, divisor_override: int | None
) -> Array:
    """Gradient of :func:`avg_pool` with respect to x: every element of a window gets an equal share of its δ.

        ∂J/∂x = fold(δ[n, c, o] / count[o] for every tap k)

    Shapes: δ (N, C, *out), result ``x_shape`` (N, C, *in).

    Raises:
        ShapeError: ``delta`` is not of the shape of y.
    """
    spatial = x_shape[2:]
    out = window.output_shape(spatial)
    expect("delta", delta, (*x_shape[:2], *out), delta.dtype, "delta has the shape of the output y")
    share = delta / _count(delta, spatial, window, count_include_pad, divisor_override)
    share = share.reshape(*x_shape[:2], *(1,) * window.axes, *out)
    u = array_module(delta).broadcast_to(share, (*x_shape[:2], *window.kernel, *out))
    return fold(u, window, spatial)


def _count(
    like: Array, spatial: tuple[int, ...], window: Window, count_include_pad: bool, divisor_override: int | None
) -> Array:
    """What the sum over each window is divided by, in the dtype of ``like``: (*out), or one number."""
    xp = array_module(like)
    if divisor_override is not None:
        return xp.asarray(divisor_override, like.dtype)
    count = xp.ones((), like.dtype)
    for size, o, k, s, d, (before, after) in zip(
        spatial,
        window.output_shape(spatial),
        window.kernel,
        window.stride,
        window.dilation,
        window.padding,
        strict=True,
    ):
        place = s * xp.arange(o)[:, None] + d * xp.arange(k) - before  # (O, K) in x; negative in the padding before it
        low, high = (-before, size + after) if count_include_pad else (0, size)
        inside = ((low <= place) & (place < high)).sum(axis=1)  # (O,)
        count = count[..., None] * xp.maximum(inside, 1).astype(like.dtype)
    return count
