"""LRScheduler: what writes the learning rates of an optimiser, step by step."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any

from ...errors import DtypeError, OptionError, StateDictError, describe
from ..optimizer import Optimizer

__all__ = ["LRScheduler", "expect_optimizer", "one_for_each_group"]

Saved = dict[str, Any]


class LRScheduler:
    """Abstract: a learning rate for every group of an optimiser, as a function of the steps taken.

    A subclass gives :meth:`get_lr`. Construction sets the rates of step 0; each :meth:`step` after the optimiser's step
    sets the next. A schedule made later on the same optimiser works on what the earlier ones have made of the rates.

    Args:
        optimizer: whose ``param_groups[i]["lr"]`` are set.
        last_epoch: the step at which an interrupted schedule stood, where the optimiser's groups (from its
            ``state_dict``) hold the rates and ``"initial_lr"``; -1 to begin.

    Attributes:
        base_lrs: the rate of each group before any schedule, which is kept as ``"initial_lr"`` in the group.
        last_epoch: the number of steps taken.

    Raises:
        DtypeError: ``optimizer`` is no optimiser.
        OptionError: an option that cannot be; ``last_epoch`` without ``"initial_lr"`` in the groups.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        expect_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                cure = "optimizer.load_state_dict(saved) first, or last_epoch=-1"
                raise OptionError(f'"initial_lr" in group {i}, to go on at step {last_epoch + 1}', "none", cure)
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._begin(last_epoch)

    # ------------------------------------------------------------------ what a subclass writes

    def get_lr(self) -> list[float]:
        """The rate of each group at step ``last_epoch``; the groups hold those of the step before."""
        raise NotImplementedError

    # ------------------------------------------------------------------ use

    def step(self) -> None:
        """Go one step on, after the optimiser's step.

        Warns:
            UserWarning: the optimiser has not made a step yet, so that its first step would miss the first rate.
        """
        if self._step_count == 1 and not self.optimizer.has_stepped:
            text = "scheduler.step() before the first optimizer.step(): no step will use the first learning rate"
            warnings.warn(f"{text}; call optimizer.step() first", UserWarning, stacklevel=2)
        self._advance()

    def get_last_lr(self) -> list[float]:
        """The rate of each group that this schedule set last."""
        return self._last_lr

    def state_dict(self) -> Saved:
        """A copy of everything but the optimiser, by PyTorch's names.

        Functions are not saved (``None`` stands for them); callable objects are, by their attributes.
        """
        return {name: _saved(value) for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where a schedule of this class stood: all of it or, on an error, nothing.

        The rates are the optimiser's, and come back with its own ``state_dict``.

        Args:
            state_dict: from :meth:`state_dict`, or from the PyTorch schedule of the same name.

        Raises:
            StateDictError: something is missing, all of it listed.
        """
        faults = self._faults(state_dict)
        if faults:
            cure = f"load what the state_dict() of a {type(self).__name__} over as many groups gave"
            raise StateDictError(f"the state of a {type(self).__name__}", "; ".join(faults), cure)
        for name, own in list(vars(self).items()):
            if name != "optimizer":
                setattr(self, name, _loaded(own, state_dict[name]))

    def _faults(self, state_dict: Mapping[str, Any]) -> list[str]:
        faults = []
        for name, own in vars(self).items():
            if name == "optimizer":
                continue
            if name not in state_dict:
                faults.append(f"no {name}")
            elif name in ("base_lrs", "_last_lr", "_schedulers") and len(own) != len(state_dict[name]):
                faults.append(f"{len(state_dict[name])} {name} for {len(own)}")
            elif name == "_schedulers":
                for i, (scheduler, saved) in enumerate(zip(own, state_dict[name], strict=True)):
                    faults += [f"{fault} of schedule {i}" for fault in scheduler._faults(saved)]
        return faults

    # ------------------------------------------------------------------ how

    def _begin(self, last_epoch: int) -> None:
        """Set the rates of the step after ``last_epoch``: the constructor does, and a schedule made of others."""
        self.last_epoch = last_epoch
        self._step_count = 0
        self._advance()

    def _advance(self) -> None:
        self._step_count += 1
        self.last_epoch += 1
        self._set(self.get_lr())

    def _restart(self) -> None:
        """Step 0 again, whatever the rates are now: the turn of this schedule in a :class:`SequentialLR` has come."""
        self.last_epoch = 0
        self._set(self.get_lr())

    def _current(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _set(self, rates: Sequence[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            cure = "make the schedule after the last add_param_group"
            raise OptionError(f"the {len(rates)} groups that the schedule was made for", f"{len(groups)}", cure)
        for group, lr in zip(groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = self._current()


def expect_optimizer(optimizer: Any) -> None:
    """Raise DtypeError unless it is an :class:`Optimizer`."""
    if not isinstance(optimizer, Optimizer):
        raise DtypeError("an optimiser", describe(optimizer), "optim.SGD(net.parameters(), lr=0.1)")


def one_for_each_group(name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """A list as long as the optimiser has groups: the one given, or the one value for all.

    Raises:
        OptionError: a list of another length.
    """
    expect_optimizer(optimizer)
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise OptionError(f"{name}: one for each of the {groups} groups", f"{len(value)}", "or one for all of them")
    return list(value)


def _saved(value: Any) -> Any:
    if isinstance(value, LRScheduler):
        return value.state_dict()
    if isinstance(value, (list, tuple)):
        return [_saved(item) for item in value]
    if callable(value):
        return None if isinstance(value, (FunctionType, BuiltinFunctionType)) else dict(vars(value))
    return value


def _loaded(own: Any, saved: Any) -> Any:
    if isinstance(own, LRScheduler):
        own.load_state_dict(saved)
        return own
    if isinstance(own, list) and any(isinstance(item, LRScheduler) or callable(item) for item in own):
        return [_loaded(mine, theirs) for mine, theirs in zip(own, saved, strict=True)]
    if callable(own):
        if saved is not None:
            vars(own).update(saved)
        return own
    return list(saved) if isinstance(saved, list) else saved
