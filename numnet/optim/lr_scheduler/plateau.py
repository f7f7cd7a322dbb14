"""A smaller rate when nothing gets better any more."""

from __future__ import annotations

from math import inf
from typing import Literal, SupportsFloat

from ...errors import OptionError
from ..optimizer import Optimizer
from .scheduler import LRScheduler, expect_optimizer, one_for_each_group

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """A smaller rate once a number has got no better for some steps.

        η ← max(factor · η, min_lr)        after more than ``patience`` steps in a row without a new best

    A new best is below best (1 - threshold), or below best - threshold with ``threshold_mode="abs"``; with
    ``mode="max"``, above best (1 + threshold), or above best + threshold.

    Args:
        optimizer: see :class:`LRScheduler`.
        mode: whether less (``"min"``) or more (``"max"``) is better.
        factor: by what the rate falls, below 1.
        patience: how many steps without a new best are let pass.
        threshold: how much better a new best has to be.
        threshold_mode: ``"rel"`` or ``"abs"``.
        cooldown: for how many steps after a reduction nothing is counted.
        min_lr: the lowest rate; one, or one for each group.
        eps: a change of the rate that is no larger is not made.

    Raises:
        OptionError: ``factor`` of 1 or more, an unknown mode, not one ``min_lr`` for each group; see also
            :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.ReduceLROnPlateau``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        expect_optimizer(optimizer)
        if not factor < 1:
            raise OptionError("factor below 1", f"factor={factor!r}", "factor=0.1")
        if mode not in ("min", "max"):
            raise OptionError('"min" or "max"', f"mode={mode!r}", "choose one of these")
        if threshold_mode not in ("rel", "abs"):
            raise OptionError('"rel" or "abs"', f"threshold_mode={threshold_mode!r}", "choose one of these")
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = one_for_each_group("min_lr", min_lr, optimizer)
        self.eps = eps
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self._last_lr = self._current()

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Take note of the number that is to get better: a validation loss, say."""
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        rates = self._current()
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
            rates = [self._reduced(lr, low) for lr, low in zip(rates, self.min_lrs, strict=True)]
        self._set(rates)

    def _is_better(self, current: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        margin = self.threshold
        bar = self.best * (1 + sign * margin) if self.threshold_mode == "rel" else self.best + sign * margin
        return current < bar if self.mode == "min" else current > bar

    def _reduced(self, lr: float, lowest: float) -> float:
        less = max(lr * self.factor, lowest)
        return less if lr - less > self.eps else lr
