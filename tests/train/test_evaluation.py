"""evaluate and predict: in evaluation mode whatever mode the network is in, and without a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import numnet
from numnet import metrics, nn, train
from numnet.data import DataLoader, TensorDataset
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.random import default_rng


@pytest.fixture
def net(problem: Any) -> nn.Sequential:
    numnet.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2)).double()
    for _ in range(20):
        net(problem.train[0])  # running statistics
    return net


@pytest.mark.parametrize("training", [True, False])
def test_prediction_never_drops_and_never_uses_the_batch(training: bool, net: Any, problem: Any) -> None:
    x = problem.validation[0]
    right = net.eval()(x)
    net.train(training)
    before, drawn = net.state_dict(), default_rng().bit_generator.state["state"]["counter"].copy()
    for size in (1, 7, None):
        np.testing.assert_allclose(train.predict(net, x, batch_size=size), right, rtol=1e-12)
    np.testing.assert_array_equal(train.predict(net, numnet.tensor(x)), right)
    assert all(module.training is training for module in net.modules())
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())
    assert (default_rng().bit_generator.state["state"]["counter"] == drawn).all()
    assert np.abs(net.train()(x) - right).max() > 0.1  # which the other mode would have got wrong


def test_the_mean_is_over_samples_and_metrics_see_them_all(net: Any, problem: Any) -> None:
    x, y = problem.validation
    z = net.eval()(x)
    right = {"loss": float(nn.CrossEntropyLoss()(z, y)), "f1": metrics.f1(z, y)}
    net.train()
    for data in ((x, y), TensorDataset(x, y), DataLoader(TensorDataset(x, y), 7, shuffle=True)):
        found = train.evaluate(net, nn.CrossEntropyLoss(), data, metrics={"f1": metrics.f1}, batch_size=7)
        assert found == pytest.approx(right, rel=1e-12)
    halves = [metrics.f1(z[rows], y[rows]) for rows in (slice(0, 7), slice(7, 14), slice(14, 21), slice(21, 28))]
    assert abs(np.mean(halves) - right["f1"]) > 1e-3  # a mean of batches would be another number
    unequal = [float(nn.CrossEntropyLoss()(z[rows], y[rows])) for rows in (slice(0, 28), slice(28, 30))]
    assert abs(np.mean(unequal) - right["loss"]) > 1e-3


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_loss_is_per_sample_whatever_its_reduction(reduction: Any, net: Any, problem: Any) -> None:
    mean = train.evaluate(net, nn.CrossEntropyLoss(), problem.validation)["loss"]
    found = train.evaluate(net, nn.CrossEntropyLoss(reduction=reduction), problem.validation, batch_size=7)["loss"]
    assert found == pytest.approx(mean, rel=1e-12)


def test_what_is_refused(net: Any, problem: Any) -> None:
    x, y = problem.validation
    loss = nn.CrossEntropyLoss()
    with pytest.raises(DtypeError, match="rows x as an array"):
        train.predict(net, x.tolist())
    with pytest.raises(ShapeError, match="30 rows in every input"):
        train.predict(net, (x, x[:3]))
    with pytest.raises(OptionError, match="a function of"):
        train.evaluate(net, loss, (x, y), metrics={"accuracy": 0.5})  # type: ignore[dict-item]
    with pytest.raises(TypeError) as caught:
        train.evaluate(net, loss, (x, y), metrics={"rows": lambda z, y: z})
    assert "in the metric 'rows', which gets (output, target) and returns one number" in caught.value.__notes__
    assert all(module.training for module in net.modules())  # put back after an error too
