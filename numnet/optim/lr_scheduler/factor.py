"""Schedules of the form base · F(t): the frame, and the functions F."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import cos, pi
from typing import ClassVar

from ...errors import OptionError
from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LinearLR",
    "MultiStepLR",
    "PolynomialLR",
    "StepLR",
]


class _Factor(LRScheduler):
    """Abstract: η falls from its base by a factor F(t), towards a floor that is 0 in most.

        ηₜ = floor + (base - floor) F(t)

    This is reached from the rate before, so that schedules on one optimiser multiply:

        ηₜ = floor + (ηₜ₋₁ - floor) F(t) / F(t - 1)             F(-1) = 1
        ηₜ = ηₜ₋₁ + (base - floor) F(t)                         where F(t - 1) is 0

    A subclass gives F. Where a schedule goes on with ``last_epoch``, the rates in the optimiser count as those of the
    step at which it goes on; but where F is constant between jumps, as those of the step before. So it is in PyTorch.
    """

    _jumps: ClassVar[bool] = False  # F is constant between jumps

    def _factor(self, t: int) -> float:
        """F(t)."""
        raise NotImplementedError

    def _floor(self) -> float:
        return 0.0

    def get_lr(self) -> list[float]:
        """The rate of each group at step ``last_epoch``; the groups hold those of the step before."""
        t = self.last_epoch
        goes_on = self._step_count == 1 and t > 0
        before = self._factor(t - 1) if t > 0 else 1.0
        now = before if goes_on and not self._jumps else self._factor(t)
        if now == before:
            return self._current()
        floor = self._floor()
        if before == 0:
            return [lr + (base - floor) * now for lr, base in zip(self._current(), self.base_lrs, strict=True)]
        return [floor + (lr - floor) * (now / before) for lr in self._current()]

    def _restart(self) -> None:
        self.last_epoch = 0
        floor, first = self._floor(), self._factor(0)
        self._set([floor + (base - floor) * first for base in self.base_lrs])


class StepLR(_Factor):
    """A fixed factor every so many steps.

        ηₜ = η₀ γ^⌊t / step_size⌋

    Args:
        optimizer: see :class:`LRScheduler`.
        step_size: steps between two changes.
        gamma: γ.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: ``step_size`` below 1; see also :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.StepLR``.
    """

    _jumps = True

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if not step_size >= 1:
            raise OptionError("step_size of at least 1", f"step_size={step_size!r}", "step_size=30")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return float(self.gamma ** (t // self.step_size))


class MultiStepLR(_Factor):
    """A fixed factor at each of the given steps.

        ηₜ = η₀ γᵏ        k milestones are at most t

    Args:
        optimizer: see :class:`LRScheduler`.
        milestones: the steps, in any order; one that is given twice counts twice.
        gamma: γ.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        see :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.MultiStepLR``.
    """

    _jumps = True

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        passed = sum(times for step, times in Counter(self.milestones).items() if step <= t)  # PyTorch saves a Counter
        return float(self.gamma**passed)


class ConstantLR(_Factor):
    """A smaller rate for the first steps.

        ηₜ = η₀ factor  while t < total_iters,    η₀  from then on

    Args:
        optimizer: see :class:`LRScheduler`.
        factor: by what, from 0 to 1.
        total_iters: for how many steps.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: ``factor`` outside 0 … 1; see also :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.ConstantLR``.
    """

    _jumps = True

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        _expect_fraction("factor", factor)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return self.factor if t < self.total_iters else 1.0


class LinearLR(_Factor):
    """From one factor to another in equal steps: a warm-up, or a decay.

        ηₜ = η₀ (start_factor + (end_factor - start_factor) min(t, total_iters) / total_iters)

    Args:
        optimizer: see :class:`LRScheduler`.
        start_factor: at step 0, above 0 and at most 1.
        end_factor: at step ``total_iters`` and after, from 0 to 1.
        total_iters: the number of steps from one to the other.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: a factor outside its range, ``total_iters`` below 1; see also :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.LinearLR``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            got = f"start_factor={start_factor!r}"
            raise OptionError("start_factor above 0 and at most 1", got, "start_factor=1/3")
        _expect_fraction("end_factor", end_factor)
        _expect_steps("total_iters", total_iters)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        share = min(t, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share if share < 1 else self.end_factor


class ExponentialLR(_Factor):
    """A fixed factor at every step.

        ηₜ = η₀ γᵗ

    Args:
        optimizer: see :class:`LRScheduler`.
        gamma: γ.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        see :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.ExponentialLR``.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return float(self.gamma**t)


class PolynomialLR(_Factor):
    """Down to 0 along a power.

        ηₜ = η₀ (1 - min(t, total_iters) / total_iters)^power

    Args:
        optimizer: see :class:`LRScheduler`.
        total_iters: the step from which on η is 0.
        power: 1 for a straight line.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: ``total_iters`` below 1; see also :class:`LRScheduler`.

    Source: ``torch.optim.lr_scheduler.PolynomialLR``.
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        _expect_steps("total_iters", total_iters)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return float((1 - min(t, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(_Factor):
    """Down along half a cosine, and up again, and so on.

        ηₜ = η_min + (η₀ - η_min) (1 + cos(π t / T_max)) / 2

    Args:
        optimizer: see :class:`LRScheduler`.
        T_max: steps down to the lowest rate.
        eta_min: η_min.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: ``T_max`` below 1; see also :class:`LRScheduler`.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017, equation 5 (without
    restarts), in the form of ``torch.optim.lr_scheduler.CosineAnnealingLR``.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        _expect_steps("T_max", T_max)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return (1 + cos(pi * t / self.T_max)) / 2

    def _floor(self) -> float:
        return self.eta_min


def _expect_fraction(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise OptionError(f"{name} from 0 to 1", f"{name}={value!r}", f"{name}=0.5")


def _expect_steps(name: str, value: int) -> None:
    if not value >= 1:
        raise OptionError(f"{name} of at least 1", f"{name}={value!r}", f"{name}=100")
