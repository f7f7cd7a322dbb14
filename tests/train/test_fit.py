"""fit has the numbers of the loops that it replaces, and refuses what those would take in silence."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import metrics, nn, optim, train
from numnet.data import DataLoader, TensorDataset
from numnet.errors import DataError, DtypeError, NonFiniteError, NumnetError, OptionError, ShapeError


def network(seed: int = 0, dropout: float = 0.0) -> nn.Sequential:
    numnet.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2)
    ).double()


def same(a: nn.Module, b: nn.Module) -> bool:
    """Whether two networks hold the same bits."""
    mine, theirs = a.state_dict(), b.state_dict()
    return list(mine) == list(theirs) and all(np.array_equal(mine[k], theirs[k]) for k in mine)


def sgd(net: nn.Module, lr: float = 0.1) -> optim.SGD:
    return optim.SGD(net.parameters(), lr=lr)


# ---------------------------------------------------------------------------------------------- the loops


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_loop_written_out_has_the_same_bits(dropout: float, problem: Any) -> None:
    by_hand, loss = network(dropout=dropout), nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(*problem.train), 8, shuffle=True)
    optimizer = optim.Adam(by_hand.parameters(), lr=0.01)
    for _ in range(3):
        for x, y in loader:
            loss(by_hand(x), y)
            optimizer.zero_grad()
            by_hand.backward(loss.backward())
            optimizer.step()
    fitted = network(dropout=dropout)
    adam = optim.Adam(fitted.parameters(), lr=0.01)
    train.fit(fitted, nn.CrossEntropyLoss(), adam, problem.train, epochs=3, batch_size=8, progress=False)
    assert same(by_hand, fitted)


def test_nobody_asks_for_the_delta_of_the_data(problem: Any) -> None:
    class Watch:
        def __init__(self) -> None:
            self.first: set[Any] = set()

        def forward(self, call: nn.Call, inputs: Any, outputs: Any) -> None: ...

        def backward(self, call: nn.Call, deltas: Any, input_deltas: Any) -> None:
            if call.path == "0":
                self.first |= {input_deltas[0] is None}

    net, watch = network(), Watch()
    with numnet.observe(watch):
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=1, progress=False)
    assert watch.first == {True}
    assert net.input_delta
    x, y = problem.train
    with pytest.raises(NonFiniteError):
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), (x * np.inf, y), epochs=1, progress=False)
    assert net.input_delta


@pytest.mark.parametrize("form", ["arrays", "tensors", "list", "dataset", "loader"])
def test_data_may_be_given_in_any_form(form: str, problem: Any) -> None:
    x, y = problem.train
    forms = {
        "arrays": (x, y),
        "tensors": (numnet.tensor(x), numnet.tensor(y)),
        "list": [(x[i], y[i]) for i in range(len(x))],
        "dataset": TensorDataset(x, y),
        "loader": DataLoader(TensorDataset(numnet.tensor(x), numnet.tensor(y)), 8, shuffle=True),
    }
    nets = [network(), network()]
    for net, data in zip(nets, (forms["dataset"], forms[form]), strict=True):
        numnet.manual_seed(1)
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), data, epochs=2, batch_size=8, progress=False)
    assert same(*nets)


@pytest.mark.proves("C216")
def test_it_is_train_ch3(problem: Any) -> None:
    """The d2l loop: a vector of losses, sums of losses and of hits while it learns, the test set after each epoch."""

    def loaders() -> list[DataLoader]:
        parts = [TensorDataset(*[numnet.tensor(a) for a in part]) for part in problem]
        return [DataLoader(part, 16, shuffle=True, rng=np.random.default_rng(1)) for part in parts]

    def hits(y_hat: Any, y: Any) -> int:
        return int((y_hat.data.argmax(axis=1) == y.data).sum())

    def train_ch3(net: Any, train_iter: Any, test_iter: Any, loss: Any, num_epochs: int, updater: Any) -> list[Any]:
        curves = []
        for _ in range(num_epochs):
            net.train()
            total_loss = total_hits = total = 0.0
            for X, y in train_iter:
                y_hat = net(X)
                losses = loss(y_hat, y)
                updater.zero_grad()
                losses.mean().backward()
                updater.step()
                total_loss += float(losses.sum().item())
                total_hits += hits(y_hat, y)
                total += len(y)
            net.eval()
            with numnet.no_grad():
                found = [(hits(net(X), y), len(y)) for X, y in test_iter]
            test_acc = sum(h for h, _ in found) / sum(n for _, n in found)
            curves.append((total_loss / total, total_hits / total, test_acc))
        return curves

    loss = nn.CrossEntropyLoss(reduction="none")
    by_hand, fitted = network(), network()
    right = train_ch3(by_hand, *loaders(), loss, 5, sgd(by_hand))
    train_iter, test_iter = loaders()
    numbers = train.fit(
        fitted, loss, sgd(fitted), train_iter,
        epochs=5, validation=test_iter, metrics={"accuracy": metrics.accuracy}, progress=False,
    )  # fmt: skip
    rows = [(row["loss"], row["accuracy"], row["validation_accuracy"]) for row in numbers]
    np.testing.assert_allclose(rows, right, rtol=1e-12)
    for ours, theirs in zip(fitted.parameters(), by_hand.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-10, atol=1e-14)


@pytest.mark.proves("C225", "C226")
def test_it_is_the_loop_with_validation_in_its_else(problem: Any) -> None:
    """003: `for … else` with no_grad, train_losses and test_losses, accuracy from the largest of the exponentials.

    That loop takes the mean over batches; here all batches are of one size, so that it is the mean over samples.
    """
    trainloader, testloader = ([(x[i : i + 15], y[i : i + 15]) for i in range(0, len(x), 15)] for x, y in problem)

    def network_of_003() -> nn.Module:
        numnet.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.LogSoftmax(dim=1)).double()

    model, criterion = network_of_003(), nn.NLLLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    train_losses, test_losses, accuracies = [], [], []
    for _ in range(3):
        running_loss = 0.0
        for x, y in trainloader:
            optimizer.zero_grad()
            loss = criterion(model(numnet.tensor(x)), y)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        else:
            test_loss = accuracy = 0.0
            with numnet.no_grad():
                for x, y in testloader:
                    log_ps = model(x)
                    test_loss += float(criterion(log_ps, y))
                    top_class = np.exp(log_ps).argmax(axis=1)
                    accuracy += float((top_class == y).mean())
        train_losses.append(running_loss / len(trainloader))
        test_losses.append(test_loss / len(testloader))
        accuracies.append(accuracy / len(testloader))

    fitted = network_of_003()
    history = train.fit(
        fitted, nn.NLLLoss(), optim.Adam(fitted.parameters(), lr=0.03), DataLoader(TensorDataset(*problem.train), 15),
        epochs=3, validation=problem.validation, metrics={"accuracy": metrics.accuracy}, progress=False,
    )  # fmt: skip
    assert history["loss"] == pytest.approx(train_losses, rel=1e-12)
    assert history["validation_loss"] == pytest.approx(test_losses, rel=1e-12)
    assert history["validation_accuracy"] == pytest.approx(accuracies, rel=1e-12)


@pytest.mark.proves("C237", "F5")
def test_the_line_after_an_epoch_and_the_mean_in_it(problem: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """004 starts total_num at 1: its mean is low by 1 / (n + 1)."""
    x, y = problem.train[0][:10], problem.train[1][:10]
    net = network()
    by_hand = network()
    loader = DataLoader(TensorDataset(x, y), 8)
    history = train.fit(net, nn.CrossEntropyLoss(), sgd(net), loader, epochs=2, log=train.LINE, progress=False)
    lines = capsys.readouterr().out.splitlines()

    criterion, optimizer = nn.CrossEntropyLoss(), sgd(by_hand)
    for epoch_idx, line in enumerate(lines):
        total_loss, total_num = 0.0, 0
        for x, y in loader:
            loss = criterion(by_hand(numnet.tensor(x)), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total_num += len(y)
            total_loss += loss.item() * len(y)
        printed = "epoch: %4s loss: %.2f, time: %.2fs" % (epoch_idx + 1, total_loss / total_num, 0)  # noqa: UP031
        assert re.fullmatch(r"epoch:    \d loss: \d\.\d\d, time: \d+\.\d\ds", line)
        assert line.split(",")[0] == printed.split(",")[0]
        assert history["loss"][epoch_idx] == pytest.approx(total_loss / 10, rel=1e-13)
        of_the_tutorial = total_loss / (1 + total_num)
        assert 1 - of_the_tutorial / history["loss"][epoch_idx] == pytest.approx(1 / 11, rel=1e-10)
    assert len(lines) == 2


@pytest.mark.proves("C239")
def test_the_share_of_right_labels(problem: Any) -> None:
    net, (x, y) = network(), problem.validation
    history = train.fit(net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=5, progress=False)
    assert len(history) == 5
    net.eval()
    correct = 0
    for start in range(0, 30, 8):
        output = net(numnet.tensor(x[start : start + 8]))
        correct += int((numnet.tensor(y[start : start + 8]).data == output.data.argmax(axis=1)).sum())
    net.train()
    found = train.evaluate(net, nn.CrossEntropyLoss(), (x, y), metrics={"accuracy": metrics.accuracy}, batch_size=8)
    assert f"Acc: {found['accuracy']:.5f}" == "Acc: %.5f" % (correct / len(y))
    assert 0.5 < found["accuracy"] < 1


@pytest.mark.proves("C053")
def test_training_error_and_generalisation_error_are_both_reported() -> None:
    """A network that learns noise by heart: no training error is left, and the other one grows."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 10)), rng.integers(0, 2, 60)
    numnet.manual_seed(0)
    net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 2)).double()
    history = train.fit(
        net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01), (x[:30], y[:30]), epochs=60,
        validation=(x[30:], y[30:]), metrics={"accuracy": metrics.accuracy}, progress=False,
    )  # fmt: skip
    assert history["accuracy"][-1] == 1
    assert history["loss"][-1] < 0.05
    assert 0.3 < history["validation_accuracy"][-1] < 0.7
    assert history["validation_loss"][-1] > 2 * history["validation_loss"][0]


