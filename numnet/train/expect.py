"""What a trainer refuses of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import DtypeError, OptionError, describe
from ..nn.module import Module
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

__all__ = ["expect_of_the_net", "expect_scheduler", "monitored"]


def expect_of_the_net(net: Module, loss: Module, optimizer: Optimizer) -> None:
    """These are a network, a loss and an optimiser of theirs. Raises DtypeError, OptionError."""
    for name, value, kind in (("net", net, Module), ("loss", loss, Module), ("optimizer", optimizer, Optimizer)):
        if not isinstance(value, kind):
            order = "the order is fit(net, loss, optimizer, train)"
            cure = f"{value.__name__}(…)" if isinstance(value, type) else order
            raise DtypeError(f"{name} as {'an' if kind is Optimizer else 'a'} {kind.__name__}", describe(value), cure)
    own = {id(p) for module in (net, loss) for p in module.parameters()}
    of_optimizer = [p for group in optimizer.param_groups for p in group["params"]]
    strange = [p for p in of_optimizer if id(p) not in own]
    if strange:
        expected = "an optimiser over parameters of this network"
        got = f"{len(strange)} of its {len(of_optimizer)} are not, the first of shape {strange[0].shape}"
        raise OptionError(expected, got, "make it after the network: optim.SGD(net.parameters(), lr=0.1)")


def expect_scheduler(scheduler: Any, every: str, optimizer: Optimizer) -> None:
    """A schedule of this optimiser, or none. Raises DtypeError, OptionError."""
    if every not in ("epoch", "step"):
        raise OptionError('"epoch" or "step"', f"scheduler_every={every!r}", "choose one of these")
    if scheduler is None:
        return
    if not isinstance(scheduler, LRScheduler):
        cure = "optim.lr_scheduler.StepLR(optimizer, step_size=10)"
        raise DtypeError("scheduler as a schedule of optim.lr_scheduler", describe(scheduler), cure)
    if scheduler.optimizer is not optimizer:
        raise OptionError("a schedule of this optimiser", "one of another", "make it from the optimiser given here")
    if isinstance(scheduler, ReduceLROnPlateau) and every == "step":
        raise OptionError("a plateau of epochs", 'scheduler_every="step"', 'scheduler_every="epoch"')


def monitored(monitor: str | None, columns: Sequence[str], validated: bool) -> tuple[int, str]:
    """The sign that makes larger better, and the column. Raises OptionError."""
    direction, _, column = (monitor or f"min {'validation_' if validated else ''}loss").partition(" ")
    if direction not in ("min", "max") or column not in columns:
        expected = f'monitor as "min" or "max" and a column among {", ".join(columns)}'
        raise OptionError(expected, f"monitor={monitor!r}", 'monitor="min validation_loss", "max validation_accuracy"')
    return (1 if direction == "max" else -1), column
