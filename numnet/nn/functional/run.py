"""How a function runs a layer's formulas: the one adapter that all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arrays import Array
from ...call import Call, Ctx, Formulas
from ...errors import ShapeError
from ...operations import Operation
from ...tape import apply, leaf
from ...tensor import Parameter, Tensor
from ..layer import Layer

__all__ = ["Functional", "Input", "array_of", "run", "run_with", "shape_of", "undrawn"]

Input = Any  # an Array or a Tensor


class Functional(Operation):
    """The formulas of a layer with its parameters as inputs beside x: their gradients are returned, not kept.

        y = layer(x)        with the given parameters

        ∂J/∂x, ∂J/∂W, …  =  layer.backward(δ)

    Shapes: as for the layer.
    """

    def __init__(self, layer: Layer, names: Sequence[str]) -> None:
        self.layer = layer
        self.names = names

    def forward(self, ctx: Ctx, *inputs: Array | None) -> Array:
        n = len(inputs) - len(self.names)  # x, or several: the parameters come after them
        for name, array, needs in zip(self.names, inputs[n:], ctx.needs_input_grad[n:], strict=True):
            setattr(self.layer, name, None if array is None else _parameter(array, needs))
        return self.layer.forward(ctx, *inputs[:n])

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, ...]:
        parameters = [getattr(self.layer, name) for name in self.names]
        delta_x = self.layer.backward(ctx, delta)
        gradients = [None if p is None else p.grad_array for p in parameters]
        self.layer.zero_grad()  # a second backward, with retain_graph, starts from zero
        return *(delta_x if isinstance(delta_x, tuple) else (delta_x,)), *gradients

    def __repr__(self) -> str:
        return repr(self.layer)


def _parameter(array: Any, needs: bool) -> Parameter:
    if type(array) is np.ndarray and array.dtype.kind == "f":  # as almost always
        return leaf(array, needs, kind=Parameter)
    return Parameter(array, requires_grad=needs)


def run(formulas: Formulas, *inputs: Input) -> Any:
    if any(isinstance(x, Tensor) for x in inputs):
        return apply(formulas, *inputs)
    return Call(formulas).forward(*inputs, recording=False)


def run_with(layer: Layer, *inputs: Input, **parameters: Input) -> Any:
    return run(Functional(layer, tuple(parameters)), *inputs, *parameters.values())


class _Undrawn:
    """Stands in for a random generator where the initial values are replaced at once."""

    def uniform(self, low: float, high: float, size: tuple[int, ...]) -> None:
        """Nothing, and so nothing is written."""

    def normal(self, mean: float, std: float, size: tuple[int, ...]) -> None:
        """Nothing, as above."""


undrawn: Any = _Undrawn()


def array_of(x: Input | None) -> Array | None:
    return x.array if isinstance(x, Tensor) else x


def shape_of(weight: Input, letters: str) -> tuple[int, ...]:
    names = letters.split()
    if weight.ndim != len(names):
        raise ShapeError(f"weight of shape ({', '.join(names)})", f"shape {tuple(weight.shape)}")
    return tuple(weight.shape)
