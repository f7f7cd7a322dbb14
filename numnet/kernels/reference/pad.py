"""Padding of the spatial axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...arrays import Array, array_module
from ...errors import OptionError, ShapeError

__all__ = ["pad", "pad_backward"]

_SOURCES: dict[str, Callable[[int, int], int]] = {  # mode: (i, size) → the element that position i copies
    "reflect": lambda i, size: size - 1 - abs(size - 1 - abs(i)),
    "replicate": lambda i, size: min(max(i, 0), size - 1),
    "circular": lambda i, size: i % size,
}


def pad(x: Array, padding: Sequence[tuple[int, int]], mode: str, value: float = 0.0) -> Array:
    """x with a border. A negative padding cuts off; circular then takes what is left for x, the other modes do not.

        x̄[before + i] = x[source(i)]        for -before ≤ i < size + after

        zeros       x̄ = 0 outside, or ``value``
        reflect     source(i) is i mirrored at the first and last element, which are not repeated
        replicate   source(i) is the nearest element
        circular    source(i) = i mod size

    Shapes: x (…, *in), ``padding`` one (before, after) for each of these last axes, x̄ (…, *(before + in + after)).

    Raises:
        OptionError: no such mode.
        ShapeError: a border wider than what it copies (reflect needs padding < size, circular padding ≤ size), or
            a negative padding that leaves nothing.
    """
    xp = array_module(x)
    for axis, (before, after) in enumerate(padding, x.ndim - len(padding)):
        size = x.shape[axis]
        kept, inside, border = _plan(size, before, after, mode)
        padded = xp.full((*x.shape[:axis], before + size + after, *x.shape[axis + 1 :]), value, x.dtype)
        to, source = xp.moveaxis(padded, axis, 0), xp.moveaxis(x, axis, 0)
        to[inside] = source[kept]
        for i, j in border:
            to[i] = source[j]
        x = padded
    return x


def pad_backward(delta: Array, padding: Sequence[tuple[int, int]], mode: str) -> Array:
    """Gradient of :func:`pad` with respect to x: every border element gives its δ back to the one it copied.

        ∂J/∂x[j] = Σ δ[before + i]        over all i with source(i) = j

    Shapes: δ (…, *(before + in + after)), result (…, *in).

    Raises:
        OptionError, ShapeError: as for :func:`pad`.
    """
    xp = array_module(delta)
    for axis, (before, after) in enumerate(padding, delta.ndim - len(padding)):
        size = delta.shape[axis] - before - after
        kept, inside, border = _plan(size, before, after, mode)
        delta_x = xp.zeros((*delta.shape[:axis], size, *delta.shape[axis + 1 :]), delta.dtype)
        to, source = xp.moveaxis(delta_x, axis, 0), xp.moveaxis(delta, axis, 0)
        to[kept] = source[inside]
        for i, j in border:
            to[j] += source[i]
        delta = delta_x
    return delta


def _plan(size: int, before: int, after: int, mode: str) -> tuple[slice, slice, list[tuple[int, int]]]:
    """Which stretch of x is kept, where it lies in x̄, and (position in x̄, element of x) of every copied element."""
    if mode != "zeros" and mode not in _SOURCES:
        raise OptionError(f"a padding mode among zeros, {', '.join(_SOURCES)}", repr(mode), "choose one of these")
    cut, left = max(0, -before), size - max(0, -before) - max(0, -after)
    wide = max(before, after)
    if left < (mode != "zeros") or (mode == "reflect" and wide >= size) or (mode == "circular" and wide > left):
        limit = {"reflect": ", less than there is", "circular": ", no more than there is"}.get(mode, "")
        raise ShapeError(
            f"padding that leaves something{limit}",
            f"padding ({before}, {after}) in mode {mode!r} of an axis of size {size}",
            "use less padding, a larger input, or the mode 'zeros' or 'replicate'",
        )
    first = max(0, before)  # the first position in x̄ that is kept of x
    border = []
    if mode != "zeros":
        outside = [*range(-first, 0), *range(left, left + max(0, after))]
        start, span = (cut, left) if mode == "circular" else (0, size)  # what the border copies
        border = [(first + i, start + _SOURCES[mode](cut + i - start, span)) for i in outside]
    return slice(cut, cut + left), slice(first, first + left), border
