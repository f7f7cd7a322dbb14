"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dropout import Dropout
from .run import Input, run

__all__ = ["dropout"]


def dropout(
    input: Input,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """Numbers dropped with probability ``p`` if ``training``: :class:`~numnet.nn.Dropout`."""
    return run(Dropout(p, inplace, rng=rng).train(training), input)
