"""Modules, blocks and parameters, as the tutorials describe them."""

from __future__ import annotations

import numpy as np
import pytest

import numnet
from numnet import Tensor, nn, optim
from numnet.call import Ctx
from numnet.inspect import gradcheck

X = np.random.default_rng(0).normal(size=(5, 4))


class Block(nn.Module):
    """Layers, code of its own, and its own initial values."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.fc = nn.Linear(features, features)
        self.norm = nn.LayerNorm(features)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        z = self.norm(self.fc(x))
        while abs(z.detach().numpy()).max() > 1:  # any code may stand inside
            z = z / 2
        return z.tanh() + x


@pytest.mark.proves("C065")
def test_a_backward_that_is_generated_is_the_one_that_is_written() -> None:
    class Generated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(np.full(4, 0.5))

        def forward(self, x: Tensor) -> Tensor:
            return (x * self.scale).sigmoid()

    class Written(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(np.full(4, 0.5))

        def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
            ctx.x = x
            ctx.a = 1 / (1 + np.exp(-x * self.scale.data))
            return ctx.a

        def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
            delta_z = delta * ctx.a * (1 - ctx.a)
            self.scale.accumulate((delta_z * ctx.x).sum(axis=0))
            return delta_z * self.scale.data

    found = []
    for layer in (Generated(), Written()):
        loss: nn.Loss = nn.MSELoss()
        J = loss(layer(X), np.zeros((5, 4)))
        found.append((J, layer.backward(loss.backward()), layer.scale.grad))
    for generated, written in zip(*found, strict=True):
        np.testing.assert_allclose(generated, written, rtol=1e-12)


@pytest.mark.proves("C071", "C072")
def test_blocks_of_blocks_with_code_inside() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.Sequential(Block(3), nn.Sequential(Block(3), nn.Tanh())), nn.Linear(3, 2))
    net.double()
    assert all(np.abs(block.fc.weight.data).max() < 0.05 for block in (net[1][0], net[1][1][0]))
    assert not net[1][0].fc.bias.data.any()
    assert gradcheck(net, X)
    assert gradcheck(Block(4).double(), X)


@pytest.mark.proves("C072")
def test_every_block_has_a_backward_and_a_network_is_theirs_one_after_the_other() -> None:
    net = nn.Sequential(Block(4), nn.Sequential(nn.Linear(4, 3), nn.ReLU()), nn.Linear(3, 2)).double()
    delta = np.random.default_rng(1).normal(size=(5, 2))
    net(X)
    whole = net.backward(delta)
    a = X
    for block in net:
        a = block(a)
    for block in reversed(list(net)):
        delta = block.backward(delta)
    np.testing.assert_array_equal(delta, whole)


@pytest.mark.proves("C074")
def test_a_parameter_is_a_value_a_gradient_and_a_name() -> None:
    net = nn.Sequential({"fc1": nn.Linear(4, 3), "fc2": nn.Linear(3, 2)}).double()
    W = net.fc2.weight
    assert isinstance(W, nn.Parameter)
    assert next(name for name, parameter in net.named_parameters() if parameter is W) == "fc2.weight"
    assert W.data.shape == (2, 3)
    assert W.grad is None
    assert W.requires_grad
    net(X)
    net.backward(np.ones((5, 2)))
    assert W.grad.shape == (2, 3)
    optim.SGD([W], lr=0.1).zero_grad()
    assert W.grad is None


@pytest.mark.proves("C077", "C112")
def test_train_and_eval_switch_dropout_and_batch_norm() -> None:
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5)).double()
    x = 5 + X
    assert (net(x) != net(x)).any(), "another mask every time"
    net.eval()
    mean, var = net[0].running_mean, net[0].running_var
    np.testing.assert_allclose(net(x), (x - mean) / np.sqrt(var + 1e-5), rtol=1e-12)
    np.testing.assert_array_equal(net(x), net(x))


@pytest.mark.proves("C077")
def test_predicting_in_training_mode_warns_and_evaluation_mode_does_not() -> None:
    """Under no_grad, which is how one predicts; recording is training, and is meant so."""
    net = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)).double()
    net(X)
    with numnet.no_grad(), pytest.warns(numnet.errors.TrainingModeWarning, match="Dropout in training mode"):
        net(X)
    net.eval()
    with numnet.no_grad():
        net(X)
