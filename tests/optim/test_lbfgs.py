"""LBFGS against PyTorch's: options, several calls of step, state both ways; and that it finds minima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numnet import Parameter, nn, optim
from numnet.errors import DtypeError, StateDictError
from numnet.optim.line_search import Point, strong_wolfe

torch = pytest.importorskip("torch")

WOLFE: dict[str, Any] = {"line_search_fn": "strong_wolfe"}
OPTIONS: list[dict[str, Any]] = [
    {"lr": 0.02},
    {"lr": 0.1, "max_iter": 7},
    {"lr": 0.1, "max_iter": 1},
    {"lr": 0.1, "history_size": 2, "max_eval": 9},
    {"lr": 0.1, "tolerance_grad": 0.5, "tolerance_change": 1e-2},
    WOLFE,
    {**WOLFE, "lr": 0.3, "max_iter": 5},
    {**WOLFE, "lr": 5.0, "history_size": 3},
    {**WOLFE, "lr": 1e-3, "max_iter": 4},
    {**WOLFE, "lr": 100.0, "max_iter": 3},
    {**WOLFE, "max_eval": 4},
    {**WOLFE, "max_eval": 1},
]


class Problem:
    """A valley, in two parameters here and in PyTorch; and how often each side was asked."""

    def __init__(self, dtype: Any = np.float64, kind: str = "valley") -> None:
        rng = np.random.default_rng(1)
        start = [rng.normal(size=(2, 2)).astype(dtype), rng.normal(size=3).astype(dtype)]
        self.kind = kind
        self.ours = [Parameter(a.copy()) for a in start]
        self.theirs = [torch.nn.Parameter(torch.tensor(a)) for a in start]
        self.asked = [0, 0]

    def value(self, W: Any, b: Any) -> Any:
        if self.kind == "valley":  # Rosenbrock's
            return ((W * W - 0.5) ** 2).sum() * 3.0 + ((b - W.sum()) ** 2).sum() * 2.0 + (b * b * b * b).sum()
        W, b = W - 3.0, b + 1.0
        return (W**2).sum() * 0.5 + (W**4).sum() * 0.02 + (b**2).sum() * 5.0 + (b**4).sum()

    def our_closure(self) -> Any:
        self.asked[0] += 1
        for p in self.ours:
            p.grad = None
        J = self.value(*self.ours)
        J.backward()
        return J

    def their_closure(self) -> Any:
        self.asked[1] += 1
        for p in self.theirs:
            p.grad = None
        J = self.value(*self.theirs)
        J.backward()
        return J

    def step(self, ours: Any, theirs: Any, times: int, tolerance: float = 1e-10) -> None:
        for _ in range(times):
            a, b = ours.step(self.our_closure), theirs.step(self.their_closure)
            np.testing.assert_allclose(float(a), float(b.detach()), rtol=max(tolerance, 1e-10), atol=tolerance)
            assert self.asked[0] == self.asked[1]
            for p, q in zip(self.ours, self.theirs, strict=True):
                np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=tolerance, atol=tolerance)


def to_torch(state_dict: dict[str, Any]) -> dict[str, Any]:
    def tensors(value: Any) -> Any:
        if isinstance(value, list):
            return [tensors(item) for item in value]
        return torch.tensor(value) if isinstance(value, np.ndarray) else value

    state = {i: {name: tensors(value) for name, value in m.items()} for i, m in state_dict["state"].items()}
    for memory in state.values():
        memory["ro"] = [torch.tensor(r, dtype=torch.float64) for r in memory["ro"]]
    return {"state": state, "param_groups": state_dict["param_groups"]}


@pytest.mark.parametrize("kind", ["valley", "bowl"])
@pytest.mark.parametrize("options", OPTIONS)
def test_some_steps(options: dict[str, Any], kind: str) -> None:
    problem = Problem(kind=kind)
    ours, theirs = optim.LBFGS(problem.ours, **options), torch.optim.LBFGS(problem.theirs, **options)
    problem.step(ours, theirs, 3, 1e-8 if kind == "valley" else 1e-10)  # a search multiplies what rounding began
    memory, expected = ours.state[problem.ours[0]], theirs.state[problem.theirs[0]]
    assert memory.keys() == expected.keys() - {"al"}
    assert memory["n_iter"] == expected["n_iter"]
    assert memory["func_evals"] == expected["func_evals"] == problem.asked[0]
    assert len(memory.get("old_dirs", [])) == len(expected.get("old_dirs", []))


@pytest.mark.parametrize("options", [{"lr": 0.1, "max_iter": 4}, {**WOLFE, "max_iter": 3}])
def test_first_step_to_the_last_digit(options: dict[str, Any]) -> None:
    for dtype, tolerance in ((np.float64, 1e-10), (np.float32, 1e-5)):
        problem = Problem(dtype)
        ours, theirs = optim.LBFGS(problem.ours, **options), torch.optim.LBFGS(problem.theirs, **options)
        problem.step(ours, theirs, 1, tolerance)
        assert all(p.dtype == dtype for p in problem.ours)


@pytest.mark.parametrize("options", [{"lr": 0.1, "max_iter": 4}, {**WOLFE, "max_iter": 3}])
def test_state_goes_to_torch_and_comes_back(options: dict[str, Any]) -> None:
    problem = Problem(kind="bowl")
    ours, theirs = optim.LBFGS(problem.ours, **options), torch.optim.LBFGS(problem.theirs, **options)
    problem.step(ours, theirs, 2)
    fresh_ours, fresh_theirs = optim.LBFGS(problem.ours), torch.optim.LBFGS(problem.theirs)
    fresh_ours.load_state_dict(theirs.state_dict())
    fresh_theirs.load_state_dict(to_torch(ours.state_dict()))
    problem.step(fresh_ours, fresh_theirs, 2)


@pytest.mark.parametrize("options", [{"lr": 0.1, "max_iter": 4}, {**WOLFE, "max_iter": 3}])
def test_a_run_that_was_interrupted_ends_with_the_same_bits(options: dict[str, Any]) -> None:
    whole, parts = Problem(), Problem()
    optimizer = optim.LBFGS(whole.ours, **options)
    first, second = optim.LBFGS(parts.ours, **options), optim.LBFGS(parts.ours)
    for _ in range(4):
        optimizer.step(whole.our_closure)
    for _ in range(2):
        first.step(parts.our_closure)
    saved = first.state_dict()
    second.load_state_dict(saved)
    for _ in range(2):
        second.step(parts.our_closure)
    for p, q in zip(whole.ours, parts.ours, strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    assert saved["state"][0]["n_iter"] < second.state_dict()["state"][0]["n_iter"]  # a copy


def test_memory_of_other_shapes_is_refused() -> None:
    problem = Problem()
    optimizer = optim.LBFGS(problem.ours, lr=0.1)
    optimizer.step(problem.our_closure)
    with pytest.raises(StateDictError, match=r"d of 0 has shape \(7,\) for \(4,\)"):
        optim.LBFGS([Parameter(np.zeros((2, 2))), Parameter(np.zeros(0))]).load_state_dict(optimizer.state_dict())


def test_a_network_converted_after_the_first_step_is_refused() -> None:
    net = nn.Linear(3, 2)
    optimizer = optim.LBFGS(net.parameters(), max_iter=3)

    def closure() -> float:
        x = np.ones((4, 3), net.weight.dtype)
        net.zero_grad()
        z = net(x)
        net.backward(z)
        return float((z * z).sum()) / 2

    optimizer.step(closure)
    net.double()
    with pytest.raises(DtypeError, match="new optimiser"):
        optimizer.step(closure)


def test_it_finds_the_minimum_and_leaves_the_frozen() -> None:
    problem = Problem()
    problem.ours[1].requires_grad_(False)
    frozen = problem.ours[1].data.copy()
    optimizer = optim.LBFGS(problem.ours, max_iter=200, line_search_fn="strong_wolfe")
    optimizer.step(problem.our_closure)
    assert problem.ours[0].grad is not None
    assert np.abs(problem.ours[0].grad).max() < 1e-5
    np.testing.assert_array_equal(problem.ours[1].data, frozen)


def test_an_error_of_the_closure_in_a_search_leaves_the_weights() -> None:
    p = Parameter(np.ones(2))
    before, calls = p.data.copy(), []

    def closure() -> float:
        calls.append(1)
        if len(calls) == 2:
            raise ZeroDivisionError
        p.grad = 2 * p.data
        return float((p.data**2).sum())

    with pytest.raises(ZeroDivisionError):
        optim.LBFGS([p], line_search_fn="strong_wolfe").step(closure)
    np.testing.assert_array_equal(p.data, before)


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize(
    "f",
    [
        lambda t: ((t - 1) ** 2, 2 * (t - 1)),
        lambda t: (-t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2),
        lambda t: (np.cos(3 * t) - t / 4 + t * t / 50, -3 * np.sin(3 * t) - 1 / 4 + t / 25),
    ],
)
def test_the_search_ends_where_both_conditions_hold(f: Any, first: float) -> None:
    def evaluate(t: float) -> Point:
        J, slope = f(t)
        return Point(t, float(J), np.zeros(1), float(slope))

    start = evaluate(0.0)
    point, tried = strong_wolfe(evaluate, start, first, 1.0, 60)
    assert 0 < tried <= 61
    allowed = start.J + 1e-4 * point.t * start.slope
    assert allowed >= point.J
    assert abs(point.slope) <= 0.9 * abs(start.slope)
