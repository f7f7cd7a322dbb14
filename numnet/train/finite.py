"""Where NaN comes from: the batch, the weights, or the first layer whose output is not finite."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..arrays import Array, array_module, is_array, is_floating
from ..call import Call, no_grad, observe
from ..errors import NonFiniteError, NumnetError
from ..nn.module import Module
from ..random import undisturbed

__all__ = ["not_finite"]


class _First:
    """An observer that keeps the first call whose output is not finite."""

    def __init__(self) -> None:
        self.found = ""

    def forward(self, call: Call, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> None:
        if not self.found:
            for a in outputs:
                if wrong := _wrong(a):
                    name = type(call.layer).__name__
                    self.found = f"{name} at {call.path!r}" if call.path else name
                    self.found += f": {wrong} of {a.size} numbers"

    def backward(self, call: Call, deltas: tuple[Array | None, ...], input_deltas: tuple[Array | None, ...]) -> None:
        return None


def not_finite(net: Module, loss: Module, inputs: tuple[Any, ...], y: Any, lr: float, what: str) -> NonFiniteError:
    """The error for a batch whose loss is not finite: it goes forward once more, and is watched.

    Args:
        what: what was seen of it, in words.
    """
    high = f"a lower learning rate (it is {lr:g}); clip_norm=1.0, where single steps are the trouble"
    for name, x in [*((f"input {i}" if i else "x", x) for i, x in enumerate(inputs)), ("y", y)]:
        if wrong := _wrong(x):
            cure = "look for it in the data, or for what was divided by 0 on the way: np.argwhere(~np.isfinite(x))"
            got = f"{what}, and {wrong} of {x.size} numbers of the batch's {name} are not finite"
            return NonFiniteError("a finite loss", got, cure)
    for name, parameter in net.named_parameters():
        if wrong := _wrong(parameter.array):
            got = f"{what}; the step before made {wrong} of {parameter.array.size} numbers of {name} NaN or infinite"
            return NonFiniteError("a finite loss", got, high)
    first = _First()
    with no_grad(), undisturbed(), observe(first), suppress(NumnetError):  # a loss may refuse what we have seen by then
        loss(net(*inputs), y)
    got = f"{what}; the first layer whose output is not finite: {first.found}" if first.found else what
    return NonFiniteError("a finite loss", got, high)


def _wrong(a: Array) -> int:
    """How many numbers of a are NaN or infinite."""
    return int((~array_module(a).isfinite(a)).sum()) if is_array(a) and is_floating(a) else 0
