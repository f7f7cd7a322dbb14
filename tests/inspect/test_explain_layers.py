"""Explanations held to the layers: the printed arithmetic of every element of every array is the trace's number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import examples
import numpy as np
import pytest
from arithmetic import evaluate, scale_of, value_of_terms
from contract import Example

from numnet import cat, manual_seed, nn
from numnet.inspect import Trace, trace
from numnet.inspect.explain import RULES
from numnet.nested import flatten

EXAMPLES = examples.collect()
LAYERS = [cls for cls in RULES if cls in EXAMPLES]
CASES = [pytest.param(e, id=f"{cls.__name__}-{i}") for cls in LAYERS for i, e in enumerate(EXAMPLES[cls])]


class Net(nn.Module):
    """A layer; all of its outputs that have a gradient in one row."""

    def __init__(self, layer: nn.Layer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs):
        outputs = [y for y in flatten(self.layer(*inputs)) if y.dtype.kind == "f"]
        return cat([y.reshape(-1) for y in outputs])


def traced(example: Example, dtype: Any = np.float64) -> Trace:
    manual_seed(0)
    net = Net(example.make()).to(dtype)
    inputs = tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in example.inputs)
    z = net(*inputs)
    manual_seed(0)
    target = np.linspace(-1, 1, z.size, dtype=dtype)
    return trace(net, inputs, target, nn.MSELoss(reduction="sum"))


def some(shape: tuple[int, ...], most: int) -> Iterator[tuple[int, ...]]:
    """Every index; of a larger array ``most`` of them, the first and the last among them."""
    places = list(np.ndindex(shape))
    chosen = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int))
    return (places[i] for i in chosen)


def check(seen: Trace, tolerance: float, most: int) -> dict[str, bool]:
    """Hold every explanation to its number; which names have arithmetic."""
    known = {}
    for name in seen.names():
        record = seen.array(name)
        for index in some(record.shape, most):
            e = seen.explain(name, index)
            assert e.value == float(record.array[index])
            assert (e.name, e.index) not in e.sources
            known[name] = e.expression is not None
            if e.expression is None:
                assert e.remark
                continue
            scale = max(abs(e.value), scale_of(e.terms))
            assert abs(evaluate(e.arithmetic) - e.value) <= tolerance * scale, f"{e}\n{e.arithmetic}"
            assert abs(value_of_terms(e.terms) - e.value) <= tolerance * scale, f"{e}"
            for source, place in e.sources:
                assert seen.array(source).array[place] == next(
                    o.value for o in e.operands if (o.name, o.index) == (source, place)
                )
    return known


UNKNOWN = {  # what is explained by name alone, and why
    "LSTM-1": "projection, and dropout between layers",
    "GRU-1": "dropout between layers",
    "GRU-2": "sequences of different lengths",
    "ScaledDotProductAttention-2": "leading axes that broadcast",
    "ScaledDotProductAttention-3": "heads that are shared",
}


@pytest.mark.parametrize("example", CASES)
def test_every_element(example: Example, request: pytest.FixtureRequest) -> None:
    case = request.node.callspec.id
    known = check(traced(example), 1e-12, 10_000)
    wanted = {
        name: has
        for name, has in known.items()
        if name.startswith("layer.") and name.rpartition(".")[2] in ("output", "delta", "input_delta", "grad")
    }
    assert wanted
    if case in UNKNOWN:
        assert not known["layer.output"]
        return
    assert all(wanted.values()), {name for name, has in wanted.items() if not has}


@pytest.mark.parametrize("example", CASES)
def test_float32(example: Example) -> None:
    check(traced(example, np.float32), 1e-5, 5)
