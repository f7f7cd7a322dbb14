"""Initial values of parameters: each function fills its argument in place and returns it."""

from __future__ import annotations

import math

import numpy as np

from ..random import default_rng
from ..tensor import Parameter

__all__ = ["default_"]


def default_(weight: Parameter, bias: Parameter | None, *, rng: np.random.Generator | None = None) -> None:
    """PyTorch's initial values of linear and convolution layers: W and b uniform in ±1/√fan_in.

    W is Kaiming uniform with a = √5, whose bound is √(6 / ((1 + a²) · fan_in)) = 1/√fan_in.
    """
    rng = rng or default_rng()
    fan_in = math.prod(weight.shape[1:])
    bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
    for parameter in (weight, bias):
        if parameter is not None:
            parameter.data[...] = rng.uniform(-bound, bound, parameter.shape)