# ---------------------------------------------------------------------------------------------- steps


@pytest.mark.proves("C145", "C200")
def test_single_samples_mini_batches_and_all_at_once() -> None:
    """One step of each mode is W - α times the mean of the gradients of its samples; batch = all is one of them."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    loss = nn.MSELoss(reduction="half_sum")

    def net_of(W: np.ndarray) -> nn.Linear:
        net = nn.Linear(3, 2, bias=False).double()
        net.weight.data = W
        return net

    W0 = rng.standard_normal((2, 3))

    def mean_gradient(W: np.ndarray, rows: slice) -> np.ndarray:
        """1/m Σ δ xᵀ with δ = W x - y, of J = ½ ‖W x - y‖² for each sample."""
        return np.mean([np.outer(W @ a - b, a) for a, b in zip(x[rows], y[rows], strict=True)], axis=0)

    class Mean(nn.Module):
        """The mean over the samples of half the squared error."""

        def __init__(self) -> None:
            super().__init__()
            self.half_sum = loss

        def forward(self, z: Any, target: Any) -> Any:
            return self.half_sum(z, target) / len(z)

    ends = {}
    for size in (1, 2, 6, None):
        W, m = W0, size or 6
        for start in range(0, 6, m):
            W = W - 0.1 * mean_gradient(W, slice(start, start + m))
        net = net_of(W0.copy())
        data = (x, y) if size is None else DataLoader(TensorDataset(x, y), size)
        train.fit(net, Mean(), sgd(net), data, epochs=1, batch_size=None, progress=False)
        np.testing.assert_allclose(net.weight.data, W, rtol=1e-12)
        ends[size] = net.weight.data
    np.testing.assert_array_equal(ends[6], ends[None])  # batch = all
    assert np.abs(ends[1] - ends[6]).max() > 0.01  # six steps are not one
    six = net_of(W0.copy())
    train.fit(six, Mean(), sgd(six), (x, y), epochs=1, batch_size=6, progress=False)
    np.testing.assert_array_equal(six.weight.data, ends[None])


@pytest.mark.proves("C199")
def test_the_algorithm_of_the_derivation_with_its_stop_rule() -> None:
    """Inputs: L and the sizes, activation, loss, α, MAX, ε and m samples. It stops when no W and no b moves by ε."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (20, 2))
    y = np.sin(x.sum(axis=1, keepdims=True))

    def run(alpha: float, MAX: int, epsilon: float) -> tuple[nn.Module, train.History]:
        numnet.manual_seed(0)
        net = nn.Sequential(nn.Linear(2, 5), nn.Sigmoid(), nn.Linear(5, 1)).double()
        history = train.fit(
            net, nn.MSELoss(), sgd(net, alpha), (x, y), batch_size=None, max_iter=MAX, tol=epsilon, progress=False
        )
        return net, history

    net, history = run(0.5, 5000, 1e-3)
    steps = len(history)
    assert steps < 5000
    assert history.stopped == f"no parameter moved by tol=0.001 in step {steps}"

    # by hand, the same: the first step that moves nothing by ε is the last
    numnet.manual_seed(0)
    first, second = nn.Linear(2, 5).double(), nn.Linear(5, 1).double()
    W1, b1, W2, b2 = first.weight.data, first.bias.data, second.weight.data, second.bias.data
    step, moves = 0, [np.full(1, np.inf)]
    while max(np.abs(move).max() for move in moves) >= 1e-3:
        step += 1
        a1 = 1 / (1 + np.exp(-(x @ W1.T + b1)))
        delta2 = 2 * (a1 @ W2.T + b2 - y) / 20
        delta1 = delta2 @ W2 * a1 * (1 - a1)
        moves = [0.5 * g for g in (delta1.T @ x, delta1.sum(axis=0), delta2.T @ a1, delta2.sum(axis=0))]
        W1, b1, W2, b2 = (w - move for w, move in zip((W1, b1, W2, b2), moves, strict=True))
    assert step == steps
    for ours, right in zip(net.parameters(), (W1, b1, W2, b2), strict=True):
        np.testing.assert_allclose(ours.data, right, rtol=1e-8)

    _, history = run(0.5, 7, 0)
    assert (len(history), history.stopped) == (7, "max_iter=7 steps done")


