"""Losses: the formulas and numbers of the tutorials."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DomainError


@pytest.mark.proves("C128")
def test_the_scalings_of_the_squared_error_have_names(rng: np.random.Generator) -> None:
    a, y = rng.normal(size=(2, 4, 3))
    total = ((a - y) ** 2).sum()
    for reduction, J, slope in [("half_sum", total / 2, 1), ("sum", total, 2), ("mean", total / 12, 2 / 12)]:
        loss: nn.Loss = nn.MSELoss(reduction=reduction)
        np.testing.assert_allclose(loss(a, y), J, rtol=1e-12)
        np.testing.assert_allclose(loss.backward(), slope * (a - y), rtol=1e-12)
    assert nn.MSELoss().reduction == "mean"


@pytest.mark.proves("C130")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_mean_absolute_error(torch: ModuleType, dtype: type) -> None:
    """PyTorch's name for it, and ours, is L1Loss; MAELoss is the same."""
    assert nn.MAELoss is nn.L1Loss
    a, y = np.array([[1, -2, 3], [0, 0, 0.5]], dtype), np.array([[0, 0, 0], [0, 1, 0]], dtype)
    loss: nn.Loss = nn.L1Loss()
    assert loss(a, y) == pytest.approx((1 + 2 + 3 + 0 + 1 + 0.5) / 6)
    delta = loss.backward()
    assert delta.dtype == dtype
    np.testing.assert_allclose(delta, np.array([[1, -1, 1], [0, -1, 1]]) / 6, rtol=1e-6)
    leaf = torch.from_numpy(a).requires_grad_()
    torch.nn.L1Loss()(leaf, torch.from_numpy(y)).backward()
    np.testing.assert_allclose(delta, leaf.grad, rtol=1e-6)


@pytest.mark.proves("C133")
def test_the_delta_of_cross_entropy_is_softmax_less_one_hot(rng: np.random.Generator) -> None:
    z, labels = rng.normal(size=(6, 4)), np.array([0, 1, 2, 3, 0, 1])
    p = nn.Softmax(dim=1)(z)
    each = nn.CrossEntropyLoss(reduction="none")
    np.testing.assert_allclose(each(z, labels), -np.log(p[np.arange(6), labels]), rtol=1e-12)
    np.testing.assert_allclose(each.backward(np.ones(6)), p - np.eye(4)[labels], rtol=1e-12)
    mean: nn.Loss = nn.CrossEntropyLoss()
    np.testing.assert_allclose(mean(z, labels), each(z, labels).mean(), rtol=1e-12)
    np.testing.assert_allclose(mean.backward(), (p - np.eye(4)[labels]) / 6, rtol=1e-12)


@pytest.mark.proves("C134", "F3")
def test_nll_wants_log_softmax_and_refuses_softmax(rng: np.random.Generator) -> None:
    z, labels = rng.normal(size=(6, 4)), np.array([0, 1, 2, 3, 0, 1])
    log_p = nn.LogSoftmax(dim=1)(z)
    np.testing.assert_allclose(nn.NLLLoss()(log_p, labels), -log_p[np.arange(6), labels].mean(), rtol=1e-12)
    np.testing.assert_allclose(nn.NLLLoss()(log_p, labels), nn.CrossEntropyLoss()(z, labels), rtol=1e-12)
    with pytest.raises(DomainError, match="LogSoftmax"):
        nn.NLLLoss()(nn.Softmax(dim=1)(z), labels)
