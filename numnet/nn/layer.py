"""Layer: a module that writes its formulas out, forward and backward."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from numpy import ndarray

from ..arrays import Array
from ..call import Call, Ctx, State, with_or_without_ctx
from ..errors import BackwardError, DtypeError
from ..tape import apply
from .module import Module

__all__ = ["Layer", "Loss"]


def _expect_ctx(cls: type, name: str) -> None:
    """A formula takes the ctx first. Without it an input would arrive in its place, at the first call.

    Raises:
        DtypeError: it does not.
    """
    formula = vars(cls).get(name)
    if not inspect.isfunction(formula):
        return
    signature = inspect.signature(formula)
    for parameter in list(signature.parameters.values())[1:2]:
        if parameter.name.strip("_") in ("ctx", "") or parameter.kind is parameter.VAR_POSITIONAL:
            return
    expected = f"{cls.__name__}.{name}(self, ctx, …), since {cls.__name__} is a Layer"
    cure = "put ctx behind self; or derive from nn.Module, whose forward takes none and which needs no backward"
    raise DtypeError(expected, f"{name}{signature}", cure)


class Layer(Module):
    """Abstract: parameters and settings, and the explicit pair of formulas.

    A subclass writes

    - ``forward(self, ctx, *inputs)``: arrays to arrays; saves on ``ctx`` what its backward reads;
    - ``backward(self, ctx, delta)``: gets δ = ∂J/∂output, *adds* ∂J/∂parameter with ``parameter.accumulate``,
      and returns ∂J/∂input: one array, or a tuple in the order of the inputs with ``None`` where there is none.

    A layer object holds nothing about a particular call. Its docstring gives the forward formula and, after an empty
    line, the gradient formulas, indented: ``inspect`` reads them from there.

    Outside, ``layer(x)`` and ``layer.backward(delta)`` are those of :class:`Module`: ``backward`` without a ctx
    goes back through the latest call.
    """

    backward: Callable[..., Any]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in ("forward", "backward"):
            _expect_ctx(cls, name)
        if "backward" in vars(cls):
            cls.backward = with_or_without_ctx(vars(cls)["backward"], Module.backward)

    _run = apply

    def _call(self, inputs: tuple[Any, ...], options: dict[str, Any], state: State) -> Any:
        if state.recording and state.observer is None and not options and type(self)._run is apply:
            for x in inputs:
                if type(x) is not ndarray or x.dtype.kind not in "fiub":
                    break
            else:
                return self._call_alone(inputs, state)
        return super()._call(inputs, options, state)

    def _call_alone(self, inputs: tuple[Array, ...], state: State) -> Any:
        """What a call with plain arrays comes to where a layer is called by itself: no tape, but one Call."""
        latest = self._latest
        latest.record = "a call that ended in an error"
        wanted = self.input_delta
        needs = tuple([wanted and x.dtype.kind == "f" and self._differentiates(i) for i, x in enumerate(inputs)])
        call = Call(self, state)
        outputs = call._forward(inputs, needs, True, None)
        latest.record = call
        return outputs


class Loss(Layer):
    """Abstract: a layer that ends in one number (or, with ``reduction="none"``, one a sample) and starts the recursion.

    ``loss(z, y)`` returns J; ``loss.backward()`` starts with δ = 1 and returns ∂J/∂z.
    """

    differentiable_inputs: int = 1
    """How many of the first inputs ``backward`` differentiates when it is called on plain arrays."""

    def _differentiates(self, position: int) -> bool:
        return position < self.differentiable_inputs


def _unwritten(self: Layer, ctx: Ctx, delta: Any) -> Any:
    cure = "write it; or derive from nn.Module if forward only calls layers: it needs none"
    raise BackwardError(f"backward(self, ctx, delta) in the class {type(self).__name__}", "none", cure)


Layer.backward = with_or_without_ctx(_unwritten, Module.backward)