def test_max_iter_ends_within_an_epoch(problem: Any) -> None:
    net, steps = network(), []
    history = train.fit(
        net, nn.CrossEntropyLoss(), sgd(net), problem.train, batch_size=20, max_iter=7,
        callbacks=[lambda trainer: steps.append(trainer.step)], progress=False,
    )  # fmt: skip
    assert steps == [5, 7]
    assert history.stopped == "max_iter=7 steps done"


@pytest.mark.parametrize("reduction, factor", [("none", 1), ("sum", 90)])
def test_other_reductions(reduction: Any, factor: int, problem: Any) -> None:
    """ "none" learns from the mean, "sum" from the sum; what is reported is the mean over the samples of each."""
    nets, losses = [network(), network()], [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(reduction=reduction)]
    rows = [
        train.fit(net, loss, sgd(net, lr), problem.train, epochs=3, batch_size=None, progress=False)["loss"]
        for net, loss, lr in zip(nets, losses, (0.1, 0.1 / factor), strict=True)
    ]
    assert rows[0] == pytest.approx(rows[1], rel=1e-12)
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-8, atol=1e-12)


def test_several_inputs_and_a_loss_made_of_losses(problem: Any) -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Linear(4, 2).double(), nn.Linear(4, 2).double()

        def forward(self, a: Any, b: Any) -> Any:
            return self.left(a) + self.right(b)

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.squared, self.absolute = nn.MSELoss(), nn.L1Loss()

        def forward(self, z: Any, y: Any) -> Any:
            return self.squared(z, y) + self.absolute(z, y)

    x, net = problem.train[0], Sum()
    target = np.stack([x[:, 0] + x[:, 1], x[:, 2]], axis=1)
    history = train.fit(net, Both(), optim.Adam(net.parameters(), lr=0.05), (x, x, target), epochs=60, progress=False)
    assert history["loss"][-1] < 0.05 < history["loss"][0]


