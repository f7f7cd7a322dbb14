"""The trace: every layer's a and δ as they were, gradients by use, nothing else changed; its table and its picture."""

from __future__ import annotations

import io

import numpy as np
import pytest

from numnet import nn
from numnet.errors import ShapeError
from numnet.inspect import delta_table, equations, formulas, plot_deltas, trace

RNG = np.random.default_rng(5)
X = RNG.standard_normal((6, 4))
Y = RNG.integers(0, 3, 6)


def two_layers() -> nn.Sequential:
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    for p in net.parameters():
        p.data[...] = RNG.standard_normal(p.shape)
    return net


@pytest.mark.proves("C067")
def test_every_number_is_that_of_the_recursion_by_hand() -> None:
    net, loss = two_layers(), nn.CrossEntropyLoss()
    W1, b1, W2, b2 = (p.data for p in net.parameters())
    z1 = X @ W1.T + b1
    a1 = np.tanh(z1)
    z2 = a1 @ W2.T + b2
    p = np.exp(z2) / np.exp(z2).sum(1, keepdims=True)
    delta2 = (p - np.eye(3)[Y]) / 6
    delta_a1 = delta2 @ W2
    delta1 = delta_a1 * (1 - a1**2)

    seen = trace(net, X, Y, loss)
    assert [step.path for step in seen] == ["0", "1", "2", "CrossEntropyLoss"]
    for path, output, delta in [("0", z1, delta1), ("1", a1, delta_a1), ("2", z2, delta2)]:
        np.testing.assert_allclose(seen[path].output, output, rtol=1e-12)
        np.testing.assert_allclose(seen[path].delta, delta, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(seen["2"].parameter_gradients["weight"], delta2.T @ a1, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(seen["0"].parameter_gradients["bias"], delta1.sum(0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(seen.input_delta, delta1 @ W1, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(seen.loss, -np.log(p[np.arange(6), Y]).mean(), rtol=1e-12)
    with pytest.raises(KeyError, match="CrossEntropyLoss"):
        seen["3"]


def test_gradients_add_up_in_grad_as_after_any_backward() -> None:
    net, loss = two_layers(), nn.CrossEntropyLoss()
    trace(net, X, Y, loss)
    once = [p.grad.copy() for p in net.parameters()]
    trace(net, X, Y, loss)
    for p, g in zip(net.parameters(), once, strict=True):
        np.testing.assert_allclose(p.grad, 2 * g, rtol=1e-12)


class Tied(nn.Module):
    """One layer at two places, and a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.scale = nn.Parameter(np.array([1.5], np.float32))

    def forward(self, x):
        return self.fc(self.fc(x) * self.scale)


def test_a_layer_used_twice_shows_the_share_of_each_use() -> None:
    net, loss = Tied().double(), nn.MSELoss()
    seen = trace(net, X, np.zeros((6, 4)), loss)
    uses = [step for step in seen if step.path == "fc"]
    assert len(uses) == 2
    shares = [step.parameter_gradients["weight"] for step in uses]
    assert not np.allclose(shares[0], shares[1])
    np.testing.assert_allclose(net.fc.weight.grad, shares[0] + shares[1], rtol=1e-12)
    expected = net.fc.weight.grad.copy(), net.scale.grad.copy()
    net.zero_grad()
    loss(net(X), np.zeros((6, 4)))
    net.backward(loss.backward())
    np.testing.assert_allclose(expected[0], net.fc.weight.grad, rtol=1e-12)
    np.testing.assert_allclose(expected[1], net.scale.grad, rtol=1e-12)


def test_an_error_on_the_way_leaves_the_gradients_as_they_were() -> None:
    net = two_layers()
    net[0].weight.accumulate(np.ones((5, 4)))
    with pytest.raises(ShapeError):
        trace(net, X, Y[:3], nn.CrossEntropyLoss())
    np.testing.assert_array_equal(net[0].weight.grad, np.ones((5, 4)))
    assert net[2].weight.grad is None


def test_formulas_come_from_the_docstring() -> None:
    assert formulas(nn.Linear).forward == ("z = x Wᵀ + b",)
    assert formulas(nn.Linear(1, 1)).backward[0].startswith("∂J/∂W = δᵀ x")
    assert equations(nn.BatchNorm2d) == ["x̂ = (x - μ) / √(σ² + ε)", "y = γ x̂ + β"]
    assert formulas(object).forward == ()


def test_table() -> None:
    pytest.importorskip("rich", reason='rich is not installed: pip install ".[demos]"')
    from rich.console import Console

    net = two_layers()
    seen = trace(net, X, Y, nn.CrossEntropyLoss())
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(delta_table(seen))
    text = console.export_text()
    assert "z = x Wᵀ + b" in text
    assert "6×5" in text
    rms = np.sqrt((seen["0"].delta ** 2).mean())
    norm = np.linalg.norm(seen["0"].parameter_gradients["weight"])
    row = next(line for line in text.splitlines() if "0 Linear" in line)
    assert f"{rms:.1e}" in row
    assert f"weight {norm:.1e}" in row


def test_picture() -> None:
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)).double()
    x = RNG.standard_normal((6, 1, 4, 4))
    seen = trace(net, x, Y, nn.CrossEntropyLoss())
    figure = plot_deltas(seen, x, [f"digit {i}" for i in range(6)], samples=3)
    headings = [axis.get_title() for axis in figure.axes[:5]]
    assert [h.splitlines()[0] for h in headings] == ["x", "∂J/∂x", "0", "1", "3"]
    shown = figure.axes[1].images[0].get_array()
    np.testing.assert_allclose(np.asarray(shown), seen.input_delta[0, 0])
    conv = np.asarray(figure.axes[2].images[0].get_array().filled(np.nan))
    np.testing.assert_allclose(conv[:, :2], seen["0"].delta[0, 0])
    np.testing.assert_allclose(conv[:, 3:], seen["0"].delta[0, 1])
    assert np.isnan(conv[:, 2]).all()
    with pytest.raises(ShapeError, match="images"):
        plot_deltas(seen, X, ["a"] * 6)


def test_an_array_may_be_input_and_target() -> None:
    """An autoencoder."""
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 3)).double()
    x = np.random.default_rng(0).standard_normal((4, 3))
    seen = trace(net, x, x, nn.MSELoss())
    assert seen["0"].origins == {"x": "x"}
    e = seen.explain("x.delta", (1, 2))
    assert {o.name for o in e.operands} == {"0.weight", "0.delta"}
    assert e.expression.value == pytest.approx(e.value, rel=1e-12)
