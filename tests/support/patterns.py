"""The reader of patterns in Python, a twin of the one in the page's script."""

from __future__ import annotations

import itertools
import math
from typing import Any

from numnet.inspect import Trace

__all__ = ["read"]

_FUNCTIONS = {
    "exp": math.exp,
    "log": lambda x: math.log(x) if x > 0 else -math.inf,
    "log1p": math.log1p,
    "√": math.sqrt,
    "tanh": math.tanh,
    "σ": lambda x: 1 / (1 + math.exp(-x)),
    "abs": abs,
    "pow": math.pow,
    "max": max,
    "min": min,
}


class _OutsideError(Exception):
    pass


def read(trace: Trace, node: Any, variables: tuple[int, ...]) -> tuple[float, set[tuple[str, tuple[int, ...]]]]:
    """The value of a node, and the places that it reads."""
    kind, *rest = node
    if kind == "at":
        name, _, indices = rest
        index = tuple(_index(trace, i, variables) for i in indices)
        array = trace.array(name).array
        if not all(0 <= i < n for i, n in zip(index, array.shape, strict=True)):
            raise _OutsideError
        return float(array[index]), {(name, index)}
    if kind == "const":
        return float(rest[0]), set()
    if kind == "index":
        return float(_index(trace, rest[0], variables)), set()
    if kind == "value":
        return float(rest[0]), set().union(*[read(trace, n, variables)[1] for n in rest[2]])
    if kind in ("sum", "max"):
        sizes, body = rest
        parts = []
        for loops in itertools.product(*map(range, sizes)):
            try:
                parts.append(read(trace, body, (*variables, *loops)))
            except _OutsideError:
                continue
        values = [value for value, _ in parts]
        return (math.fsum(values) if kind == "sum" else max(values)), set().union(*[used for _, used in parts])
    nodes = rest[2:] if kind == "given" else rest[1:] if kind == "fn" else rest
    parts = [read(trace, n, variables) for n in nodes]
    values, used = [value for value, _ in parts], set().union(*[places for _, places in parts])
    if kind == "given":
        return float(values[0] > 0 if rest[0] == "positive" else values[0] == values[1]), used
    if kind == "fn":
        return _FUNCTIONS[rest[0]](*values), used
    if kind == "/":
        return values[0] / values[1], used
    return (math.fsum(values) if kind == "+" else math.prod(values)), used


def _index(trace: Trace, index: Any, variables: tuple[int, ...]) -> int:
    if isinstance(index, int):
        return index
    constant, terms, divisor = index
    total = constant + sum(c * _leaf(trace, leaf, variables) for leaf, c in terms)
    if total % divisor:
        raise _OutsideError
    return total // divisor


def _leaf(trace: Trace, leaf: Any, variables: tuple[int, ...]) -> int:
    if isinstance(leaf, int):
        return variables[leaf]
    if "of" in leaf:
        return int(read(trace, leaf["of"], variables)[0])
    if "div" in leaf:
        return _index(trace, leaf["div"], variables) // leaf["by"]
    return _index(trace, leaf["mod"], variables) % leaf["by"]
