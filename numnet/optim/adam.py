"""Adam and AdamW: steps measured by the gradient's own size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, expect_betas, remembered

__all__ = ["Adam", "AdamW"]


class _Adaptive(Optimizer):
    """Abstract: the step of Adam; the final classes differ in what weight decay means."""

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "eps", "weight_decay")
        expect_betas(options)

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        beta1, beta2 = options["betas"]
        kernels.adam_step(
            parameter.array,
            delta,
            remembered(state, "exp_avg", parameter),
            remembered(state, "exp_avg_sq", parameter),
            remembered(state, "max_exp_avg_sq", parameter) if options["amsgrad"] else None,
            state["step"],
            options["lr"],
            beta1,
            beta2,
            options["eps"],
            options["weight_decay"],
            options["amsgrad"],
            options["maximize"],
            options["decoupled_weight_decay"],
        )


class Adam(_Adaptive):
    """Adam: momentum, divided by the root of the mean square of the gradient.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²
        m̂ = m / (1 - β₁ᵗ)            v̂ = v / (1 - β₂ᵗ)            (largest v so far with ``amsgrad``)
        W ← W - η m̂ / (√v̂ + ε)

    t counts the steps of this parameter from 1.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, about the length of a step in every direction.
        betas: (β₁, β₂), how much of the two running means stays at each step.
        eps: ε, against a division by 0.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        amsgrad: never let v̂ shrink.
        maximize: climb instead of descending.
        decoupled_weight_decay: weight decay as :class:`AdamW` has it.

    Raises:
        OptionError: a negative number, or a beta that is not from 0 to below 1; see also :class:`Optimizer`.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 1; Reddi, Kale and Kumar, On the
    convergence of Adam and beyond, 2018, algorithm 2; in the form of ``torch.optim.Adam``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )


class AdamW(_Adaptive):
    """Adam whose weight decay shrinks the weights themselves, past the division by √v̂.

        d = ∂J/∂W                                       (-∂J/∂W with ``maximize``)
        W ← (1 - η λ) W
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²
        m̂ = m / (1 - β₁ᵗ)            v̂ = v / (1 - β₂ᵗ)            (largest v so far with ``amsgrad``)
        W ← W - η m̂ / (√v̂ + ε)

    t counts the steps of this parameter from 1.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, about the length of a step in every direction.
        betas: (β₁, β₂), how much of the two running means stays at each step.
        eps: ε, against a division by 0.
        weight_decay: λ, how much of the weights, times η, goes at each step.
        amsgrad: never let v̂ shrink.
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number, or a beta that is not from 0 to below 1; see also :class:`Optimizer`.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019, algorithm 2, in the form of
    ``torch.optim.AdamW``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )
