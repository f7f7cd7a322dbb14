"""One time step of the cells of recurrent networks, of what the input and the old state contribute to it.

u = W_ih x + b_ih and v = W_hh h + b_hh hold the rows of all gates side by side. The new h is always the first result.
"""

from __future__ import annotations

from ...arrays import Array, array_module
from .activation import relu, sigmoid, sigmoid_backward, tanh, tanh_backward
from .checks import expect

__all__ = ["gru_cell", "gru_cell_backward", "lstm_cell", "lstm_cell_backward", "relu_cell", "tanh_cell"]


def tanh_cell(u: Array, v: Array) -> Array:
    """h′ = tanh(u + v); its backward is that of tanh.

    Shapes: u, v and h′ (N, H).

    Raises:
        ShapeError, DtypeError: ``v`` is not like ``u``.
    """
    return tanh(_sum(u, v))


def relu_cell(u: Array, v: Array) -> Array:
    """h′ = max(u + v, 0); its backward is that of relu.

    Shapes: u, v and h′ (N, H).

    Raises:
        ShapeError, DtypeError: ``v`` is not like ``u``.
    """
    return relu(_sum(u, v))


def lstm_cell(u: Array, v: Array, c_before: Array) -> tuple[Array, Array, Array, Array]:
    """Input, forget and output gate and the candidate g; returns (h′, c′, gates, tanh c′).

        i, f, o = σ(u + v)        g = tanh(u + v)        c′ = f ⊙ c + i ⊙ g        h′ = o ⊙ tanh(c′)

    Shapes: u, v and the gates i, f, g, o (N, 4 H), the others (N, H).

    Raises:
        ShapeError, DtypeError: ``u`` and ``v`` are not four blocks of the width of ``c_before``.
    """
    N, H = c_before.shape
    expect("u", u, (N, 4 * H), c_before.dtype, "u has four gates a unit")
    z = _sum(u, v)
    i_f, g, o = sigmoid(z[:, : 2 * H]), tanh(z[:, 2 * H : 3 * H]), sigmoid(z[:, 3 * H :])
    i, f = i_f[:, :H], i_f[:, H:]
    c = f * c_before + i * g
    tanh_c = tanh(c)
    return o * tanh_c, c, array_module(z).concatenate([i_f, g, o], axis=1), tanh_c


def lstm_cell_backward(
    gates: Array, c_before: Array, tanh_c: Array, delta_h: Array, delta_c: Array
) -> tuple[Array, Array]:
    """∂J/∂u = ∂J/∂v = δz, and ∂J/∂c, of :func:`lstm_cell`.

        δc′ = ∂J/∂c′ + δh′ ⊙ o ⊙ (1 - tanh²(c′))
        δzᵢ = δc′ ⊙ g ⊙ i ⊙ (1 - i)        δz_f = δc′ ⊙ c ⊙ f ⊙ (1 - f)
        δz_g = δc′ ⊙ i ⊙ (1 - g²)        δzₒ = δh′ ⊙ tanh(c′) ⊙ o ⊙ (1 - o)        ∂J/∂c = f ⊙ δc′

    Shapes: gates and δz (N, 4 H), the others (N, H).

    Raises:
        ShapeError, DtypeError: an array is not of the batch, width and dtype of ``c_before``.
    """
    N, H = c_before.shape
    expect("gates", gates, (N, 4 * H), c_before.dtype, "the gates i, f, g, o are those of lstm_cell")
    for name, a in (("tanh_c", tanh_c), ("delta_h", delta_h), ("delta_c", delta_c)):
        expect(name, a, (N, H), c_before.dtype, f"{name} has the shape of the state")
    i, f, g, o = (gates[:, k * H : (k + 1) * H] for k in range(4))
    delta_c = delta_c + tanh_backward(tanh_c, delta_h * o)
    delta_z = [
        sigmoid_backward(i, delta_c * g),
        sigmoid_backward(f, delta_c * c_before),
        tanh_backward(g, delta_c * i),
        sigmoid_backward(o, delta_h * tanh_c),
    ]
    return array_module(gates).concatenate(delta_z, axis=1), delta_c * f


def gru_cell(u: Array, v: Array, h_before: Array) -> tuple[Array, Array]:
    """Reset gate r, update gate z and candidate n; returns (h′, gates).

        r, z = σ(u + v)        n = tanh(u + r ⊙ v)        h′ = (1 - z) ⊙ n + z ⊙ h

    Shapes: u, v and the gates r, z, n (N, 3 H), h and h′ (N, H).

    Raises:
        ShapeError, DtypeError: ``u`` and ``v`` are not three blocks of the width of ``h_before``.
    """
    N, H = h_before.shape
    for name, a in (("u", u), ("v", v)):
        expect(name, a, (N, 3 * H), h_before.dtype, f"{name} has three gates a unit")
    r_z = sigmoid(u[:, : 2 * H] + v[:, : 2 * H])
    r, z = r_z[:, :H], r_z[:, H:]
    n = tanh(u[:, 2 * H :] + r * v[:, 2 * H :])
    return (1 - z) * n + z * h_before, array_module(u).concatenate([r_z, n], axis=1)


def gru_cell_backward(gates: Array, h_before: Array, v_n: Array, delta_h: Array) -> tuple[Array, Array, Array]:
    """∂J/∂u, ∂J/∂v, and the part of ∂J/∂h that does not go through v, of :func:`gru_cell`.

        ∂J/∂uₙ = δ ⊙ (1 - z) ⊙ (1 - n²)        ∂J/∂vₙ = r ⊙ ∂J/∂uₙ
        ∂J/∂u_r = ∂J/∂v_r = ∂J/∂uₙ ⊙ vₙ ⊙ r ⊙ (1 - r)        ∂J/∂u_z = ∂J/∂v_z = δ ⊙ (h - n) ⊙ z ⊙ (1 - z)
        ∂J/∂h = z ⊙ δ

    Shapes: gates, ∂J/∂u and ∂J/∂v (N, 3 H), the others (N, H); v_n is the last block of v.

    Raises:
        ShapeError, DtypeError: an array is not of the batch, width and dtype of ``h_before``.
    """
    N, H = h_before.shape
    expect("gates", gates, (N, 3 * H), h_before.dtype, "the gates r, z, n are those of gru_cell")
    for name, a in (("v_n", v_n), ("delta_h", delta_h)):
        expect(name, a, (N, H), h_before.dtype, f"{name} has the shape of the state")
    r, z, n = (gates[:, k * H : (k + 1) * H] for k in range(3))
    delta_n = tanh_backward(n, delta_h * (1 - z))
    delta_r = sigmoid_backward(r, delta_n * v_n)
    delta_z = sigmoid_backward(z, delta_h * (h_before - n))
    concatenate = array_module(gates).concatenate
    delta_u = concatenate([delta_r, delta_z, delta_n], axis=1)
    return delta_u, concatenate([delta_r, delta_z, delta_n * r], axis=1), delta_h * z


def _sum(u: Array, v: Array) -> Array:
    expect("v", v, u.shape, u.dtype, "v has the shape of u")
    return u + v
