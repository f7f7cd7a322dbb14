"""Taps: which numbers along an axis make a result; written once for padding, means of regions and interpolation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from .errors import OptionError, ShapeError

__all__ = ["CACHED", "Taps", "padding_taps", "spans"]

_SOURCES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {  # mode: (i, size) → the element that position i copies
    "reflect": lambda i, size: size - 1 - abs(size - 1 - abs(i)),
    "replicate": lambda i, size: i.clip(0, size - 1),
    "circular": lambda i, size: i % size,
}
CACHED = 64  # a network has few shapes, and asks for the same taps in every step; those of a long axis take megabytes


@dataclass(frozen=True, eq=False)
class Taps:
    """A map along one axis: every number of y is a weighted sum of some numbers of x, its taps.

        y[o] = Σₜ weight[t] · x[place[t]]        over the taps t = start[o] … start[o + 1] - 1

    That is a sparse matrix, row by row, and the way back is its transpose. An output may have no taps.

    Attributes:
        size: how many numbers x has.
        start: (out + 1,), where the taps of each output begin.
        place: (taps,), from 0 to ``size`` - 1.
        weight: (taps,), float64.
    """

    size: int
    start: np.ndarray
    place: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, size: int, output: np.ndarray, place: np.ndarray, weight: np.ndarray, out: int) -> Taps:
        """The map with weight[t] in row output[t] and column place[t], for each t; those of a row stay in order."""
        order = np.argsort(output, kind="stable")
        start = np.zeros(out + 1, np.int64)
        np.cumsum(np.bincount(output, minlength=out), out=start[1:])
        taps = cls(size, start, place[order].astype(np.int64), weight[order].astype(np.float64))
        for array in (taps.start, taps.place, taps.weight):
            array.setflags(write=False)  # all who ask for the same taps share them
        return taps

    @property
    def out(self) -> int:
        """How many numbers y has."""
        return len(self.start) - 1

    @cached_property
    def output(self) -> np.ndarray:
        """(taps,), the output that each tap belongs to."""
        return np.repeat(np.arange(self.out), np.diff(self.start))

    @cached_property
    def bare(self) -> np.ndarray:
        """The outputs without taps."""
        return np.flatnonzero(np.diff(self.start) == 0)

    @cached_property
    def transposed(self) -> Taps:
        """The way back: δ of y to δ of x."""
        return Taps.of(self.out, self.place, self.output, self.weight, self.size)

    @cached_property
    def rounds(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The first tap of every output that has one, then the second ones, and so on: (outputs, places, weights)."""
        turn = np.arange(len(self.place)) - self.start[self.output]
        chosen = [turn == t for t in range(int(turn.max(initial=-1)) + 1)]
        return [(self.output[c], self.place[c], self.weight[c]) for c in chosen]

    @staticmethod
    @lru_cache(maxsize=CACHED)
    def padding(size: int, before: int, after: int, mode: str) -> Taps:
        """A border around x. A negative one cuts off; circular then takes what is left for x, the other modes do not.

            y[before + i] = x[source(i)]        for -before ≤ i < size + after

            zeros       there is no source outside of x, and so no tap
            reflect     source(i) is i mirrored at the first and last element, which are not repeated
            replicate   source(i) is the nearest element
            circular    source(i) = i mod size

        Raises:
            OptionError: no such mode.
            ShapeError: a border wider than what it copies (reflect needs padding < size, circular padding ≤ size), or
                a negative padding that leaves nothing.
        """
        if mode != "zeros" and mode not in _SOURCES:
            raise OptionError(f"a padding mode among zeros, {', '.join(_SOURCES)}", repr(mode), "choose one of these")
        cut, left = max(0, -before), size - max(0, -before) - max(0, -after)
        wide = max(before, after)
        if left < (mode != "zeros") or (mode == "reflect" and wide >= size) or (mode == "circular" and wide > left):
            limit = {"reflect": ", less than there is", "circular": ", no more than there is"}.get(mode, "")
            raise ShapeError(
                f"padding that leaves something{limit}",
                f"padding ({before}, {after}) in mode {mode!r} of an axis of size {size}",
                "use less padding, a larger input, or the mode 'zeros' or 'replicate'",
            )
        start, span = (cut, left) if mode == "circular" else (0, size)  # what the border copies
        place = np.arange(-before, size + after)
        inside = (place >= cut) & (place < cut + left)
        if mode == "zeros":
            output, place = np.flatnonzero(inside), place[inside]
        else:
            output = np.arange(len(place))
            place = np.where(inside, place, start + _SOURCES[mode](place - start, span))
        return Taps.of(size, output, place, np.ones(len(place)), before + size + after)

    @staticmethod
    @lru_cache(maxsize=CACHED)
    def regions(size: int, parts: int) -> Taps:
        """The mean of each of so many regions that cover x, and may overlap: region o is :func:`spans` [o].

            y[o] = mean of x[start … end - 1]

        Raises:
            ShapeError: x is empty.
        """
        covered = spans(size, parts)
        places = [np.arange(start, end) for start, end in covered]
        output = np.repeat(np.arange(parts), [len(p) for p in places]) if places else np.zeros(0, np.int64)
        weights = [np.full(len(p), 1 / len(p)) for p in places]
        return Taps.of(size, output, _joined(places, np.int64), _joined(weights, np.float64), parts)


def padding_taps(shape: Sequence[int], border: Sequence[tuple[int, int]], mode: str) -> tuple[Taps, ...]:
    """The taps of a border (before, after) around each of the last axes of this shape: :meth:`Taps.padding`."""
    sizes = shape[len(shape) - len(border) :]
    return tuple([Taps.padding(n, before, after, mode) for n, (before, after) in zip(sizes, border, strict=True)])


def spans(size: int, parts: int) -> list[tuple[int, int]]:
    """Start and end of each of ``parts`` regions that cover ``size`` elements, and may overlap.

        start = ⌊o · size / parts⌋        end = ⌈(o + 1) · size / parts⌉

    Raises:
        ShapeError: there are no elements.
    """
    if size == 0:
        raise ShapeError("x with elements on every spatial axis", "an axis of size 0", "leave such inputs out")
    return [(o * size // parts, -(-(o + 1) * size // parts)) for o in range(parts)]


def _joined(arrays: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays])
