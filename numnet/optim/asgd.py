"""ASGD: stochastic gradient descent that also averages the weights it has passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..arrays import Array
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, remembered

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Averaged stochastic gradient descent. The average a is in ``state[parameter]["ax"]``; training does not read it.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        W ← (1 - λ′ ηₜ) W - ηₜ d
        a ← a + μₜ (W - a)                              (a ← W where μₜ is 1)
        ηₜ₊₁ = η / (1 + λ′ η t)^α        μₜ₊₁ = 1 / max(1, t - t₀)        η₁ = η, μ₁ = 1

    t counts the steps of this parameter from 1. PyTorch keeps ηₜ and μₜ in float32, whatever the parameter is, and so
    do we.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, the length of the first step.
        lambd: λ′, the decay of the weights and of the step.
        alpha: α, the power by which the step shrinks.
        t0: t₀, the step at which averaging starts.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative ``lr`` or ``weight_decay``; see also :class:`Optimizer`.

    Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992; Bottou, Stochastic
    gradient descent tricks, 2012; in the form of ``torch.optim.ASGD``.
    """

    _numbers: ClassVar[Mapping[str, type]] = {"step": int, "eta": float, "mu": float}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "weight_decay")

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        lr, lambd = options["lr"], options["lambd"]
        t = state["step"] = state.get("step", 0) + 1
        kernels.asgd_step(
            parameter.array,
            delta,
            remembered(state, "ax", parameter),
            state.get("eta", float(np.float32(lr))),
            state.get("mu", 1.0),
            lambd,
            options["weight_decay"],
            options["maximize"],
        )
        state["eta"] = float(np.float32(lr / (1 + lambd * lr * t) ** options["alpha"]))
        state["mu"] = float(np.float32(1 / max(1, t - options["t0"])))
