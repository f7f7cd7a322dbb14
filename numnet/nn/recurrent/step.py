"""The formulas of one time step of each recurrent cell: the part in which the cells differ.

A step gets what the input and the previous state contribute, u = W_ih xₜ + b_ih and v = W_hh hₜ₋₁ + b_hh, which are
products that all cells share, and makes the new state of them, number by number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeAlias

from ... import kernels
from ...arrays import Array
from ...call import Ctx
from ...errors import OptionError

__all__ = ["GRUStep", "LSTMStep", "ReLUStep", "State", "Step", "StepDeltas", "TanhStep", "elman_step"]

State: TypeAlias = tuple[Array, ...]  # (h,), or (h, c)
StepDeltas: TypeAlias = tuple[Array, Array, tuple[Array | None, ...]]  # ∂J/∂u, ∂J/∂v, ∂J/∂(old state)


class Step(ABC):
    """Abstract: one time step, forward and back, with a ctx of its own as a layer has."""

    gates: ClassVar[int]
    """How many blocks of H rows the weights have."""
    states: ClassVar[tuple[str, ...]]
    """The letters of the state: ``("h",)``, or ``("h", "c")``."""
    adds: ClassVar[bool]
    """Whether u and v only ever meet in u + v, so that ∂J/∂u and ∂J/∂v are one array."""

    @abstractmethod
    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        """The new state. Shapes: u and v (N, gates · H), h and c (N, H)."""

    @abstractmethod
    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        """From ∂J/∂(new state): ∂J/∂u, ∂J/∂v, and ∂J/∂(old state) where that does not go through v, ``None`` for 0."""


class _ElmanStep(Step):
    """Abstract: hₜ = f(u + v)        ∂J/∂u = ∂J/∂v = δ ⊙ f′(u + v)."""

    gates = 1
    states = ("h",)
    adds = True
    cell: Callable[[Array, Array], Array]
    f_backward: Callable[[Array, Array], Array]

    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        h = ctx.h = self.cell(u, v)
        return (h,)

    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        delta_u = self.f_backward(ctx.h, delta[0])
        return delta_u, delta_u, (None,)


class TanhStep(_ElmanStep):
    """hₜ = tanh(u + v)."""

    cell = staticmethod(kernels.tanh_cell)
    f_backward = staticmethod(kernels.tanh_backward)


class ReLUStep(_ElmanStep):
    """hₜ = max(u + v, 0)."""

    cell = staticmethod(kernels.relu_cell)
    f_backward = staticmethod(kernels.relu_backward)


def elman_step(nonlinearity: str) -> Step:
    """The step with this f.

    Raises:
        OptionError: neither ``"tanh"`` nor ``"relu"``.
    """
    steps: dict[str, type[Step]] = {"tanh": TanhStep, "relu": ReLUStep}
    if nonlinearity not in steps:
        raise OptionError('nonlinearity "tanh" or "relu"', repr(nonlinearity), "choose one of these")
    return steps[nonlinearity]()


class LSTMStep(Step):
    """Input, forget and output gate, and a candidate g, in the order of their rows i, f, g, o.

    i, f, o = σ(u + v)        g = tanh(u + v)        cₜ = f ⊙ cₜ₋₁ + i ⊙ g        hₜ = o ⊙ tanh(cₜ)

    δcₜ = ∂J/∂cₜ + δhₜ ⊙ o ⊙ (1 - tanh²(cₜ))        δzᵢ = δcₜ ⊙ g ⊙ i ⊙ (1 - i)        δz_f = δcₜ ⊙ cₜ₋₁ ⊙ f ⊙ (1 - f)
    δz_g = δcₜ ⊙ i ⊙ (1 - g²)        δzₒ = δhₜ ⊙ tanh(cₜ) ⊙ o ⊙ (1 - o)        ∂J/∂cₜ₋₁ = f ⊙ δcₜ
    """

    gates = 4
    states = ("h", "c")
    adds = True

    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        ctx.c_before = state[1]
        h, c, ctx.gates, ctx.tanh_c = kernels.lstm_cell(u, v, ctx.c_before)
        return h, c

    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        delta_h, delta_c = delta
        delta_z, delta_c = kernels.lstm_cell_backward(ctx.gates, ctx.c_before, ctx.tanh_c, delta_h, delta_c)
        return delta_z, delta_z, (None, delta_c)


class GRUStep(Step):
    """Reset and update gate, and a candidate n, in the order of their rows r, z, n.

    r, z = σ(u + v)        n = tanh(u + r ⊙ v)        hₜ = (1 - z) ⊙ n + z ⊙ hₜ₋₁

    ∂J/∂uₙ = δhₜ ⊙ (1 - z) ⊙ (1 - n²)        ∂J/∂vₙ = r ⊙ ∂J/∂uₙ        ∂J/∂hₜ₋₁ = z ⊙ δhₜ, and what goes through v
    ∂J/∂u_r = ∂J/∂v_r = ∂J/∂uₙ ⊙ vₙ ⊙ r ⊙ (1 - r)        ∂J/∂u_z = ∂J/∂v_z = δhₜ ⊙ (hₜ₋₁ - n) ⊙ z ⊙ (1 - z)
    """

    gates = 3
    states = ("h",)
    adds = False

    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        (h_before,) = state
        h, gates = kernels.gru_cell(u, v, h_before)
        ctx.gates, ctx.h_before, ctx.v_n = gates, h_before, v[:, 2 * h.shape[1] :]
        return (h,)

    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        delta_u, delta_v, delta_h = kernels.gru_cell_backward(ctx.gates, ctx.h_before, ctx.v_n, delta[0])
        return delta_u, delta_v, (delta_h,)
