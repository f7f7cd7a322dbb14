"""Traces of the example layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from contract import Example

from numnet import cat, manual_seed, nn
from numnet.inspect import Trace, trace
from numnet.nested import flatten


class Net(nn.Module):
    """A layer; all of its outputs that have a gradient in one row."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs: Any) -> Any:
        outputs = [y for y in flatten(self.layer(*inputs)) if y.dtype.kind == "f"]
        return cat([y.reshape(-1) for y in outputs])


def traced(example: Example, dtype: Any = np.float64, **options: Any) -> Trace:
    """One step of the example as a network with a loss."""
    manual_seed(0)
    net = Net(example.make()).to(dtype)
    inputs = tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in example.inputs)
    z = net(*inputs)
    manual_seed(0)
    target = np.linspace(-1, 1, z.size, dtype=dtype)
    return trace(net, inputs, target, nn.MSELoss(reduction="sum"), **options)


def some(shape: tuple[int, ...], most: int) -> Iterator[tuple[int, ...]]:
    """Every index; of a larger array ``most`` of them, the first and the last among them."""
    places = list(np.ndindex(shape))
    chosen = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int))
    return (places[i] for i in chosen)
