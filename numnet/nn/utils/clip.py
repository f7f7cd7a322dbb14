"""Limits: of the gradients before a step, and of the weights after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ... import kernels
from ...arrays import Array, array_module, is_array
from ...errors import NonFiniteError, OptionError, ShapeError
from ...tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm", "max_norm_"]


def get_total_norm(
    tensors: Iterable[Array | Tensor] | Array | Tensor, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Array:
    """Norm of all numbers of all arrays, as if they were one vector.

        N = (Σᵢ |gᵢ|ᵖ)^(1/p)        N = maxᵢ |gᵢ| for p = ∞

    Args:
        tensors: arrays or Tensors, such as ``[p.grad for p in net.parameters()]``; or a single one.
        norm_type: p.
        error_if_nonfinite: whether a norm of NaN or infinity is refused.

    Returns:
        N, an array without axes, in the dtype of the arrays; 0 of none.

    Raises:
        NonFiniteError: the norm is NaN or infinity, and ``error_if_nonfinite``.
    """
    arrays = [t.array if isinstance(t, Tensor) else t for t in _listed(tensors)]
    if not arrays:
        return np.zeros((), np.float32)
    xp, p = array_module(arrays[0]), float(norm_type)
    norms = xp.stack([_vector_norm(a, p) for a in arrays])
    total = xp.asarray(norms[0] if len(arrays) == 1 else _vector_norm(norms, p))
    if error_if_nonfinite and not bool(xp.isfinite(total)):
        cure = "look for the first layer with such a gradient, or lower the learning rate"
        raise NonFiniteError("a finite norm of the gradients", f"{float(total)}", cure)
    return total


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Array:
    """Shorten all gradients together, in place, so that their norm is at most ``max_norm``.

        g ← g min(1, c / (N + 10⁻⁶))        N: get_total_norm of all g

    Returns:
        N, before.

    Raises:
        NonFiniteError: N is NaN or infinity, and ``error_if_nonfinite``.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013, algorithm 1.
    """
    given = [p for p in _listed(parameters) if p.grad_array is not None]
    total = get_total_norm([p.grad_array for p in given], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(given, max_norm, total)
    return total


def clip_grads_with_norm_(parameters: Iterable[Tensor] | Tensor, max_norm: float, total_norm: Array) -> None:
    """The second half of :func:`clip_grad_norm_`, for an N that is known: g ← g min(1, c / (N + 10⁻⁶)), in place."""
    factor = min(1.0, float(max_norm) / (float(total_norm) + 1e-6)) if total_norm == total_norm else np.nan
    if factor == 1:
        return
    for p in _listed(parameters):
        if p.grad_array is not None:
            p.grad_array *= p.grad_array.dtype.type(factor)


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Cut every number of every gradient, in place, to -c … c: g ← min(max(g, -c), c)."""
    c = float(clip_value)
    for p in _listed(parameters):
        if p.grad_array is not None:
            array_module(p.grad_array).clip(p.grad_array, -c, c, out=p.grad_array)


def max_norm_(parameter: Tensor, c: float, dim: int = 0) -> None:
    """Project every slice of a parameter, in place, on the ball of radius c: to be called after each step.

        w ← w min(1, c / ‖w‖)        for w each slice of the parameter along the axis ``dim``

    With ``dim=0`` a slice of a weight of Linear, or of a convolution, is what comes into one unit.

    Raises:
        OptionError: c below 0. ShapeError: no such axis.

    Source: Srebro and Shraibman, Rank, trace-norm and max-norm, 2005; Srivastava et al., Dropout, 2014, section 5.1.
    """
    W = parameter.array
    if not c >= 0:
        raise OptionError("max_norm_ with c ≥ 0", f"c={c!r}", "c=3.0 is usual beside dropout")
    if not -W.ndim <= dim < W.ndim:
        raise ShapeError(f"a parameter with an axis {dim}", f"shape {W.shape}", "dim=0 is the axis of the units")
    xp = array_module(W)
    axes = tuple(axis for axis in range(W.ndim) if axis != dim % W.ndim)
    norms = xp.sqrt((W * W).sum(axis=axes, keepdims=True))
    long = norms > c
    one = W.dtype.type(1)
    W *= xp.where(long, W.dtype.type(c) / xp.where(long, norms, one), one)


def _listed(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, Tensor) or is_array(tensors) else list(tensors)


def _vector_norm(a: Array, p: float) -> Array:
    xp, flat = array_module(a), a.reshape(-1)
    if flat.size == 0:
        return xp.zeros((), a.dtype)
    if p == 2:
        return xp.sqrt(kernels.square_sum(a))
    if p in (np.inf, -np.inf):
        return abs(flat).max() if p > 0 else abs(flat).min()
    if p == 0:
        return (flat != 0).sum().astype(a.dtype)
    return (abs(flat) ** p).sum() ** (1 / p)
