"""Recurrent networks along time: the cells, and the loop over the time steps.

u = W_ih x + b_ih and v = W_hh h + b_hh hold the rows of all gates side by side; u does not wait for the step before,
and is made for all steps at once, outside. A cell makes the new state of a step from them, number by number.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from ...arrays import Array, array_module
from ...errors import OptionError, ShapeError
from .activation import relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
from .checks import expect

__all__ = ["Cell", "recur", "recur_backward", "recur_sums"]

Cell: TypeAlias = Literal["tanh", "relu", "lstm", "gru"]
State: TypeAlias = tuple[Array, ...]  # (h,), of an LSTM (h, c)
GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}


def recur(
    u: Array,
    state: State | None,
    weight_hh: Array,
    bias_hh: Array | None,
    weight_hr: Array | None,
    mask: Array | None,
    cell: Cell,
    backwards: bool,
    keep: bool,
) -> tuple[Array, Array | None, Array | None, Array | None, Array | None]:
    """Forward along time; returns (h, c, gates, inner, m).

        v = W_hh hₜ₋₁ + b_hh        hₜ, cₜ = cell(uₜ, v, hₜ₋₁, cₜ₋₁)        projected: hₜ = W_hr mₜ, mₜ the cell's

        tanh: h′ = tanh(u + v)        relu: h′ = max(u + v, 0)
        lstm: i, f, o = σ(u + v)        g = tanh(u + v)        c′ = f ⊙ c + i ⊙ g        h′ = o ⊙ tanh(c′)
        gru: r, z = σ(u + v)        n = tanh(u + r ⊙ v)        h′ = (1 - z) ⊙ n + z ⊙ h

    h and c are the state between the steps: before step t they are ``h[t]``, behind it ``h[t + 1]``; ``backwards``,
    from the last step to the first, the other way round. A state of ``None`` is 0, and W_hh has no part in the first
    step. Where ``mask`` says that a sequence has ended it keeps its state. What a cell has not is ``None``. Unless
    ``keep``, only h is whole: of c there is the last one, of the others nothing.

    Shapes: u (T, N, G H), W_hh (G H, P), b_hh (G H,), W_hr (P, H), or ``None`` and P = H, mask (T, N, 1);
    the state h (N, P) and c (N, H). h (T + 1, N, P), c (T + 1, N, H) or (1, N, H), the gates i, f, g, o or r, z, n
    (T, N, G H), inner (T, N, H): tanh c′ of an LSTM, vₙ of a GRU; m (T, N, H).

    Raises:
        ShapeError, DtypeError: an argument does not fit the weights. OptionError: no such cell.
    """
    xp, h_is_0 = array_module(u), state is None
    if state is None:
        P, N = weight_hh.shape[1], u.shape[1]
        state = xp.zeros((N, P), u.dtype), xp.zeros((N, P if weight_hr is None else weight_hr.shape[1]), u.dtype)
    T, N, P, G, H = _check(cell, weight_hh, weight_hr, state, len(u), mask)
    expect("u", u, (T, N, G * H), weight_hh.dtype, "u has a row for each of weight_hh")
    if bias_hh is not None:
        expect("bias_hh", bias_hh, (G * H,), u.dtype, "bias_hh has a number for each row of weight_hh")
    h = xp.empty((T + 1, N, P), u.dtype)
    start = T if backwards else 0
    h[start] = state[0]
    c = xp.empty((T + 1, N, H), u.dtype) if cell == "lstm" else None
    if c is not None:
        c[start] = state[1]
    gates: Any = None if G == 1 else xp.empty((T, N, G * H), u.dtype)
    inner: Any = None if G == 1 else xp.empty((T, N, H), u.dtype)
    m: Any = None if weight_hr is None else xp.empty((T, N, H), u.dtype)
    for t in reversed(range(T)) if backwards else range(T):
        before, after = (t + 1, t) if backwards else (t, t + 1)
        v = xp.zeros_like(u[t]) if h_is_0 else h[before] @ weight_hh.T  # (N, G H)
        h_is_0 = False
        if bias_hh is not None:
            v = v + bias_hh
        new: Any
        if cell == "tanh":
            new = tanh(u[t] + v)
        elif cell == "relu":
            new = relu(u[t] + v)
        elif c is not None:
            new, c[after], gates[t], inner[t] = _lstm(u[t], v, c[before])
        else:
            new, gates[t], inner[t] = _gru(u[t], v, h[before])
        if weight_hr is not None:
            m[t] = new
            new = new @ weight_hr.T
        h[after] = new
        if mask is not None:
            for s in (h, c) if c is not None else (h,):
                s[after] = xp.where(mask[t], s[after], s[before])
    if keep:
        return h, c, gates, inner, m
    return h, None if c is None else c[:1] if backwards else c[-1:], None, None, None


def recur_backward(
    h: Array,
    c: Any,
    gates: Any,
    inner: Any,
    m: Array | None,
    weight_hh: Array,
    weight_hr: Array | None,
    mask: Array | None,
    delta_y: Array | None,
    delta_state: State,
    cell: Cell,
    backwards: bool,
    keep: bool,
    needs_state: bool,
) -> tuple[Array, Array, Array | None, Array | None, Array | None, Array | None]:
    """Back through time; returns (∂J/∂u, ∂J/∂v, δh, δc, ∂J/∂h₀, ∂J/∂c₀).

        δhₜ = ∂J/∂yₜ + W_hhᵀ ∂J/∂vₜ₊₁ + ∂J/∂hₜ of step t + 1 outside v        with a projection δmₜ = W_hrᵀ δhₜ

        tanh: δz = δ ⊙ (1 - h′²)        relu: δz = δ ⊙ [h′ > 0]        ∂J/∂u = ∂J/∂v = δz
        lstm: δc′ = ∂J/∂c′ + δ ⊙ o ⊙ (1 - tanh²(c′))        ∂J/∂c = f ⊙ δc′        ∂J/∂u = ∂J/∂v = δz
              δzᵢ = δc′ ⊙ g ⊙ i ⊙ (1 - i)        δz_f = δc′ ⊙ c ⊙ f ⊙ (1 - f)
              δz_g = δc′ ⊙ i ⊙ (1 - g²)        δzₒ = δ ⊙ tanh(c′) ⊙ o ⊙ (1 - o)
        gru: ∂J/∂uₙ = δ ⊙ (1 - z) ⊙ (1 - n²)        ∂J/∂vₙ = r ⊙ ∂J/∂uₙ        ∂J/∂h = z ⊙ δ, outside v
             ∂J/∂u_r = ∂J/∂v_r = ∂J/∂uₙ ⊙ vₙ ⊙ r ⊙ (1 - r)        ∂J/∂u_z = ∂J/∂v_z = δ ⊙ (h - n) ⊙ z ⊙ (1 - z)

    Shapes: h … m as :func:`recur` kept them; delta_y (T, N, P), or ``None`` for 0; delta_state as the state, for the
    last one. ∂J/∂u and ∂J/∂v (T, N, G H). With ``keep``, or a projection, δh (T, N, P) is all that arrives at h of each
    step, and with ``keep`` δc (T, N, H) what arrives at c from the step after; else they are ``None``.
    So are ∂J/∂h₀ and ∂J/∂c₀ unless ``needs_state``.

    Raises:
        ShapeError, DtypeError: an argument does not fit the weights. OptionError: no such cell.
    """
    T, N, P, G, H = _check(cell, weight_hh, weight_hr, delta_state, len(h) - 1, mask)
    saved = [
        ("h", h, (T + 1, N, P)),
        ("c", c, (T + 1, N, H)),
        ("gates", gates, (T, N, G * H)),
        ("inner", inner, (T, N, H)),
    ]
    for name, a, shape in saved if G > 1 else saved[:1]:
        if name != "c" or cell == "lstm":
            expect(name, a, shape, weight_hh.dtype, f"{name} is that of recur with keep")
    if weight_hr is not None:
        expect("m", m, (T, N, H), weight_hh.dtype, "m is that of recur with keep")
    if delta_y is not None:
        expect("delta_y", delta_y, (T, N, P), h.dtype, "delta_y has a row for each step and sequence")
    xp = array_module(h)
    delta_u = xp.empty((T, N, G * H), h.dtype)
    delta_v = xp.empty_like(delta_u) if cell == "gru" else delta_u
    delta_h = xp.empty((T, N, P), h.dtype) if keep or weight_hr is not None else None
    all_c = xp.empty((T, N, H), h.dtype) if keep and cell == "lstm" else None
    last_h, last_c = (*delta_state, None)[:2]
    for t in range(T) if backwards else reversed(range(T)):
        before, after = (t + 1, t) if backwards else (t, t + 1)
        delta, delta_c = last_h if delta_y is None else last_h + delta_y[t], last_c
        if mask is not None:
            delta, delta_c = delta * mask[t], None if delta_c is None else delta_c * mask[t]
        if delta_h is not None:
            delta_h[t] = delta
        if all_c is not None:
            all_c[t] = last_c
        if weight_hr is not None:
            delta = delta @ weight_hr  # of m
        direct = None
        if cell == "tanh":
            delta_u[t] = tanh_backward(h[after], delta)
        elif cell == "relu":
            delta_u[t] = relu_backward(h[after], delta)
        elif cell == "lstm":
            delta_u[t], delta_c = _lstm_backward(gates[t], c[before], inner[t], delta, delta_c)
        else:
            delta_u[t], delta_v[t], direct = _gru_backward(gates[t], h[before], inner[t], delta)
        if not needs_state and before == (T if backwards else 0):
            return delta_u, delta_v, delta_h, all_c, None, None
        through = delta_v[t] @ weight_hh  # (N, P)
        if direct is not None:
            through = through + direct
        if mask is not None:  # beyond its end a sequence hands the δ of its state on as it is
            through = xp.where(mask[t], through, last_h)
            delta_c = None if delta_c is None else xp.where(mask[t], delta_c, last_c)
        last_h, last_c = through, delta_c
    return delta_u, delta_v, delta_h, all_c, last_h, last_c


def recur_sums(
    x: Array, h: Array, delta_u: Array, delta_v: Array, needs: tuple[bool, bool, bool, bool]
) -> tuple[Array | None, Array | None, Array | None, Array | None]:
    """The sums over time (∂J/∂W_ih, ∂J/∂W_hh, ∂J/∂b_ih, ∂J/∂b_hh); ``None`` where ``needs`` says no.

        ∂J/∂W_ih = Σₜ Σₙ ∂J/∂uₜ xₜᵀ        ∂J/∂W_hh = Σₜ Σₙ ∂J/∂vₜ hₜᵀ
        ∂J/∂b_ih = Σₜ Σₙ ∂J/∂uₜ        ∂J/∂b_hh = Σₜ Σₙ ∂J/∂vₜ

    Why one kernel: but for a GRU, ∂J/∂u and ∂J/∂v are one array, which is then read once for all four.

    Shapes: x (T, N, in), h before each step (T, N, P), ∂J/∂u and ∂J/∂v (T, N, G H).

    Raises:
        ShapeError, DtypeError: steps, sequences, gates or dtypes are not the same.
    """
    T, N, rows = delta_u.shape
    cure = "x, h, delta_u and delta_v have a row for each step and sequence"
    for name, a, width in (("x", x, x.shape[-1]), ("h", h, h.shape[-1]), ("delta_v", delta_v, rows)):
        expect(name, a, (T, N, width), delta_u.dtype, cure)
    x, h, u, v = (a.reshape(T * N, a.shape[2]) for a in (x, h, delta_u, delta_v))
    return (
        u.T @ x if needs[0] else None,
        v.T @ h if needs[1] else None,
        u.sum(axis=0) if needs[2] else None,
        v.sum(axis=0) if needs[3] else None,
    )


def _check(
    cell: str, weight_hh: Array, weight_hr: Array | None, state: State, T: int, mask: Array | None
) -> tuple[int, int, int, int, int]:
    """T, N, P, G and H."""
    if cell not in GATES:
        raise OptionError(f"a cell among {', '.join(GATES)}", repr(cell), "choose one of these")
    N, P = state[0].shape
    G, H = GATES[cell], P if weight_hr is None else weight_hr.shape[1]
    expect("weight_hh", weight_hh, (G * H, P), state[0].dtype, "weight_hh has G rows for each unit, and the width of h")
    if weight_hr is not None:
        expect("weight_hr", weight_hr, (P, H), state[0].dtype, "weight_hr makes the width of h of that of the cell")
    if cell == "lstm":
        expect("c", state[1], (N, H), state[0].dtype, "the state of an LSTM is (h, c)")
    if mask is not None and mask.shape != (T, N, 1):
        raise ShapeError(
            f"mask of shape {(T, N, 1)}", f"shape {mask.shape}", "mask has a row for each step and sequence"
        )
    return T, N, P, G, H


def _lstm(u: Array, v: Array, c_before: Array) -> tuple[Array, Array, Array, Array]:
    """h′, c′, the gates, tanh c′."""
    H = c_before.shape[1]
    z = u + v
    i_f, g, o = sigmoid(z[:, : 2 * H]), tanh(z[:, 2 * H : 3 * H]), sigmoid(z[:, 3 * H :])
    i, f = i_f[:, :H], i_f[:, H:]
    c = f * c_before + i * g
    tanh_c = tanh(c)
    return o * tanh_c, c, array_module(z).concatenate([i_f, g, o], axis=1), tanh_c


def _lstm_backward(gates: Array, c_before: Array, tanh_c: Array, delta_h: Array, delta_c: Array) -> tuple[Array, Array]:
    """δz and ∂J/∂c."""
    H = c_before.shape[1]
    i, f, g, o = (gates[:, k * H : (k + 1) * H] for k in range(4))
    delta_c = delta_c + tanh_backward(tanh_c, delta_h * o)
    delta_z = [
        sigmoid_backward(i, delta_c * g),
        sigmoid_backward(f, delta_c * c_before),
        tanh_backward(g, delta_c * i),
        sigmoid_backward(o, delta_h * tanh_c),
    ]
    return array_module(gates).concatenate(delta_z, axis=1), delta_c * f


def _gru(u: Array, v: Array, h_before: Array) -> tuple[Array, Array, Array]:
    """h′, the gates, vₙ."""
    H = h_before.shape[1]
    r_z = sigmoid(u[:, : 2 * H] + v[:, : 2 * H])
    r, z = r_z[:, :H], r_z[:, H:]
    n = tanh(u[:, 2 * H :] + r * v[:, 2 * H :])
    return (1 - z) * n + z * h_before, array_module(u).concatenate([r_z, n], axis=1), v[:, 2 * H :]


def _gru_backward(gates: Array, h_before: Array, v_n: Array, delta_h: Array) -> tuple[Array, Array, Array]:
    """∂J/∂u, ∂J/∂v, and the part of ∂J/∂h that does not go through v."""
    H = h_before.shape[1]
    r, z, n = (gates[:, k * H : (k + 1) * H] for k in range(3))
    delta_n = tanh_backward(n, delta_h * (1 - z))
    delta_r = sigmoid_backward(r, delta_n * v_n)
    delta_z = sigmoid_backward(z, delta_h * (h_before - n))
    concatenate = array_module(gates).concatenate
    delta_u = concatenate([delta_r, delta_z, delta_n], axis=1)
    return delta_u, concatenate([delta_r, delta_z, delta_n * r], axis=1), delta_h * z
