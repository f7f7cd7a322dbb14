"""Shrinkage: what is small becomes 0 or smaller still, as a code that is to be sparse wants it."""

from __future__ import annotations

from ... import kernels
from ...arrays import Array
from ...errors import OptionError
from .elementwise import Elementwise, ReadsInput

__all__ = ["Hardshrink", "Softshrink", "Tanhshrink"]


class _Shrink(ReadsInput):
    """Abstract: what lies between -λ and λ becomes 0."""

    kernel = staticmethod(kernels.cut_out)
    kernel_backward = staticmethod(kernels.cut_out_backward)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def options(self) -> tuple[float, float, float]:
        return -self.lambd, self.lambd, 0.0

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(_Shrink):
    """What lies between -λ and λ becomes 0; the rest passes.

        a = x where |x| > λ, 0 elsewhere

        ∂J/∂x = δ ⊙ [|x| > λ]

    Shapes: any.

    Args:
        lambd: λ.

    Raises:
        DtypeError: x does not hold floating-point numbers.

    Source: Donoho and Johnstone, Ideal spatial adaptation by wavelet shrinkage, 1994, equation 3.
    """


class Softshrink(_Shrink):
    """Every number moves by λ towards 0, and those that would pass it stop there.

        a = x - min(max(x, -λ), λ)

        ∂J/∂x = δ ⊙ [|x| > λ]

    Shapes: any.

    Args:
        lambd: λ, not negative.

    Raises:
        OptionError: a negative λ.
        DtypeError: x does not hold floating-point numbers.

    Source: Donoho, De-noising by soft-thresholding, 1995, equation 3.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd)
        if not lambd >= 0:
            raise OptionError("Softshrink with a lambd of 0 or more", f"lambd={lambd}", "leave out the sign")

    def value(self, x: Array) -> Array:
        return kernels.subtract(x, kernels.hardtanh(x, -self.lambd, self.lambd))


class Tanhshrink(Elementwise):
    """What the hyperbolic tangent leaves of x: almost nothing near 0.

        a = x - tanh(x)

        ∂J/∂x = δ tanh²(x)

    Shapes: any.

    Raises:
        DtypeError: x does not hold floating-point numbers.

    Source: Collobert, Kavukcuoglu and Farabet, Torch7: a Matlab-like environment for machine learning, 2011.
    """

    def __init__(self) -> None:
        super().__init__()

    def value(self, x: Array) -> Array:
        return kernels.subtract(x, kernels.tanh(x))

    def slope(self, x: Array) -> Array:
        return kernels.tanh(x) ** 2
