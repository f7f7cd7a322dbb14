"""Rectifiers: what is positive passes, what is negative is cut off, scaled down or bent to a limit."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

import numpy as np

from ... import kernels
from ...arrays import Array, array_module
from ...call import Ctx
from ...errors import OptionError, ShapeError
from ...random import default_rng
from ...tensor import Parameter
from ..expect import expect_floating, refuse_inplace
from ..layer import Layer
from .elementwise import ReadsInput, ReadsOutput

__all__ = ["CELU", "ELU", "SELU", "LeakyReLU", "PReLU", "RReLU", "ReLU", "Threshold"]


class ReLU(ReadsOutput):
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


class Threshold(ReadsInput):
    """What does not exceed a threshold t is replaced by a constant v.

        a = x where x > t, v elsewhere

        ∂J/∂x = δ ⊙ [x > t]

    Shapes: any.

    Args:
        threshold: t.
        value: v.
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Konda, Memisevic and Krueger, Zero-bias autoencoders and the benefits of co-adapting features, 2015.
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.replacement = value

    kernel = staticmethod(kernels.cut_out)
    kernel_backward = staticmethod(kernels.cut_out_backward)

    def options(self) -> tuple[float, float, float]:
        return -inf, self.threshold, self.replacement

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.replacement}"


class LeakyReLU(ReadsInput):
    """Rectifier that lets a small part r of what is negative through.

        a = x where x > 0, r x elsewhere

        ∂J/∂x = δ where x > 0, r δ elsewhere

    Shapes: any.

    Args:
        negative_slope: r.
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, 2013, equation 2.
    """

    kernel = staticmethod(kernels.leaky_relu)
    kernel_backward = staticmethod(kernels.leaky_relu_backward)

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def options(self) -> tuple[Any, ...]:
        return (self.negative_slope,)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Layer):
    """Leaky rectifier whose slope w for negative numbers is learned, one for all channels or one for each.

        a = x where x > 0, w x elsewhere

        ∂J/∂w = Σ δ ⊙ min(x, 0)        ∂J/∂x = δ where x > 0, w δ elsewhere

    Shapes: x, a and δ (N, C, …), w (1,) or (C,); with one w for all channels any. The sum runs over all that w scales.

    Args:
        num_parameters: 1, or C.
        init: the initial value of w.

    Raises:
        ShapeError: ``num_parameters`` is not 1 and not the number of channels of x.
        DtypeError: x is not of the dtype of w.

    Source: He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015, equation 1.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(np.full(num_parameters, init, np.float32))

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x, self.weight.dtype)
        ctx.x = x
        if self.num_parameters == 1:
            return kernels.leaky_relu(x, self.weight.array.item())
        return x * self._slope(x)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        x = ctx.x
        if self.weight.requires_grad:
            xp = array_module(x)
            dW = xp.asarray(delta * xp.minimum(x, 0))
            kept = () if self.num_parameters == 1 else (1,)
            dW = dW.sum(axis=tuple([axis for axis in range(x.ndim) if axis not in kept]))
            self.weight.accumulate(dW.reshape(self.num_parameters))
        if self.num_parameters == 1:
            return kernels.leaky_relu_backward(x, delta, self.weight.array.item())
        return delta * self._slope(x)

    def _slope(self, x: Array) -> Array:
        """f′(x), where each channel has a w of its own."""
        if x.ndim < 2 or x.shape[1] != self.num_parameters:
            cure = "make num_parameters of this layer the number of channels of x, or 1"
            raise ShapeError(f"x of shape (N, C={self.num_parameters}, …)", f"shape {tuple(x.shape)}", cure)
        w = self.weight.array.reshape(-1, *[1] * (x.ndim - 2))  # (C, 1, …)
        return array_module(x).where(x > 0, x.dtype.type(1), w)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Layer):
    """Leaky rectifier whose slope r for negative numbers is drawn at random, number by number.

        a = x where x > 0, r x elsewhere        r uniform from lower to upper, drawn anew in every call

        ∂J/∂x = δ where x > 0, r δ elsewhere

    In evaluation mode r = (lower + upper) / 2 everywhere.

    Shapes: any. The same seed draws the same slopes in float32 and in float64.

    Args:
        lower: the smallest slope.
        upper: the largest.
        inplace: taken for PyTorch's sake; only False is possible.
        rng: where r is drawn from; the default generator if ``None``.

    Raises:
        OptionError: ``lower`` above ``upper``, or ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Xu, Wang, Chen and Li, Empirical evaluation of rectified activations in convolutional network, 2015,
    section 2.4.
    """

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        inplace: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        refuse_inplace(self, inplace)
        if not lower <= upper:
            got = f"lower={lower}, upper={upper}"
            raise OptionError("RReLU with lower ≤ upper, both finite", got, "swap them")
        self.lower = lower
        self.upper = upper
        self.rng = rng

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        xp = array_module(x)
        r = x.dtype.type((self.lower + self.upper) / 2)
        if self.training:
            r = xp.asarray((self.rng or default_rng()).uniform(self.lower, self.upper, x.shape)).astype(x.dtype)
        ctx.slope = xp.where(x > 0, x.dtype.type(1), r)
        return xp.asarray(x * ctx.slope)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return array_module(delta).asarray(delta * ctx.slope)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"


class _ExponentialLinear(ReadsInput):
    """Abstract: a = λ x where x > 0, λ α (e^(x/τ) - 1) elsewhere. A subclass sets its constants."""

    kernel = staticmethod(kernels.elu)
    kernel_backward = staticmethod(kernels.elu_backward)

    scale: ClassVar[float] = 1.0  # λ
    limit: float  # α
    width: float = 1.0  # τ

    def options(self) -> tuple[Any, ...]:
        return self.scale, self.limit, self.width


class ELU(_ExponentialLinear):
    """Exponential linear unit: what is negative bends to -α.

        a = x where x > 0, α (eˣ - 1) elsewhere

        ∂J/∂x = δ where x > 0, α eˣ δ elsewhere

    Shapes: any.

    Args:
        alpha: α.
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential linear units,
    2016, equation 15.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = self.limit = alpha

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(_ExponentialLinear):
    """ELU with the two constants for which the activations of a deep network keep mean 0 and variance 1.

        a = λ x where x > 0, λ α (eˣ - 1) elsewhere        λ = 1.0507…        α = 1.6732…

        ∂J/∂x = λ δ where x > 0, λ α eˣ δ elsewhere

    Shapes: any. It goes with weights of variance 1/in and :class:`~numnet.nn.AlphaDropout`.

    Args:
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, Self-normalizing neural networks, 2017, equations 2 and 14.
    """

    scale = 1.0507009873554804934193349852946
    limit = 1.6732632423543772848170429916717


class CELU(_ExponentialLinear):
    """ELU without a corner: at x = 0 its slope is 1 for every α.

        a = x where x > 0, α (e^(x/α) - 1) elsewhere

        ∂J/∂x = δ where x > 0, e^(x/α) δ elsewhere

    Shapes: any.

    Args:
        alpha: α.
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: α = 0, or ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Barron, Continuously differentiable exponential linear units, 2017, equation 2.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if alpha == 0:
            raise OptionError("CELU with an alpha other than 0", "alpha=0", "ReLU is the limit of CELU for small alpha")
        self.alpha = self.limit = self.width = alpha

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"
