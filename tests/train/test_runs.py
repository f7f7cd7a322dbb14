"""Folds and restarts: weights that are new each time, provably."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import metrics, nn, optim, train
from numnet.errors import DataError, DtypeError, OptionError
from numnet.random import default_rng

OPTIONS: dict[str, Any] = {"epochs": 3, "metrics": {"accuracy": metrics.accuracy}, "progress": False}


def make_net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)).double()


def make_optimizer(net: nn.Module) -> optim.Optimizer:
    return optim.Adam(net.parameters(), lr=0.02)


def validated(problem: Any, net: Any = make_net, **options: Any) -> train.Runs:
    options = {**OPTIONS, "folds": 3, **options}
    return train.cross_validate(net, make_optimizer, nn.CrossEntropyLoss(), *problem.train, **options)


@pytest.mark.proves("C054")
def test_every_fold_begins_with_weights_of_its_own(problem: Any) -> None:
    """K trainings, each fold out once; the weights before are known by their hashes; mean and spread are NumPy's."""
    numnet.manual_seed(0)
    begun: list[dict[str, np.ndarray]] = []

    def noted() -> nn.Sequential:
        begun.append((net := make_net()).state_dict())
        return net

    runs = validated(problem, noted, folds=5)
    assert len(runs) == len(runs.nets) == len(begun) == 5
    assert len(set(runs.hashes)) == 5
    for state, initial in zip(begun, runs.hashes, strict=True):
        total = hashlib.sha256()
        for path, a in state.items():
            if a.dtype.kind == "f":
                total.update(path.encode() + hashlib.sha256(f"{a.dtype} {a.shape}".encode() + a.tobytes()).digest())
        assert total.hexdigest() == initial
    values = [history["validation_accuracy"][-1] for history in runs.histories]
    np.testing.assert_array_equal(runs["validation_accuracy"], values)
    assert runs.mean("validation_accuracy") == pytest.approx(np.mean(values))
    assert runs.std("validation_accuracy") == pytest.approx(np.std(values, ddof=1)) != 0
    lines = str(runs).splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["mean", "std"]
    assert f"{np.mean(values):.4g}" in lines[-2]
    assert runs.hashes[2][:8] in lines[3]


@pytest.mark.proves("C054")
def test_every_row_is_left_out_once(problem: Any) -> None:
    """By the losses: those of the folds, weighed by their sizes, are those of the nets on the rows that they missed."""
    folds = [(np.setdiff1d(np.arange(90), part), part) for part in (np.arange(0, 50), np.arange(50, 90))]
    runs = validated(problem, folds=folds)
    x, y = problem.train
    for net, (_, part), found in zip(runs.nets, folds, runs["validation_loss"], strict=True):
        assert train.evaluate(net, nn.CrossEntropyLoss(), (x[part], y[part]))["loss"] == pytest.approx(found)
    drawn = [rows for pair in train.runs._splits(4, x, y, np.random.default_rng(0)) for rows in pair[1:]]
    assert sorted(np.concatenate(drawn)) == list(range(90))


def test_folds_of_scikit_learn(problem: Any) -> None:
    selection = pytest.importorskip("sklearn.model_selection", reason="scikit-learn is not installed")
    for folds in (selection.KFold(3), selection.StratifiedKFold(3, shuffle=True, random_state=0)):
        numnet.manual_seed(0)
        runs = validated(problem, folds=folds)
        numnet.manual_seed(0)
        again = validated(problem, folds=list(folds.split(*problem.train)))
        np.testing.assert_array_equal(runs["validation_loss"], again["validation_loss"])


def test_a_scaler_is_fitted_for_each_fold(problem: Any) -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing", reason="scikit-learn is not installed")
    numnet.manual_seed(0)
    scaler = preprocessing.StandardScaler()
    runs = validated(problem, scaler=scaler)
    assert not hasattr(scaler, "mean_")
    assert len(runs) == 3


