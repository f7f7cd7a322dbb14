"""Activations."""

from __future__ import annotations

from typing import Any

from ..activation import LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from .run import Input, run

__all__ = ["log_softmax", "relu", "sigmoid", "softmax", "tanh"]


def relu(input: Input, inplace: bool = False) -> Any:
    """max(x, 0): :class:`~numnet.nn.ReLU`."""
    return run(ReLU(inplace), input)


def sigmoid(input: Input) -> Any:
    """1 / (1 + e⁻ˣ): :class:`~numnet.nn.Sigmoid`."""
    return run(Sigmoid(), input)


def tanh(input: Input) -> Any:
    """Hyperbolic tangent: :class:`~numnet.nn.Tanh`."""
    return run(Tanh(), input)


def softmax(input: Input, dim: int | None = None) -> Any:
    """Probabilities along ``dim``, which has to be given: :class:`~numnet.nn.Softmax`."""
    return run(Softmax(dim), input)


def log_softmax(input: Input, dim: int | None = None) -> Any:
    """Logarithms of probabilities along ``dim``, which has to be given: :class:`~numnet.nn.LogSoftmax`."""
    return run(LogSoftmax(dim), input)
