"""NAdam: Adam with Nesterov's look ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..arrays import Array
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, expect_betas, remembered

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: the step is where the momentum will be, not where it is.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²
        μₜ = β₁ (1 - ½ · 0.96^(t ψ))        Πμ = μ₁ μ₂ … μₜ
        W ← W - η ((1 - μₜ) / (1 - Πμ) · d + μₜ₊₁ / (1 - Πμ · μₜ₊₁) · m) / (√(v / (1 - β₂ᵗ)) + ε)

    t counts the steps of this parameter from 1. With ``decoupled_weight_decay``, d is ∂J/∂W alone, and W ← (1 - η λ) W
    comes first. PyTorch keeps the product Πμ in float32, whatever the parameter is, and so do we.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, about the length of a step in every direction.
        betas: (β₁, β₂), how much of the two running means stays at each step.
        eps: ε, against a division by 0.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        momentum_decay: ψ, how fast the momentum μ grows from about ½ β₁ to β₁.
        decoupled_weight_decay: weight decay as :class:`AdamW` has it.
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number, or a beta that is not from 0 to below 1; see also :class:`Optimizer`.

    Source: Dozat, Incorporating Nesterov momentum into Adam, 2016, in the form of ``torch.optim.NAdam``.
    """

    _numbers: ClassVar[Mapping[str, type]] = {"step": int, "mu_product": float}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "eps", "weight_decay", "momentum_decay")
        expect_betas(options)

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        step = state["step"] = state.get("step", 0) + 1
        beta1, beta2 = options["betas"]
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * options["momentum_decay"])) for t in (step, step + 1))
        state["mu_product"] = float(np.float32(state.get("mu_product", 1)) * np.float32(mu))
        kernels.nadam_step(
            parameter.array,
            delta,
            remembered(state, "exp_avg", parameter),
            remembered(state, "exp_avg_sq", parameter),
            step,
            mu,
            mu_next,
            state["mu_product"],
            options["lr"],
            beta1,
            beta2,
            options["eps"],
            options["weight_decay"],
            options["maximize"],
            options["decoupled_weight_decay"],
        )
