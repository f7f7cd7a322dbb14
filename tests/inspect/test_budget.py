"""The δ budget: its factors multiply to the ratio, and every cause is named where it is and nowhere else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import manual_seed, models, nn
from numnet.errors import OptionError
from numnet.inspect import Budget, budget, trace

N, WIDTH = 32, 24
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((N, WIDTH)), RNG.integers(0, 4, N)


def dense(
    depth: int,
    activation: Callable[[], nn.Module],
    he: bool = False,
    norm: bool = False,
    residual: bool = False,
    width: int = WIDTH,
) -> Any:
    """``depth`` hidden layers and an output layer, of one width, in float64."""
    manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(width, width)
        if he:
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        block = [linear, *([nn.BatchNorm1d(width)] if norm else []), activation()]
        layers += [nn.Residual(nn.Sequential(*block))] if residual else block
    return nn.Sequential(*layers, nn.Linear(width, 4)).double()


def of(net: nn.Module, x: np.ndarray = X, y: np.ndarray = Y) -> Budget:
    return budget(net, x, y, nn.CrossEntropyLoss())


def causes(found: Budget) -> dict[str, tuple[str, ...]]:
    return {row.name: row.causes for row in found.rows if row.causes}


# ---------------------------------------------------------------------- numbers


def test_the_parts_multiply_to_the_ratio_and_the_ratios_to_the_fall() -> None:
    found = of(dense(4, nn.Tanh, norm=True))
    *layers, last = found.layers
    assert last.ratio is None
    for row, following in itertools.pairwise(found.layers):
        assert row.ratio == pytest.approx(row.norm / following.norm, rel=1e-12)
        assert np.prod(list(row.parts.values())) == pytest.approx(row.ratio, rel=1e-12)
    assert np.prod([row.ratio or 0.0 for row in layers]) == pytest.approx(found.fall, rel=1e-12)
    first = found["0"]
    assert first.parts["W"] == found["3"].factor
    assert first.parts["σ′"] == found["2"].factor
    assert first.parts["other"] == found["1"].factor


def test_the_numbers_are_those_of_the_recursion() -> None:
    """δˡ = (Wˡ⁺¹)ᵀ δˡ⁺¹ ⊙ σ′(zˡ), by hand."""
    net = dense(1, nn.Sigmoid)
    z0 = X @ net[0].weight.array.T + net[0].bias.array
    a = 1 / (1 + np.exp(-z0))
    z = a @ net[2].weight.array.T + net[2].bias.array
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    delta = (p - np.eye(4)[Y]) / N
    through_W = delta @ net[2].weight.array
    through_slope = through_W * a * (1 - a)
    found = of(net)
    assert found["2"].norm == pytest.approx(np.linalg.norm(delta), rel=1e-12)
    assert found["0"].norm == pytest.approx(np.linalg.norm(through_slope), rel=1e-12)
    assert found["0"].parts["W"] == pytest.approx(np.linalg.norm(through_W) / np.linalg.norm(delta), rel=1e-12)
    slope = np.linalg.norm(through_slope) / np.linalg.norm(through_W)
    assert found["0"].parts["σ′"] == pytest.approx(slope, rel=1e-12)


def test_where_delta_comes_from_several_sides_there_is_no_single_ratio() -> None:
    found = of(dense(2, nn.ReLU, residual=True))
    assert found["0.body.0"].ratio is None  # its block's output goes into the next block and around it
    assert found["1.body.0"].ratio is not None  # through the last addition to the output layer alone


def test_it_leaves_the_gradients_and_the_latest_call_of_the_loss_alone() -> None:
    net = dense(2, nn.Tanh)
    net[0].weight.grad = np.ones((WIDTH, WIDTH))
    of(net)
    np.testing.assert_array_equal(net[0].weight.grad, 1)
    assert net[2].weight.grad is None


def test_a_trace_gives_the_same_budget() -> None:
    from numnet.inspect import budget_of, trace

    net = dense(2, nn.Tanh)
    assert str(budget_of(trace(net, X, Y, nn.CrossEntropyLoss()).calls)) == str(of(net))


# ---------------------------------------------------------------------- the claim of the tutorial


def test_sigmoid_nets_of_more_than_three_to_five_layers_lose_their_delta() -> None:
    """A layer leaves about a seventh of ‖δ‖: σ′ ≤ ¼ takes three quarters of it, the weights the rest."""
    falls = [of(dense(depth, nn.Sigmoid)).fall for depth in (1, 3, 5, 10)]
    assert falls[0] < 0.25
    assert falls[1] < 0.01
    assert falls[2] < 2e-4
    assert falls[3] < 1e-8
    found = of(dense(5, nn.Sigmoid))
    for row in found.layers[:-1]:
        assert row.parts["σ′"] <= 0.25
        assert row.ratio is not None
        assert row.ratio < 0.25
    assert all(found[name].causes == ("small σ′",) for name in ("1", "3", "5", "7", "9"))


def test_what_each_remedy_changes() -> None:
    falls = {
        "sigmoid": of(dense(10, nn.Sigmoid)).fall,
        "ReLU": of(dense(10, nn.ReLU)).fall,
        "ReLU, He": of(dense(10, nn.ReLU, he=True)).fall,
        "ReLU, batch norm": of(dense(10, nn.ReLU, norm=True)).fall,
        "ReLU, residual": of(dense(10, nn.ReLU, residual=True)).fall,
    }
    assert falls["sigmoid"] < 1e-8
    assert 1e-6 < falls["ReLU"] < 1e-2  # lessens it, and does not cure it
    for remedy in ("ReLU, He", "ReLU, batch norm", "ReLU, residual"):
        assert 0.1 < falls[remedy] < 100, remedy
    sigmoid, relu = of(dense(10, nn.Sigmoid)), of(dense(10, nn.ReLU))
    assert relu["1"].factor > 2 * sigmoid["1"].factor  # ReLU: the factor of σ′
    he = of(dense(10, nn.ReLU, he=True))
    assert he["2"].factor > 2 * relu["2"].factor  # initialisation: that of W
    norm = of(dense(10, nn.ReLU, norm=True))
    assert norm["0"].parts["other"] > 1.5  # batch norm: a factor of its own


# ---------------------------------------------------------------------- causes


@pytest.mark.parametrize("net", [dense(3, nn.ReLU, he=True), dense(3, nn.Tanh, norm=True), dense(1, nn.Tanh)])
def test_a_healthy_net_has_nothing_to_report(net: nn.Module) -> None:
    assert causes(of(net)) == {}


@pytest.mark.proves("C088")
@pytest.mark.parametrize("activation", [nn.Tanh, nn.Sigmoid])
def test_saturated(activation: type[nn.Module]) -> None:
    """The share of units with a flat slope, and with it how little of δ comes through."""
    net = dense(2, activation)
    before = of(net)["3"]
    net[2].weight.array *= 100
    found = of(net)
    assert "saturated" not in (*before.causes, *found["1"].causes)
    a = activation()(net[2](activation()(net[0](X))))
    slope = 1 - a**2 if activation is nn.Tanh else a * (1 - a)
    values = {finding.cause: finding.value for finding in found["3"].findings}
    assert values["saturated"] == pytest.approx((slope < 1e-3).mean())
    assert values["saturated"] > 0.3
    assert found["3"].factor < 0.6 * before.factor


def test_dead_relu() -> None:
    net = dense(2, nn.ReLU)
    net[2].bias.array[:8] = -1000
    found = of(net)
    assert causes(found) == {"3": ("dead ReLU",)}
    assert found["3"].findings[0].value >= 8 / WIDTH
    assert found["3"].findings[0].value < 10 / WIDTH


def test_dead_channels_of_images_and_units_of_sequences() -> None:
    net: Any = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 4)).double()
    x = RNG.standard_normal((N, 1, 8, 8))
    assert "1" not in causes(of(net, x))
    net[0].bias.array[1:] = -1000
    assert of(net, x)["1"].findings[0].value == 0.75
    rows: Any = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Flatten(), nn.Linear(20, 4)).double()
    rows[0].bias.array[:2] = -1000
    assert of(rows, RNG.standard_normal((N, 5, 6)))["1"].findings[0].value == 0.5
    lines: Any = nn.Sequential(nn.Conv1d(2, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(20, 4)).double()
    lines[0].bias.array[:2] = -1000
    assert of(lines, RNG.standard_normal((N, 2, 6)))["1"].findings[0].value == 0.5


def test_one_sample_says_nothing_about_dead_units() -> None:
    assert "1" not in causes(of(dense(1, nn.ReLU), X[:1], Y[:1]))


def test_small_and_large_weights() -> None:
    for factor, cause in ((0.05, "small W"), (50, "large W")):
        net = dense(2, nn.ReLU, he=True)
        net[2].weight.array *= factor
        found = of(net)
        assert cause in found["2"].causes
        assert cause not in found["0"].causes
    net = dense(12, nn.ReLU)  # each a little too small, and together far too small
    assert all("small W" in row.causes for row in of(net).layers[1:])
    assert "small W" not in of(dense(1, nn.ReLU))["0"].causes


def test_sign_locked() -> None:
    found = of(dense(2, nn.Sigmoid))
    assert "sign-locked" in found["2"].causes
    assert "sign-locked" in found["4"].causes
    assert "sign-locked" not in found["0"].causes
    assert not any("sign-locked" in row.causes for row in of(dense(2, nn.Tanh)).rows)
    assert "sign-locked" in of(dense(1, nn.Tanh), np.abs(X))["0"].causes
    net = dense(1, nn.Sigmoid)  # the number is what it says it is: the signs of ∂J/∂W, sample by sample
    loss: nn.Loss = nn.CrossEntropyLoss()
    for i in range(4):
        net.zero_grad()
        loss(net(X[i : i + 1]), Y[i : i + 1])
        net.backward(loss.backward())
        assert all(len(set(np.sign(row))) == 1 for row in net[2].weight.grad)


def test_underflow_is_named_where_it_begins() -> None:
    found = of(dense(60, nn.Sigmoid))
    named = [row.name for row in found.rows if "underflow" in row.causes]
    assert len(named) == 1
    row = found[named[0]]
    assert row.size < 1e-30
    behind = found.rows[found.rows.index(row) + 1]
    assert behind.size >= 1e-30
    assert not any("underflow" in row.causes for row in of(dense(10, nn.Sigmoid)).rows)
    single = dense(80, nn.Sigmoid).float()
    below = of(single, X.astype(np.float32))
    assert [c for c in itertools.chain(*causes(below).values()) if c == "underflow"] == ["underflow"]
    assert below["0"].norm == 0


def test_not_finite() -> None:
    class Overflowing(nn.Layer):
        """The identity, with a backward that is out of all bounds."""

        def forward(self, ctx: Any, x: Any) -> Any:
            return x * 1

        def backward(self, ctx: Any, delta: Any) -> Any:  # type: ignore[override]
            return delta * np.inf

    found = of(nn.Sequential(nn.Linear(WIDTH, 4), Overflowing()).double())
    assert causes(found) == {"0": ("not finite",)}
    assert found["0"].findings[0].value == 1


# ---------------------------------------------------------------------- views


def test_the_text_fits_a_terminal() -> None:
    found = budget(models.LeNet(), RNG.random((8, 1, 28, 28), np.float32), Y[:8], nn.CrossEntropyLoss())
    text = str(found)
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"^classifier\.1 Linear +\d\.\de-\d\d +0\.\d{3} +0\.\d{3}  small W, sign-locked$", text, re.M)
    assert re.search(r"^small σ′ \(what σ′ leaves of ‖δ‖\): classifier\.4 \(0\.2\d\),", text, re.M)
    assert text.splitlines()[1].startswith("CrossEntropyLoss")
    assert max(map(len, str(of(dense(3, nn.ReLU, residual=True))).splitlines())) <= 80
    with pytest.raises(OptionError, match="a layer among"):
        found["fc"]


def test_a_network_of_functions_and_tensors() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            self.W = nn.Parameter(RNG.standard_normal((WIDTH, 4)) / 5)
            self.fc = nn.Linear(WIDTH, WIDTH).double()

        def forward(self, x: Any) -> Any:
            return nn.functional.tanh(self.fc(x)) @ self.W

    found = of(Own())
    assert [row.role for row in found.rows[:3]] == ["W", "σ′", "W"]
    ratio = found["fc"].ratio
    assert ratio is not None
    assert ratio == pytest.approx(found["fc"].norm / found.rows[2].norm)


def test_the_picture(tmp_path: Any) -> None:
    pytest.importorskip("matplotlib")
    figure = of(dense(60, nn.Sigmoid)).plot()
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert "smallest normal float32" in axes.get_legend_handles_labels()[1]
    figure.savefig(tmp_path / "budget.png")


def test_a_trace_has_its_budget() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2)).double()
    x, y = np.random.default_rng(0).standard_normal((5, 3)), np.array([0, 1, 0, 1, 1])
    ours = trace(net, x, y, nn.CrossEntropyLoss()).budget()
    assert str(ours) == str(budget(net, x, y, nn.CrossEntropyLoss()))
