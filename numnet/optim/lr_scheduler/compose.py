"""Schedules made of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ...errors import DtypeError, OptionError, describe
from ..optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler, expect_optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Composed(LRScheduler):
    """Abstract: schedules on one optimiser."""

    def _take(self, optimizer: Any, schedulers: Sequence[LRScheduler]) -> None:
        expect_optimizer(optimizer)
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise DtypeError(f"a schedule at index {i}", describe(scheduler), "StepLR(optimizer, 10)")
            if isinstance(scheduler, ReduceLROnPlateau):
                cure = "step it by itself, for it needs a number"
                raise OptionError("schedules of the step alone", f"ReduceLROnPlateau at index {i}", cure)
            if scheduler.optimizer is not optimizer:
                raise OptionError("schedules on one optimiser", f"another at index {i}", "make them on the same one")
        self.optimizer = optimizer
        self._schedulers = list(schedulers)

    def _to_base(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]


class SequentialLR(_Composed):
    """One schedule after another, each from its step 0: a warm-up and what follows, say.

        schedulers[k]        from step milestones[k - 1] on, until step milestones[k]

    Args:
        optimizer: see :class:`LRScheduler`.
        schedulers: the schedules, all made on this optimiser.
        milestones: the steps at which the next one takes over; one less than schedules.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        DtypeError: something that is no schedule.
        OptionError: no schedule, one on another optimiser, a :class:`ReduceLROnPlateau`, or not one milestone less than
            schedules.

    Source: ``torch.optim.lr_scheduler.SequentialLR``.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        if len(schedulers) == 0 or len(milestones) != len(schedulers) - 1:
            got = f"{len(schedulers)} schedules and {len(milestones)} milestones"
            cure = "SequentialLR(optimizer, [warm_up, main], milestones=[5])"
            raise OptionError("schedules, and one milestone less", got, cure)
        self._take(optimizer, schedulers)
        self._milestones = list(milestones)
        self._to_base()  # what the schedules did as they were made is undone
        self._begin(last_epoch)

    def step(self) -> None:
        """Go one step on, after the optimiser's step: in the schedule whose turn it is.

        Warns:
            UserWarning: see :meth:`LRScheduler.step`.
        """
        self.last_epoch += 1
        if self.last_epoch in self._milestones:
            self._active()._restart()
        else:
            self._active().step()
        self._last_lr = self._current()

    def _active(self) -> LRScheduler:
        return self._schedulers[bisect_right(self._milestones, self.last_epoch)]

    def _begin(self, last_epoch: int) -> None:
        self.last_epoch = last_epoch + 1
        self._schedulers[bisect_right(self._milestones, 0)]._begin(last_epoch)
        self._last_lr = self._current()

    def _restart(self) -> None:
        self.last_epoch = 0
        self._active()._restart()
        self._last_lr = self._current()


class ChainedScheduler(_Composed):
    """Several schedules at once, one after the other in each step, so that their factors multiply.

        η ← schedulers[k](η)        k = 0, 1, …

    Args:
        schedulers: the schedules, all made on one optimiser.
        optimizer: by default that of the first schedule.

    Raises:
        DtypeError: something that is no schedule.
        OptionError: no schedule, one on another optimiser, a :class:`ReduceLROnPlateau`.

    Source: ``torch.optim.lr_scheduler.ChainedScheduler``.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if len(schedulers) == 0:
            raise OptionError("at least one schedule", "none", "ChainedScheduler([warm_up, main])")
        first = schedulers[0]
        self._take(getattr(first, "optimizer", None) if optimizer is None else optimizer, schedulers)
        self._last_lr = self._current()

    def step(self) -> None:
        """Go one step on in every schedule, after the optimiser's step.

        Warns:
            UserWarning: see :meth:`LRScheduler.step`.
        """
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._current()

    def _begin(self, last_epoch: int) -> None:
        for scheduler in self._schedulers:
            scheduler._begin(last_epoch)
        self._last_lr = self._current()

    def _restart(self) -> None:
        self._to_base()
        self._begin(-1)
