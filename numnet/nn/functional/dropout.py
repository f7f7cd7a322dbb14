"""Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from .run import Input, run

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

Rng = np.random.Generator | None


def dropout(
    input: Input,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    classic: bool = False,
    rng: Rng = None,
) -> Any:
    """Numbers dropped with probability ``p`` if ``training``: :class:`~numnet.nn.Dropout`."""
    return run(Dropout(p, inplace, classic=classic, rng=rng).train(training), input)


def dropout1d(input: Input, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: Rng = None) -> Any:
    """Channels of sequences dropped with probability ``p`` if ``training``: :class:`~numnet.nn.Dropout1d`."""
    return run(Dropout1d(p, inplace, rng=rng).train(training), input)


def dropout2d(input: Input, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: Rng = None) -> Any:
    """Channels of images dropped with probability ``p`` if ``training``: :class:`~numnet.nn.Dropout2d`."""
    return run(Dropout2d(p, inplace, rng=rng).train(training), input)


def dropout3d(input: Input, p: float = 0.5, training: bool = True, inplace: bool = False, *, rng: Rng = None) -> Any:
    """Channels of volumes dropped with probability ``p`` if ``training``: :class:`~numnet.nn.Dropout3d`."""
    return run(Dropout3d(p, inplace, rng=rng).train(training), input)


def alpha_dropout(
    input: Input, p: float = 0.5, training: bool = False, inplace: bool = False, *, rng: Rng = None
) -> Any:
    """Numbers set to SELU's lowest with probability ``p`` if ``training``: :class:`~numnet.nn.AlphaDropout`."""
    return run(AlphaDropout(p, inplace, rng=rng).train(training), input)


def feature_alpha_dropout(
    input: Input, p: float = 0.5, training: bool = False, inplace: bool = False, *, rng: Rng = None
) -> Any:
    """Channels set to SELU's lowest with probability ``p`` if ``training``: :class:`~numnet.nn.FeatureAlphaDropout`."""
    return run(FeatureAlphaDropout(p, inplace, rng=rng).train(training), input)
