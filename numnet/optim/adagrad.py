"""Adagrad: the more a weight has moved, the shorter its steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, remembered

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad: every weight divided by the root of all its squared gradients so far.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        s ← s + d²
        W ← W - η / (1 + (t - 1) κ) · d / (√s + ε)

    t counts the steps of this parameter from 1.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, the length of the first steps.
        lr_decay: κ, how fast η shrinks.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        initial_accumulator_value: what s starts from.
        eps: ε, against a division by 0.
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number; see also :class:`Optimizer`.

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization,
    2011, in the form of ``torch.optim.Adagrad``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        kernels.adagrad_step(
            parameter.array,
            delta,
            remembered(state, "sum", parameter, options["initial_accumulator_value"]),
            state["step"],
            options["lr"],
            options["lr_decay"],
            options["eps"],
            options["weight_decay"],
            options["maximize"],
        )
