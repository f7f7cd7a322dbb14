"""The default random generator: one seed for initial weights, dropout masks and shuffles."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator
from typing import Self, TypeAlias

import numpy as np

__all__ = ["default_rng", "drawing_from", "manual_seed", "undisturbed"]

Source: TypeAlias = np.random.Generator | tuple[int, int]


def _generator(seed: int | None) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))  # counter-based: the draw depends on seed and position alone


_default = _generator(None)


def manual_seed(seed: int) -> np.random.Generator:
    """Start the default generator anew from ``seed`` and return it.

    The same seed gives the same bits on every machine. PyTorch's streams are its own: the same seed gives
    other numbers there.
    """
    global _default
    made = _generator(seed)
    if _thread.apart is None:
        _default = made
    else:
        _thread.apart = made
    return made


def default_rng() -> np.random.Generator:
    """The generator in use wherever no ``rng=`` is given."""
    source = _thread.source
    if source is None:
        return _thread.apart or _default
    if isinstance(source, tuple):  # made only if somebody draws: most samples of a data set do not
        source = _thread.source = np.random.Generator(np.random.Philox(key=np.array(source, np.uint64)))
    return source


class _Thread(threading.local):
    source: Source | None = None  # within drawing_from
    apart: np.random.Generator | None = None  # this thread's own default generator, within undisturbed


_thread = _Thread()


class drawing_from:
    """Within ``with``, and in this thread alone, :func:`default_rng` is a generator of its own.

    A :class:`~numnet.data.DataLoader` loads every sample within one, so that what is drawn for a sample depends neither
    on the process that loads it nor on what was drawn before.

        with drawing_from((seed, 3)): x, y = dataset[7]

    Args:
        source: a generator; or the key of one: two whole numbers from 0 to 2⁶⁴ - 1. Keys that differ give streams
            that have nothing to do with each other.

    Source: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011 (Philox).
    """

    __slots__ = ("_before", "_source")

    def __init__(self, source: Source) -> None:
        self._source = source

    def __enter__(self) -> Self:
        self._before = _thread.source
        _thread.source = self._source
        return self

    def __exit__(self, *error: object) -> None:
        _thread.source = self._before


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """What this thread draws or seeds in here leaves the default generator where it was."""
    before = _thread.source, _thread.apart
    _thread.source, _thread.apart = None, copy.deepcopy(_thread.apart or _default)
    try:
        yield
    finally:
        _thread.source, _thread.apart = before
