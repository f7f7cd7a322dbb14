"""Schedules that raise the rate and lower it again, and turn the momentum against it."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, floor, pi
from typing import Any, Literal

from ...errors import OptionError
from ..optimizer import Optimizer
from .scheduler import LRScheduler, one_for_each_group

__all__ = ["CyclicLR", "OneCycleLR"]

Each = float | list[float]  # one for all groups, or one for each


class _Cycling(LRScheduler):
    """Abstract: the momentum, or β₁ of a group that has betas, is moved along with the rate if ``cycle_momentum``."""

    def _prepare_momentum(self, lowest: list[float], highest: list[float], begin: bool) -> None:
        """Write the bounds of the momentum into the groups, and the first value, which is the upper bound."""
        if "momentum" not in self.optimizer.defaults and "betas" not in self.optimizer.defaults:
            got = f"{type(self.optimizer).__name__}, which has neither"
            raise OptionError("an optimiser with momentum or betas", got, "cycle_momentum=False")
        self.use_beta1 = "betas" in self.optimizer.defaults
        if begin:
            self._set_momentum(highest)
            for group, low, high in zip(self.optimizer.param_groups, lowest, highest, strict=True):
                group.update(base_momentum=low, max_momentum=high)

    def _set_momentum(self, values: list[float]) -> None:
        for group, momentum in zip(self.optimizer.param_groups, values, strict=True):
            if self.use_beta1:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


class CyclicLR(_Cycling):
    """Up from one rate to another in a straight line, and down again, and so on.

        c = ⌊1 + t / S⌋        x = 1 + t / S - c        S = step_size_up + step_size_down
        h = x / r  for x ≤ r,    (1 - x) / (1 - r)  after        r = step_size_up / S
        η = base_lr + (max_lr - base_lr) h s
        μ = max_momentum - (max_momentum - base_momentum) h s               with ``cycle_momentum``

    The scale s is 1 for ``mode="triangular"``, 2^(1 - c) for ``"triangular2"`` and γᵗ for ``"exp_range"``; or it is
    ``scale_fn`` of the cycle c or of the step t.

    Args:
        optimizer: see :class:`LRScheduler`.
        base_lr: the lowest rate, which is also the first; one, or one for each group.
        max_lr: the highest rate.
        step_size_up: steps from the lowest to the highest.
        step_size_down: steps back; by default as many.
        mode: what s is.
        gamma: γ.
        scale_fn: a function in the place of ``mode``.
        scale_mode: whether it gets the cycle (``"cycle"``) or the step (``"iterations"``).
        cycle_momentum: move the momentum too, or β₁ where the optimiser has betas.
        base_momentum: the lowest momentum, where the rate is highest.
        max_momentum: the highest.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: an unknown mode, a list that is not one for each group, ``cycle_momentum`` with an optimiser that
            has no momentum; see also :class:`LRScheduler`.

    Source: Smith, Cyclical learning rates for training neural networks, 2017, in the form of
    ``torch.optim.lr_scheduler.CyclicLR``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Each,
        max_lr: Each,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Each = 0.8,
        max_momentum: Each = 0.9,
        last_epoch: int = -1,
    ) -> None:
        base_lrs = one_for_each_group("base_lr", base_lr, optimizer)
        self.optimizer = optimizer
        self.max_lrs = one_for_each_group("max_lr", max_lr, optimizer)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        if not 0 < up < self.total_size:
            got = f"step_size_up={step_size_up!r}, step_size_down={step_size_down!r}"
            raise OptionError("at least a step up and a step down", got, "step_size_up=2000")
        self.step_ratio = up / self.total_size
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise OptionError('"triangular", "triangular2" or "exp_range"', f"mode={mode!r}", "choose one of these")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                group["lr"] = lr
        if cycle_momentum:
            self.base_momentums = one_for_each_group("base_momentum", base_momentum, optimizer)
            self.max_momentums = one_for_each_group("max_momentum", max_momentum, optimizer)
            self._prepare_momentum(self.base_momentums, self.max_momentums, begin=last_epoch == -1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """s of the cycle or of the step x, as ``scale_mode`` has it."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 2.0 ** (1 - x) if self.mode == "triangular2" else float(self.gamma**x)

    def get_lr(self) -> list[float]:
        """The rate of each group at step ``last_epoch``; sets the momenta too."""
        t = self.last_epoch
        cycle = floor(1 + t / self.total_size)
        x = 1 + t / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (1 - x) / (1 - self.step_ratio)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else t)
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums, strict=True)
            self._set_momentum([high - (high - low) * height * scale for low, high in bounds])
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]


class OneCycleLR(_Cycling):
    """Up to the highest rate, then down to next to nothing: one cycle for all of the training.

        η(t) = anneal(η_a, η_b, (t - a) / (b - a))        in the phase from step a to step b
        anneal(u, v, s) = v + (u - v) (1 + cos(π s)) / 2  or, ``"linear"``,  u + (v - u) s

    From max_lr / div_factor at step 0 up to max_lr at step pct_start · total_steps - 1, and down to
    max_lr / (div_factor · final_div_factor) at step total_steps - 1. With ``three_phase`` it comes down as it went up,
    to max_lr / div_factor at step 2 pct_start · total_steps - 2, and then on. The momentum falls from max_momentum to
    base_momentum while the rate rises, rises while it falls, and stays in the third phase.

    Args:
        optimizer: see :class:`LRScheduler`.
        max_lr: the highest rate; one, or one for each group.
        total_steps: the number of steps of the training.
        epochs: where ``total_steps`` is not given, it is ``epochs`` times
        steps_per_epoch: so many.
        pct_start: the share of the steps in which the rate rises.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: move the momentum too, or β₁ where the optimiser has betas.
        base_momentum: the lowest momentum, where the rate is highest.
        max_momentum: the highest.
        div_factor: how far the first rate is below the highest.
        final_div_factor: how far the last rate is below the first.
        three_phase: see above.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        OptionError: no number of steps, an unknown ``anneal_strategy``, ``pct_start`` outside 0 … 1, a list that is not
            one for each group, ``cycle_momentum`` with an optimiser that has no momentum, more steps than
            ``total_steps``; see also :class:`LRScheduler`.

    Source: Smith and Topin, Super-convergence: very fast training of neural networks using large learning rates, 2019,
    in the form of ``torch.optim.lr_scheduler.OneCycleLR``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Each,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: Each = 0.85,
        max_momentum: Each = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        max_lrs = one_for_each_group("max_lr", max_lr, optimizer)
        self.optimizer = optimizer
        if total_steps is None and epochs is not None and steps_per_epoch is not None:
            total_steps = epochs * steps_per_epoch
        if not isinstance(total_steps, int) or total_steps < 1:
            got = f"total_steps={total_steps!r}, epochs={epochs!r}, steps_per_epoch={steps_per_epoch!r}"
            raise OptionError("total_steps, or epochs and steps_per_epoch, of at least 1", got, "total_steps=1000")
        if not 0 <= pct_start <= 1:
            raise OptionError("pct_start from 0 to 1", f"pct_start={pct_start!r}", "pct_start=0.3")
        if anneal_strategy not in ("cos", "linear"):
            raise OptionError('"cos" or "linear"', f"anneal_strategy={anneal_strategy!r}", 'anneal_strategy="cos"')
        self.total_steps = total_steps
        self._schedule_phases = _phases(pct_start * total_steps - 1, total_steps - 1, three_phase)
        self._anneal_func_type = anneal_strategy
        if last_epoch == -1:
            for group, highest in zip(optimizer.param_groups, max_lrs, strict=True):
                first = highest / div_factor
                group.update(initial_lr=first, max_lr=highest, min_lr=first / final_div_factor)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            lowest = one_for_each_group("base_momentum", base_momentum, optimizer)
            highest = one_for_each_group("max_momentum", max_momentum, optimizer)
            self._prepare_momentum(lowest, highest, begin=last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at step ``last_epoch``; sets the momenta too."""
        t = self.last_epoch
        if t > self.total_steps:
            cure = "give the number of all steps"
            raise OptionError(f"at most the {self.total_steps} steps of total_steps", f"step {t}", cure)
        ends = [0.0, *(phase["end_step"] for phase in self._schedule_phases)]
        k = sum(end < t for end in ends[1:-1])  # phases that are over; what is after the last is in the last
        phase, length = self._schedule_phases[k], ends[k + 1] - ends[k]
        share = (t - ends[k]) / length if length else 1.0
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            low, high = phase["start_momentum"], phase["end_momentum"]
            self._set_momentum([self._anneal(group[low], group[high], share) for group in groups])
        return [self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], share) for group in groups]

    def _anneal(self, first: float, last: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return first + (last - first) * share
        return last + (first - last) * (1 + cos(pi * share)) / 2


def _phases(top: float, end: float, three_phase: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and from which to which entry of a group the rate and the momentum go in it."""
    up = ("initial_lr", "max_lr", "max_momentum", "base_momentum")
    down = ("max_lr", "initial_lr", "base_momentum", "max_momentum")
    out = ("initial_lr", "min_lr", "max_momentum", "max_momentum")
    all_down = ("max_lr", "min_lr", "base_momentum", "max_momentum")
    phases = [(top, *up), (2 * top, *down), (end, *out)] if three_phase else [(top, *up), (end, *all_down)]
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    return [dict(zip(names, phase, strict=True)) for phase in phases]
