"""Every optimiser against PyTorch's, over a table of options: on both twins of the kernels, and handed over half-way.

LBFGS, which is more than a formula for one parameter, has a file of its own.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, kernels, optim

torch = pytest.importorskip("torch")

SHAPES = [(4, 3), (5,), (2, 3, 2, 2), ()]
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.05, "nesterov": True, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "maximize": True}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.0)}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.05, "amsgrad": True, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.3, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.7, "rho": 0.6, "eps": 1e-3, "weight_decay": 0.1}),
    ("Adadelta", {"lr": 5.0, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.6, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.9, "maximize": True}),
    ("RMSprop", {"lr": 0.05, "centered": True, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05, "centered": True, "momentum": 0.5, "alpha": 0.9}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.2, "etas": (0.3, 1.7), "step_sizes": (0.05, 0.3)}),
    ("Rprop", {"lr": 0.2, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.05, "betas": (0.0, 0.0), "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.3, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05, "betas": (0.9, 0.8), "weight_decay": 0.3, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.05, "betas": (0.9, 0.3), "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.2, "alpha": 0.5, "t0": 3, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.1, "t0": 0, "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.3, "beta2_decay": -0.5, "weight_decay": 0.1, "d": 2.0}),
    ("Adafactor", {"lr": 0.5, "eps": (1e-2, 0.5), "maximize": True}),
]
NAMES = sorted({name for name, _ in OPTIONS})
SINGLE = {"NAdam", "ASGD"}  # PyTorch holds a number of theirs in float32, and in float64 once it was loaded
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}


class Pair:
    """The same parameters here and in PyTorch, and the same gradients at every step."""

    def __init__(self, dtype: Any, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = dtype
        self.ours = [Parameter(np.asarray(self.rng.normal(size=shape), dtype)) for shape in SHAPES]
        self.theirs = [torch.nn.Parameter(torch.tensor(p.data)) for p in self.ours]

    def step(self, ours: optim.Optimizer, theirs: Any, times: int = 10) -> None:
        for t in range(times):
            for p, q in zip(self.ours, self.theirs, strict=True):
                delta = np.asarray(self.rng.normal(size=p.shape) * 2.0 ** (-t), self.dtype)  # shrinks, for amsgrad
                p.grad, q.grad = delta, torch.tensor(delta)
            ours.step()
            theirs.step()

    def check(self, tolerance: float = 0) -> None:
        tolerance = tolerance or TOLERANCE[self.dtype]
        for p, q in zip(self.ours, self.theirs, strict=True):
            assert p.dtype == self.dtype
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=tolerance, atol=tolerance)


def torch_tensors(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Our state dict with the arrays as PyTorch's."""
    state = {
        i: {k: torch.tensor(v) if isinstance(v, np.ndarray) else torch.tensor(float(v)) for k, v in memory.items()}
        for i, memory in state_dict["state"].items()
    }
    return {"state": state, "param_groups": state_dict["param_groups"]}


