"""Shrinkage: what is small becomes 0 or smaller still, as a code that is to be sparse wants it."""

from __future__ import annotations

from ... import kernels
from ...arrays import Array, array_module
from ...errors import OptionError
from .elementwise import Elementwise

__all__ = ["Hardshrink", "Softshrink", "Tanhshrink"]


class _Shrink(Elementwise):
    """Abstract: what lies between -λ and λ becomes 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def slope(self, x: Array) -> Array:
        return (abs(x) > self.lambd).astype(x.dtype)

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

    def value(self, x: Array) -> Array:
        return array_module(x).where(abs(x) <= self.lambd, x.dtype.type(0), x)  # NaN stays NaN


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
        return x - array_module(x).clip(x, -self.lambd, self.lambd)


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
        return x - kernels.tanh(x)

    def slope(self, x: Array) -> Array:
        return kernels.tanh(x) ** 2
