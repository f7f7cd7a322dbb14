"""Normalisation within every sample: group norm, which with one group is layer norm, and root mean square norm."""

from __future__ import annotations

from ...arrays import Array, array_module
from ...errors import OptionError, ShapeError, describe
from .checks import expect

__all__ = ["group_norm", "group_norm_backward", "rms_norm", "rms_norm_backward"]


def group_norm(
    x: Array, weight: Array | None, bias: Array | None, groups: int, eps: float
) -> tuple[Array, Array, Array]:
    """Normalisation of every group of channels of every sample: (y, mean, 1/σ).

        μ = Σ x / M        σ² = Σ (x - μ)² / M        y = γ (x - μ) / √(σ² + ε) + β        Σ over the M of a group

    Shapes: x and y (N, C, S), weight γ and bias β (C,) or ``None`` for 1 and 0, the statistics (N · ``groups``,).
    Layer norm of rows of M numbers has x (rows, M, 1) and one group.

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.
        OptionError: ``groups`` does not divide C.

    Source: Wu and He, Group normalization, 2018, equations 1, 2 and 7.
    """
    _check(x, groups, weight=weight, bias=bias)
    rows = _rows(x, groups)  # (N G, M)
    mean = _mean(rows)
    mean = mean + _mean(rows - mean[:, None])  # far from 0, the first is rounded in places that matter
    centred = rows - mean[:, None]
    inv_std = 1 / array_module(x).sqrt(_mean(centred * centred) + float(eps))
    y = (centred * inv_std[:, None]).reshape(x.shape)
    y = y if weight is None else y * weight[:, None]
    return y if bias is None else y + bias[:, None], mean, inv_std


def group_norm_backward(
    x: Array,
    delta: Array,
    weight: Array | None,
    groups: int,
    mean: Array,
    inv_std: Array,
    needs: tuple[bool, bool, bool],
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of :func:`group_norm` with respect to (x, γ, β); ``None`` where ``needs`` says no.

        x̂ = (x - μ) / σ        ∂J/∂γ = Σₙₛ δ x̂        ∂J/∂β = Σₙₛ δ        d = γ δ
        ∂J/∂x = (d - Σd / M - x̂ Σ(d x̂) / M) / σ        Σ over the M of a group

    Shapes: as for :func:`group_norm`; δ (N, C, S).

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.
        OptionError: ``groups`` does not divide C.
    """
    _check(x, groups, delta, mean, inv_std, weight=weight)
    x_hat = (_rows(x, groups) - mean[:, None]) * inv_std[:, None]  # (N G, M)
    delta_x = None
    if needs[0]:
        d = _rows(delta if weight is None else delta * weight[:, None], groups)
        d = d - _mean(d)[:, None] - x_hat * _mean(d * x_hat)[:, None]
        delta_x = (d * inv_std[:, None]).reshape(x.shape)
    d_gamma = (delta * x_hat.reshape(x.shape)).sum(axis=(0, 2)) if needs[1] else None
    return delta_x, d_gamma, delta.sum(axis=(0, 2)) if needs[2] else None


def rms_norm(x: Array, weight: Array | None, eps: float) -> tuple[Array, Array]:
    """Every row divided by its root mean square r: (y, 1/r).

        r = √(Σ x² / M + ε)        y = γ x / r        Σ over the row

    Shapes: x and y (rows, M), weight γ (M,) or ``None`` for 1, r (rows,).

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.

    Source: Zhang and Sennrich, Root mean square layer normalization, 2019, equation 4.
    """
    _check_rows(x, weight=weight)
    inv_rms = 1 / array_module(x).sqrt(_mean(x * x) + float(eps))
    y = x * inv_rms[:, None]
    return y if weight is None else y * weight, inv_rms


def rms_norm_backward(
    x: Array, delta: Array, weight: Array | None, inv_rms: Array, needs: tuple[bool, bool]
) -> tuple[Array | None, Array | None]:
    """Gradients of :func:`rms_norm` with respect to (x, γ); ``None`` where ``needs`` says no.

        x̂ = x / r        ∂J/∂γ = Σ δ x̂        d = γ δ        ∂J/∂x = (d - x̂ Σ(d x̂) / M) / r

    Shapes: as for :func:`rms_norm`; δ (rows, M).

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.
    """
    _check_rows(x, delta, inv_rms, weight=weight)
    x_hat = x * inv_rms[:, None]
    delta_x = None
    if needs[0]:
        d = delta if weight is None else delta * weight
        delta_x = (d - x_hat * _mean(d * x_hat)[:, None]) * inv_rms[:, None]
    return delta_x, (delta * x_hat).sum(axis=0) if needs[1] else None


def _rows(x: Array, groups: int) -> Array:
    N, C, S = x.shape
    return x.reshape(N * groups, C // groups * S)


def _mean(rows: Array) -> Array:
    """Of every row; 0 for rows of no numbers."""
    return rows.sum(axis=1) / max(rows.shape[1], 1)


def _check(
    x: Array,
    groups: int,
    delta: Array | None = None,
    mean: Array | None = None,
    inv_std: Array | None = None,
    **per_channel: Array | None,
) -> None:
    if x.ndim != 3:
        raise ShapeError("x of shape (batch, channels, positions)", describe(x), "reshape the spatial axes to one")
    N, C = x.shape[:2]
    if groups < 1 or C % groups:
        raise OptionError(f"groups that divide the {C} channels", f"groups={groups}", "choose a divisor")
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the output y")
    for name, array in (("mean", mean), ("inv_std", inv_std)):
        expect(name, array, (N * groups,), x.dtype, "the statistics are those that the forward pass gave")
    for name, array in per_channel.items():
        expect(name, array, (C,), x.dtype, "one number for each channel of x")


def _check_rows(
    x: Array, delta: Array | None = None, inv_rms: Array | None = None, weight: Array | None = None
) -> None:
    if x.ndim != 2:
        raise ShapeError("x of shape (rows, numbers)", describe(x), "reshape the last axes to one")
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the output y")
    expect("inv_rms", inv_rms, x.shape[:1], x.dtype, "it is what the forward pass gave")
    expect("weight", weight, x.shape[1:], x.dtype, "one number for each column of x")
