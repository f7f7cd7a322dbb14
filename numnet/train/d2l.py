"""The training loop of *Dive into Deep Learning*, chapter 3, by its name there."""

from __future__ import annotations

from typing import Any

from ..metrics import accuracy
from ..nn import Module
from ..optim import Optimizer
from .fit import fit
from .history import History

__all__ = ["train_ch3"]

_LINE = "epoch {epoch}, train loss {loss:.3f}, train acc {accuracy:.3f}, test acc {validation_accuracy:.3f}"


def train_ch3(
    net: Module, train_iter: Any, test_iter: Any, loss: Module, num_epochs: int, updater: Optimizer, **options: Any
) -> History:
    """:func:`fit` with the arguments, and the figures, of d2l's ``train_ch3``, printed after every epoch.

    The accuracy on ``test_iter`` is looked at after every epoch, as d2l does; nothing is chosen by it.

    Args:
        net: the network.
        train_iter: what to learn from, as for :func:`fit`.
        test_iter: what to test with.
        loss: any loss; d2l gives one with ``reduction="none"``, whose mean is learned from.
        num_epochs: how many times through ``train_iter``.
        updater: the optimiser.
        options: of :func:`fit`; ``callbacks=[train.LiveCurve()]`` draws the curves that d2l draws.

    Source: Zhang, Lipton, Li and Smola, Dive into Deep Learning, section 3.6.
    """
    options = {"metrics": {"accuracy": accuracy}, "log": _LINE, **options}
    return fit(net, loss, updater, train_iter, validation=test_iter, epochs=num_epochs, **options)