@pytest.mark.proves("C144", "C148", "C149", "C153", "C154", "C156", "C157", "C159", "C160")
@pytest.mark.parametrize("twin", ["native", "reference"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, options", OPTIONS)
def test_twelve_steps(name: str, options: dict[str, Any], dtype: Any, twin: Any) -> None:
    pair = Pair(dtype)
    before = [p.data.copy() for p in pair.ours]
    ours, theirs = getattr(optim, name)(pair.ours, **options), getattr(torch.optim, name)(pair.theirs, **options)
    with kernels.using(twin):
        pair.step(ours, theirs, 12)
    pair.check()
    for p, q in zip(pair.ours, pair.theirs, strict=True):
        memory = {k: v for k, v in theirs.state[q].items() if v is not None}
        assert ours.state.get(p, {}).keys() == memory.keys() - ({"step"} if name == "SGD" else set())
        for key, value in ours.state.get(p, {}).items():
            tolerance = TOLERANCE[dtype]
            np.testing.assert_allclose(value, memory[key].numpy(), rtol=tolerance, atol=tolerance, err_msg=key)
    assert all(np.all(p.data != b) for p, b in zip(pair.ours, before, strict=True))


def taken(optimizer: Any, names: Any) -> dict[str, Any]:
    return {name: optimizer.param_groups[0][name] for name in names}


@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_arguments_their_order_and_their_defaults(name: str) -> None:
    make, torch_make = getattr(optim, name), getattr(torch.optim, name)
    ours, theirs = inspect.signature(make).parameters, inspect.signature(torch_make).parameters
    of_speed = {"foreach", "fused", "capturable", "differentiable"}
    dialect = {"eps_inside_root"}
    assert set(ours) - dialect == set(theirs) - of_speed
    positional = [p for p in ours if ours[p].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)[: len(positional)]
    p, q = [Parameter(np.zeros(1))], [torch.nn.Parameter(torch.zeros(1))]
    names = make(p).param_groups[0].keys() - {"params"} - dialect
    assert taken(make(p), names) == taken(torch_make(q), names)
    assert all(ours[option].default is False for option in dialect & set(ours))


def groups(optimizers: Any, parameters: list[Any]) -> Any:
    return optimizers.SGD(
        [{"params": parameters[:1], "lr": 0.2}, {"params": parameters[1:3], "momentum": 0.9}], lr=0.01, weight_decay=0.1
    )


def test_groups_with_options_of_their_own() -> None:
    pair = Pair(np.float64)
    ours, theirs = groups(optim, pair.ours), groups(torch.optim, pair.theirs)
    pair.step(ours, theirs, 3)
    ours.add_param_group({"params": pair.ours[3], "lr": 0.5})
    theirs.add_param_group({"params": pair.theirs[3], "lr": 0.5})
    for optimizer in (ours, theirs):
        optimizer.param_groups[0]["lr"] = 0.3  # as a schedule does
    pair.step(ours, theirs, 3)
    pair.check()


@pytest.mark.parametrize("name, options", OPTIONS)
def test_state_goes_to_torch_and_comes_back(name: str, options: dict[str, Any]) -> None:
    pair = Pair(np.float64)
    ours = getattr(optim, name)(pair.ours, **options)
    theirs = getattr(torch.optim, name)(pair.theirs, **options)
    pair.step(ours, theirs, 3)

    to_torch = getattr(torch.optim, name)(pair.theirs, lr=123.0)
    to_torch.load_state_dict(torch_tensors(ours.state_dict()))
    pair.step(ours, to_torch, 3)
    tolerance = 1e-6 if name in SINGLE else 0
    pair.check(tolerance)

    from_torch = getattr(optim, name)(pair.ours, lr=123.0)
    from_torch.load_state_dict(to_torch.state_dict())
    pair.step(from_torch, to_torch, 3)
    pair.check(tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, options", OPTIONS)
def test_a_run_that_was_interrupted_ends_with_the_same_bits(name: str, options: dict[str, Any], dtype: Any) -> None:
    whole, parts = Pair(dtype), Pair(dtype)
    make = getattr(optim, name)
    idle = torch.optim.SGD(whole.theirs, 0.0)
    optimizer = make(whole.ours, **options)
    whole.step(optimizer, idle, 4)
    whole.step(optimizer, idle, 4)
    first, second = make(parts.ours, **options), make(parts.ours, lr=123.0)
    parts.step(first, idle, 4)
    second.load_state_dict(first.state_dict())
    parts.step(second, idle, 4)
    for p, q in zip(whole.ours, parts.ours, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


@pytest.mark.proves("C157")
def test_eps_inside_the_root_is_the_other_dialect() -> None:
    for inside, divisor in ((False, np.sqrt(1e-8) + 1e-8), (True, np.sqrt(2e-8))):  # the numbers of the docstring
        p = Parameter(np.zeros(1))
        p.grad = np.full(1, 1e-4)
        optim.RMSprop([p], lr=1.0, alpha=0.0, eps=1e-8, eps_inside_root=inside).step()
        np.testing.assert_allclose(p.data, -1e-4 / divisor, rtol=1e-12)


def test_a_constant_gradient_does_not_make_centered_rmsprop_nan() -> None:
    p = Parameter(np.zeros(1000))
    p.grad = np.linspace(1, 2, 1000)
    for twin in ("native", "reference"):
        optimizer = optim.RMSprop([p], centered=True, alpha=0.5)
        with kernels.using(twin):
            for _ in range(100):
                optimizer.step()
        assert np.all(np.isfinite(p.data))


@pytest.mark.proves("C151")
def test_momentum_as_a_weighted_average() -> None:
    p, deltas = Parameter(np.zeros(1)), [1.0, 5.0, -2.0]
    optimizer = optim.SGD([p], lr=1.0, momentum=0.9, dampening=0.9)
    average, weight = 0.0, 0.0
    for t, delta in enumerate(deltas):
        p.grad = np.full(1, delta)
        optimizer.step()
        average = delta if t == 0 else 0.9 * average + 0.1 * delta
        weight -= average
        np.testing.assert_allclose(p.data, weight, rtol=1e-12)


def test_every_optimiser_of_torch_is_here() -> None:
    left_out = {"SparseAdam", "Muon", "Optimizer"}  # sparse gradients; not of the field's common stock
    theirs = {name for name, value in vars(torch.optim).items() if inspect.isclass(value)}
    assert theirs - left_out == set(NAMES) | {"LBFGS"}
    assert set(NAMES) | {"LBFGS"} < set(optim.__all__)


def test_state_of_groups_goes_to_torch_and_comes_back() -> None:
    pair = Pair(np.float64)
    ours, theirs = groups(optim, pair.ours), groups(torch.optim, pair.theirs)
    pair.step(ours, theirs, 2)
    fresh_theirs, fresh_ours = groups(torch.optim, pair.theirs), groups(optim, pair.ours)
    fresh_theirs.load_state_dict(torch_tensors(ours.state_dict()))
    fresh_ours.load_state_dict(theirs.state_dict())
    pair.step(fresh_ours, fresh_theirs, 2)
    pair.check()
    assert [g["params"] for g in fresh_ours.state_dict()["param_groups"]] == [[0], [1, 2]]
