"""Adamax: Adam with the largest gradient lately in the place of the root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, expect_betas, remembered

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam by the infinity norm: no step is longer than η, whatever the gradient.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        m ← β₁ m + (1 - β₁) d        u ← max(β₂ u, |d| + ε)
        W ← W - η / (1 - β₁ᵗ) · m / u

    t counts the steps of this parameter from 1.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, about the length of a step in every direction.
        betas: (β₁, β₂), how much of the running mean, and of the running maximum, stays at each step.
        eps: ε, against a division by 0.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number, or a beta that is not from 0 to below 1; see also :class:`Optimizer`.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 2, in the form of
    ``torch.optim.Adamax``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "eps", "weight_decay")
        expect_betas(options)

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        beta1, beta2 = options["betas"]
        kernels.adamax_step(
            parameter.array,
            delta,
            remembered(state, "exp_avg", parameter),
            remembered(state, "exp_inf", parameter),
            state["step"],
            options["lr"],
            beta1,
            beta2,
            options["eps"],
            options["weight_decay"],
            options["maximize"],
        )
