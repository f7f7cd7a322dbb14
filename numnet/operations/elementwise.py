"""Operations on every number of one array by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..arrays import Array, array_module, device_of
from ..call import Ctx
from ..errors import OptionError
from ..kernels import gpu
from .operation import Operation, as_floating

__all__ = [
    "Abs",
    "Cast",
    "Clamp",
    "Cos",
    "Exp",
    "Log",
    "Power",
    "Relu",
    "Sigmoid",
    "Sin",
    "Sqrt",
    "Tanh",
    "ToDevice",
]


class Power(Operation):
    """Every number to the power of one constant.

        y = xᵖ

        ∂J/∂x = δ ⊙ p xᵖ⁻¹        (0 for p = 0)

    Shapes: x any, y and δ the same.
    """

    def __init__(self, exponent: int | float) -> None:  # a float makes floats of integers
        self.exponent = exponent

    def forward(self, ctx: Ctx, x: Array) -> Array:
        x = as_floating(x) if isinstance(self.exponent, float) else x
        ctx.x = x
        return x**self.exponent

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        p = self.exponent
        return delta * (p * ctx.x ** (p - 1)) if p else delta * 0


class Abs(Operation):
    """Absolute value.

        y = |x|

        ∂J/∂x = δ ⊙ sign(x)        (0 at 0)

    Shapes: x any, y and δ the same.
    """

    ufunc = "absolute"

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.x = x
        return abs(x)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta * array_module(delta).sign(ctx.x)


class Exp(Operation):
    """Exponential function.

        y = eˣ

        ∂J/∂x = δ ⊙ y

    Shapes: x any, y and δ the same.
    """

    ufunc = "exp"

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.y = y = array_module(x).exp(as_floating(x))
        return y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta * ctx.y


class Log(Operation):
    """Natural logarithm.

        y = ln x

        ∂J/∂x = δ / x

    Shapes: x any, y and δ the same.
    """

    ufunc = "log"

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.x = x
        return array_module(x).log(as_floating(x))

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta / ctx.x


class Sqrt(Operation):
    """Square root.

        y = √x

        ∂J/∂x = δ / 2y

    Shapes: x any, y and δ the same.
    """

    ufunc = "sqrt"

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.y = y = array_module(x).sqrt(as_floating(x))
        return y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta / (2 * ctx.y)


class Sin(Operation):
    """Sine.

        y = sin x

        ∂J/∂x = δ ⊙ cos x

    Shapes: x any, y and δ the same.
    """

    ufunc = "sin"

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.x = x
        return array_module(x).sin(as_floating(x))

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta * array_module(delta).cos(ctx.x)


class Cos(Operation):
    """Cosine.

        y = cos x

        ∂J/∂x = -δ ⊙ sin x

    Shapes: x any, y and δ the same.
    """

    ufunc = "cos"

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.x = x
        return array_module(x).cos(as_floating(x))

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return -delta * array_module(delta).sin(ctx.x)


class Tanh(Operation):
    """Hyperbolic tangent.

        a = tanh x

        ∂J/∂x = δ ⊙ (1 - a²)

    Shapes: x any, a and δ the same.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.a = a = kernels.tanh(as_floating(x))
        return a

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return kernels.tanh_backward(ctx.a, delta)


class Sigmoid(Operation):
    """Logistic function.

        a = 1 / (1 + e⁻ˣ)

        ∂J/∂x = δ ⊙ a ⊙ (1 - a)

    Shapes: x any, a and δ the same.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.a = a = kernels.sigmoid(as_floating(x))
        return a

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return kernels.sigmoid_backward(ctx.a, delta)


class Relu(Operation):
    """Rectifier.

        a = max(x, 0)

        ∂J/∂x = δ ⊙ [a > 0]

    Shapes: x any, a and δ the same.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.a = a = kernels.relu(x)
        return a

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return kernels.relu_backward(ctx.a, delta)


class Clamp(Operation):
    """Numbers held between two bounds, either of which may be missing.

        y = min(max(x, lowest), highest)

        ∂J/∂x = δ ⊙ [lowest ≤ x ≤ highest]

    Raises:
        OptionError: no bound at all.
    """

    def __init__(self, lowest: float | None, highest: float | None) -> None:
        if lowest is None and highest is None:
            raise OptionError("a lowest or a highest value", "neither", "x.clamp(min=0)")
        self.lowest = _number(lowest)
        self.highest = _number(highest)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.inside = inside = array_module(x).ones(x.shape, bool)
        y = as_floating(x) if isinstance(self.lowest, float) or isinstance(self.highest, float) else x
        if self.lowest is not None:
            inside &= x >= self.lowest
            y = array_module(x).maximum(y, self.lowest)
        if self.highest is not None:
            inside &= x <= self.highest
            y = array_module(x).minimum(y, self.highest)
        return y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return array_module(delta).where(ctx.inside, delta, delta.dtype.type(0))


class Cast(Operation):
    """A copy of the numbers in another dtype.

        y = x, converted

        ∂J/∂x = δ, converted back

    Shapes: x any, y and δ the same.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.dtype = x.dtype
        return x.astype(self.dtype)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta.astype(ctx.dtype, copy=False)


class ToDevice(Operation):
    """The numbers on another device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

        y = x, copied there

        ∂J/∂x = δ, copied back

    Shapes: x any, y and δ the same.
    """

    def __init__(self, device: str) -> None:
        kind, _, number = device.partition(":")
        if kind not in ("cpu", "cuda") or not (number.isdigit() or device == kind):
            raise OptionError('a device "cpu", "cuda" or "cuda:0"', repr(device))
        self.device = device

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.device = device_of(x)
        return _moved(x, self.device)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return _moved(delta, ctx.device)


def _number(bound: Any) -> Any:
    """Python's own number, which takes the dtype of the array beside it; one of NumPy's would impose its own."""
    return bound.item() if isinstance(bound, np.generic) else bound


def _moved(x: Array, device: str) -> Array:
    if device == "cpu":
        return gpu.to_cpu(x)
    number = device.partition(":")[2]
    return gpu.to_gpu(x, int(number) if number else None)
