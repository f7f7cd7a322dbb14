"""Trace: one batch through forward and backward, with the δ of every layer kept to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..arrays import Array
from ..call import Call, observe
from ..nn import Loss, Module
from .formula import equations

__all__ = ["Step", "Trace", "trace"]


@dataclass(slots=True)
class Step:
    """One call of one layer, forward and back.

    Attributes:
        path: the layer's path in the network; the class name for a loss or an operation, which have none.
        layer: what was called.
        number: the running number of the call.
        output: what forward returned (the first output, if there are several).
        delta: δ = ∂J/∂output, as it arrived from behind; ``None`` where none came.
        input_delta: ∂J/∂input, as it was handed on (the first, if there are several).
        parameter_gradients: ∂J/∂parameter of this step alone, by the parameter's name in the layer.
    """

    path: str
    layer: Any
    number: int
    output: Array
    delta: Array | None = None
    input_delta: Array | None = None
    parameter_gradients: dict[str, Array] = field(default_factory=dict)

    @property
    def formula(self) -> str:
        """The layer's forward formulas, one a line, from its docstring."""
        return "\n".join(equations(self.layer))


class Trace:
    """What :func:`trace` recorded.

    Attributes:
        steps: one for each call, in the order of forward; the loss is the last.
        output: what the network returned.
        loss: J.
        input_delta: ∂J/∂x.
    """

    def __init__(self, steps: list[Step], output: Array, loss: float, input_delta: Array) -> None:
        self.steps = steps
        self.output = output
        self.loss = loss
        self.input_delta = input_delta

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, path: str) -> Step:
        """The first step of the layer at ``path``. Raises KeyError with the known paths."""
        for step in self.steps:
            if step.path == path:
                return step
        raise KeyError(f"{path!r}; the steps are {[step.path for step in self.steps]}")


class _Recorder:
    """The observer behind a trace: one step for each call, its gradients by difference."""

    def __init__(self) -> None:
        self.steps: dict[int, Step] = {}

    def forward(self, call: Call, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> None:
        path = call.path or type(call.layer).__name__
        self.steps[call.number] = Step(path, call.layer, call.number, outputs[0])

    def backward(self, call: Call, deltas: tuple[Array | None, ...], input_deltas: tuple[Array | None, ...]) -> None:
        step = self.steps[call.number]
        step.delta = deltas[0]
        step.input_delta = input_deltas[0]
        if isinstance(call.layer, Module):
            for name, parameter in call.layer.named_parameters(recurse=False):
                if parameter.grad_array is not None:
                    step.parameter_gradients[name] = parameter.grad_array
                    parameter.grad_array = None  # so that a layer used twice shows the share of each use


def trace(net: Module, x: Array, target: Array, loss: Loss) -> Trace:
    """Take one batch through forward and backward and keep every layer's output and δ.

        z = net(x);  J = loss(z, target);  net.backward(loss.backward())

    Gradients of the parameters end up in the trace, and added to ``grad`` as after any backward.

    Args:
        net: any module.
        x: a batch.
        target: what ``loss`` compares with.
        loss: a loss with ``reduction="mean"`` or ``"sum"``.
    """
    parameters = list(net.parameters())
    gradients = [p.grad_array for p in parameters]
    net.zero_grad()
    recorder = _Recorder()
    try:
        with observe(recorder):
            z = net(x)
            J = loss(z, target)
            input_delta = net.backward(loss.backward())
        steps = list(recorder.steps.values())
        for step in steps:
            for name, gradient in step.parameter_gradients.items():
                getattr(step.layer, name).accumulate(gradient.copy())
    except BaseException:
        net.zero_grad()
        raise
    finally:
        for p, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                p.accumulate(gradient)
    return Trace(steps, z, float(J), input_delta)
