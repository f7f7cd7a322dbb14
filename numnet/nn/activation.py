"""Activations: layers without parameters whose backward reads the output a alone, so that z need not be kept."""

from __future__ import annotations

from collections.abc import Callable

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import OptionError, ShapeError
from .expect import expect_floating, refuse_inplace
from .layer import Layer

__all__ = ["LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class _Elementwise(Layer):
    """Abstract: a = f(x), number by number. A subclass names the kernels of f and of its backward."""

    kernel: Callable[[Array], Array]
    kernel_backward: Callable[[Array, Array], Array]

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        a = ctx.a = self.kernel(x)
        return a

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return self.kernel_backward(ctx.a, delta)


class ReLU(_Elementwise):
    """Rectifier: what is negative becomes 0.

        a = max(x, 0)

        ∂J/∂x = δ ⊙ [a > 0]

    Shapes: any. At x = 0 the derivative counts as 0.

    Args:
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, 2010.
    """

    kernel = staticmethod(kernels.relu)
    kernel_backward = staticmethod(kernels.relu_backward)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace(self, inplace)


class Sigmoid(_Elementwise):
    """Logistic function: from 0 to 1.

        a = 1 / (1 + e⁻ˣ)

        ∂J/∂x = δ ⊙ a ⊙ (1 - a)

    Shapes: any.

    Raises:
        DtypeError: x does not hold floating-point numbers.

    Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986, equation 2.
    """

    kernel = staticmethod(kernels.sigmoid)
    kernel_backward = staticmethod(kernels.sigmoid_backward)


class Tanh(_Elementwise):
    """Hyperbolic tangent: from -1 to 1.

        a = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)

        ∂J/∂x = δ ⊙ (1 - a²)

    Shapes: any.

    Raises:
        DtypeError: x does not hold floating-point numbers.

    Source: LeCun, Bottou, Orr and Müller, Efficient backprop, 1998, section 4.4.
    """

    kernel = staticmethod(kernels.tanh)
    kernel_backward = staticmethod(kernels.tanh_backward)


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
