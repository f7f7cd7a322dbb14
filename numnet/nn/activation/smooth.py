"""Smooth relatives of the rectifier: x times a gate that opens as x grows, and integrals of the sigmoid."""

from __future__ import annotations

from math import inf
from typing import Any, Literal

from ... import kernels
from ...errors import OptionError
from .elementwise import ReadsInput

__all__ = ["GELU", "Hardswish", "LogSigmoid", "Mish", "SiLU", "Softplus"]


class SiLU(ReadsInput):
    """x times its sigmoid, also called Swish.

        a = x σ(x)        σ(x) = 1 / (1 + e⁻ˣ)

        ∂J/∂x = δ σ(x) (1 + x (1 - σ(x)))

    Shapes: any.

    Args:
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Elfwing, Uchibe and Doya, Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning, 2018, equations 5 and 7.
    """

    kernel = staticmethod(kernels.silu)
    kernel_backward = staticmethod(kernels.silu_backward)


class Hardswish(ReadsInput):
    """SiLU in pieces without an exponential: x times its :class:`Hardsigmoid`.

        a = x min(max(x + 3, 0), 6) / 6

        ∂J/∂x = δ · (0 where x ≤ -3, 1 where x ≥ 3, x / 3 + 1/2 between)

    Shapes: any.

    Args:
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Howard et al., Searching for MobileNetV3, 2019, section 5.2.
    """

    kernel = staticmethod(kernels.hardswish)
    kernel_backward = staticmethod(kernels.hardswish_backward)


class GELU(ReadsInput):
    """x times the probability that a standard normal number is smaller.

        a = x Φ(x)        Φ(x) = ∫ φ from -∞ to x        φ(x) = e^(-x²/2) / √(2π)

        ∂J/∂x = δ (Φ(x) + x φ(x))

    With ``approximate="tanh"``, the approximation that GPT-2 was trained with:

        a = x σ(2u)        u = √(2/π) (x + 0.044715 x³)        σ(2u) = (1 + tanh u) / 2

        ∂J/∂x = δ (σ(2u) + x σ(2u) (1 - σ(2u)) 2u′)        u′ = √(2/π) (1 + 3 · 0.044715 x²)

    Shapes: any.

    Args:
        approximate: ``"none"``, or ``"tanh"``.

    Raises:
        OptionError: another approximation.
        DtypeError: x does not hold floating-point numbers.

    Source: Hendrycks and Gimpel, Gaussian error linear units, 2016, section 2.
    """

    kernel = staticmethod(kernels.gelu)
    kernel_backward = staticmethod(kernels.gelu_backward)

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise OptionError('GELU with approximate="none" or "tanh"', repr(approximate), "choose one of these")
        self.approximate = approximate

    def options(self) -> tuple[Any, ...]:
        return (self.approximate,)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Mish(ReadsInput):
    """x times the hyperbolic tangent of its softplus.

        a = x t        t = tanh(log(1 + eˣ))

        ∂J/∂x = δ (t + x σ(x) (1 - t²))        σ(x) = 1 / (1 + e⁻ˣ)

    Shapes: any.

    Args:
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Misra, Mish: a self regularized non-monotonic activation function, 2019, equations 1 and 3.
    """

    kernel = staticmethod(kernels.mish)
    kernel_backward = staticmethod(kernels.mish_backward)


class Softplus(ReadsInput):
    """The rectifier with its corner smoothed.

        a = log(1 + e^(βx)) / β where βx ≤ t, x elsewhere

        ∂J/∂x = δ σ(βx) where βx ≤ t, δ elsewhere        σ(x) = 1 / (1 + e⁻ˣ)

    The logarithm is written so that its exponential cannot overflow; t is there for PyTorch's sake.

    Shapes: any.

    Args:
        beta: β: the larger, the sharper the corner.
        threshold: t.

    Raises:
        DtypeError: x does not hold floating-point numbers.
        OptionError: β = 0.

    Source: Dugas, Bengio, Bélisle, Nadeau and Garcia, Incorporating second-order functional knowledge for better option
    pricing, 2001, section 3.
    """

    kernel = staticmethod(kernels.softplus)
    kernel_backward = staticmethod(kernels.softplus_backward)

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        if beta == 0:
            raise OptionError("Softplus with a beta other than 0", "beta=0", "Softplus() has beta=1")
        self.beta = float(beta)
        self.threshold = float(threshold)

    def options(self) -> tuple[Any, ...]:
        return self.beta, self.threshold

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(ReadsInput):
    """Logarithm of the sigmoid, exact where the sigmoid itself would round to 0.

        a = -log(1 + e⁻ˣ)

        ∂J/∂x = δ σ(-x)        σ(x) = 1 / (1 + e⁻ˣ)

    Shapes: any.

    Raises:
        DtypeError: x does not hold floating-point numbers.

    Source: Mikolov et al., Distributed representations of words and phrases and their compositionality, 2013,
    equation 4.
    """

    kernel = staticmethod(kernels.softplus)
    kernel_backward = staticmethod(kernels.softplus_backward)

    def __init__(self) -> None:
        super().__init__()

    def options(self) -> tuple[Any, ...]:
        return -1.0, inf  # -log(1 + e⁻ˣ) is the softplus with β = -1
