"""Every schedule against PyTorch's, step by step, over a table of options; chained, in sequence, and interrupted."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, optim
from numnet.errors import DtypeError, NumnetError, OptionError, StateDictError
from numnet.optim import lr_scheduler

torch = pytest.importorskip("torch")
STEPS = 60


class Scaled:
    """A callable object: its attributes are part of the state."""

    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self, t: int) -> float:
        return 1 / (1 + self.by * t)


OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: t % 3]}),
    ("LambdaLR", {"lr_lambda": Scaled(0.25)}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 0.95 + 0.01 * (t % 5)}),
    ("MultiplicativeLR", {"lr_lambda": [Scaled(0.01), lambda _: 0.9]}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("StepLR", {"step_size": 10, "gamma": 1.5}),
    ("MultiStepLR", {"milestones": [3, 20, 30]}),
    ("MultiStepLR", {"milestones": [30, 5, 5, 1], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.2, "total_iters": 12}),
    ("ConstantLR", {"factor": 1.0, "total_iters": 1}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.8, "total_iters": 25}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 55}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ExponentialLR", {"gamma": 1.05}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 40, "power": 2.0}),
    ("PolynomialLR", {"total_iters": 100, "power": 0.5}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 17, "eta_min": 1e-3}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 1e-3}),
    ("CosineAnnealingLR", {"T_max": 100, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 1e-3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.3], "step_size_up": 5, "step_size_down": 9}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "mode": "exp_range", "gamma": 0.97}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "scale_fn": lambda c: 1 / c}),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "scale_fn": Scaled(0.1), "scale_mode": "iterations"},
    ),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "base_momentum": [0.5, 0.6], "max_momentum": 0.7}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS}),
    ("OneCycleLR", {"max_lr": [0.1, 0.5], "epochs": 7, "steps_per_epoch": 10, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "three_phase": True, "pct_start": 0.25}),
    (
        "OneCycleLR",
        {"max_lr": 0.1, "total_steps": STEPS, "div_factor": 5.0, "final_div_factor": 10.0, "pct_start": 0.0},
    ),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "base_momentum": 0.3, "max_momentum": [0.8, 0.9]}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS, "cycle_momentum": False}),
]
NAMES = sorted({name for name, _ in OPTIONS})
table = pytest.mark.parametrize("name, options", OPTIONS)


def optimizers(kind: str = "SGD", **options: Any) -> tuple[Any, Any]:
    """The same optimiser here and in PyTorch, with two groups, after a step (without gradients)."""
    pair = []
    for module, parameter in ((optim, Parameter(np.zeros(1))), (torch.optim, torch.nn.Parameter(torch.zeros(1)))):
        other = type(parameter)(parameter.data * 1)
        groups = [{"params": [parameter]}, {"params": [other], "lr": 0.3}]
        pair.append(getattr(module, kind)(groups, lr=0.1, **options))
    return pair[0], pair[1]


def same(ours: Any, theirs: Any) -> None:
    for a, b in zip(ours.param_groups, theirs.param_groups, strict=True):
        for key in {"lr", "momentum", "betas", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum"}:
            assert (key in a) == (key in b), key
            if key in a:
                np.testing.assert_allclose(a[key], b[key], rtol=1e-10, atol=1e-15, err_msg=key)


def follow(ours: tuple[Any, Any], theirs: tuple[Any, Any], steps: int = STEPS) -> None:
    """Step optimisers and schedules side by side; the numbers are the same after every step."""
    (optimizer, schedule), (torch_optimizer, torch_schedule) = ours, theirs
    same(optimizer, torch_optimizer)
    for _ in range(steps):
        optimizer.step()
        torch_optimizer.step()
        schedule.step()
        torch_schedule.step()
        same(optimizer, torch_optimizer)
        np.testing.assert_allclose(schedule.get_last_lr(), torch_schedule.get_last_lr(), rtol=1e-10, atol=1e-15)
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]


def made(module: Any, name: str, optimizer: Any, options: dict[str, Any], **more: Any) -> Any:
    return getattr(module, name)(optimizer, **options, **more)


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@table
def test_step_by_step(name: str, options: dict[str, Any], kind: str) -> None:
    ours, theirs = optimizers(kind)
    pairs = [(o, made(m, name, o, options)) for m, o in ((lr_scheduler, ours), (torch.optim.lr_scheduler, theirs))]
    follow(*pairs, steps=59 if name == "OneCycleLR" else STEPS)


@table
def test_an_interrupted_schedule_goes_on(name: str, options: dict[str, Any]) -> None:
    whole, _ = optimizers()
    schedule = made(lr_scheduler, name, whole, options)
    parts, theirs = optimizers()
    first, torch_first = made(lr_scheduler, name, parts, options), made(torch.optim.lr_scheduler, name, theirs, options)
    for _ in range(23):
        for optimizer, s in ((whole, schedule), (parts, first), (theirs, torch_first)):
            optimizer.step()
            s.step()
    for optimizer, s in ((parts, first), (theirs, torch_first)):  # from ourselves, and from PyTorch
        resumed, _ = optimizers()
        second = made(lr_scheduler, name, resumed, options)
        resumed.load_state_dict(optimizer.state_dict())
        second.load_state_dict(s.state_dict())
        rates = []
        for _ in range(30):
            resumed.step()
            second.step()
            rates.append(second.get_last_lr())
        if optimizer is parts:
            kept = rates
        else:
            np.testing.assert_allclose(rates, kept, rtol=1e-10, atol=1e-15)
    for expected in kept:
        whole.step()
        schedule.step()
        assert schedule.get_last_lr() == expected  # bit for bit


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("CyclicLR", "OneCycleLR")])
@pytest.mark.parametrize("last_epoch", [0, 2, 4, 6, 13])
def test_last_epoch(name: str, last_epoch: int) -> None:
    for other, options in OPTIONS:
        if other == name:
            ours, theirs = optimizers()
            for group in (*ours.param_groups, *theirs.param_groups):
                group["initial_lr"] = 2 * group["lr"]
            pairs = [
                (o, made(m, name, o, options, last_epoch=last_epoch))
                for m, o in ((lr_scheduler, ours), (torch.optim.lr_scheduler, theirs))
            ]
            follow(*pairs, steps=20)


CHAINS = [
    [("ConstantLR", {"factor": 0.1, "total_iters": 4}), ("ExponentialLR", {"gamma": 0.9})],
    [
        ("LinearLR", {"total_iters": 10}),
        ("StepLR", {"step_size": 4, "gamma": 0.5}),
        ("MultiStepLR", {"milestones": [9]}),
    ],
    [("CosineAnnealingLR", {"T_max": 8, "eta_min": 0.01}), ("MultiplicativeLR", {"lr_lambda": lambda _: 0.97})],
    [("PolynomialLR", {"total_iters": 50}), ("CosineAnnealingLR", {"T_max": 20})],
    [("LambdaLR", {"lr_lambda": lambda t: 0.9**t}), ("ExponentialLR", {"gamma": 0.8})],
]


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("composed", [True, False])
def test_chained(chain: list[tuple[str, dict[str, Any]]], composed: bool) -> None:
    ours, theirs = optimizers()
    chains = [
        [made(module, name, optimizer, options) for name, options in chain]
        for module, optimizer in ((lr_scheduler, ours), (torch.optim.lr_scheduler, theirs))
    ]
    if composed:
        follow(
            (ours, lr_scheduler.ChainedScheduler(chains[0])),
            (theirs, torch.optim.lr_scheduler.ChainedScheduler(chains[1])),
        )
        return
    for _ in range(STEPS):
        for optimizer, schedules in zip((ours, theirs), chains, strict=True):
            optimizer.step()
            for schedule in schedules:
                schedule.step()
        same(ours, theirs)


SEQUENCES = [
    ([("LinearLR", {"total_iters": 5}), ("CosineAnnealingLR", {"T_max": 20})], [5]),
    ([("ConstantLR", {}), ("ExponentialLR", {"gamma": 0.9}), ("StepLR", {"step_size": 3})], [4, 20]),
    ([("LinearLR", {"start_factor": 0.1}), ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2})], [7]),
    ([("ExponentialLR", {"gamma": 0.9}), ("LambdaLR", {"lr_lambda": lambda t: 0.95**t})], [11]),
    ([("ExponentialLR", {"gamma": 0.9}), ("MultiplicativeLR", {"lr_lambda": lambda t: 1 - 0.1 / (t + 1)})], [11]),
    ([("PolynomialLR", {"total_iters": 9}), ("LinearLR", {}), ("MultiStepLR", {"milestones": [3]})], [9, 30]),
    ([("LinearLR", {}), ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4})], [6]),
    ([("StepLR", {"step_size": 2}), ("ConstantLR", {"factor": 0.5}), ("PolynomialLR", {})], [0, 9]),
    ([("ExponentialLR", {"gamma": 0.9})], []),
]  # fmt: skip


@pytest.mark.parametrize("sequence, milestones", SEQUENCES)
def test_in_sequence(sequence: list[tuple[str, dict[str, Any]]], milestones: list[int]) -> None:
    ours, theirs = optimizers()
    pairs = []
    for module, optimizer in ((lr_scheduler, ours), (torch.optim.lr_scheduler, theirs)):
        schedules = [made(module, name, optimizer, options) for name, options in sequence]
        pairs.append((optimizer, module.SequentialLR(optimizer, schedules, milestones)))
    follow(*pairs)


def nested(optimizer: Any) -> Any:
    warm_up = lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    fall = lr_scheduler.ExponentialLR(optimizer, 0.5)
    inner = lr_scheduler.SequentialLR(optimizer, [warm_up, fall], [2])
    chain = lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(optimizer, 0.5, 2), lr_scheduler.ExponentialLR(optimizer, 0.5)]
    )
    return lr_scheduler.SequentialLR(optimizer, [inner, chain], [4])


def test_sequences_of_sequences_and_chains() -> None:
    optimizer, _ = optimizers()
    schedule = nested(optimizer)
    rates = []
    for _ in range(8):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(rates, [0.05, 0.075, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125])
    resumed, _ = optimizers()
    again = nested(resumed)
    resumed.load_state_dict(optimizer.state_dict())
    again.load_state_dict(schedule.state_dict())
    for o, s in ((optimizer, schedule), (resumed, again)):
        o.step()
        s.step()
    assert schedule.get_last_lr() == again.get_last_lr()


@pytest.mark.parametrize("T_mult", [1, 2, 3])
def test_restarts_at_fractions_of_an_epoch(T_mult: int) -> None:
    ours, theirs = optimizers()
    a = lr_scheduler.CosineAnnealingWarmRestarts(ours, 3, T_mult, eta_min=1e-3)
    b = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, 3, T_mult, eta_min=1e-3)
    for epoch in np.linspace(0, 25, 101).tolist():
        a.step(epoch)
        b.step(epoch)
        same(ours, theirs)
    for schedule in (a, b):
        schedule.step(2.5)
    follow((ours, a), (theirs, b), 20)


METRICS = {
    "noise": np.random.default_rng(0).normal(size=200).tolist(),
    "falling": np.linspace(3, 2.999, 200).tolist(),
    "plateaus": [math.floor(5 - t / 40) + 1e-5 * (t % 7) for t in range(200)],
    "not a number": [math.nan] * 20 + [1.0] * 20,
}


@pytest.mark.parametrize("metrics", METRICS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5},
        {"mode": "max", "patience": 3},
        {"mode": "max", "patience": 3, "threshold": 0.01, "threshold_mode": "abs"},
        {"patience": 1, "threshold": 0.2, "threshold_mode": "abs", "cooldown": 4},
        {"patience": 0, "min_lr": [0.01, 0.1], "factor": 0.7},
        {"patience": 0, "min_lr": 0.02, "eps": 0.01, "factor": 0.8},
    ],
)
def test_plateau(options: dict[str, Any], metrics: str) -> None:
    ours, theirs = optimizers()
    a = lr_scheduler.ReduceLROnPlateau(ours, **options)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    for t, value in enumerate(METRICS[metrics]):
        if t == 15:  # it goes on from its state, and from PyTorch's
            for saved in (a.state_dict(), b.state_dict()):
                a = lr_scheduler.ReduceLROnPlateau(ours, patience=77)
                a.load_state_dict(saved)
        a.step(np.float64(value))
        b.step(value)
        same(ours, theirs)
        assert a.get_last_lr() == [group["lr"] for group in ours.param_groups]


@pytest.mark.parametrize("name", lr_scheduler.__all__)
def test_arguments_and_their_defaults(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (lr_scheduler, torch.optim.lr_scheduler))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


def test_every_schedule_of_torch_is_here() -> None:
    assert set(lr_scheduler.__all__) == set(torch.optim.lr_scheduler.__all__)
    assert {*NAMES, "ReduceLROnPlateau", "SequentialLR", "ChainedScheduler", "LRScheduler"} == set(lr_scheduler.__all__)


def test_the_wrong_order_is_told() -> None:
    optimizer, _ = optimizers()
    schedule = lr_scheduler.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match=r"call optimizer.step\(\) first"):
        schedule.step()
    schedule.step()  # once is enough
    optimizer, _ = optimizers()
    lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    lr_scheduler.StepLR(optimizer, 3).step()


def test_a_schedule_of_ones_own() -> None:
    class Root(lr_scheduler.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base / math.sqrt(self.last_epoch + 1) for base in self.base_lrs]

    optimizer, _ = optimizers()
    schedule = Root(optimizer)
    for t in range(1, 4):
        optimizer.step()
        schedule.step()
        np.testing.assert_allclose(schedule.get_last_lr(), [0.1 / math.sqrt(t + 1), 0.3 / math.sqrt(t + 1)])


def test_from_a_rate_of_0_it_comes_back() -> None:
    optimizer, _ = optimizers()
    schedule = lr_scheduler.ConstantLR(optimizer, factor=0.0, total_iters=2)
    rates = []
    for _ in range(4):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates == [0.0, 0.0, 0.1, 0.1]


def test_functions_stay_and_callable_objects_are_saved() -> None:
    optimizer, _ = optimizers()
    schedule = lr_scheduler.LambdaLR(optimizer, [Scaled(0.25), lambda _: 1.0])
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [{"by": 0.25}, None]
    other = lr_scheduler.LambdaLR(optimizer, [Scaled(0.5), lambda _: 1.0])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].by == 0.25


def test_load_changes_all_or_nothing() -> None:
    optimizer, _ = optimizers()
    schedule = nested(optimizer)
    before = schedule.state_dict()
    broken = nested(optimizers()[0]).state_dict()
    broken["last_epoch"] = 77
    del broken["_schedulers"][1]["_schedulers"][1]["gamma"]
    with pytest.raises(StateDictError, match="no gamma of schedule 1 of schedule 1"):
        schedule.load_state_dict(broken)
    assert schedule.state_dict() == before
    one = optim.SGD([Parameter(np.zeros(1))], lr=0.1)
    with pytest.raises(StateDictError, match="1 base_lrs for 2"):
        lr_scheduler.StepLR(optimizer, 3).load_state_dict(lr_scheduler.StepLR(one, 3).state_dict())


def test_state_is_a_copy() -> None:
    optimizer, _ = optimizers()
    schedule = lr_scheduler.SequentialLR(optimizer, [lr_scheduler.StepLR(optimizer, 2)], [])
    saved = schedule.state_dict()
    optimizer.step()
    schedule.step()
    assert saved["last_epoch"] == 0
    assert saved["_schedulers"][0]["last_epoch"] == 0


SGD, _ = optimizers()
OTHER, _ = optimizers()
S = lr_scheduler
REFUSED: list[tuple[Callable[[], Any], type[NumnetError], str]] = [
    (lambda: S.StepLR(Parameter(np.zeros(1)), 3), DtypeError, "an optimiser"),
    (lambda: S.ReduceLROnPlateau(None), DtypeError, "an optimiser"),
    (lambda: S.StepLR(optimizers()[0], 3, last_epoch=4), OptionError, "initial_lr"),
    (lambda: S.StepLR(SGD, 0), OptionError, "step_size=0"),
    (lambda: S.ConstantLR(SGD, factor=1.5), OptionError, "factor=1.5"),
    (lambda: S.LinearLR(SGD, start_factor=0), OptionError, "start_factor=0"),
    (lambda: S.LinearLR(SGD, end_factor=-1), OptionError, "end_factor=-1"),
    (lambda: S.LinearLR(SGD, total_iters=0), OptionError, "total_iters=0"),
    (lambda: S.PolynomialLR(SGD, total_iters=0), OptionError, "total_iters=0"),
    (lambda: S.CosineAnnealingLR(SGD, 0), OptionError, "T_max=0"),
    (lambda: S.CosineAnnealingWarmRestarts(SGD, 0), OptionError, "T_0=0"),
    (lambda: S.CosineAnnealingWarmRestarts(SGD, 3, 1.5), OptionError, "T_mult=1.5"),
    (lambda: S.CosineAnnealingWarmRestarts(SGD, 3).step(-1), OptionError, "epoch=-1"),
    (lambda: S.LambdaLR(SGD, 0.5), DtypeError, "a function"),
    (lambda: S.LambdaLR(SGD, [abs]), OptionError, "2 groups"),
    (lambda: S.CyclicLR(SGD, [0.1], 1), OptionError, "base_lr: one for each of the 2 groups"),
    (lambda: S.CyclicLR(SGD, 0.1, 1, mode="square"), OptionError, "mode='square'"),
    (lambda: S.CyclicLR(SGD, 0.1, 1, step_size_up=0), OptionError, "step_size_up=0"),
    (lambda: S.CyclicLR(optimizers("Adagrad")[0], 0.1, 1), OptionError, "cycle_momentum=False"),
    (lambda: S.OneCycleLR(SGD, 0.1), OptionError, "total_steps=None"),
    (lambda: S.OneCycleLR(SGD, 0.1, total_steps=0), OptionError, "total_steps=0"),
    (lambda: S.OneCycleLR(SGD, 0.1, epochs=5), OptionError, "steps_per_epoch=None"),
    (lambda: S.OneCycleLR(SGD, 0.1, 10, pct_start=1.5), OptionError, "pct_start=1.5"),
    (lambda: S.OneCycleLR(SGD, 0.1, 10, anneal_strategy="step"), OptionError, "anneal_strategy='step'"),
    (lambda: S.ReduceLROnPlateau(SGD, factor=1.0), OptionError, "factor=1.0"),
    (lambda: S.ReduceLROnPlateau(SGD, "less"), OptionError, "'less'"),
    (lambda: S.ReduceLROnPlateau(SGD, threshold_mode="both"), OptionError, "'both'"),
    (lambda: S.SequentialLR(SGD, [], []), OptionError, "0 schedules"),
    (lambda: S.SequentialLR(SGD, [S.StepLR(SGD, 3)], [4]), OptionError, "1 schedules and 1 milestones"),
    (lambda: S.SequentialLR(SGD, [S.StepLR(OTHER, 3)], []), OptionError, "another at index 0"),
    (lambda: S.SequentialLR(SGD, [S.ReduceLROnPlateau(SGD)], []), OptionError, "ReduceLROnPlateau at index 0"),
    (lambda: S.ChainedScheduler([]), OptionError, "none"),
    (lambda: S.ChainedScheduler([3]), DtypeError, "an optimiser"),
    (lambda: S.ChainedScheduler([S.StepLR(SGD, 3), 3]), DtypeError, "a schedule at index 1"),
]


@pytest.mark.parametrize("attempt, error, message", REFUSED)
def test_what_cannot_be_is_refused(attempt: Callable[[], Any], error: type[NumnetError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        attempt()
    assert caught.value.cure


def test_more_steps_than_one_cycle_has_are_refused() -> None:
    optimizer, _ = optimizers()
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10, pct_start=0.1)
    assert schedule.get_last_lr() == [0.1, 0.1]  # a rise of no length is at its end
    optimizer.step()
    for _ in range(10):
        schedule.step()
    with pytest.raises(OptionError, match="10 steps of total_steps"):
        schedule.step()


def test_a_group_that_came_later_is_refused() -> None:
    optimizer, _ = optimizers()
    schedule = lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    optimizer.add_param_group({"params": [Parameter(np.zeros(2))]})
    optimizer.step()
    with pytest.raises(OptionError, match="the 2 groups that the schedule was made for"):
        schedule.step()
