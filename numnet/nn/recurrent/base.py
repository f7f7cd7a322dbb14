"""What recurrent layers and cells have in common: weights, initial states, the gradients of both."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from ...arrays import Array, array_module
from ...call import Ctx
from ...errors import DtypeError, OptionError, ShapeError, describe
from ...tensor import Parameter
from .. import init
from ..expect import expect_floating
from ..layer import Layer
from .step import State, Step
from .sweep import Factors, Weights, parameter_gradients

__all__ = ["RecurrentBase"]

NAMES = Weights("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


class RecurrentBase(Layer):
    """Abstract: weights by PyTorch's names, and a state that is one array or the pair (h, c)."""

    step: Step
    state_names: ClassVar[tuple[str, ...]] = ("h_0", "c_0")
    input_size: int
    hidden_size: int

    def _make_weights(self, suffix: str, inputs: int, bias: bool, proj_size: int, rng: Any) -> None:
        """Weights and biases, all uniform in ±1/√H; those that are not there are ``None``."""
        rows, H = len(self.step.gates) * self.hidden_size, self.hidden_size
        b = (rows,) if bias else None
        shapes = Weights((rows, inputs), (rows, proj_size or H), b, b, (proj_size, H) if proj_size else None)
        for name, shape in zip(NAMES, shapes, strict=True):
            parameter = None if shape is None else Parameter(np.empty(shape, np.float32))
            if parameter is not None:
                init.uniform_(parameter, -1 / sqrt(H), 1 / sqrt(H), rng=rng)
            setattr(self, name + suffix, parameter)

    def _parameters(self, suffix: str) -> Weights:
        return Weights(*[getattr(self, name + suffix) for name in NAMES])

    def _weights(self, suffix: str) -> Weights:
        return Weights(*[None if p is None else p.array for p in self._parameters(suffix)])

    def _accumulate(self, suffix: str, factors: Factors) -> None:
        parameters = self._parameters(suffix)
        needs = Weights(*[p is not None and p.requires_grad for p in parameters])
        gradients = parameter_gradients(self._weights(suffix), factors, needs)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter.accumulate(gradient)

    def _back(
        self, ctx: Ctx, delta: tuple[Array | None, ...], visit: Callable[[str, Factors], None], keep: bool = False
    ) -> tuple[Array | None, ...]:
        """The way back; what becomes of the factors of each direction is up to ``visit``, called with its suffix."""
        raise NotImplementedError

    def _parts(self, hx: Any) -> tuple[Any, ...]:
        """The arrays of a state as it is given: one, a pair, or ``None``."""
        n = len(self.step.states)
        if hx is None:
            return (None,) * n
        parts = tuple(hx) if isinstance(hx, tuple | list) else (hx,)
        if len(parts) != n:
            names = ", ".join(self.state_names[:n])
            expected = f"the state as a pair ({names})" if n > 1 else f"the state {names} as one array"
            error = DtypeError(expected, describe(hx), "leave it out to start from 0")
            error.where = f"{type(self).__name__}, forward"
            raise error
        return parts

    def _joined(self, parts: tuple[Any, ...]) -> Any:
        return parts if len(parts) > 1 else parts[0]

    def _initial(self, parts: tuple[Any, ...], shapes: tuple[tuple[int, ...], ...], x: Array) -> State | None:
        """The state to start from, 0 for a part of it that is not given; ``None`` where nothing is."""
        if all(part is None for part in parts):
            return None
        state = []
        names = self.state_names[: len(self.step.states)]
        for part, name, shape in zip((*parts, None, None), names, shapes, strict=False):
            if part is None:
                state.append(array_module(x).zeros(shape, x.dtype))
                continue
            expect_floating(part, x.dtype)
            if part.shape != shape:
                cure = f"leave {name} out to start from 0"
                raise ShapeError(f"{name} of shape {shape}", f"shape {tuple(part.shape)}", cure)
            state.append(part)
        return tuple(state)

    def _asked(self, ctx: Ctx, deltas: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
        """The deltas of the inputs that there were, ``None`` for the state that was left out."""
        return tuple([d if needed else None for d, needed in zip(deltas, ctx.needs_input_grad, strict=False)])

    def _check_sizes(self, **sizes: int) -> None:
        for name, size in sizes.items():
            if size < 1:
                raise OptionError(f"{type(self).__name__} with {name} of at least 1", f"{name}={size}", "raise it")
