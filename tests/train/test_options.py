"""Clipping, schedules and early stopping, each against the same written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import numnet
from numnet import metrics, nn, optim, train
from numnet.data import DataLoader, TensorDataset
from numnet.errors import NonFiniteError
from numnet.optim import lr_scheduler


def network(seed: int = 0) -> nn.Sequential:
    numnet.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2)).double()


def by_hand(problem: Any, clip: Any) -> tuple[nn.Module, list[tuple[int, float]]]:
    """Three epochs in order; ``clip`` changes the gradients, and what it returns is noted."""
    net, loss, sizes = network(), nn.CrossEntropyLoss(), []
    optimizer = optim.SGD(net.parameters(), lr=0.5)
    loader = DataLoader(TensorDataset(*problem.train), 15)
    for epoch in range(3):
        for i, (x, y) in enumerate(loader, 1):
            loss(net(x), y)
            optimizer.zero_grad()
            net.backward(loss.backward())
            sizes.append((6 * epoch + i, clip([p.grad for p in net.parameters()])))
            optimizer.step()
    return net, sizes


@pytest.mark.proves("C170")
@pytest.mark.parametrize("option, limit", [("clip_norm", 0.6), ("clip_value", 0.2)])
def test_clipping_with_its_log(option: str, limit: float, problem: Any) -> None:
    def clip(gradients: list[np.ndarray]) -> float:
        if option == "clip_norm":
            size = float(np.sqrt(sum((g * g).sum() for g in gradients)))
            for g in gradients:
                g *= min(1, limit / (size + 1e-6))
        else:
            size = max(float(np.abs(g).max()) for g in gradients)
            for g in gradients:
                np.clip(g, -limit, limit, out=g)
        return size

    right, sizes = by_hand(problem, clip)
    net = network()
    history = train.fit(
        net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.5), DataLoader(TensorDataset(*problem.train), 15),
        epochs=3, progress=False, **{option: limit},
    )  # fmt: skip
    for ours, theirs in zip(net.parameters(), right.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-9, atol=1e-13)
    events = [(step, size) for step, size in sizes if size > limit]
    assert 0 < len(events) < 18  # some steps were clipped, and some were not
    assert [step for step, _ in history.clips] == [step for step, _ in events]
    assert [size for _, size in history.clips] == pytest.approx([size for _, size in events], rel=1e-9)
    assert sum(history["clipped"]) == len(events)


def test_a_gradient_that_is_not_finite_is_not_clipped_but_refused(problem: Any) -> None:
    class Root(nn.Layer):
        def forward(self, ctx: Any, x: Any) -> Any:
            return x * 0

        def backward(self, ctx: Any, delta: Any) -> Any:
            return delta * np.inf

    net = nn.Sequential(nn.Linear(4, 2), Root()).double()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with np.errstate(invalid="ignore"), pytest.raises(NonFiniteError, match=r"fit, epoch 1, step 1\n.*norm"):
        train.fit(net, nn.CrossEntropyLoss(), optimizer, problem.train, epochs=1, clip_norm=1.0, progress=False)


def rates(problem: Any, scheduler_of: Any, **options: Any) -> list[float]:
    net = network()
    optimizer = optim.SGD(net.parameters(), lr=1.0)
    history = train.fit(
        net, nn.CrossEntropyLoss(), optimizer, problem.train, epochs=5, batch_size=45,
        scheduler=scheduler_of(optimizer), progress=False, **options,
    )  # fmt: skip
    return history["lr"]


def test_schedules(problem: Any) -> None:
    halving = lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.5)  # noqa: E731
    assert rates(problem, halving) == [1, 0.5, 0.25, 0.125, 0.0625]
    assert rates(problem, halving, scheduler_every="step") == [0.5, 0.125, 0.03125, 0.0078125, 0.001953125]


def test_a_plateau_gets_what_is_monitored(problem: Any) -> None:
    net, seen = network(), []
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", patience=0)
    step = scheduler.step
    scheduler.step = lambda value: seen.append(value) or step(value)  # type: ignore[method-assign]
    history = train.fit(
        net, nn.CrossEntropyLoss(), optimizer, problem.train, epochs=6, validation=problem.validation,
        metrics={"accuracy": metrics.accuracy}, scheduler=scheduler, monitor="max validation_accuracy", progress=False,
    )  # fmt: skip
    assert seen == history["validation_accuracy"]
    assert history["lr"][-1] < history["lr"][0]


@pytest.mark.proves("C169")
@pytest.mark.parametrize("monitor, sign", [(None, -1), ("max validation_accuracy", 1), ("min validation_loss", -1)])
def test_early_stopping_restores_the_best(monitor: str | None, sign: int, problem: Any) -> None:
    """Training goes on until three epochs in a row are no better; weights and running statistics are the best ones."""
    net, states = network(), []
    optimizer = optim.Adam(net.parameters(), lr=0.1)
    options = {"metrics": {"accuracy": metrics.accuracy}, "progress": False, "validation": problem.validation}
    history = train.fit(
        net, nn.CrossEntropyLoss(), optimizer, problem.train, epochs=500, patience=3, monitor=monitor,
        callbacks=[lambda trainer: states.append(trainer.net.state_dict())], **options,
    )  # fmt: skip
    column = (monitor or "min validation_loss").split()[1]
    values = sign * np.array(history[column])
    best = int(values.argmax())  # of equal ones the first
    assert len(history) == best + 1 + 3 < 500
    assert history.best_epoch == best + 1
    assert history.kept is history[best]
    assert f"{column} no better than {history[best][column]:.4g}, of epoch {best + 1}" in history.stopped
    now = net.state_dict()
    for name, array in states[best].items():
        np.testing.assert_array_equal(now[name], array, err_msg=name)
    assert any((states[-1][name] != now[name]).any() for name in now)
    again = train.evaluate(net, nn.CrossEntropyLoss(), problem.validation, metrics=options["metrics"])
    assert again[column.removeprefix("validation_")] == pytest.approx(history[best][column], rel=1e-12)


def test_the_best_is_restored_without_stopping_too(problem: Any) -> None:
    net = network()
    optimizer = optim.Adam(net.parameters(), lr=0.1)
    history = train.fit(
        net, nn.CrossEntropyLoss(), optimizer, problem.train, epochs=30, patience=99, validation=problem.validation,
        progress=False,
    )  # fmt: skip
    assert history.best_epoch == 1 + int(np.argmin(history["validation_loss"])) < 30
    assert history.stopped == "epochs=30 done"
    found = train.evaluate(net, nn.CrossEntropyLoss(), problem.validation)["loss"]
    assert found == pytest.approx(min(history["validation_loss"]), rel=1e-12)


def test_min_delta_asks_for_more(problem: Any) -> None:
    lengths = []
    for min_delta in (0.0, 0.05):
        net = network()
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        history = train.fit(
            net, nn.CrossEntropyLoss(), optimizer, problem.train, epochs=60, patience=2, min_delta=min_delta,
            progress=False,
        )  # fmt: skip
        lengths.append(len(history))
    assert lengths[1] < lengths[0]


def test_training_on_after_the_end(problem: Any) -> None:
    net = network()
    data = DataLoader(TensorDataset(*problem.train), 15)
    trainer = train.Trainer(
        net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01), data, epochs=2, progress=False
    )
    assert len(trainer.run()) == 2
    trainer.epochs = 5
    assert len(trainer.run()) == 5
    other = network()
    train.fit(other, nn.CrossEntropyLoss(), optim.Adam(other.parameters(), lr=0.01), data, epochs=5, progress=False)
    for ours, theirs in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
