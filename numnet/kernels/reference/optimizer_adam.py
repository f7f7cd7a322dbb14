"""One step of Adam and its relatives: running means of the gradient and of its square."""

from __future__ import annotations

from math import sqrt

from ...arrays import Array, array_module
from .optimizer import descent

__all__ = ["adam_step", "adamax_step", "nadam_step", "radam_step"]


def adam_step(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    v_max: Array | None,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    amsgrad: bool,
    maximize: bool,
    decoupled: bool,
) -> None:
    """Adam, or AdamW where the weight decay is ``decoupled``; in place on ``p``, ``m``, ``v`` and ``v_max``.

        d = g                                                       (-g with ``maximize``)
        p ← (1 - lr · weight_decay) p  if ``decoupled``,  else  d ← d + weight_decay · p
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²        v_max ← max(v_max, v)
        p ← p - lr/(1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)            (√v_max with ``amsgrad``)

    t is ``step``, 1 the first time. ``v_max`` is ``None`` without ``amsgrad``. All arrays have the shape of p.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Kingma and Ba, Adam, 2015, algorithm 1; Reddi et al., On the convergence of Adam and beyond, 2018, algorithm
    2; Loshchilov and Hutter, Decoupled weight decay regularization, 2019, algorithm 2; in the form of ``torch.optim``.
    """
    xp = array_module(p)
    lr, beta1, beta2, eps = map(float, (lr, beta1, beta2, eps))  # a NumPy scalar would turn float32 into float64
    _moments(p, g, m, v, lr, beta1, beta2, weight_decay, decoupled, maximize, v_max=v_max)
    largest = v
    if amsgrad:
        largest = xp.maximum(v_max, v, out=v_max)
    denominator = xp.sqrt(largest) / sqrt(1 - beta2**step) + eps
    p -= lr / (1 - beta1**step) * m / denominator


def nadam_step(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    step: int,
    mu: float,
    mu_next: float,
    mu_product: float,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    decoupled: bool,
) -> None:
    """Adam with Nesterov's momentum; in place on ``p``, ``m`` and ``v``.

        d = g                                                       (-g with ``maximize``)
        p ← (1 - lr · weight_decay) p  if ``decoupled``,  else  d ← d + weight_decay · p
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²
        p ← p - lr ((1 - μₜ)/(1 - Πμ) · d + μₜ₊₁/(1 - Πμ · μₜ₊₁) · m) / (√(v / (1 - β₂ᵗ)) + ε)

    t is ``step``, 1 the first time; ``mu`` is μₜ, ``mu_next`` μₜ₊₁ and ``mu_product`` Πμ = μ₁ μ₂ … μₜ. All arrays have
    the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Dozat, Incorporating Nesterov momentum into Adam, 2016, in the form of ``torch.optim.NAdam``.
    """
    xp = array_module(p)
    lr, beta1, beta2, eps = map(float, (lr, beta1, beta2, eps))
    mu, mu_next, mu_product = map(float, (mu, mu_next, mu_product))
    d = _moments(p, g, m, v, lr, beta1, beta2, weight_decay, decoupled, maximize)
    ahead = (1 - mu) / (1 - mu_product) * d + mu_next / (1 - mu_product * mu_next) * m
    p -= lr * ahead / (xp.sqrt(v / (1 - beta2**step)) + eps)


def radam_step(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    decoupled: bool,
) -> None:
    """Rectified Adam; in place on ``p``, ``m`` and ``v``.

        d = g                                                       (-g with ``maximize``)
        p ← (1 - lr · weight_decay) p  if ``decoupled``,  else  d ← d + weight_decay · p
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²
        ρ∞ = 2/(1 - β₂) - 1          ρ = ρ∞ - 2 t β₂ᵗ/(1 - β₂ᵗ)
        r = √((ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ))
        p ← p - lr/(1 - β₁ᵗ) · r √(1 - β₂ᵗ) m / (√v + ε)  if ρ > 5,  else  p ← p - lr/(1 - β₁ᵗ) · m

    t is ``step``, 1 the first time. All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Liu et al., On the variance of the adaptive learning rate and beyond, 2020, algorithm 2, in the form of
    ``torch.optim.RAdam``.
    """
    xp = array_module(p)
    lr, beta1, beta2, eps = map(float, (lr, beta1, beta2, eps))
    _moments(p, g, m, v, lr, beta1, beta2, weight_decay, decoupled, maximize)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / (1 - beta2**step)
    update = lr / (1 - beta1**step) * m
    if rho > 5:
        r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        update *= r * sqrt(1 - beta2**step) / (xp.sqrt(v) + eps)
    p -= update


def adamax_step(
    p: Array,
    g: Array,
    m: Array,
    u: Array,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adam with the largest gradient lately in the place of the root mean square; in place on ``p``, ``m`` and ``u``.

        d = g + weight_decay · p                                    (-g with ``maximize``)
        m ← β₁ m + (1 - β₁) d        u ← max(β₂ u, |d| + ε)
        p ← p - lr/(1 - β₁ᵗ) · m / u

    t is ``step``, 1 the first time. All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Kingma and Ba, Adam, 2015, algorithm 2, in the form of ``torch.optim.Adamax``.
    """
    xp = array_module(p)
    lr, beta1, beta2, eps = map(float, (lr, beta1, beta2, eps))
    d = descent(p, g, weight_decay, maximize, m=m, u=u)
    m += (1 - beta1) * (d - m)
    u[...] = xp.maximum(beta2 * u, abs(d) + eps)
    p -= lr / (1 - beta1**step) * m / u


def _moments(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    **memory: Array | None,
) -> Array:
    """The lines that Adam, NAdam and RAdam share, in place on ``p``, ``m`` and ``v``; returns d."""
    d = descent(p, g, 0 if decoupled else weight_decay, maximize, m=m, v=v, **memory)
    if decoupled:
        p *= 1 - lr * float(weight_decay)
    m += (1 - beta1) * (d - m)
    v[...] = beta2 * v + (1 - beta2) * d * d
    return d
