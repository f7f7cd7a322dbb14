"""Multiply-adds: how many products of two numbers, each added to a sum, a forward formula makes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from .. import operations as ops
from ..arrays import Array
from ..nn import (
    GRU,
    LSTM,
    RNN,
    BernoulliRBM,
    Bilinear,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    GRUCell,
    Linear,
    LSTMCell,
    Maxout,
    RNNCell,
    ScaledDotProductAttention,
)
from ..nn.functional.run import Functional

__all__ = ["multiply_adds"]

Count = Callable[[Any, tuple[Any, ...], tuple[Array, ...]], int]


def multiply_adds(formulas: Any, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    """The multiply-adds of one forward, for the shapes that it had.

        out · in  for each row of Linear        C/groups · K  for each number that a convolution returns

    What counts are matrix products and convolutions; a bias, an activation, a normalisation or pooling touches each
    number a few times and counts 0. So count torchvision and most papers.

    Args:
        formulas: a layer, or an operation on Tensors.
        inputs: what its forward got.
        outputs: what it returned.
    """
    if isinstance(formulas, Functional):  # the parameters stand among the inputs
        return multiply_adds(formulas.layer, inputs[: len(inputs) - len(formulas.names)], outputs)
    for classes, count in _COUNTS:
        if isinstance(formulas, classes):
            return count(formulas, inputs, outputs)
    return 0


def _linear(layer: Linear, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    return int(outputs[0].size) * layer.in_features


def _maxout(layer: Maxout, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    return int(outputs[0].size) * layer.pieces * layer.in_features


def _bilinear(layer: Bilinear, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    return int(outputs[0].size) * layer.in2_features * (layer.in1_features + 1)


def _conv(layer: Conv2d, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    return int(outputs[0].size) * prod(layer.weight.shape[1:])  # (F, C / groups, *K)


def _conv_transpose(layer: ConvTranspose2d, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    return int(inputs[0].size) * prod(layer.weight.shape[1:])  # (C, F / groups, *K)


def _attention(layer: ScaledDotProductAttention, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    w = outputs[1]  # (…, L, S)
    return int(w.size) * int(inputs[0].shape[-1] + inputs[2].shape[-1])


def _recurrent(layer: Any, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    """Every row of every time step meets every matrix, those beyond the end of a shorter sequence too."""
    matrices = sum(int(p.array.size) for p in layer.parameters() if p.ndim == 2)
    return int(inputs[0].size) // layer.input_size * matrices


def _rbm(layer: BernoulliRBM, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    return int(inputs[0].size) * layer.n_hidden


def _matmul(operation: ops.MatMul, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> int:
    return int(outputs[0].size) * int(inputs[0].shape[-1])


_COUNTS: list[tuple[tuple[type, ...], Count]] = [
    ((Linear,), _linear),
    ((Maxout,), _maxout),
    ((Bilinear,), _bilinear),
    ((Conv1d, Conv2d, Conv3d), _conv),
    ((ConvTranspose1d, ConvTranspose2d, ConvTranspose3d), _conv_transpose),
    ((ScaledDotProductAttention,), _attention),
    ((RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell), _recurrent),
    ((BernoulliRBM,), _rbm),
    ((ops.MatMul,), _matmul),
]
