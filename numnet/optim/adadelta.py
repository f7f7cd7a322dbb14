"""Adadelta: steps in the unit of the weights, without a learning rate to choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..errors import OptionError
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, remembered

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Adadelta: the gradient divided by its root mean square, times the root mean square of the steps so far.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        v ← ρ v + (1 - ρ) d²
        s = √(u + ε) / √(v + ε) · d
        u ← ρ u + (1 - ρ) s²
        W ← W - η s

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, by which the step is multiplied in the end.
        rho: ρ, how much of the two running means stays at each step.
        eps: ε, against a division by 0, and what the first steps grow from.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number, ``rho`` above 1; see also :class:`Optimizer`.

    Source: Zeiler, ADADELTA: an adaptive learning rate method, 2012, algorithm 1, in the form of
    ``torch.optim.Adadelta``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "rho", "eps", "weight_decay")
        if options["rho"] > 1:
            raise OptionError("rho of at most 1", f"rho={options['rho']!r}", "rho=0.9")

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        kernels.adadelta_step(
            parameter.array,
            delta,
            remembered(state, "square_avg", parameter),
            remembered(state, "acc_delta", parameter),
            options["lr"],
            options["rho"],
            options["eps"],
            options["weight_decay"],
            options["maximize"],
        )
