"""The one loop over time, forward and back, that all recurrent layers and cells run."""

from __future__ import annotations

from typing import Any, NamedTuple

from ... import kernels
from ...arrays import Array, array_module
from ...call import Ctx
from .step import State, Step

__all__ = ["Factors", "Sweep", "Weights", "input_delta", "parameter_gradients", "sweep", "sweep_backward"]


class Weights(NamedTuple):
    """The weights of one direction of one layer; or for each of them its gradient, or whether that is asked for.

    Shapes: ih (gates · H, in), hh (gates · H, P), b_ih and b_hh (gates · H,), hr (P, H); P = H without a projection.
    """

    ih: Any
    hh: Any
    b_ih: Any
    b_hh: Any
    hr: Any


class Sweep(NamedTuple):
    """What a sweep leaves behind for its way back: for each time step in the order of time."""

    x: Array  # (T, N, in)
    h_before: Array  # (T, N, P), hₜ₋₁ as step t got it
    m: Array | None  # (T, N, H), what was projected
    steps: list[Ctx]
    mask: Array | None  # (T, N, 1), True before the end of a sequence
    backwards: bool


class Factors(NamedTuple):
    """The factors of every ∂J/∂weight, for each time step: a slice of them has the share of its steps."""

    x: Array  # (T, N, in)
    h_before: Array  # (T, N, P)
    m: Array | None  # (T, N, H)
    delta_u: Array  # (T, N, gates · H)
    delta_v: Array  # (T, N, gates · H)
    delta_h: Array | None  # (T, N, P), where there is a projection

    def at(self, t: int) -> Factors:
        """Those of time step t alone."""
        return Factors(*[None if a is None else a[t : t + 1] for a in self])


def sweep(
    step: Step, W: Weights, x: Array, state: State, mask: Array | None, backwards: bool, recording: bool
) -> tuple[Array, State, Sweep]:
    """Along time: the outputs hₜ, the last state, and what the way back needs.

        u = x W_ihᵀ + b_ih, for all t at once        v = W_hh hₜ₋₁ + b_hh        hₜ = W_hr step(u, v, state)

    Where the mask ends, a sequence keeps its state and its output is 0.

    Shapes: x (T, N, in), h (N, P), c (N, H), outputs (T, N, P).
    """
    xp = array_module(x)
    T, N = x.shape[:2]
    if mask is not None:
        x = xp.where(mask, x, x.dtype.type(0))  # whatever stands beyond the end, NaN even, is out of play
    u = kernels.linear(x.reshape(T * N, x.shape[2]), W.ih, W.b_ih).reshape(T, N, len(W.ih))
    y = xp.empty((T, N, state[0].shape[1]), x.dtype)
    h_before = xp.empty_like(y)
    m = None if W.hr is None else xp.empty((T, N, W.hr.shape[1]), x.dtype)
    steps = [Ctx() for _ in range(T)] if recording else [Ctx()] * T  # one page, written over
    hh = kernels.pack(W.hh.T, N, T)
    for t in reversed(range(T)) if backwards else range(T):
        h_before[t] = state[0]
        new = step.forward(steps[t], u[t], kernels.packed_product(state[0], hh, W.b_hh), state)
        if m is not None:
            m[t] = new[0]
            new = (kernels.linear(new[0], W.hr, None), *new[1:])
        y[t] = new[0]
        if mask is not None:
            y[t] *= mask[t]
            new = tuple([xp.where(mask[t], after, before) for after, before in zip(new, state, strict=True)])
        state = new
    return y, state, Sweep(x, h_before, m, steps, mask, backwards)


