"""Multiply-adds of every family, against counts by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.inspect import summary
from numnet.nn.functional import conv1d, linear


def count(module: nn.Module, *shapes: tuple[int, ...]) -> int:
    return summary(module, list(shapes)).multiply_adds


@pytest.mark.parametrize(
    "module, shape, right",
    [
        (nn.Linear(3, 5), (2, 3), 2 * 5 * 3),
        (nn.Linear(3, 5, bias=False), (4, 2, 3), 8 * 5 * 3),
        (nn.Maxout(3, 5, 2), (4, 3), 4 * 5 * 2 * 3),
        (nn.Conv1d(2, 4, 3), (1, 2, 9), 7 * 4 * (2 * 3)),
        (nn.Conv2d(2, 4, 3, padding=1), (5, 2, 6, 8), 5 * 4 * 48 * (2 * 9)),
        (nn.Conv2d(4, 6, 3, stride=2, groups=2), (1, 4, 9, 9), 6 * 16 * (2 * 9)),
        (nn.Conv2d(4, 4, 3, groups=4, dilation=2), (1, 4, 9, 9), 4 * 25 * 9),
        (nn.Conv3d(1, 2, 2), (1, 1, 3, 3, 3), 2 * 8 * 8),
        (nn.ConvTranspose1d(2, 3, 4, stride=2), (1, 2, 5), 2 * 5 * (3 * 4)),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (2, 4, 5, 5), 2 * 4 * 25 * (3 * 9)),
        (nn.RNN(3, 4), (5, 2, 3), 10 * (4 * 3 + 4 * 4)),
        (nn.LSTM(3, 4), (5, 2, 3), 10 * 4 * (4 * 3 + 4 * 4)),
        (nn.GRU(3, 4, num_layers=2), (5, 2, 3), 10 * 3 * (4 * 3 + 4 * 4 + 4 * 4 + 4 * 4)),
        (nn.GRU(3, 4, bidirectional=True, batch_first=True), (2, 5, 3), 10 * 2 * 3 * (4 * 3 + 4 * 4)),
        (nn.LSTM(3, 4, proj_size=2), (5, 3), 5 * (16 * 3 + 16 * 2 + 2 * 4)),
        (nn.GRUCell(3, 4), (2, 3), 2 * 3 * (4 * 3 + 4 * 4)),
        (nn.BernoulliRBM(6, 4), (2, 6), 2 * 6 * 4),
        (nn.BatchNorm2d(3), (2, 3, 4, 4), 0),
        (nn.MaxPool2d(2), (2, 3, 4, 4), 0),
        (nn.Sigmoid(), (2, 3), 0),
    ],
    ids=lambda value: repr(value) if isinstance(value, nn.Module) else "",
)
def test_a_layer(module: nn.Module, shape: tuple[int, ...], right: int) -> None:
    assert count(module, shape) == right


def test_a_product_of_two_inputs() -> None:
    assert count(nn.Bilinear(3, 4, 5), (2, 3), (2, 4)) == 2 * (5 * 4 * 3 + 5 * 4)


def test_attention_alone_and_with_its_projections() -> None:
    N, H, L, S, E, V = 2, 3, 4, 5, 6, 7
    shapes = (N, H, L, E), (N, H, S, E), (N, H, S, V)
    assert count(nn.ScaledDotProductAttention(), *shapes) == N * H * L * S * (E + V)
    L = S = 4
    heads = nn.MultiheadAttention(6, 2, batch_first=True)
    projections = 4 * N * L * 6 * 6
    assert count(heads, *[(N, L, 6)] * 3) == projections + N * L * S * (6 + 6)


def test_products_in_a_forward_of_ones_own_and_those_of_functions() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            self.W = nn.Parameter(np.ones((3, 4), np.float32))
            self.filters = nn.Parameter(np.ones((2, 1, 2), np.float32))

        def forward(self, x: Any) -> Any:
            z = x @ self.W  # (2, 4)
            z = linear(z, self.W)  # (2, 3)
            return conv1d(z.reshape(2, 1, 3), self.filters)  # (2, 2, 2)

    assert count(Own(), (2, 3)) == 2 * 4 * 3 + 2 * 3 * 4 + 8 * 2


def test_a_layer_used_twice_counts_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            self.fc = nn.Linear(3, 3)

        def forward(self, x: Any) -> Any:
            return self.fc(self.fc(x))

    found = summary(Twice(), (2, 3))
    assert found["fc"].calls == 2
    assert found.multiply_adds == 2 * (2 * 3 * 3)
    assert found.parameters == 12
