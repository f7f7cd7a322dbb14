"""Operations on two operands, with broadcasting."""

from __future__ import annotations

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import ShapeError
from .operation import Operation, as_floating, broadcast_back, fitting, of_one_dtype

__all__ = ["Add", "Divide", "ElementwisePower", "MatMul", "Multiply", "Negative", "Subtract"]


class Add(Operation):
    """Sum of two arrays.

        y = a + b

        ∂J/∂a = δ        ∂J/∂b = δ        (summed over broadcast axes)

    Shapes: a and b any that broadcast, y and δ what they broadcast to.
    """

    ufunc = "add"

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        a, b = fitting(a, b)
        ctx.shapes = a.shape, b.shape
        return kernels.add(a, b)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        (needs_a, needs_b), (a_shape, b_shape) = ctx.needs_input_grad, ctx.shapes
        return (
            broadcast_back(delta, a_shape) if needs_a else None,
            broadcast_back(delta, b_shape) if needs_b else None,
        )


class Subtract(Operation):
    """Difference of two arrays.

        y = a - b

        ∂J/∂a = δ        ∂J/∂b = -δ        (summed over broadcast axes)

    Shapes: a and b any that broadcast, y and δ what they broadcast to.
    """

    ufunc = "subtract"

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        a, b = fitting(a, b)
        ctx.shapes = a.shape, b.shape
        return a - b

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        (needs_a, needs_b), (a_shape, b_shape) = ctx.needs_input_grad, ctx.shapes
        return (
            broadcast_back(delta, a_shape) if needs_a else None,
            broadcast_back(-delta, b_shape) if needs_b else None,
        )


class Negative(Operation):
    """Opposite of every number.

        y = -x

        ∂J/∂x = -δ

    Shapes: x any, y and δ the same.
    """

    ufunc = "negative"

    def forward(self, ctx: Ctx, x: Array) -> Array:
        return -x

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return -delta


class Multiply(Operation):
    """Hadamard product of two arrays.

        y = a ⊙ b

        ∂J/∂a = δ ⊙ b        ∂J/∂b = δ ⊙ a        (summed over broadcast axes)

    Shapes: a and b any that broadcast, y and δ what they broadcast to.
    """

    ufunc = "multiply"

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        a, b = fitting(a, b)
        needs_a, needs_b = ctx.needs_input_grad
        ctx.shapes = a.shape, b.shape
        ctx.a, ctx.b = a if needs_b else None, b if needs_a else None
        return a * b

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        a, b, (a_shape, b_shape) = ctx.a, ctx.b, ctx.shapes
        return (
            broadcast_back(delta * b, a_shape) if b is not None else None,
            broadcast_back(delta * a, b_shape) if a is not None else None,
        )


class Divide(Operation):
    """Quotient of two arrays; that of integers is float32.

        y = a / b

        ∂J/∂a = δ / b        ∂J/∂b = -δ ⊙ y / b        (summed over broadcast axes)

    Shapes: a and b any that broadcast, y and δ what they broadcast to.
    """

    ufunc = "divide"

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        a, b = fitting(a, b)
        a, b = as_floating(a), as_floating(b)
        y = a / b
        ctx.shapes = a.shape, b.shape
        ctx.b, ctx.y = b, y if ctx.needs_input_grad[1] else None
        return y

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        b, y, (a_shape, b_shape) = ctx.b, ctx.y, ctx.shapes
        delta_a = delta / b
        return (
            broadcast_back(delta_a, a_shape) if ctx.needs_input_grad[0] else None,
            broadcast_back(-delta_a * y, b_shape) if y is not None else None,
        )


class ElementwisePower(Operation):
    """One array to the power of another.

        y = aᵇ

        ∂J/∂a = δ ⊙ b aᵇ⁻¹  (0 where b = 0)        ∂J/∂b = δ ⊙ y ln a  (0 where a = 0 and b ≥ 0)

    Both are summed over broadcast axes.
    """

    ufunc = "power"

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        a, b = fitting(a, b)
        y = a**b
        ctx.a, ctx.b, ctx.y = a, b, y if ctx.needs_input_grad[1] else None
        return y

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        a, b, y = ctx.a, ctx.b, ctx.y
        xp = array_module(delta)
        delta_a = delta_b = None
        if ctx.needs_input_grad[0]:
            slope = b * a ** xp.where(b == 0, b.dtype.type(1), b - 1)  # where b = 0, that is 0 · a
            delta_a = broadcast_back(delta * slope, a.shape)
        if y is not None:
            flat = (a == 0) & (b >= 0)
            slope = xp.where(flat, a.dtype.type(0), y * xp.log(xp.where(flat, a.dtype.type(1), a)))
            delta_b = broadcast_back(delta * slope, b.shape)
        return delta_a, delta_b


class MatMul(Operation):
    """Matrix product, batched over leading axes with broadcasting; vectors as in NumPy.

        y = a b

        ∂J/∂a = δ bᵀ        ∂J/∂b = aᵀ δ        (summed over broadcast axes)

    Shapes: a (…, n, m), b (…, m, p), y (…, n, p); a vector a counts as (1, m), a vector b as (m, 1), both dropped in y.
    """

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        inner_a, inner_b = a.shape[-1:], b.shape[-2:-1] or b.shape
        if a.ndim == 0 or b.ndim == 0 or inner_a != inner_b:
            raise ShapeError(
                "matrices a (…, n, m) and b (…, m, p) with the same m",
                f"shapes {a.shape} and {b.shape}",
                "transpose one of them, or check which axis is the batch",
            )
        a, b = of_one_dtype(a, b)
        needs_a, needs_b = ctx.needs_input_grad
        ctx.shapes = a.shape, b.shape
        ctx.a, ctx.b = a if needs_b else None, b if needs_a else None
        return _product(a, b)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        a, b, (a_shape, b_shape) = ctx.a, ctx.b, ctx.shapes
        if len(b_shape) == 1:
            delta = delta[..., None]
        if len(a_shape) == 1:
            delta = delta[..., None, :]  # (…, n, p)
        delta_a = delta_b = None
        if b is not None:
            b = b if b.ndim > 1 else b[:, None]  # (…, m, p)
            delta_a = _product(delta, b.swapaxes(-1, -2))  # (…, n, m)
            delta_a = broadcast_back(delta_a, a_shape if len(a_shape) > 1 else (1, *a_shape)).reshape(a_shape)
        if a is not None:
            a = a if a.ndim > 1 else a[None, :]  # (…, n, m)
            delta_b = _product(a.swapaxes(-1, -2), delta)  # (…, m, p)
            delta_b = broadcast_back(delta_b, b_shape if len(b_shape) > 1 else (*b_shape, 1)).reshape(b_shape)
        return delta_a, delta_b


def _product(a: Array, b: Array) -> Array:
    return kernels.matmul(a, b) if min(a.ndim, b.ndim) > 1 else a @ b
