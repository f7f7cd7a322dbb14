"""Activations."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.ReLU: [Example(nn.ReLU, (numbers(3, 5),))],
    nn.Sigmoid: [Example(nn.Sigmoid, (numbers(3, 5),))],
    nn.Tanh: [Example(nn.Tanh, (numbers(3, 5),))],
    nn.Softmax: [
        Example(lambda: nn.Softmax(dim=1), (numbers(3, 5),)),
        Example(lambda: nn.Softmax(-2), (numbers(2, 3, 2),)),
    ],
    nn.LogSoftmax: [Example(lambda: nn.LogSoftmax(dim=1), (numbers(3, 5),))],
}
