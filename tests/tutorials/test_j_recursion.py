"""The δ-recursion of tutorial 002, in its letters and with its columns, and numnet's numbers beside it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from numnet import nn
from numnet.inspect import trace


def sigma(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


class Recursion(NamedTuple):
    """The formulas of the tutorial for a network of three layers of sigmoids; a column for each sample."""

    W: list[np.ndarray]
    b: list[np.ndarray]

    def forward(self, x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """aˡ = σ(zˡ) = σ(Wˡ aˡ⁻¹ + bˡ), from a⁰ = x."""
        z, a = [], [x]
        for W, b in zip(self.W, self.b, strict=True):
            z.append(W @ a[-1] + b)
            a.append(sigma(z[-1]))
        return z, a

    def deltas(self, z: list[np.ndarray], a: list[np.ndarray], y: np.ndarray) -> list[np.ndarray]:
        """δᴸ = (aᴸ − y) ⊙ σ′(zᴸ), and δˡ = (Wˡ⁺¹)ᵀ δˡ⁺¹ ⊙ σ′(zˡ)."""
        found = [(a[-1] - y) * sigma(z[-1]) * (1 - sigma(z[-1]))]
        for W, z_below in zip(self.W[:0:-1], z[-2::-1], strict=True):
            found.insert(0, W.T @ found[0] * sigma(z_below) * (1 - sigma(z_below)))
        return found


SIZES = [3, 5, 4, 2]


@pytest.fixture
def recursion(rng: np.random.Generator) -> Recursion:
    shapes = list(zip(SIZES[1:], SIZES, strict=False))
    return Recursion([rng.normal(size=shape) for shape in shapes], [rng.normal(size=(n, 1)) for n, _ in shapes])


@pytest.fixture
def net(recursion: Recursion) -> nn.Sequential:
    """The same network of numnet's layers."""
    layers: list[nn.Module] = []
    for W, b in zip(recursion.W, recursion.b, strict=True):
        linear = nn.Linear(W.shape[1], W.shape[0]).double()
        linear.weight.data[...], linear.bias.data[...] = W, b[:, 0]
        layers += [linear, nn.Sigmoid()]
    return nn.Sequential(*layers)


def half_squared_error() -> nn.Loss:
    return nn.MSELoss(reduction="half_sum")


@pytest.mark.proves("C188", "C189", "C197")
def test_feedforward_in_two_lines(recursion: Recursion, net: nn.Sequential, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 1))
    a = x
    for b, w in zip(recursion.b, recursion.W, strict=True):
        a = sigma(np.dot(w, a) + b)
    np.testing.assert_allclose(net(x.T).T, a, rtol=1e-12)
    batch = rng.normal(size=(7, 3))  # rows here, columns there
    _, columns = recursion.forward(batch.T)
    np.testing.assert_allclose(net(batch), columns[-1].T, rtol=1e-12)


@pytest.mark.proves("C189")
def test_one_neuron_in_numbers() -> None:
    layer = nn.Linear(2, 1).double()
    layer.weight.data[...], layer.bias.data[...] = [[0.5, -1.0]], [0.25]
    z = layer(np.array([[2.0, 1.0]]))
    assert z == 0.5 * 2 - 1.0 * 1 + 0.25
    assert nn.Sigmoid()(z)[0, 0] == pytest.approx(0.56217650088579807)  # 1 / (1 + e^−0.25)


SAID, RIGHT = [0.1, 0.1, 0, 0.1, 0, 0, 0, 0, 0.5, 0.2], 6


@pytest.mark.proves("C190", "C191", "C192")
def test_the_loss_of_the_example_with_ten_digits() -> None:
    a, y = np.array([SAID]), np.eye(10)[[RIGHT]]
    assert a.sum() == pytest.approx(1)
    loss = half_squared_error()
    assert loss(a, y) == pytest.approx(np.linalg.norm(a - y) ** 2 / 2)
    assert loss(a, y) == pytest.approx(0.66)
    np.testing.assert_allclose(loss.backward(), a - y)
    assert a.argmax(axis=1) == 8  # which is not the 6 that it should be


@pytest.mark.proves("C193", "C194", "C195", "C196")
def test_the_recursion_of_one_sample(recursion: Recursion, net: nn.Sequential, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(3, 1)), np.array([[0.0], [1.0]])
    z, a = recursion.forward(x)
    delta = recursion.deltas(z, a, y)
    seen = trace(net, x.T, y.T, half_squared_error())
    assert seen.loss == pytest.approx(((a[-1] - y) ** 2).sum() / 2)
    for layer in range(3):
        step = seen[str(2 * layer)]  # a Linear: its output is z, and what comes back to it is δ
        np.testing.assert_allclose(step.output.T, z[layer], rtol=1e-12)
        np.testing.assert_allclose(step.delta.T, delta[layer], rtol=1e-11)
        np.testing.assert_allclose(step.parameter_gradients["weight"], delta[layer] @ a[layer].T, rtol=1e-11)
        np.testing.assert_allclose(step.parameter_gradients["bias"], delta[layer][:, 0], rtol=1e-11)


@pytest.mark.proves("C195", "C196", "C197")
def test_of_a_batch_the_gradients_are_added_up(
    recursion: Recursion, net: nn.Sequential, rng: np.random.Generator
) -> None:
    x, y = rng.normal(size=(6, 3)), rng.random((6, 2))
    seen = trace(net, x, y, half_squared_error())
    dW = [np.zeros_like(W) for W in recursion.W]
    db = [np.zeros_like(b) for b in recursion.b]
    for n in range(6):  # one column after the other
        z, a = recursion.forward(x[n][:, None])
        for layer, delta in enumerate(recursion.deltas(z, a, y[n][:, None])):
            np.testing.assert_allclose(seen[str(2 * layer)].delta[n], delta[:, 0], rtol=1e-11)
            dW[layer] += delta @ a[layer].T
            db[layer] += delta
    for layer in range(3):
        gradients = seen[str(2 * layer)].parameter_gradients
        np.testing.assert_allclose(gradients["weight"], dW[layer], rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(gradients["bias"], db[layer][:, 0], rtol=1e-10, atol=1e-14)


@pytest.mark.proves("C194")
def test_what_the_recursion_says_is_what_the_loss_does(recursion: Recursion, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(3, 1)), np.array([[0.0], [1.0]])

    def loss() -> float:
        return float(((recursion.forward(x)[1][-1] - y) ** 2).sum() / 2)

    for layer, delta in enumerate(recursion.deltas(*recursion.forward(x), y)):
        for i, b in enumerate(recursion.b[layer]):  # ∂J/∂b is δ, so moving b measures it
            b += 1e-5
            above = loss()
            b -= 2e-5
            below = loss()
            b += 1e-5
            assert (above - below) / 2e-5 == pytest.approx(float(delta[i, 0]), rel=1e-6, abs=1e-10)
