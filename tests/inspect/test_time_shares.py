"""The shares of the time steps in the gradients of a network."""

from __future__ import annotations

import numpy as np
import pytest

from numnet import Tensor, nn
from numnet.errors import OptionError
from numnet.inspect import time_shares

T, N, IN, H = 4, 3, 2, 3
RNG = np.random.default_rng(0)


class Reader(nn.Module):
    """A network that reads a sequence and answers from its last state."""

    def __init__(self) -> None:
        self.rnn = nn.GRU(IN, H, batch_first=True)
        self.out = nn.Linear(H, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.rnn(x)[1][0])


def test_the_shares_in_a_network_leave_its_gradients_alone() -> None:
    net = Reader().double()
    x, labels = RNG.normal(size=(N, T, IN)), np.array([0, 1, 1])
    loss = nn.CrossEntropyLoss()
    loss(net(x), labels)
    net.backward(loss.backward())
    before = {name: p.grad.copy() for name, p in net.named_parameters()}
    (layer,) = time_shares(net, x, labels, loss)
    assert layer.path == "rnn"
    for name, shares in layer.shares.items():
        np.testing.assert_allclose(shares.sum(0), before[f"rnn.{name}"], rtol=1e-10, atol=1e-14)
    for name, p in net.named_parameters():
        np.testing.assert_array_equal(p.grad, before[name])
    sizes = layer.sizes("weight_hh_l0")
    assert sizes.shape == (T,)
    np.testing.assert_allclose(sizes[1], np.sqrt((layer.shares["weight_hh_l0"][1] ** 2).sum()))
    assert sizes[0] == 0  # h_0 is 0


def test_a_network_without_recurrent_layers_has_no_shares() -> None:
    with pytest.raises(OptionError, match=r"(?s)recurrent layer.*Linear"):
        time_shares(nn.Linear(2, 2), np.ones((1, 2), np.float32), np.array([0]), nn.CrossEntropyLoss())


def test_every_call_has_its_own_shares() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            self.rnn = nn.RNN(H, H, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.rnn(self.rnn(x)[0])[0]

    net = Twice().double()
    x = RNG.normal(size=(N, T, H))
    loss = nn.MSELoss()
    loss(net(x), x)
    net.backward(loss.backward())
    before = net.rnn.weight_hh_l0.grad.copy()
    first, second = time_shares(net, x, x, loss)
    together = first.shares["weight_hh_l0"].sum(0) + second.shares["weight_hh_l0"].sum(0)
    np.testing.assert_allclose(together, before, rtol=1e-10)
