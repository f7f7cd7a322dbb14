"""fit: the function that most programs need."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import ParamSpec

from .history import History
from .trainer import Trainer

__all__ = ["fit"]

P = ParamSpec("P")


def _running(trainer: Callable[P, Trainer]) -> Callable[P, History]:
    """The function with the arguments of the class."""

    def fit(*args: P.args, **options: P.kwargs) -> History:
        return trainer(*args, **options).run()

    fit.__signature__ = inspect.signature(trainer).replace(return_annotation=History)  # type: ignore[attr-defined]
    fit.__doc__ = f"""Train a network, and say what came of it.

        history = train.fit(net, loss, optimizer, (x, y), epochs=10, validation=(x_valid, y_valid))

    The arguments are those of :class:`Trainer`, and so are the errors. Returns a :class:`History`.

    {(Trainer.__doc__ or "").partition("    ")[2]}"""
    return fit


fit = _running(Trainer)
