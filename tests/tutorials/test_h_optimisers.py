"""Optimisers: one weight, some steps, each number worked out by hand as the tutorials write it."""

from __future__ import annotations

import numpy as np
import pytest

from numnet import nn, optim


def steps(make: type[optim.Optimizer], gradients: list[float], w: float = 1.0, **options: object) -> np.ndarray:
    """The weight after each step, from these gradients."""
    weight = nn.Parameter(np.array([w]))
    optimizer = make([weight], **options)
    found = []
    for gradient in gradients:
        weight.grad = np.array([gradient])
        optimizer.step()
        found.append(float(weight.data[0]))
    return np.array(found)


@pytest.mark.proves("C144")
def test_gradient_descent_is_exact(rng: np.random.Generator) -> None:
    W = rng.normal(size=(4, 3))
    weight = nn.Parameter(W.copy())
    weight.grad = rng.normal(size=(4, 3))
    optim.SGD([weight], lr=0.25).step()  # a quarter is a number of the machine's
    np.testing.assert_array_equal(weight.data, W - 0.25 * weight.grad)


@pytest.mark.proves("C147")
def test_the_three_calls(rng: np.random.Generator) -> None:
    net, loss = nn.Linear(3, 1).double(), nn.MSELoss()
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        losses.append(float(loss(net(x), y)))
        net.backward(loss.backward())
        before, gradient = net.weight.data.copy(), net.weight.grad.copy()
        optimizer.step()
        np.testing.assert_allclose(net.weight.data, before - 0.1 * gradient, rtol=1e-12)
    assert losses[0] > losses[1] > losses[2]


@pytest.mark.proves("C149")
def test_momentum_as_pytorch_has_it() -> None:
    """b ← μ b + g,  w ← w − lr b: with gradients of 1 the steps are 0.1, 0.19, 0.271, 0.3439."""
    found = steps(optim.SGD, [1.0] * 4, lr=0.1, momentum=0.9)
    np.testing.assert_allclose(found, [0.9, 0.71, 0.439, 0.0951], rtol=1e-12)


@pytest.mark.proves("C150")
def test_momentum_with_a_velocity(rng: np.random.Generator) -> None:
    """V ← μ V − α g,  w ← w + V: the same weights, with the learning rate inside the memory."""
    gradients = rng.normal(size=6).tolist()
    w, V, right = 1.0, 0.0, []
    for g in gradients:
        V = 0.9 * V - 0.1 * g
        w += V
        right.append(w)
    np.testing.assert_allclose(steps(optim.SGD, gradients, lr=0.1, momentum=0.9), right, rtol=1e-12)


@pytest.mark.proves("C151", "C152", "F4")
def test_momentum_as_a_weighted_average() -> None:
    """s₁ = d₁,  sₜ = β sₜ₋₁ + (1 − β) dₜ with β = 0.9; the tutorial misprints s₂ = 0.9 + s₁ + 0.1 d₂."""
    d = [10.0, -20.0, 30.0, 0.0]
    s = [10.0, 0.9 * 10 - 0.1 * 20, 0.9 * 7 + 0.1 * 30, 0.9 * 9.3]
    np.testing.assert_allclose(s, [10, 7, 9.3, 8.37], rtol=1e-12)
    found = steps(optim.SGD, d, w=0.0, lr=1.0, momentum=0.9, dampening=0.9)
    np.testing.assert_allclose(-np.diff(found, prepend=0), s, rtol=1e-12)
    assert 0.9 + s[0] + 0.1 * d[1] == pytest.approx(8.9)  # as printed: not 7


@pytest.mark.proves("C153")
def test_nesterov_looks_ahead() -> None:
    """b ← μ b + g,  w ← w − lr (g + μ b): the first step with gradient 1 is 0.1 · 1.9."""
    found = steps(optim.SGD, [1.0, 1.0], lr=0.1, momentum=0.9, nesterov=True)
    np.testing.assert_allclose(found, [1 - 0.19, 1 - 0.19 - 0.1 * (1 + 0.9 * 1.9)], rtol=1e-12)


@pytest.mark.proves("C155")
def test_adagrad_by_hand() -> None:
    """s ← s + g²,  θ ← θ − α / (√s + σ) · g with σ = 1e-6."""
    found = steps(optim.Adagrad, [3.0, 4.0, 12.0], lr=0.1, eps=1e-6)  # √s is 3, 5 and 13
    rates = [0.1 / (3 + 1e-6), 0.1 / (5 + 1e-6), 0.1 / (13 + 1e-6)]
    right = 1 - np.cumsum(np.multiply(rates, [3, 4, 12]))
    np.testing.assert_allclose(found, right, rtol=1e-12)
    np.testing.assert_allclose(found, [0.9, 0.82, 0.727692], rtol=1e-6)
    assert rates == sorted(rates, reverse=True)  # the learning rate only ever falls


@pytest.mark.proves("C158")
def test_rmsprop_by_hand() -> None:
    """s ← β s + (1 − β) g²,  θ ← θ − α / (√s + σ) · g with β = 0.75 and σ = 1e-6."""
    found = steps(optim.RMSprop, [2.0, 2.0, 0.0, 1.0], lr=0.1, alpha=0.75, eps=1e-6)
    s, w, right = 0.0, 1.0, []
    for g, by_hand in [(2.0, 1.0), (2.0, 1.75), (0.0, 1.3125), (1.0, 1.234375)]:
        s = 0.75 * s + 0.25 * g * g
        assert s == by_hand
        w -= 0.1 / (np.sqrt(s) + 1e-6) * g
        right.append(w)
    np.testing.assert_allclose(found, right, rtol=1e-12)


@pytest.mark.proves("C159")
def test_the_first_steps_of_adam_are_of_the_size_of_the_learning_rate() -> None:
    """m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ): without that correction the first step would be three times as long."""
    for gradient in (1e-3, 1.0, 1e3):
        np.testing.assert_allclose(steps(optim.Adam, [gradient] * 3, lr=0.1), [0.9, 0.8, 0.7], rtol=2e-5)
    m, v, w, right = 0.0, 0.0, 1.0, []
    for t, g in enumerate([1.0, -3.0, 2.0], 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        right.append(w)
    np.testing.assert_allclose(steps(optim.Adam, [1.0, -3.0, 2.0], lr=0.1), right, rtol=1e-12)


@pytest.mark.proves("C170")
def test_gradients_are_clipped_by_their_norm_or_one_by_one() -> None:
    def parameters() -> list[nn.Parameter]:
        found = [nn.Parameter(np.zeros(2)), nn.Parameter(np.zeros(1))]
        found[0].grad, found[1].grad = np.array([3.0, 4.0]), np.array([-12.0])
        return found

    by_norm = parameters()
    assert nn.utils.clip_grad_norm_(by_norm, max_norm=1.3) == pytest.approx(13)  # √(3² + 4² + 12²), of all together
    np.testing.assert_allclose(np.concatenate([p.grad for p in by_norm]), [0.3, 0.4, -1.2], rtol=1e-6)
    assert nn.utils.clip_grad_norm_(by_norm, max_norm=5.0) == pytest.approx(1.3)
    np.testing.assert_allclose(by_norm[1].grad, [-1.2], rtol=1e-6)  # short enough: left alone
    by_value = parameters()
    nn.utils.clip_grad_value_(by_value, 3.5)
    np.testing.assert_array_equal(np.concatenate([p.grad for p in by_value]), [3, 3.5, -3.5])
