"""Patterns held to explain: the same number, from the same operands, at every place of every array."""

from __future__ import annotations

import json
from typing import Any

import examples
import numpy as np
import pytest
from contract import Example
from patterns import read
from traces import some, traced

import numnet
from numnet import nn, optim
from numnet.inspect import Trace
from numnet.inspect.explain import RULES, pattern_of
from numnet.inspect.explain.symbols import Axis, Each, NotOnePattern, Outside, Symbol, exact
from numnet.nn import functional

EXAMPLES = examples.collect()
CASES = [
    pytest.param(e, id=f"{cls.__name__}-{i}") for cls in RULES if cls in EXAMPLES for i, e in enumerate(EXAMPLES[cls])
]


def check(trace: Trace, most: int) -> set[str]:
    """Hold every pattern of a trace to the explanations; which names have one."""
    found = set()
    for name in trace.names():
        pattern = pattern_of(trace, name)
        if pattern is None:
            continue
        found.add(name)
        plain = json.loads(json.dumps(pattern.to_plain(), allow_nan=False))
        for index in some(trace.array(name).shape, most):
            e = trace.explain(name, index)
            value, used = read(trace, plain["tree"], index)
            assert used == set(e.sources), (name, index, pattern.symbols)
            assert abs(value - e.expression.value) <= 1e-12 * max(1.0, abs(value)), (name, index, pattern.symbols)
    return found


@pytest.mark.parametrize("example", CASES)
def test_every_example(example: Example) -> None:
    check(traced(example), 8)


def step(net: nn.Module, shape: tuple[int, ...], loss: nn.Loss, target: Any, optimizer: Any = None) -> Trace:
    x = np.random.default_rng(0).standard_normal(shape)
    return numnet.trace(net, x, target, loss, optimizer)


def convolutional() -> nn.Sequential:
    numnet.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=1, dilation=(1, 2), groups=2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
        nn.Dropout(0.4),
        nn.AvgPool2d(2, 1),
        nn.ConvTranspose2d(4, 2, 2, stride=2),
        nn.GroupNorm(2, 2),
        nn.Flatten(),
        nn.LayerNorm(48),
        nn.Linear(48, 3),
    ).double()


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW])
def test_a_convolutional_network_has_a_pattern_for_all_that_a_layer_makes(make: Any) -> None:
    net = convolutional()
    options = {"momentum": 0.9, "weight_decay": 0.1} if make is optim.SGD else {"weight_decay": 0.1}
    trace = step(net, (3, 2, 9, 7), nn.CrossEntropyLoss(), np.array([0, 2, 1]), make(net.parameters(), 0.1, **options))
    found = check(trace, 25)
    given = {"x", "target", *[name for name, _ in net.named_parameters()]}
    unknown = {name for name in trace.names() if name not in found | given and trace.array(name).shape}
    assert {name for name in unknown if ".saved." not in name} == set()


class Arithmetic(nn.Module):
    """Broadcasting, matrix products, means, moves and a leaky rectifier behind a softmax."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(1)
        self.U, self.v, self.W = (nn.Parameter(rng.uniform(0.5, 1.5, shape)) for shape in ((2, 3), (3,), (3, 4)))

    def forward(self, x):
        h = numnet.stack([x * self.v - self.U, self.U / self.v]) @ self.W
        a = functional.leaky_relu(functional.softmax(h.mean(dim=0), dim=1) - 0.25, 0.1)
        return (a.T * self.v.sum()).reshape(2, 4) + (self.W**2).sum(dim=0, keepdim=True)


def test_arithmetic_of_tensors() -> None:
    trace = step(Arithmetic(), (2, 3), nn.MSELoss(), np.zeros((2, 4)))
    found = check(trace, 30)
    made = {name for name in trace.names() if name.endswith((".output", "delta", ".grad")) and trace.array(name).shape}
    assert {name for name in made - found if not name.startswith(("Index", "Concatenate"))} == set()


def test_the_recursion_is_written_through_the_next_layer() -> None:
    net = nn.Sequential(nn.Linear(4, 5), nn.Sigmoid(), nn.Linear(5, 3)).double()
    trace = step(net, (6, 4), nn.MSELoss(), np.zeros((6, 3)))
    pattern = pattern_of(trace, "0.delta")
    assert pattern is not None
    read_by = {name for name, _ in read(trace, pattern.to_plain()["tree"], (2, 1))[1]}
    assert read_by == {"2.weight", "2.delta", "1.output"}
    assert check(trace, 30) >= {"0.delta", "1.delta", "2.delta", "0.weight.grad", "2.bias.grad", "x.delta"}


def test_its_size_does_not_grow_with_the_array() -> None:
    sizes = []
    for n in (2, 200):
        net = nn.Sequential(nn.Linear(n, n), nn.Tanh(), nn.Linear(n, n)).double()
        trace = step(net, (n, n), nn.MSELoss(), np.zeros((n, n)))
        sizes.append(len(json.dumps([pattern_of(trace, name).to_plain() for name in ("0.delta", "0.weight.grad")])))
    assert sizes[1] <= sizes[0] + 10


def test_what_was_given_or_not_kept_has_none() -> None:
    trace = step(nn.Linear(4, 3).double(), (6, 4), nn.MSELoss(), np.zeros((6, 3)))
    assert [pattern_of(trace, name) for name in ("x", "weight", "J")] == [None] * 3
    small = numnet.trace(nn.Linear(4, 3).double(), np.ones((6, 4)), np.zeros((6, 3)), nn.MSELoss(), keep=0)
    assert pattern_of(small, "Linear.output") is None


def test_a_symbol_refuses_what_would_ask_which_number_it_is() -> None:
    i, j = Symbol({Axis(0): 1}), Symbol({Axis(1): 1})
    assert i == i
    for ask in (
        lambda: i == 0,
        lambda: i == j,
        lambda: i < 3,
        lambda: bool(i),
        lambda: range(i),
        lambda: [1, 2][i],
        lambda: int(i),
        lambda: float(i),
        lambda: i * 0.5,
        lambda: exact(i, 2) + exact(j, 2),
        lambda: Each.over((3,), lambda k: k).value,
    ):
        with pytest.raises(NotOnePattern):
            ask()
    with pytest.raises(Outside):
        exact(3, 2)
    assert exact(4, 2) == 2
