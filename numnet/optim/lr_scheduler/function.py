"""Schedules by a function of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import DtypeError, describe
from ..optimizer import Optimizer
from .scheduler import LRScheduler, one_for_each_group

__all__ = ["LambdaLR", "MultiplicativeLR"]

Function = Callable[[int], float]


class _ByFunction(LRScheduler):
    """Abstract: a function λ of the step for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Function | Sequence[Function], last_epoch: int = -1) -> None:
        self.lr_lambdas = one_for_each_group("lr_lambda", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                raise DtypeError("a function of the step", describe(function), "lr_lambda=lambda t: 0.95**t")
        super().__init__(optimizer, last_epoch)

    def _values(self) -> list[float]:
        return [function(self.last_epoch) for function in self.lr_lambdas]


class LambdaLR(_ByFunction):
    """The first rate times a function of the step.

        ηₜ = η₀ λ(t)

    Args:
        optimizer: see :class:`LRScheduler`.
        lr_lambda: λ, or a list of functions, one for each group.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        DtypeError: no function.
        OptionError: not as many functions as groups; see also :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.LambdaLR``.
    """

    def get_lr(self) -> list[float]:
        """η₀ λ(t) for each group."""
        return [base * value for base, value in zip(self.base_lrs, self._values(), strict=True)]


class MultiplicativeLR(_ByFunction):
    """The rate before, times a function of the step.

        ηₜ = ηₜ₋₁ λ(t)        t = 1, 2, …

    Where a :class:`SequentialLR` hands over to it, it begins with λ(0).

    Args:
        optimizer: see :class:`LRScheduler`.
        lr_lambda: λ, or a list of functions, one for each group.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        DtypeError: no function.
        OptionError: not as many functions as groups; see also :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.MultiplicativeLR``.
    """

    def get_lr(self) -> list[float]:
        """ηₜ₋₁ λ(t) for each group; at the first step of all, the rates as they are."""
        if self._step_count == 1:
            return self._current()
        return [lr * value for lr, value in zip(self._current(), self._values(), strict=True)]

    def _restart(self) -> None:
        self.last_epoch = 0
        self._set([lr * value for lr, value in zip(self._current(), self._values(), strict=True)])
