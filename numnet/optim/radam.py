"""RAdam: Adam that waits until it has seen enough gradients to divide by their size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, expect_betas, remembered

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Rectified Adam: momentum alone at first, then Adam, shortened by how uncertain the mean square still is.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²
        ρ∞ = 2 / (1 - β₂) - 1        ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)
        r = √((ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ))
        W ← W - η / (1 - β₁ᵗ) · m                               while ρ ≤ 5
        W ← W - η / (1 - β₁ᵗ) · r √(1 - β₂ᵗ) m / (√v + ε)       from then on

    t counts the steps of this parameter from 1. With ``decoupled_weight_decay``, d is ∂J/∂W alone, and W ← (1 - η λ) W
    comes first.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, about the length of a step in every direction.
        betas: (β₁, β₂), how much of the two running means stays at each step.
        eps: ε, against a division by 0.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        decoupled_weight_decay: weight decay as :class:`AdamW` has it.
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number, or a beta that is not from 0 to below 1; see also :class:`Optimizer`.

    Source: Liu et al., On the variance of the adaptive learning rate and beyond, 2020, algorithm 2, in the form of
    ``torch.optim.RAdam``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "eps", "weight_decay")
        expect_betas(options)

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        beta1, beta2 = options["betas"]
        kernels.radam_step(
            parameter.array,
            delta,
            remembered(state, "exp_avg", parameter),
            remembered(state, "exp_avg_sq", parameter),
            state["step"],
            options["lr"],
            beta1,
            beta2,
            options["eps"],
            options["weight_decay"],
            options["maximize"],
            options["decoupled_weight_decay"],
        )