def sweep_backward(
    step: Step, W: Weights, past: Sweep, delta_y: Array | None, delta_state: State, chunk: int = 0
) -> tuple[Factors, State]:
    """Back through time: the factors of every ∂J/∂weight, and ∂J/∂(first state).

        δhₜ = ∂J/∂yₜ + what comes from step t + 1        (∂J/∂u, ∂J/∂v, ∂J/∂state) = step.backward(W_hrᵀ δhₜ)
        δhₜ₋₁ = W_hhᵀ ∂J/∂v + ∂J/∂h

    With ``chunk`` the δ of the state is cut between chunks of so many steps: truncated backpropagation through time.

    Shapes: delta_y (T, N, P), or ``None`` for 0; the state as for :func:`sweep`.
    """
    xp = array_module(past.x)
    T, N = past.x.shape[:2]
    shape = (T, N, len(W.hh))
    delta_u = xp.empty(shape, past.x.dtype)
    delta_v = delta_u if step.adds else xp.empty(shape, past.x.dtype)
    delta_h = None if W.hr is None else xp.empty_like(past.h_before)
    hh = kernels.pack(W.hh, N, T)
    for t in range(T) if past.backwards else reversed(range(T)):
        behind = t - 1 if past.backwards else t + 1  # the step that the δ of the state comes from
        if chunk and 0 <= behind < T and max(t, behind) % chunk == 0:
            delta_state = _cut(delta_state, None if past.mask is None else past.mask[behind])
        delta = delta_state if delta_y is None else (delta_state[0] + delta_y[t], *delta_state[1:])
        if past.mask is not None:
            delta = tuple([d * past.mask[t] for d in delta])
        if delta_h is not None:
            delta_h[t] = delta[0]
            delta = (kernels.matmul(delta[0], W.hr), *delta[1:])
        delta_u[t], v_t, (direct, *rest) = step.backward(past.steps[t], delta)
        if not step.adds:
            delta_v[t] = v_t
        through_v = kernels.packed_product(v_t, hh, None)  # (N, P)
        before = (through_v if direct is None else through_v + direct, *rest)
        if past.mask is not None:  # beyond its end a sequence hands the δ of its state on as it is
            before = tuple([xp.where(past.mask[t], b, d) for b, d in zip(before, delta_state, strict=True)])
        delta_state = before
    return Factors(past.x, past.h_before, past.m, delta_u, delta_v, delta_h), delta_state


def _cut(delta_state: State, mask: Array | None) -> State:
    """0, but for sequences that had ended, where it is still ∂J/∂(last state)."""
    xp = array_module(delta_state[0])
    if mask is None:
        return tuple([xp.zeros_like(d) for d in delta_state])
    return tuple([xp.where(mask, d.dtype.type(0), d) for d in delta_state])


def input_delta(W: Weights, factors: Factors) -> Array:
    """∂J/∂xₜ = W_ihᵀ ∂J/∂uₜ, for all t at once: (T, N, in)."""
    T, N = factors.delta_u.shape[:2]
    return kernels.matmul(_rows(factors.delta_u), W.ih).reshape(T, N, W.ih.shape[1])


def parameter_gradients(W: Weights, factors: Factors, needs: Weights) -> Weights:
    """∂J/∂weight from its factors, ``None`` where ``needs`` says no.

    ∂J/∂W_ih = Σₜ ∂J/∂uₜᵀ xₜ        ∂J/∂W_hh = Σₜ ∂J/∂vₜᵀ hₜ₋₁        ∂J/∂W_hr = Σₜ δhₜᵀ mₜ
    """
    x, h_before, m, delta_u, delta_v, delta_h = [_rows(a) for a in factors]
    is_one_sum = factors.delta_u is factors.delta_v and needs.b_ih and needs.b_hh
    _, d_ih, d_b_ih = kernels.linear_backward(x, W.ih, delta_u, (False, needs.ih, needs.b_ih))
    need_b_hh = needs.b_hh and not is_one_sum
    _, d_hh, d_b_hh = kernels.linear_backward(h_before, W.hh, delta_v, (False, needs.hh, need_b_hh))
    if is_one_sum and d_b_ih is not None:
        d_b_hh = d_b_ih.copy()
    d_hr = kernels.linear_backward(m, W.hr, delta_h, (False, True, False))[1] if needs.hr else None
    return Weights(d_ih, d_hh, d_b_ih, d_b_hh, d_hr)


def _rows(a: Array | None) -> Array | None:
    """(T, N, features) as (T · N, features)."""
    return None if a is None else a.reshape(a.shape[0] * a.shape[1], a.shape[2])
