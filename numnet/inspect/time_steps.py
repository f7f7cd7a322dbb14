"""Time steps: what happened inside one call of a recurrent layer, which to the tape is a single call."""

from __future__ import annotations

from typing import Any

from ..arrays import Array, array_module
from ..call import Ctx
from ..nn.recurrent.base import RecurrentBase
from ..nn.recurrent.sweep import Factors

__all__ = ["time_steps"]


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
    factors: dict[str, Factors] = {}

    def collect(suffix: str, found: Factors) -> None:
        factors[suffix] = found

    layer._back(page, deltas, collect, keep=True)
    pasts = page.pasts if "pasts" in vars(page) else [page.past]
    suffixes = list(getattr(layer, "_suffixes", [""]))
    found: dict[str, Array] = {}
    for suffix, past in zip(suffixes, pasts, strict=True):
        own = factors[suffix]
        arrays: dict[str, Any] = {"x": own.x, "h_before": own.h_before}
        arrays |= {"delta_u": own.delta_u, "delta_v": own.delta_v, "delta_h": own.delta_h}
        letters = layer.step.gates
        if past.gates is not None:
            split = array_module(own.x).split(past.gates, len(letters), axis=2)  # each (T, N, H)
            arrays |= dict(zip(letters, split, strict=True))
        if layer.step.cell == "lstm":
            arrays |= {"delta_c": own.delta_c, "c_before": past.before(past.c), "tanh_c": past.inner}
        elif layer.step.cell == "gru":
            arrays["v_n"] = past.inner
        else:
            arrays["h"] = past.after(past.h)
        prefix = f"{suffix.lstrip('_') or 'step'}."
        found.update({prefix + name: array for name, array in arrays.items()})
    return found
