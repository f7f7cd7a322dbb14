"""RMSprop: the gradient divided by its root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, remembered

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: the gradient divided by the root of the mean of its square, or of its variance.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        v ← α v + (1 - α) d²
        m ← α m + (1 - α) d
        s = v                                           (max(v - m², 0) with ``centered``)
        r = √s + ε                                      (√(s + ε) with ``eps_inside_root``)
        W ← W - η d / r                                 without momentum
        b ← μ b + d / r        W ← W - η b              with momentum

    Where the gradient is small the two places of ε differ widely: for s = 10⁻⁸ and ε = 10⁻⁸ the step divides by
    1.0001 · 10⁻⁴ with ε outside, as PyTorch has it, and by 1.4142 · 10⁻⁴ with ε inside, as TensorFlow has it.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, about the length of a step in every direction.
        alpha: α, how much of the running means stays at each step.
        eps: ε, against a division by 0.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        momentum: μ, how much of the last step b stays.
        centered: divide by the standard deviation of the gradient.
        maximize: climb instead of descending.
        eps_inside_root: ε under the root.

    Raises:
        OptionError: a negative number; see also :class:`Optimizer`.

    Source: Hinton, Neural networks for machine learning, lecture 6e, 2012; centered: Graves, Generating sequences with
    recurrent neural networks, 2013, equations 38 to 45; in the form of ``torch.optim.RMSprop``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
        eps_inside_root: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "eps_inside_root": eps_inside_root,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "alpha", "eps", "weight_decay", "momentum")

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        kernels.rmsprop_step(
            parameter.array,
            delta,
            remembered(state, "square_avg", parameter),
            remembered(state, "grad_avg", parameter) if options["centered"] else None,
            remembered(state, "momentum_buffer", parameter) if options["momentum"] else None,
            options["lr"],
            options["alpha"],
            options["eps"],
            options["weight_decay"],
            options["momentum"],
            options["eps_inside_root"],
            options["maximize"],
        )
