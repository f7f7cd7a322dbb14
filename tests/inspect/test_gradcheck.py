"""The gradient check itself: it passes what is right, names what is wrong, and touches nothing."""

from __future__ import annotations

import numpy as np
import pytest

from numnet import nn
from numnet.call import Ctx
from numnet.errors import DtypeError
from numnet.inspect import gradcheck

RNG = np.random.default_rng(3)
X = RNG.standard_normal((4, 3))


class Affine(nn.Layer):
    """z = x Wᵀ + b with settable mistakes."""

    def __init__(self, mistake: str = "") -> None:
        super().__init__()
        self.mistake = mistake
        self.weight = nn.Parameter(RNG.standard_normal((3, 3)).astype(np.float32))
        self.bias = nn.Parameter(RNG.standard_normal(3).astype(np.float32))

    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        ctx.x = x
        return x @ self.weight.data.T + self.bias.data

    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        dW = delta.T @ ctx.x
        db = delta.sum(0)
        delta_x = delta @ self.weight.data
        match self.mistake:
            case "transposed":
                dW = dW.T.copy()
            case "mean":
                db = delta.mean(0)
            case "sign":
                delta_x = -delta_x
            case "missing":
                return delta_x
            case "one element":
                dW[1, 2] += 1e-3
            case "overwrites":
                self.weight.grad = dW
                self.bias.accumulate(db)
                return delta_x
        self.weight.accumulate(dW)
        self.bias.accumulate(db)
        return delta_x


def row(report, name):
    return next(r for r in report.rows if r.name == name and not r.ok)


def test_right_code_passes_and_is_left_alone() -> None:
    layer = Affine()
    x = X.astype(np.float32)
    report = gradcheck(layer, x)
    assert report
    assert [r.name for r in report.rows] == ["∂J/∂input", "∂J/∂weight", "∂J/∂bias"]
    assert all(r.error < 1e-8 for r in report.rows)
    assert layer.weight.grad is None
    assert layer.weight.dtype == np.float32
    np.testing.assert_array_equal(x, X.astype(np.float32))


@pytest.mark.parametrize(
    "mistake, name, hint",
    [
        ("transposed", "∂J/∂weight", "it is transposed"),
        ("mean", "∂J/∂bias", "0.25 times"),
        ("sign", "∂J/∂input", "sign is turned"),
        ("missing", "∂J/∂weight", "accumulate is not called"),
        ("one element", "∂J/∂weight", "1 of 9 elements differ"),
        ("overwrites", "∂J/∂weight", "must add to grad"),
    ],
)
def test_each_mistake_is_named(mistake: str, name: str, hint: str) -> None:
    report = gradcheck(Affine(mistake), X)
    assert not report
    assert hint in row(report, name).hint
    assert "WRONG" in str(report)
    assert next(r.name for r in report.rows if not r.ok) == name


def test_the_wrong_element_is_found() -> None:
    wrong = row(gradcheck(Affine("one element"), X), "∂J/∂weight")
    assert wrong.index == (1, 2)
    assert wrong.analytic - wrong.numeric == pytest.approx(1e-3, rel=1e-6)


class Rectifier(nn.Layer):
    def __init__(self, slope_at_zero: float) -> None:
        super().__init__()
        self.slope_at_zero = slope_at_zero

    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        ctx.x = x
        return np.maximum(x, 0)

    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        return delta * np.where(ctx.x == 0, self.slope_at_zero, ctx.x > 0)


@pytest.mark.parametrize("slope, ok", [(0.0, True), (0.5, True), (1.0, True), (1.1, False), (-0.1, False)])
def test_on_a_kink_any_slope_between_is_right(slope: float, ok: bool) -> None:
    report = gradcheck(Rectifier(slope), np.array([0.0, 1.0, -1.0, 1e-5, -3e-4]))
    assert report.ok == ok
    assert report.rows[0].kinks == (1 if slope in (0.0, 1.0) else 0)  # 0.5 is what differences say themselves


class Power(nn.Layer):
    """Large third derivatives and values over many orders of size: differences have to choose their step."""

    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        ctx.x = x
        return np.exp(3 * x) + np.sin(40 * x)

    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        return delta * (3 * np.exp(3 * ctx.x) + 40 * np.cos(40 * ctx.x))


def test_correct_code_is_not_called_wrong() -> None:
    report = gradcheck(Power(), np.linspace(-5, 3, 41))
    assert report, str(report)


class Split(nn.Layer):
    """Two outputs, the second unused by integers' sake: (2x, rank of each x)."""

    def forward(self, ctx: Ctx, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * x, np.argsort(x, axis=0)

    def backward(self, ctx: Ctx, delta: tuple[np.ndarray, None]) -> np.ndarray:
        return 2 * delta[0]


def test_several_outputs_and_integers() -> None:
    assert gradcheck(Split(), X)
    loss = nn.CrossEntropyLoss()
    report = gradcheck(loss, X, np.array([0, 2, 1, 1]))
    assert report
    assert [r.name for r in report.rows] == ["∂J/∂input[0]"]


def test_only_a_module_is_checked() -> None:
    with pytest.raises(DtypeError, match="gradcheck"):
        gradcheck(np.tanh, X)  # type: ignore[arg-type]
