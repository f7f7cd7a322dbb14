"""Layers, losses and containers, with PyTorch's names, arguments and defaults."""

from __future__ import annotations

from ..call import Call
from ..tensor import Parameter
from . import functional, init
from .activation import LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from .container import Residual, Sequential
from .conv import Conv2d
from .cross_entropy import CrossEntropyLoss, NLLLoss
from .dropout import Dropout
from .layer import Layer, Loss
from .linear import Linear
from .loss import BCELoss, BCEWithLogitsLoss, MSELoss
from .module import Module
from .normalization import BatchNorm1d, BatchNorm2d
from .pooling import AvgPool2d, MaxPool2d
from .shape import Flatten, Identity

__all__ = [
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Call",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "Layer",
    "Linear",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
    "init",
]