def test_weights_carried_over_are_refused(problem: Any) -> None:
    net = make_net()
    with pytest.raises(DataError) as caught:
        validated(problem, lambda: net)
    assert "expected: a network with weights of its own for fold 1\n" in str(caught.value)
    assert "got:      0.weight, 0.bias, 1.weight of the one of fold 0\n" in str(caught.value)
    assert "cure:     let make_net() build the network anew" in str(caught.value)

    made: list[nn.Module] = []

    def copied() -> nn.Module:
        made.append(copy.deepcopy(made[-1]) if made else make_net())
        return made[-1]

    with pytest.raises(DataError, match=r"0\.weight as fold 0 has learned it"):
        validated(problem, copied)

    kept: list[nn.Sequential] = []

    def only_the_statistics() -> nn.Sequential:
        net = make_net()
        if kept:
            net[1].running_mean = kept[-1][1].running_mean.copy()
        kept.append(net)
        return net

    with pytest.raises(DataError, match=r"1\.running_mean as fold 0 has learned it"):
        validated(problem, only_the_statistics)


def test_equal_beginnings_and_a_frozen_part_are_no_leak(problem: Any) -> None:
    def alike() -> nn.Module:
        numnet.manual_seed(5)
        return make_net()

    assert len(set(validated(problem, alike).hashes)) == 1
    trunk = nn.Linear(4, 4).double().requires_grad_(False)
    runs = validated(problem, lambda: nn.Sequential(trunk, nn.Linear(4, 2).double()))
    assert len(runs) == 3


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"folds": 1}, OptionError, "2 to 90 folds"),
        ({"folds": 91}, OptionError, "2 to 90 folds"),
        (
            {"folds": [([0, 1, 2], [2, 3])]},
            DataError,
            "fold 0\n.*validation rows that training does not see\n.*1 in both: 2",
        ),
    ],
)
def test_folds_that_cannot_be(options: Any, error: type[Exception], text: str, problem: Any) -> None:
    with pytest.raises(error, match=text):
        validated(problem, **options)


def test_makers_are_functions(problem: Any) -> None:
    with pytest.raises(DtypeError, match=r"def make_net\(\)"):
        validated(problem, make_net())
    optimizer: Any = make_optimizer(make_net())
    with pytest.raises(DtypeError, match="lambda net: optim"):
        train.restarts(make_net, optimizer, nn.CrossEntropyLoss(), problem.train, seeds=2, epochs=1)


@pytest.mark.proves("C168")
def test_restarts_show_what_chance_does(problem: Any) -> None:
    """XOR, with as few units as can do it: some beginnings end in a hole, some do not."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    y = np.array([[0], [1], [1], [0]], float)

    def net_of_two() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)).double()

    def optimizer_of(net: nn.Module) -> optim.Optimizer:
        return optim.Adam(net.parameters(), lr=0.1)

    state = default_rng().bit_generator.state["state"]["counter"].copy()
    options: dict[str, Any] = {"epochs": 150, "batch_size": None, "progress": False}
    runs = train.restarts(net_of_two, optimizer_of, nn.MSELoss(), (x, y), seeds=8, **options)
    assert (default_rng().bit_generator.state["state"]["counter"] == state).all()
    losses = runs["loss"]
    assert losses.shape == (8,)
    assert losses.min() < 1e-3
    assert losses.max() > 0.1
    assert runs.best == losses.argmin()
    assert runs.std("loss") == pytest.approx(np.std(losses, ddof=1))
    assert str(runs).splitlines()[1 + runs.best].split("*")[0].strip() == f"seed {runs.best}"

    numnet.manual_seed(runs.best)  # the best one again, alone
    net = net_of_two()
    history = train.fit(net, nn.MSELoss(), optimizer_of(net), (x, y), **options)
    assert history["loss"] == runs.histories[runs.best]["loss"]
    np.testing.assert_array_equal(net[0].weight.data, runs.nets[runs.best][0].weight.data)

    other = train.restarts(net_of_two, optimizer_of, nn.MSELoss(), (x, y), seeds=[runs.best, 11], **options)
    assert other.names == [f"seed {runs.best}", "seed 11"]
    assert other.hashes[0] == runs.hashes[runs.best]
    with pytest.raises(OptionError, match="at least one seed"):
        train.restarts(net_of_two, optimizer_of, nn.MSELoss(), (x, y), seeds=0, **options)
