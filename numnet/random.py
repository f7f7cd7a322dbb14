"""The default random generator: one seed for initial weights, dropout masks and shuffles."""

from __future__ import annotations

import numpy as np

__all__ = ["default_rng", "manual_seed"]


def _generator(seed: int | None) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))  # counter-based: the draw depends on seed and position alone


_default = _generator(None)


def manual_seed(seed: int) -> np.random.Generator:
    """Start the default generator anew from ``seed`` and return it.

    The same seed gives the same bits on every machine. PyTorch's streams are its own: the same seed gives
    other numbers there.
    """
    global _default
    _default = _generator(seed)
    return _default


def default_rng() -> np.random.Generator:
    """The generator in use wherever no ``rng=`` is given."""
    return _default
