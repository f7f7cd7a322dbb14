"""Shares of time: what each time step of a recurrent layer adds to the gradients of its weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arrays import Array
from ..call import Call, Ctx, observe
from ..errors import OptionError
from ..nn import Loss, Module
from ..nn.recurrent import Recurrent
from ..nn.utils import get_total_norm

__all__ = ["TimeShares", "time_shares"]


@dataclass(frozen=True, slots=True)
class TimeShares:
    """The gradients of one call of one recurrent layer, by time step.

    Attributes:
        path: the layer's path in the network.
        shares: by the parameter's name (T, *shape of the parameter); the sum over the T steps is ∂J/∂parameter.
        truncated: the same where δ does not pass from one chunk of time steps to the one before it; empty unless asked.
        total_norm: √(Σ g²) over the gradients of all parameters of the network together.
    """

    path: str
    shares: dict[str, Array]
    truncated: dict[str, Array] = field(default_factory=dict)
    total_norm: float = 0.0

    def sizes(self, name: str) -> Array:
        """√(Σ g²) of every step's share in the gradient of the parameter ``name``: (T,)."""
        share = self.shares[name]
        return np.sqrt(np.square(share).reshape(len(share), -1).sum(axis=1))


class _Recorder:
    """The observer: it holds on to the ctx of every recurrent call, to go back through it by itself."""

    def __init__(self, chunk: int) -> None:
        self.chunk = chunk
        self.pages: dict[int, Ctx] = {}
        self.found: dict[int, TimeShares] = {}

    def forward(self, call: Call, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> None:
        if isinstance(call.layer, Recurrent) and call.ctx is not None:
            self.pages[call.number] = call.ctx

    def backward(self, call: Call, deltas: tuple[Array | None, ...], input_deltas: tuple[Array | None, ...]) -> None:
        if isinstance(call.layer, Recurrent):
            page = self.pages.pop(call.number)
            shares = call.layer.time_shares(page, deltas)
            truncated = call.layer.time_shares(page, deltas, self.chunk) if self.chunk else {}
            self.found[call.number] = TimeShares(call.path or type(call.layer).__name__, shares, truncated)


def time_shares(net: Module, x: Array, target: Array, loss: Loss, chunk: int = 0) -> list[TimeShares]:
    """Take one batch through forward and backward and list what each time step adds to the gradients.

        ∂J/∂W_hh = Σₜ share[t]        share[t] = ∂J/∂vₜᵀ hₜ₋₁

    The gradients of the network stay as they were. Where the shares of early steps vanish, so does what the network
    can learn from them.

    Args:
        net: a module with RNN, LSTM or GRU layers in it, whose output is what ``loss`` takes.
        x: a batch.
        target: what ``loss`` compares with.
        loss: a loss with ``reduction="mean"`` or ``"sum"``.
        chunk: if not 0, the shares of truncated backpropagation through time as well: in each call of a recurrent layer
            the δ of the state is cut between chunks of so many steps. The δ that arrives from above is the full one.

    Returns:
        One entry for each call of a recurrent layer, in the order of forward.

    Raises:
        OptionError: no recurrent layer in ``net`` was gone back through; a negative ``chunk``.
    """
    if chunk < 0:
        raise OptionError("chunks of 1 time step or more, or 0 for no truncation", f"chunk={chunk}")
    parameters = list(net.parameters())
    gradients = [p.grad_array for p in parameters]
    net.zero_grad()
    recorder = _Recorder(chunk)
    try:
        with observe(recorder):
            z = net(x)
            loss(z, target)
            net.backward(loss.backward())
        norm = float(get_total_norm([p.grad_array for p in parameters if p.grad_array is not None]))
    finally:
        for p, gradient in zip(parameters, gradients, strict=True):
            p.grad_array = gradient
    if not recorder.found:
        cure = "time_shares is for nn.RNN, nn.LSTM and nn.GRU; trace shows the gradients of other layers"
        raise OptionError("a network with a recurrent layer that J depends on", type(net).__name__, cure)
    return [replace(recorder.found[number], total_norm=norm) for number in sorted(recorder.found)]
