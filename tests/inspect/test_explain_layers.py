"""Explanations held to the layers: the printed arithmetic of every element of every array is the trace's number."""

from __future__ import annotations

import examples
import numpy as np
import pytest
from arithmetic import evaluate, scale_of, value_of_terms
from contract import Example
from traces import some, traced

from numnet.inspect import Trace
from numnet.inspect.explain import RULES

EXAMPLES = examples.collect()
LAYERS = [cls for cls in RULES if cls in EXAMPLES]
CASES = [pytest.param(e, id=f"{cls.__name__}-{i}") for cls in LAYERS for i, e in enumerate(EXAMPLES[cls])]


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