def test_an_optimiser_that_looks_around(problem: Any) -> None:
    net, loss = network(), nn.CrossEntropyLoss()
    first = train.evaluate(net.eval(), loss, problem.train)["loss"]
    optimizer = optim.LBFGS(net.parameters(), max_iter=10)
    history = train.fit(net, loss, optimizer, problem.train, epochs=3, batch_size=None, progress=False)
    assert history["loss"][-1] < 0.3 < first
    assert [round(n) for n in history["epoch"]] == [1, 2, 3]


def test_modes_are_put_back(problem: Any) -> None:
    net = network().eval()
    net[1].train()
    modes = [module.training for module in net.modules()]
    seen = []
    net[3].forward = lambda ctx, x, forward=net[3].forward: seen.append(net[3].training) or forward(ctx, x)
    train.fit(
        net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=1, batch_size=45,
        validation=problem.validation, progress=False,
    )  # fmt: skip
    assert [module.training for module in net.modules()] == modes
    assert seen == [True, True, False]


def test_validation_changes_nothing(problem: Any) -> None:
    nets = [network(dropout=0.5), network(dropout=0.5)]
    for net, validation in zip(nets, (None, problem.validation), strict=True):
        numnet.manual_seed(1)
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=2, validation=validation, progress=False)
    assert same(*nets)


