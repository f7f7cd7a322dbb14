"""The formulas of one time step of each recurrent cell: the part in which the cells differ.

A step gets what the input and the previous state contribute, u = W_ih xₜ + b_ih and v = W_hh hₜ₋₁ + b_hh, which are
products that all cells share, and makes the new state of them, number by number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeAlias

from ... import kernels
from ...arrays import Array, array_module
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
    f: Callable[[Array], Array]
    f_backward: Callable[[Array, Array], Array]

    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        h = ctx.h = self.f(u + v)
        return (h,)

    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        delta_u = self.f_backward(ctx.h, delta[0])
        return delta_u, delta_u, (None,)


class TanhStep(_ElmanStep):
    """hₜ = tanh(u + v)."""

    f = staticmethod(kernels.tanh)
    f_backward = staticmethod(kernels.tanh_backward)


class ReLUStep(_ElmanStep):
    """hₜ = max(u + v, 0)."""

    f = staticmethod(kernels.relu)
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
    """

    gates = 4
    states = ("h", "c")
    adds = True

    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        c_before = state[1]
        H = c_before.shape[1]
        z = u + v  # (N, 4 H)
        i_f = kernels.sigmoid(z[:, : 2 * H])
        i, f = i_f[:, :H], i_f[:, H:]
        g = kernels.tanh(z[:, 2 * H : 3 * H])
        o = kernels.sigmoid(z[:, 3 * H :])
        c = f * c_before + i * g
        tanh_c = kernels.tanh(c)
        ctx.gates, ctx.c_before, ctx.tanh_c = (i, f, g, o), c_before, tanh_c
        return o * tanh_c, c

    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        delta_h, delta_c = delta
        (i, f, g, o), tanh_c = ctx.gates, ctx.tanh_c
        delta_c = delta_c + kernels.tanh_backward(tanh_c, delta_h * o)
        delta_z = array_module(tanh_c).concatenate(
            [
                kernels.sigmoid_backward(i, delta_c * g),
                kernels.sigmoid_backward(f, delta_c * ctx.c_before),
                kernels.tanh_backward(g, delta_c * i),
                kernels.sigmoid_backward(o, delta_h * tanh_c),
            ],
            axis=1,
        )  # (N, 4 H)
        return delta_z, delta_z, (None, delta_c * f)


class GRUStep(Step):
    """Reset and update gate, and a candidate n, in the order of their rows r, z, n.

    r, z = σ(u + v)        n = tanh(u + r ⊙ v)        hₜ = (1 - z) ⊙ n + z ⊙ hₜ₋₁
    """

    gates = 3
    states = ("h",)
    adds = False

    def forward(self, ctx: Ctx, u: Array, v: Array, state: State) -> State:
        (h_before,) = state
        H = h_before.shape[1]
        r_z = kernels.sigmoid(u[:, : 2 * H] + v[:, : 2 * H])
        r, z = r_z[:, :H], r_z[:, H:]
        v_n = v[:, 2 * H :]
        n = kernels.tanh(u[:, 2 * H :] + r * v_n)
        ctx.gates, ctx.v_n, ctx.h_before = (r, z, n), v_n, h_before
        return ((1 - z) * n + z * h_before,)

    def backward(self, ctx: Ctx, delta: State) -> StepDeltas:
        delta_h = delta[0]
        r, z, n = ctx.gates
        delta_n = kernels.tanh_backward(n, delta_h * (1 - z))
        delta_r = kernels.sigmoid_backward(r, delta_n * ctx.v_n)
        delta_z = kernels.sigmoid_backward(z, delta_h * (ctx.h_before - n))
        concatenate = array_module(n).concatenate
        delta_u = concatenate([delta_r, delta_z, delta_n], axis=1)  # (N, 3 H)
        delta_v = concatenate([delta_r, delta_z, delta_n * r], axis=1)
        return delta_u, delta_v, (delta_h * z,)
