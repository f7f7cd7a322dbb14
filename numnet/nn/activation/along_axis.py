"""Activations along one axis: numbers that share out a probability, or open and shut each other."""

from __future__ import annotations

from collections.abc import Callable

from ... import kernels
from ...arrays import Array, array_module
from ...call import Ctx
from ...errors import OptionError, ShapeError
from ..expect import expect_floating
from ..layer import Layer
from ..spatial import as_batch

__all__ = ["GLU", "LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _AlongAxis(Layer):
    """Abstract: a = f(x) along the axis ``dim``. A subclass names the kernels of f and of its backward."""

    kernel: Callable[[Array, int], Array]
    kernel_backward: Callable[[Array, Array, int], Array]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        if not isinstance(dim, int) or isinstance(dim, bool):
            name = type(self).__name__
            cure = f"{name}(dim=1) for scores of shape (N, C), {name}(dim=-1) for the last axis"
            raise OptionError(f"{name} with the axis that is to sum to 1", f"dim={dim!r}", cure)
        self.dim = dim

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        if not -x.ndim <= self.dim < x.ndim:
            raise ShapeError(f"x with an axis {self.dim}", f"shape {tuple(x.shape)}", "choose dim among the axes of x")
        a = ctx.a = self.kernel(x, self.dim)
        return a

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return self.kernel_backward(ctx.a, delta, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """Probabilities in proportion to eˣ along one axis.

        aᵢ = e^xᵢ / Σⱼ e^xⱼ

        ∂J/∂x = a ⊙ (δ - Σⱼ δⱼ aⱼ)

    Shapes: any. Before a cross-entropy leave it out: :class:`~numnet.nn.CrossEntropyLoss` takes the scores themselves.

    Args:
        dim: the axis that is to sum to 1. It has to be given: PyTorch's guess is deprecated.

    Raises:
        OptionError: no ``dim``.
        ShapeError: x has no such axis.
        DtypeError: x does not hold floating-point numbers.

    Source: Bridle, Training stochastic model recognition algorithms as networks, 1989.
    """

    kernel = staticmethod(kernels.softmax)
    kernel_backward = staticmethod(kernels.softmax_backward)


class LogSoftmax(_AlongAxis):
    """Logarithm of softmax, exact where the probability itself would round to 0.

        aᵢ = xᵢ - log Σⱼ e^xⱼ

        ∂J/∂x = δ - eᵃ ⊙ Σⱼ δⱼ

    Shapes: any. :class:`~numnet.nn.NLLLoss` is its other half.

    Args:
        dim: the axis along which the probabilities sum to 1. It has to be given: PyTorch's guess is deprecated.

    Raises:
        OptionError: no ``dim``.
        ShapeError: x has no such axis.
        DtypeError: x does not hold floating-point numbers.

    Source: Goodfellow, Bengio and Courville, Deep learning, 2016, section 6.2.2.3.
    """

    kernel = staticmethod(kernels.log_softmax)
    kernel_backward = staticmethod(kernels.log_softmax_backward)


class Softmin(_AlongAxis):
    """Probabilities in proportion to e⁻ˣ along one axis: the smallest number gets the most.

        aᵢ = e^-xᵢ / Σⱼ e^-xⱼ

        ∂J/∂x = -a ⊙ (δ - Σⱼ δⱼ aⱼ)

    Shapes: any.

    Args:
        dim: the axis that is to sum to 1. It has to be given: PyTorch's guess is deprecated.

    Raises:
        OptionError: no ``dim``.
        ShapeError: x has no such axis.
        DtypeError: x does not hold floating-point numbers.

    Source: Bridle, Training stochastic model recognition algorithms as networks, 1989, with the sign of x turned.
    """

    @staticmethod
    def kernel(x: Array, dim: int) -> Array:
        return kernels.softmax(-x, dim)

    @staticmethod
    def kernel_backward(a: Array, delta: Array, dim: int) -> Array:
        return -kernels.softmax_backward(a, delta, dim)


class Softmax2d(Layer):
    """Softmax over the channels, at every place of an image by itself.

        a[n, c, h, w] = e^x[n, c, h, w] / Σ_k e^x[n, k, h, w]

        ∂J/∂x = a ⊙ (δ - Σ_k δ[n, k, h, w] a[n, k, h, w])

    Shapes: x, a and δ (N, C, H, W) or (C, H, W).

    Raises:
        ShapeError: x has another number of axes.
        DtypeError: x does not hold floating-point numbers.

    Source: Long, Shelhamer and Darrell, Fully convolutional networks for semantic segmentation, 2015, section 4.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        as_batch(x, 2)
        a = ctx.a = kernels.softmax(x, x.ndim - 3)
        return a

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return kernels.softmax_backward(ctx.a, delta, delta.ndim - 3)


class GLU(Layer):
    """Gated linear unit: one half of the numbers, each opened or shut by its partner in the other half.

        a = x₁ ⊙ σ(x₂)        x₁, x₂ the halves of x along the axis        σ(x) = 1 / (1 + e⁻ˣ)

        ∂J/∂x₁ = δ ⊙ σ(x₂)        ∂J/∂x₂ = δ ⊙ x₁ ⊙ σ(x₂) ⊙ (1 - σ(x₂))        ∂J/∂x = both, one after the other

    Shapes: x any, a and δ the same with the axis ``dim`` half as long.

    Args:
        dim: the axis that is halved.

    Raises:
        ShapeError: x has no such axis, or an odd number of numbers along it.
        DtypeError: x does not hold floating-point numbers.

    Source: Dauphin, Fan, Auli and Grangier, Language modeling with gated convolutional networks, 2017, equation 1.
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        if not -x.ndim <= self.dim < x.ndim or x.shape[self.dim] % 2:
            expected = f"x with an even number of numbers along an axis {self.dim}"
            raise ShapeError(expected, f"shape {tuple(x.shape)}", "make twice as many channels as the next layer takes")
        ctx.x1, x2 = self._halves(x)
        ctx.s = kernels.sigmoid(x2)
        return ctx.x1 * ctx.s

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        x1, s, xp = ctx.x1, ctx.s, array_module(delta)
        shape = list(delta.shape)
        shape[self.dim] *= 2
        delta_x = kernels.empty_like(delta, shape)
        delta_1, delta_2 = self._halves(delta_x)
        xp.multiply(delta, s, out=delta_1)
        xp.multiply(delta_1, x1, out=delta_2)
        delta_2 *= 1 - s
        return delta_x

    def _halves(self, x: Array) -> tuple[Array, Array]:
        """Both halves of x along the axis."""
        axis = self.dim % x.ndim
        half, before = x.shape[axis] // 2, (slice(None),) * axis
        return x[(*before, slice(half))], x[(*before, slice(half, None))]

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
