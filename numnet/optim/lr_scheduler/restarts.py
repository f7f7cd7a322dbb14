"""Half a cosine, again and again."""

from __future__ import annotations

from math import cos, floor, pi

from ...errors import OptionError
from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["CosineAnnealingWarmRestarts"]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Down along half a cosine, then all at once up again, each time over more steps.

        η = η_min + (η₀ - η_min) (1 + cos(π T_cur / T_i)) / 2

    T_cur counts the steps since the last restart. At T_cur = T_i comes the next: T_cur ← 0 and T_i ← T_mult T_i.

    Args:
        optimizer: see :class:`LRScheduler`.
        T_0: T_i at first.
        T_mult: by what T_i grows at a restart.
        eta_min: η_min.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: ``T_0`` or ``T_mult`` no integer of at least 1; see also :class:`LRScheduler`.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017, equation 5, in the form
    of ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts``.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise OptionError(f"{name}: an integer of at least 1", f"{name}={value!r}", f"{name}=10")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at ``T_cur``."""
        share = (1 + cos(pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go one step on, or to any place: ``step(epoch + batch / batches)`` after each batch.

        Warns:
            UserWarning: see :meth:`LRScheduler.step`.

        Raises:
            OptionError: ``epoch`` below 0.
        """
        if epoch is None:
            super().step()
        else:
            self._go_to(epoch)

    def _advance(self) -> None:
        self._step_count += 1
        if self.last_epoch < 0:
            self._go_to(0)
            return
        self.T_cur += 1
        if self.T_cur >= self.T_i:
            self.T_cur %= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch += 1
        self._set(self.get_lr())

    def _restart(self) -> None:
        self._go_to(0)

    def _go_to(self, epoch: float) -> None:
        if not epoch >= 0:
            raise OptionError("epoch of at least 0", f"epoch={epoch!r}", "count from 0")
        begin, self.T_i = 0, self.T_0
        if self.T_mult == 1:
            begin = floor(epoch / self.T_i) * self.T_i
        while epoch >= begin + self.T_i:
            begin += self.T_i
            self.T_i *= self.T_mult
        self.T_cur = epoch - begin
        self.last_epoch = floor(epoch)
        self._set(self.get_lr())
