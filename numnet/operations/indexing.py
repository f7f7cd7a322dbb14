"""Operations that choose numbers and put arrays together."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .. import kernels
from ..arrays import Array, array_module, is_array, is_floating
from ..call import Ctx
from ..errors import DtypeError, ShapeError
from .operation import Operation, broadcast_back, expect_broadcastable, normalised_axes, of_one_dtype

__all__ = ["Assign", "Concatenate", "Index", "Split", "Where"]


class Index(Operation):
    """Numbers chosen by integers, slices, masks or arrays of integers, by NumPy's rules.

        y = x[key]

        ∂J/∂x = 0, with δ added at key, once for each time a number was chosen

    Shapes: x any, y and δ as NumPy's x[key].
    """

    def __init__(self, key: Any) -> None:
        self.key = key

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.shape = x.shape
        return x[self.key]

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        xp = array_module(delta)
        delta_x = xp.zeros(ctx.shape, delta.dtype)
        if _may_repeat(self.key):
            xp.add.at(delta_x, self.key, delta)
        else:
            delta_x[self.key] = delta
        return delta_x


class Assign(Operation):
    """An array with some of its numbers replaced; v is converted to x's dtype.

        y = x, but v at key

        ∂J/∂x = δ, but 0 at key        ∂J/∂v = δ[key]        (summed over broadcast axes)

    Where the key names a place several times, the last v stays there, and it alone gets the δ.

    Shapes: x, y and δ any, v any that broadcasts to x[key].

    Raises:
        ShapeError: v does not fit what the key chooses.
    """

    def __init__(self, key: Any) -> None:
        self.key = key

    def forward(self, ctx: Ctx, x: Array, v: Array) -> Array:
        ctx.shape, ctx.dtype = v.shape, v.dtype
        y = x.copy()
        self.in_place(y, v)
        return y

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        needs_x, needs_v = ctx.needs_input_grad
        delta_x = delta_v = None
        if needs_v:
            delta_v = broadcast_back(self._of_last(delta), ctx.shape).astype(ctx.dtype)
        if needs_x:
            delta_x = delta.copy()
            delta_x[self.key] = 0
        return delta_x, delta_v

    def _of_last(self, delta: Array) -> Array:
        """δ[key], but 0 for what was overwritten by a later v of the same place."""
        chosen = delta[self.key]
        if not _may_repeat(self.key):
            return chosen
        xp = array_module(delta)
        order = xp.arange(chosen.size).reshape(chosen.shape)
        last = xp.empty(delta.shape, order.dtype)
        last[self.key] = order
        return xp.where(last[self.key] == order, chosen, xp.zeros_like(chosen))

    def region(self, x: Array) -> Array:
        """The part of x that it writes, as a view; all of x where the key is not made of numbers and slices."""
        return x[self.key if self.key is ... else (*_parts(self.key), ...)] if self.writes_all else x

    @property
    def writes_all(self) -> bool:
        """Whether every number of the region is written: not where a mask or an array chooses some of them."""
        parts = () if self.key is ... else _parts(self.key)
        return all(isinstance(part, (int, np.integer, slice)) and not isinstance(part, bool) for part in parts)

    def in_place(self, x: Array, *others: Array) -> None:
        """Write v into x."""
        (v,) = others
        try:
            x[self.key] = v
        except ValueError:
            chosen = x[self.key].shape
            raise ShapeError(f"numbers that broadcast to {chosen}", f"shape {v.shape}", "reshape them first") from None


class Concatenate(Operation):
    """Arrays one after the other along one axis.

        y = [x₁, x₂, …]

        ∂J/∂xᵢ = the part of δ that xᵢ became

    Raises:
        ShapeError: nothing to put together, no such axis, or shapes that differ along another one.
        DtypeError: two different floating dtypes.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, ctx: Ctx, *xs: Array) -> Array:
        if not xs or xs[0].ndim == 0:
            got = "none" if not xs else "single numbers, which have no axis"
            raise ShapeError("one array or more", got, "put together what has an axis; stack makes a new one")
        (axis,) = normalised_axes(self.dim, xs[0].ndim)
        rests = {(*x.shape[:axis], *x.shape[axis + 1 :]) for x in xs}
        if len(rests) > 1 or len({x.ndim for x in xs}) > 1:
            expected = f"one shape, but for axis {axis}"
            raise ShapeError(expected, ", ".join(str(x.shape) for x in xs), "slice or reshape them first")
        floating = {str(x.dtype) for x in xs if is_floating(x)}
        if len(floating) > 1:
            raise DtypeError("one floating dtype", ", ".join(sorted(floating)), "tensor.float() or tensor.double()")
        ctx.axis = axis
        ctx.ends = np.cumsum([x.shape[axis] for x in xs])[:-1].tolist()
        return array_module(xs[0]).concatenate(xs, axis=axis, dtype=floating.pop() if floating else None)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, ...]:
        parts = array_module(delta).split(delta, ctx.ends, axis=ctx.axis)
        return tuple([part if needed else None for part, needed in zip(parts, ctx.needs_input_grad, strict=True)])


