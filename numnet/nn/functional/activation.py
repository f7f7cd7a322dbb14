"""Activations."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .. import activation as nn
from .run import Input, run, run_with, shape_of

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]


def celu(input: Input, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x, or α (e^(x/α) - 1) where x ≤ 0: :class:`~numnet.nn.CELU`."""
    return run(nn.CELU(alpha, inplace), input)


def elu(input: Input, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x, or α (eˣ - 1) where x ≤ 0: :class:`~numnet.nn.ELU`."""
    return run(nn.ELU(alpha, inplace), input)


def gelu(input: Input, approximate: Literal["none", "tanh"] = "none") -> Any:
    """x Φ(x): :class:`~numnet.nn.GELU`."""
    return run(nn.GELU(approximate), input)


def glu(input: Input, dim: int = -1) -> Any:
    """One half of x, gated by the other: :class:`~numnet.nn.GLU`."""
    return run(nn.GLU(dim), input)


def hardshrink(input: Input, lambd: float = 0.5) -> Any:
    """x, or 0 where |x| ≤ λ: :class:`~numnet.nn.Hardshrink`."""
    return run(nn.Hardshrink(lambd), input)


def hardsigmoid(input: Input, inplace: bool = False) -> Any:
    """The sigmoid in three straight pieces: :class:`~numnet.nn.Hardsigmoid`."""
    return run(nn.Hardsigmoid(inplace), input)


def hardswish(input: Input, inplace: bool = False) -> Any:
    """x times its hardsigmoid: :class:`~numnet.nn.Hardswish`."""
    return run(nn.Hardswish(inplace), input)


def hardtanh(input: Input, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x, cut off at both ends: :class:`~numnet.nn.Hardtanh`."""
    return run(nn.Hardtanh(min_val, max_val, inplace), input)


def leaky_relu(input: Input, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x, or r x where x ≤ 0: :class:`~numnet.nn.LeakyReLU`."""
    return run(nn.LeakyReLU(negative_slope, inplace), input)


def log_softmax(input: Input, dim: int | None = None) -> Any:
    """Logarithms of probabilities along ``dim``, which has to be given: :class:`~numnet.nn.LogSoftmax`."""
    return run(nn.LogSoftmax(dim), input)


def logsigmoid(input: Input) -> Any:
    """Logarithm of the sigmoid: :class:`~numnet.nn.LogSigmoid`."""
    return run(nn.LogSigmoid(), input)


def mish(input: Input, inplace: bool = False) -> Any:
    """x tanh(log(1 + eˣ)): :class:`~numnet.nn.Mish`."""
    return run(nn.Mish(inplace), input)


def prelu(input: Input, weight: Input) -> Any:
    """x, or w x where x ≤ 0, one w for all channels or one for each: :class:`~numnet.nn.PReLU`.

    Raises:
        ShapeError: ``weight`` is not (C,), or as for the layer.
    """
    (num_parameters,) = shape_of(weight, "C")
    return run_with(nn.PReLU(num_parameters), input, weight=weight)


def relu(input: Input, inplace: bool = False) -> Any:
    """max(x, 0): :class:`~numnet.nn.ReLU`."""
    return run(nn.ReLU(inplace), input)


def relu6(input: Input, inplace: bool = False) -> Any:
    """min(max(x, 0), 6): :class:`~numnet.nn.ReLU6`."""
    return run(nn.ReLU6(inplace), input)


def rrelu(
    input: Input,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """x, or r x where x ≤ 0, with r drawn if ``training``: :class:`~numnet.nn.RReLU`."""
    return run(nn.RReLU(lower, upper, inplace, rng=rng).train(training), input)


def selu(input: Input, inplace: bool = False) -> Any:
    """ELU that keeps mean 0 and variance 1: :class:`~numnet.nn.SELU`."""
    return run(nn.SELU(inplace), input)


def sigmoid(input: Input) -> Any:
    """1 / (1 + e⁻ˣ): :class:`~numnet.nn.Sigmoid`."""
    return run(nn.Sigmoid(), input)


def silu(input: Input, inplace: bool = False) -> Any:
    """x σ(x): :class:`~numnet.nn.SiLU`."""
    return run(nn.SiLU(inplace), input)


def softmax(input: Input, dim: int | None = None) -> Any:
    """Probabilities along ``dim``, which has to be given: :class:`~numnet.nn.Softmax`."""
    return run(nn.Softmax(dim), input)


def softmin(input: Input, dim: int | None = None) -> Any:
    """Probabilities in proportion to e⁻ˣ along ``dim``, which has to be given: :class:`~numnet.nn.Softmin`."""
    return run(nn.Softmin(dim), input)


def softplus(input: Input, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e^(βx)) / β: :class:`~numnet.nn.Softplus`."""
    return run(nn.Softplus(beta, threshold), input)


def softshrink(input: Input, lambd: float = 0.5) -> Any:
    """x, moved by λ towards 0: :class:`~numnet.nn.Softshrink`."""
    return run(nn.Softshrink(lambd), input)


def softsign(input: Input) -> Any:
    """x / (1 + |x|): :class:`~numnet.nn.Softsign`."""
    return run(nn.Softsign(), input)


def tanh(input: Input) -> Any:
    """Hyperbolic tangent: :class:`~numnet.nn.Tanh`."""
    return run(nn.Tanh(), input)


def tanhshrink(input: Input) -> Any:
    """x - tanh(x): :class:`~numnet.nn.Tanhshrink`."""
    return run(nn.Tanhshrink(), input)


def threshold(input: Input, threshold: float, value: float, inplace: bool = False) -> Any:
    """x, or a constant where x does not exceed the threshold: :class:`~numnet.nn.Threshold`."""
    return run(nn.Threshold(threshold, value, inplace), input)
