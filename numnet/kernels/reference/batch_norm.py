"""Batch normalisation of every channel.

Source: Ioffe and Szegedy, Batch normalization: accelerating deep network training, 2015, algorithm 1 and section 3.
"""

from __future__ import annotations

from ...arrays import Array, array_module
from ...errors import ShapeError, describe
from .checks import expect

__all__ = ["batch_norm_eval", "batch_norm_eval_backward", "batch_norm_train", "batch_norm_train_backward"]


def batch_norm_train(
    x: Array, weight: Array | None, bias: Array | None, eps: float
) -> tuple[Array, Array, Array, Array]:
    """Normalisation with the statistics of this batch: (y, mean, variance, 1/σ).

        μ = Σₙₛ x / M        σ² = Σₙₛ (x - μ)² / M        y = γ (x - μ) / √(σ² + ε) + β        M = N · S

    Shapes: x and y (N, C, S), weight γ and bias β (C,) or ``None`` for 1 and 0, the statistics (C,).
    The variance is the biased one that y is made with.

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.
    """
    _check(x, weight=weight, bias=bias)
    mean = x.mean(axis=(0, 2))  # (C,)
    mean = mean + (x - mean[:, None]).mean(axis=(0, 2))  # far from 0, the first is rounded in places that matter
    centred = x - mean[:, None]  # (N, C, S)
    var = (centred * centred).mean(axis=(0, 2))
    inv_std = 1 / array_module(x).sqrt(var + float(eps))
    return _affine(centred * inv_std[:, None], weight, bias), mean, var, inv_std


def batch_norm_train_backward(
    x: Array,
    delta: Array,
    weight: Array | None,
    mean: Array,
    inv_std: Array,
    needs: tuple[bool, bool, bool],
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of :func:`batch_norm_train` with respect to (x, γ, β); ``None`` where ``needs`` says no.

        x̂ = (x - μ) / σ        ∂J/∂β = Σₙₛ δ        ∂J/∂γ = Σₙₛ δ x̂
        ∂J/∂x = γ/σ (δ - ∂J/∂β / M - x̂ ∂J/∂γ / M)        the second and third term go by way of μ and σ

    Shapes: as for :func:`batch_norm_train`; δ (N, C, S).

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.
    """
    _check(x, delta, weight=weight, mean=mean, inv_std=inv_std)
    x_hat = (x - mean[:, None]) * inv_std[:, None]  # (N, C, S)
    d_beta = delta.sum(axis=(0, 2))  # (C,)
    d_gamma = (delta * x_hat).sum(axis=(0, 2))  # (C,)
    delta_x = None
    if needs[0]:
        M = x.shape[0] * x.shape[2]
        centred = delta - (d_beta / M)[:, None] - x_hat * (d_gamma / M)[:, None]
        delta_x = _affine(centred * inv_std[:, None], weight, None)
    return delta_x, d_gamma if needs[1] else None, d_beta if needs[2] else None


def batch_norm_eval(x: Array, mean: Array, inv_std: Array, weight: Array | None, bias: Array | None) -> Array:
    """Normalisation with given statistics, which are constants.

        y = γ (x - μ) / σ + β

    Shapes: x and y (N, C, S); all else (C,), γ and β or ``None``.

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.
    """
    _check(x, mean=mean, inv_std=inv_std, weight=weight, bias=bias)
    return _affine((x - mean[:, None]) * inv_std[:, None], weight, bias)


def batch_norm_eval_backward(
    x: Array,
    delta: Array,
    mean: Array,
    inv_std: Array,
    weight: Array | None,
    needs: tuple[bool, bool, bool],
) -> tuple[Array | None, Array | None, Array | None]:
    """Gradients of :func:`batch_norm_eval` with respect to (x, γ, β); ``None`` where ``needs`` says no.

        ∂J/∂x = γ/σ δ        ∂J/∂γ = Σₙₛ δ (x - μ)/σ        ∂J/∂β = Σₙₛ δ

    Shapes: as for :func:`batch_norm_eval`; δ (N, C, S).

    Raises:
        ShapeError, DtypeError: an array that does not fit ``x``.
    """
    _check(x, delta, mean=mean, inv_std=inv_std, weight=weight)
    return (
        _affine(delta * inv_std[:, None], weight, None) if needs[0] else None,
        (delta * (x - mean[:, None])).sum(axis=(0, 2)) * inv_std if needs[1] else None,
        delta.sum(axis=(0, 2)) if needs[2] else None,
    )


def _affine(x_hat: Array, weight: Array | None, bias: Array | None) -> Array:
    y = x_hat if weight is None else x_hat * weight[:, None]
    return y if bias is None else y + bias[:, None]


def _check(x: Array, delta: Array | None = None, **per_channel: Array | None) -> None:
    if x.ndim != 3:
        raise ShapeError("x of shape (batch, channels, positions)", describe(x), "reshape the spatial axes to one")
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the output y")
    for name, array in per_channel.items():
        expect(name, array, x.shape[1:2], x.dtype, "set num_features to the number of channels of x")