class Split(Operation):
    """Parts of the listed sizes, one after the other along one axis.

        y = y₁, y₂, …        [y₁, y₂, …] = x

        ∂J/∂x = [δ₁, δ₂, …], with 0 for the part of a y that nobody used

    Raises:
        ShapeError: no such axis, or sizes that do not add up to its size.
    """

    def __init__(self, sizes: tuple[int, ...], dim: int) -> None:
        self.sizes = sizes
        self.dim = dim

    def forward(self, ctx: Ctx, x: Array) -> tuple[Array, ...]:
        (axis,) = normalised_axes(self.dim, x.ndim)
        if not self.sizes or min(self.sizes) < 0 or sum(self.sizes) != x.shape[axis]:
            raise ShapeError(f"sizes that add up to {x.shape[axis]}, the size of axis {axis}", f"{list(self.sizes)}")
        front = (slice(None),) * axis
        ends = list(itertools.accumulate(self.sizes, initial=0))
        ys = tuple([x[(*front, slice(begin, end))] for begin, end in itertools.pairwise(ends)])
        ctx.axis, ctx.shapes, ctx.shape = axis, [y.shape for y in ys], x.shape
        if ctx.recording:
            ctx.outermost_first = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
        return ys

    def backward(self, ctx: Ctx, deltas: tuple[Array | None, ...]) -> Array:
        first = next(delta for delta in deltas if delta is not None)
        xp, order = array_module(first), ctx.outermost_first
        parts = [
            xp.zeros(shape, first.dtype) if delta is None else delta
            for delta, shape in zip(deltas, ctx.shapes, strict=True)
        ]
        # it lies in memory as x did: what x was before its axes were permuted or reshaped costs no copy then
        delta_x = kernels.empty_like(first, [ctx.shape[axis] for axis in order])
        delta_x = delta_x.transpose([order.index(axis) for axis in range(len(order))])
        return xp.concatenate(parts, axis=ctx.axis, out=delta_x)


class Where(Operation):
    """One array where a condition holds, another elsewhere, with broadcasting.

        y = a where c, b elsewhere

        ∂J/∂a = δ where c, 0 elsewhere        ∂J/∂b = 0 where c, δ elsewhere        (summed over broadcast axes)

    Raises:
        DtypeError: a condition that is not boolean, or two different floating dtypes.
        ShapeError: shapes that do not broadcast.
    """

    def forward(self, ctx: Ctx, c: Array, a: Array, b: Array) -> Array:
        if c.dtype != bool:
            raise DtypeError("a boolean condition", f"one of {c.dtype}", "compare, as in x > 0")
        expect_broadcastable(c.shape, a.shape, b.shape)
        a, b = of_one_dtype(a, b)
        ctx.c, ctx.shapes = c, (a.shape, b.shape)
        return array_module(c).where(c, a, b)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[None, Array | None, Array | None]:
        c, (a_shape, b_shape) = ctx.c, ctx.shapes
        xp, zero = array_module(delta), delta.dtype.type(0)
        _, needs_a, needs_b = ctx.needs_input_grad
        return (
            None,
            broadcast_back(xp.where(c, delta, zero), a_shape) if needs_a else None,
            broadcast_back(xp.where(c, zero, delta), b_shape) if needs_b else None,
        )


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _may_repeat(key: Any) -> bool:
    """Whether the key can choose one number twice: only arrays of integers can."""
    return any(isinstance(p, list) or (is_array(p) and p.dtype.kind in "iu" and p.ndim > 0) for p in _parts(key))
