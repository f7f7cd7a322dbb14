"""Activations that saturate: both ends of the line run into a limit."""

from __future__ import annotations

from typing import Any

from ... import kernels
from ...arrays import Array
from ...errors import OptionError
from .elementwise import Elementwise, ReadsInput, ReadsOutput

__all__ = ["Hardsigmoid", "Hardtanh", "ReLU6", "Sigmoid", "Softsign", "Tanh"]


class Sigmoid(ReadsOutput):
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


class Tanh(ReadsOutput):
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


class Softsign(Elementwise):
    """From -1 to 1 as the hyperbolic tangent, but slowly.

        a = x / (1 + |x|)

        ∂J/∂x = δ / (1 + |x|)²

    Shapes: any.

    Raises:
        DtypeError: x does not hold floating-point numbers.

    Source: Turian, Bergstra and Bengio, Quadratic features and deep architectures for chunking, 2009.
    """

    def __init__(self) -> None:
        super().__init__()

    def value(self, x: Array) -> Array:
        return x / (1 + abs(x))

    def slope(self, x: Array) -> Array:
        return (1 / (1 + abs(x))) ** 2  # in this order: (1 + |x|)² can overflow


class _Clipped(ReadsInput):
    """Abstract: a = min(max(x, low), high). A subclass sets the limits."""

    kernel = staticmethod(kernels.hardtanh)
    kernel_backward = staticmethod(kernels.hardtanh_backward)

    low: float
    high: float

    def options(self) -> tuple[Any, ...]:
        return self.low, self.high


class Hardtanh(_Clipped):
    """The identity, cut off at both ends.

        a = min(max(x, low), high)

        ∂J/∂x = δ ⊙ [low < x < high]

    Shapes: any.

    Args:
        min_val: low.
        max_val: high.
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: low is not below high, or ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Collobert, Large scale machine learning, 2004, section 7.2.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not min_val < max_val:
            got = f"min_val={min_val}, max_val={max_val}"
            raise OptionError("Hardtanh with min_val < max_val", got, "swap them, or give the cut some width")
        self.min_val = self.low = min_val
        self.max_val = self.high = max_val

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(_Clipped):
    """Rectifier that ends at 6, as arithmetic with few bits likes it.

        a = min(max(x, 0), 6)

        ∂J/∂x = δ ⊙ [0 < x < 6]

    Shapes: any.

    Args:
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010, section 2.
    """

    low = 0.0
    high = 6.0


class Hardsigmoid(ReadsInput):
    """The sigmoid in three straight pieces: 0 up to x = -3, 1 from x = 3 on.

        a = min(max(x + 3, 0), 6) / 6

        ∂J/∂x = δ / 6 ⊙ [-3 < x < 3]

    Shapes: any.

    Args:
        inplace: taken for PyTorch's sake; only False is possible.

    Raises:
        OptionError: ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Howard et al., Searching for MobileNetV3, 2019, section 5.2.
    """

    kernel = staticmethod(kernels.hardsigmoid)
    kernel_backward = staticmethod(kernels.hardsigmoid_backward)
