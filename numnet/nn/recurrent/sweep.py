"""The one sweep over time, forward and back, that all recurrent layers and cells run."""

from __future__ import annotations

from typing import Any, NamedTuple

from ... import kernels
from ...arrays import Array, array_module
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
    """What a sweep leaves behind for its way back; the state h and c stands between the steps, T + 1 times."""

    x: Array  # (T, N, in)
    h: Array  # (T + 1, N, P)
    c: Array | None  # (T + 1, N, H)
    gates: Array | None  # (T, N, gates · H)
    inner: Array | None  # (T, N, H), tanh c of an LSTM, vₙ of a GRU
    m: Array | None  # (T, N, H), what was projected
    mask: Array | None  # (T, N, 1), True before the end of a sequence
    backwards: bool

    def before(self, state: Array) -> Array:
        """Of h or c what each step got: (T, N, …)."""
        return state[1:] if self.backwards else state[:-1]

    def after(self, state: Array) -> Array:
        """Of h or c what each step made: (T, N, …)."""
        return state[:-1] if self.backwards else state[1:]

    def part(self, first: int, last: int) -> Sweep:
        """The time steps from ``first`` to ``last`` - 1."""
        between = [None if s is None else s[first : last + 1] for s in (self.h, self.c)]
        each = [None if a is None else a[first:last] for a in (self.gates, self.inner, self.m, self.mask)]
        return Sweep(self.x[first:last], *between, *each, self.backwards)  # type: ignore[arg-type,call-arg]


class Factors(NamedTuple):
    """The factors of every ∂J/∂weight, for each time step: a slice of them has the share of its steps."""

    x: Array  # (T, N, in)
    h_before: Array  # (T, N, P)
    m: Array | None  # (T, N, H)
    delta_u: Array  # (T, N, gates · H)
    delta_v: Array  # (T, N, gates · H)
    delta_h: Array | None  # (T, N, P), where there is a projection, or it is to be kept
    delta_c: Array | None  # (T, N, H), of an LSTM, if it is to be kept

    def at(self, t: int) -> Factors:
        """Those of time step t alone."""
        return Factors(*[None if a is None else a[t : t + 1] for a in self])


def sweep(
    step: Step, W: Weights, x: Array, state: State | None, mask: Array | None, backwards: bool, recording: bool
) -> tuple[Array, State, Sweep]:
    """Along time: the outputs hₜ, the last state, and what the way back needs.

        u = x W_ihᵀ + b_ih, for all t at once        v = W_hh hₜ₋₁ + b_hh        hₜ = W_hr cell(u, v, state)

    Where the mask ends, a sequence keeps its state and its output is 0. A state of ``None`` is 0.

    Shapes: x (T, N, in), h (N, P), c (N, H), outputs (T, N, P).
    """
    if mask is not None:
        x = array_module(x).where(mask, x, x.dtype.type(0))  # whatever stands beyond the end, NaN even, is out of play
    u = kernels.linear(x, W.ih, W.b_ih)  # (T, N, gates · H)
    h, c, gates, inner, m = kernels.recur(u, state, W.hh, W.b_hh, W.hr, mask, step.cell, backwards, recording)
    past = Sweep(x, h, c, gates, inner, m, mask, backwards)
    last = tuple([s[0 if backwards else -1] for s in (h, c) if s is not None])
    y = past.after(h)
    return y if mask is None else y * mask, last, past


def sweep_backward(
    step: Step,
    W: Weights,
    past: Sweep,
    delta_y: Array | None,
    delta_state: State,
    chunk: int = 0,
    keep: bool = False,
    needs_state: bool = True,
) -> tuple[Factors, tuple[Array | None, ...]]:
    """Back through time: the factors of every ∂J/∂weight, and ∂J/∂(first state), ``None`` unless ``needs_state``.

        δhₜ = ∂J/∂yₜ + what comes from step t + 1        ∂J/∂u, ∂J/∂v, ∂J/∂state: the cell's, of W_hrᵀ δhₜ
        δhₜ₋₁ = W_hhᵀ ∂J/∂v + ∂J/∂h

    With ``chunk`` the δ of the state is cut between chunks of so many steps: truncated backpropagation through time.
    With ``keep`` the factors hold δh and δc of every step too.

    Shapes: delta_y (T, N, P), or ``None`` for 0; the state as for :func:`sweep`.
    """
    T = len(past.x)
    chunks = [(t, min(t + (chunk or T), T)) for t in range(0, T, chunk or T)]
    found: list[list[Array | None]] = []
    for first, last in chunks if past.backwards else reversed(chunks):
        if found:
            behind = first - 1 if past.backwards else last  # the step that the δ of the state comes from
            delta_state = _cut(delta_state, None if past.mask is None else past.mask[behind])
        p = past.part(first, last) if chunk else past
        own = delta_y[first:last] if chunk and delta_y is not None else delta_y
        saved = (p.h, p.c, p.gates, p.inner, p.m, W.hh, W.hr, p.mask)
        how = (step.cell, p.backwards, keep, needs_state or bool(chunk))
        *deltas, delta_h, delta_c = kernels.recur_backward(*saved, own, delta_state, *how)
        delta_state = (delta_h, delta_c)[: len(step.states)]
        found.append(deltas)
    if len(found) > 1:
        in_time = found if past.backwards else found[::-1]
        xp = array_module(past.x)
        u_is_v = found[0][0] is found[0][1]
        deltas = [None if parts[0] is None else xp.concatenate(parts) for parts in zip(*in_time, strict=True)]
        if u_is_v:
            deltas[1] = deltas[0]
    return Factors(past.x, past.before(past.h), past.m, *deltas), delta_state


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
    x, h_before, m, delta_u, delta_v, delta_h, _ = factors
    d_ih, d_hh, d_b_ih, d_b_hh = kernels.recur_sums(x, h_before, delta_u, delta_v, tuple(needs[:4]))
    d_hr = None
    if needs.hr:
        d_hr = kernels.linear_backward(_rows(m), W.hr, _rows(delta_h), (False, True, False))[1]
    return Weights(d_ih, d_hh, d_b_ih, d_b_hh, d_hr)


def _rows(a: Array | None) -> Array | None:
    """(T, N, features) as (T · N, features)."""
    return None if a is None else a.reshape(a.shape[0] * a.shape[1], a.shape[2])
