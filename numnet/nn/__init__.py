"""Layers, losses and containers, with PyTorch's names, arguments and defaults."""

from __future__ import annotations

from ..call import Call
from ..tensor import Parameter
from . import init
from .container import Residual, Sequential
from .layer import Layer, Loss
from .linear import Linear
from .module import Module
from .shape import Flatten, Identity

__all__ = [
    "Call",
    "Flatten",
    "Identity",
    "Layer",
    "Linear",
    "Loss",
    "Module",
    "Parameter",
    "Residual",
    "Sequential",
    "init",
]
