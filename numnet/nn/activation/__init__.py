"""Activations: elementwise ones, each f beside its f′, in one frame; and those along an axis."""

from __future__ import annotations

from .along_axis import GLU, LogSoftmax, Softmax, Softmax2d, Softmin
from .rectifier import CELU, ELU, SELU, LeakyReLU, PReLU, ReLU, RReLU, Threshold
from .saturating import Hardsigmoid, Hardtanh, ReLU6, Sigmoid, Softsign, Tanh
from .shrink import Hardshrink, Softshrink, Tanhshrink
from .smooth import GELU, Hardswish, LogSigmoid, Mish, SiLU, Softplus

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]
