"""Time steps: what happened inside one call of a recurrent layer, which to the tape is a single call."""

from __future__ import annotations

import copy
from typing import Any

from ..arrays import Array, array_module
from ..call import Ctx
from ..nn.recurrent.base import RecurrentBase
from ..nn.recurrent.step import State, Step, StepDeltas
from ..nn.recurrent.sweep import Factors

__all__ = ["GATES", "time_steps"]

GATES = {"TanhStep": "", "ReLUStep": "", "LSTMStep": "ifgo", "GRUStep": "rzn"}
"""The letters of the gates of each kind of step, in the order of their rows."""


class _Spy(Step):
    """A step that notes the δ that arrives at each time step, and does what the step does."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.gates, self.states, self.adds = step.gates, step.states, step.adds  # type: ignore[misc]
        self.arrived: dict[int, State] = {}

    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        return self.step.forward(ctx, u, v, state)

    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        self.arrived[id(ctx)] = delta
        return self.step.backward(ctx, delta)


def time_steps(layer: RecurrentBase, page: Ctx, deltas: tuple[Array | None, ...]) -> dict[str, Array]:
    """The arrays of every time step, from one more way back through what a call saved.

    The layer and its gradients stay as they are.

    Args:
        layer: the recurrent layer or cell.
        page: the ctx of its call.
        deltas: δ of each output, ``None`` for zero.

    Returns:
        By name, ``"l0.h_before"`` for a sequence (``"step.h_before"`` for a cell), arrays with the time step first:
        x, h_before, delta_u, delta_v, delta_h (δ arriving at h), the gates by their letters; for an LSTM c_before,
        tanh_c and delta_c (δ arriving at c from the next step), for a GRU v_n, for an RNN h.
    """
    twin = copy.copy(layer)
    spy = _Spy(layer.step)
    factors: dict[str, Factors] = {}

    def collect(suffix: str, found: Factors) -> None:
        factors[suffix] = found

    vars(twin).update(step=spy, _accumulate=collect)
    type(layer).backward(twin, page, deltas if len(deltas) > 1 else deltas[0])
    pasts = page.pasts if "pasts" in vars(page) else [page.past]
    suffixes = list(getattr(layer, "_suffixes", [""]))
    found: dict[str, Array] = {}
    for suffix, past in zip(suffixes, pasts, strict=True):
        prefix = f"{suffix.lstrip('_') or 'step'}."
        own = factors[suffix]
        xp: Any = array_module(own.x)
        arrays: dict[str, Array] = {"x": own.x, "h_before": own.h_before}
        arrays |= {"delta_u": own.delta_u, "delta_v": own.delta_v}
        arrived = [spy.arrived[id(step)] for step in past.steps]
        arrays["delta_h"] = xp.stack([d[0] for d in arrived])
        letters = GATES[type(layer.step).__name__]
        if letters:
            gates = xp.stack([step.gates for step in past.steps])  # (T, N, gates · H)
            arrays |= dict(zip(letters, xp.split(gates, len(letters), axis=2), strict=True))
        if letters == "ifgo":
            arrays["delta_c"] = xp.stack([d[1] for d in arrived])
            arrays["c_before"] = xp.stack([step.c_before for step in past.steps])
            arrays["tanh_c"] = xp.stack([step.tanh_c for step in past.steps])
        elif letters == "rzn":
            arrays["v_n"] = xp.stack([step.v_n for step in past.steps])
        else:
            arrays["h"] = xp.stack([step.h for step in past.steps])
        found.update({prefix + name: array for name, array in arrays.items()})
    return found
