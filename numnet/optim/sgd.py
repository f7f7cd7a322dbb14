"""SGD: stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..arrays import Array
from ..errors import OptionError
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, remembered

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if it is asked for.

        d = ∂J/∂W + λ W                                 (-∂J/∂W with ``maximize``)
        v ← μ v + (1 - τ) d                             (v ← d at the first step)
        W ← W - η d                                     without momentum
        W ← W - η v                                     with momentum
        W ← W - η (d + μ v)                             with ``nesterov``

    Where v is wanted as the weighted average μ v + (1 - μ) d of the gradients, ``dampening=momentum`` makes it one. Its
    steps are 1 - μ times as long once the first few are over: ``lr=0.1, momentum=0.9`` is then ``lr=1``.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, the length of a step.
        momentum: μ, how much of the last velocity v stays.
        dampening: τ, how much of the gradient does not enter v.
        weight_decay: λ, the pull towards 0 of an L2 penalty ½ λ ‖W‖².
        nesterov: look ahead along v. Needs momentum, and no dampening.
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number, ``nesterov`` without momentum or with dampening; see also :class:`Optimizer`.

    Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep learning,
    2013, in the form of ``torch.optim.SGD``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "momentum", "weight_decay")
        if options["nesterov"] and (not options["momentum"] or options["dampening"]):
            got = f"momentum={options['momentum']!r}, dampening={options['dampening']!r}"
            raise OptionError("nesterov with a momentum, and without dampening", got, "momentum=0.9, dampening=0")

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        momentum = options["momentum"]
        first = "momentum_buffer" not in state
        kernels.sgd_step(
            parameter.array,
            delta,
            remembered(state, "momentum_buffer", parameter) if momentum else None,
            options["lr"],
            momentum,
            options["dampening"],
            options["weight_decay"],
            options["nesterov"],
            options["maximize"],
            first,
        )
