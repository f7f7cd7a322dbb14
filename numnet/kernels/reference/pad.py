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


def pad(x: Array, padding: Sequence[tuple[int, int]], mode: str) -> Array:
    """x with a border; a negative padding cuts off instead.

        x̄[before + i] = x[source(i)]        for -before ≤ i < size + after

        zeros       x̄ = 0 outside
        reflect     source(i) is i mirrored at the first and last element, which are not repeated
        replicate   source(i) is the nearest element
        circular    source(i) = i mod size

    Shapes: x (…, *in), ``padding`` one (before, after) for each of these last axes, x̄ (…, *(before + in + after)).

    Raises:
        OptionError: no such mode.
        ShapeError: a border wider than what it copies (reflect needs padding < size, circular padding ≤ size), or
            a negative padding that cuts off more than there is.
    """
    xp = array_module(x)
    for axis, (before, after) in enumerate(padding, x.ndim - len(padding)):
        size = x.shape[axis]
        kept, inside, border = _plan(size, before, after, mode)
        padded = xp.zeros((*x.shape[:axis], before + size + after, *x.shape[axis + 1 :]), x.dtype)
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
    widest = {"reflect": size - 1, "circular": size}.get(mode, max(before, after))
    empty = before + size + after < (mode != "zeros") or (mode != "zeros" and size == 0)
    if max(before, after) > widest or empty:
        limit = {"reflect": " and smaller than the size", "circular": " and at most the size"}.get(mode, "")
        raise ShapeError(
            f"padding that leaves something{limit}",
            f"padding ({before}, {after}) in mode {mode!r} of an axis of size {size}",
            "use less padding, a larger input, or the mode 'zeros' or 'replicate'",
        )
    first, end = max(0, -before), size - max(0, -after)
    kept = slice(first, max(first, end))
    inside = slice(before + kept.start, before + kept.stop)
    if mode == "zeros":
        return kept, inside, []
    outside = [i for i in range(-before, size + after) if not kept.start <= i < kept.stop]
    return kept, inside, [(before + i, _SOURCES[mode](i, size)) for i in outside]
