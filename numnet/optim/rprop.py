"""Rprop: steps of a size of their own for every weight, along the sign of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..errors import OptionError
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, remembered

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Resilient backpropagation: only the signs of the gradient count. For gradients of all the data, not of batches.

        d = ∂J/∂W                                       (-∂J/∂W with ``maximize``)
        s ← η₊ s  where d d′ > 0,    η₋ s  where d d′ < 0,    within [s_min, s_max]
        d ← 0  where d d′ < 0
        W ← W - sign(d) s        d′ ← d

    d′ is the d of the step before, and 0 at first.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: s at the first step.
        etas: (η₋, η₊), by which s changes where the gradient turns, and where it does not.
        step_sizes: (s_min, s_max), between which s stays.
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative ``lr``; not 0 < η₋ < 1 < η₊; ``step_sizes`` not two numbers, the smaller first; see also
            :class:`Optimizer`.

    Source: Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the RPROP algorithm,
    1993, in the form of ``torch.optim.Rprop``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr")
        etas, sizes = options["etas"], options["step_sizes"]
        if len(etas) != 2 or not 0 < etas[0] < 1 < etas[1]:
            raise OptionError("etas as two numbers around 1", f"etas={etas!r}", "etas=(0.5, 1.2)")
        if len(sizes) != 2 or not sizes[0] <= sizes[1]:
            cure = "step_sizes=(1e-6, 50)"
            raise OptionError("step_sizes as two numbers, the smaller first", f"step_sizes={sizes!r}", cure)

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        state["step"] = state.get("step", 0) + 1
        eta_minus, eta_plus = options["etas"]
        smallest, largest = options["step_sizes"]
        kernels.rprop_step(
            parameter.array,
            delta,
            remembered(state, "prev", parameter),
            remembered(state, "step_size", parameter, options["lr"]),
            eta_minus,
            eta_plus,
            smallest,
            largest,
            options["maximize"],
        )