def test_callbacks_see_the_trainer_and_may_stop_it(problem: Any) -> None:
    net = network()

    def enough(trainer: train.Trainer) -> None:
        if trainer.history[-1]["loss"] < 0.6:
            trainer.stop("good enough")

    history = train.fit(
        net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=99, callbacks=[enough], progress=False
    )
    assert 1 < len(history) < 99
    assert history["loss"][-1] < 0.6 <= history["loss"][-2]
    assert str(history).endswith("good enough")


# ---------------------------------------------------------------------------------------------- what is refused


class Poisoned(nn.Layer):
    """Gives infinity from its call number ``last`` on."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.calls, self.last = 0, last

    def forward(self, ctx: Any, x: Any) -> Any:
        self.calls += 1
        return x * np.inf if self.calls >= self.last else x

    def backward(self, ctx: Any, delta: Any) -> Any:
        return delta


def test_a_loss_of_nan_stops_at_once_and_names_the_layer(problem: Any) -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), Poisoned(7), nn.Linear(3, 2)).double()
    with pytest.raises(NonFiniteError) as caught:
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=3, batch_size=30, progress=False)
    assert "fit, epoch 3, step 7\n  expected: a finite loss\n" in str(caught.value)
    assert "the first layer whose output is not finite: Poisoned at '2': 90 of 90 numbers" in str(caught.value)
    assert "a lower learning rate (it is 0.1)" in str(caught.value)
    assert all(np.isfinite(p.data).all() for p in net.parameters())


def test_a_loss_of_nan_because_of_the_step_before(problem: Any) -> None:
    net = nn.Linear(4, 1).double()
    x, y = problem.train[0] * 1e200, problem.train[0][:, :1]
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(NonFiniteError) as caught:
        train.fit(net, nn.L1Loss(), sgd(net, 1e300), (x, y), epochs=1, batch_size=30, progress=False)
    assert "fit, epoch 1, step 2\n" in str(caught.value)
    assert re.search("the step before made . of 4 numbers of weight NaN or infinite", str(caught.value))


@pytest.mark.parametrize("where, size", [("x", 120), ("y", 30)])
def test_nan_in_the_data(where: str, size: int, problem: Any) -> None:
    x = problem.train[0].copy()
    y = x[:, :1].copy()
    (x if where == "x" else y)[40, 0] = np.nan
    net = nn.Linear(4, 1).double()
    with pytest.raises(NonFiniteError) as caught:
        train.fit(net, nn.MSELoss(), sgd(net), DataLoader(TensorDataset(x, y), 30), epochs=1, progress=False)
    assert "fit, epoch 1, step 2\n" in str(caught.value)
    assert f"1 of {size} numbers of the batch's {where} are not finite" in str(caught.value)
    assert "look for it in the data" in str(caught.value)


@pytest.mark.parametrize(
    "change, error, text",
    [
        (lambda x, y: (x, y[:, None]), ShapeError, "fit, epoch 1, step 1, CrossEntropyLoss"),
        (lambda x, y: (x, y.astype(np.float64)), NumnetError, "fit, epoch 1, step 1, CrossEntropyLoss"),
        (lambda x, y: (x, y + 1), NumnetError, "labels|0 … 1"),
        (lambda x, y: (x.astype(np.float32), y), DtypeError, "fit, epoch 1, step 1, .*Linear"),
        (lambda x, y: (x, y[:-1]), ShapeError, "90"),
        (lambda x, y: x, DtypeError, r"train as arrays \(x, y\), a Dataset or a DataLoader"),
        (lambda x, y: (x,), DtypeError, r"an autoencoder has \(x, x\)"),
        (lambda x, y: zip(x, y, strict=True), DtypeError, "train as arrays"),
        (lambda x, y: (x[:0], y[:0]), DataError, "samples in train"),
        (lambda x, y: [x, y], DtypeError, r"train=\(x, y\), a pair"),
        (lambda x, y: [(row,) for row in x], DtypeError, r"fit, epoch 1, step 1\n  expected: batches \(x, y\)"),
    ],
)
def test_data_that_do_not_fit(change: Any, error: type[Exception], text: str, problem: Any) -> None:
    net = network()
    with pytest.raises(error, match=text):
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), change(*problem.train), epochs=1, progress=False)


def test_targets_of_another_shape_do_not_broadcast(problem: Any) -> None:
    net = nn.Linear(4, 1).double()
    with pytest.raises(ShapeError, match=r"fit, epoch 1, step 1, MSELoss"):
        train.fit(net, nn.MSELoss(), sgd(net), (problem.train[0], problem.train[0][:, 0]), epochs=1, progress=False)


@pytest.mark.parametrize(
    "options, text",
    [
        ({}, "an end: epochs or max_iter"),
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": 2.5}, "whole number"),
        ({"epochs": "3"}, "whole number"),
        ({"epochs": 1, "clip_norm": -1.0}, "clip_norm above 0"),
        ({"epochs": 1, "batch_size": 0}, "batch_size"),
        ({"epochs": 1, "clip_norm": 1, "clip_value": 1}, "clip_norm or clip_value"),
        ({"epochs": 1, "patience": 0}, "patience=0"),
        ({"epochs": 1, "monitor": "accuracy"}, '"min" or "max" and a column among epoch, loss, lr, seconds'),
        ({"epochs": 1, "monitor": "min validation_loss"}, "a column among epoch, loss"),
        ({"epochs": 1, "scheduler_every": "batch"}, "batch"),
        ({"epochs": 1, "log": "{accuracy}"}, "columns in braces: epoch, loss, lr, seconds"),
        ({"epochs": 1, "metrics": {"loss": metrics.accuracy}}, "'loss', which fit uses itself"),
        ({"epochs": 1, "metrics": metrics.accuracy}, "metrics by name"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], text: str, problem: Any) -> None:
    net = network()
    with pytest.raises(OptionError, match=text):
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), problem.train, **options)


def test_an_optimiser_of_another_network(problem: Any) -> None:
    net = network()
    with pytest.raises(OptionError, match=r"6 of its 6 are not, the first of shape \(16, 4\)"):
        train.fit(net, nn.CrossEntropyLoss(), sgd(network()), problem.train, epochs=1)
    schedule = optim.lr_scheduler.StepLR(sgd(net), 1)
    with pytest.raises(OptionError, match="one of another"):
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=1, scheduler=schedule)


@pytest.mark.parametrize(
    "parts, text",
    [
        (lambda net: (net, nn.CrossEntropyLoss, sgd(net)), r"CrossEntropyLoss\(…\)"),
        (lambda net: (net, sgd(net), nn.CrossEntropyLoss()), r"the order is fit\(net, loss, optimizer, train\)"),
    ],
)
def test_parts_in_another_order(parts: Any, text: str, problem: Any) -> None:
    with pytest.raises(DtypeError, match=text):
        train.fit(*parts(network()), problem.train, epochs=1)


def test_a_network_with_two_outputs(problem: Any) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(4, 2).double()

        def forward(self, x: Any) -> Any:
            return self.inner(x), x

    net = Two()
    with pytest.raises(DtypeError, match="a network with one output"):
        train.fit(net, nn.CrossEntropyLoss(), sgd(net), problem.train, epochs=1, progress=False)


def test_the_arguments_are_those_of_the_trainer() -> None:
    names = list(inspect.signature(train.fit).parameters)
    assert names == list(inspect.signature(train.Trainer).parameters)
    explained = re.findall(r"^ +(\w+): ", train.fit.__doc__ or "", re.MULTILINE)
    assert set(names) <= set(explained)
