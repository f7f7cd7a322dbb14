"""Every optimiser against PyTorch's, ten steps, over a table of options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numnet import Parameter, optim

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
]
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

    def check(self) -> None:
        for p, q in zip(self.ours, self.theirs, strict=True):
            assert p.dtype == self.dtype
            tolerance = TOLERANCE[self.dtype]
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=tolerance, atol=tolerance)


def torch_tensors(state_dict: dict[str, Any]) -> dict[str, Any]:
    """Our state dict with the arrays as PyTorch's."""
    state = {
        i: {k: torch.tensor(v) if isinstance(v, np.ndarray) else torch.tensor(float(v)) for k, v in memory.items()}
        for i, memory in state_dict["state"].items()
    }
    return {"state": state, "param_groups": state_dict["param_groups"]}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, options", OPTIONS)
def test_ten_steps(name: str, options: dict[str, Any], dtype: Any) -> None:
    pair = Pair(dtype)
    before = [p.data.copy() for p in pair.ours]
    pair.step(getattr(optim, name)(pair.ours, **options), getattr(torch.optim, name)(pair.theirs, **options))
    pair.check()
    assert all(np.all(p.data != b) for p, b in zip(pair.ours, before, strict=True))


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_defaults_and_their_order(name: str) -> None:
    p = [Parameter(np.zeros(1))]
    ours = getattr(optim, name)(p).param_groups[0]
    theirs = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(1))]).param_groups[0]
    assert {k: theirs[k] for k in ours if k != "params"} == {k: v for k, v in ours.items() if k != "params"}
    positional = (0.5, 0.25) if name == "SGD" else (0.5, (0.1, 0.2), 0.3, 0.4, True)
    ours = getattr(optim, name)(p, *positional).param_groups[0]
    theirs = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(1))], *positional).param_groups[0]
    assert {k: theirs[k] for k in ours if k != "params"} == {k: v for k, v in ours.items() if k != "params"}


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
    pair.check()

    from_torch = getattr(optim, name)(pair.ours, lr=123.0)
    from_torch.load_state_dict(to_torch.state_dict())
    pair.step(from_torch, to_torch, 3)
    pair.check()


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
