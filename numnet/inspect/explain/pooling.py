"""The rules of pooling: the winner, and the mean of a window or region."""

from __future__ import annotations

from math import prod

import numpy as np

from .conv import Geometry
from .explanation import Rule
from .expression import Apply, Constant, Quotient, total
from .page import Index, Page, Rules, places

__all__ = ["AdaptiveAvgPoolRules", "AdaptiveMaxPoolRules", "AvgPoolRules", "MaxPoolRules"]


class _PoolRules(Rules):
    """Abstract: what is under which position."""

    def under(self, page: Page, p: Index) -> list[Index]:
        """The places of x that position p sees."""
        raise NotImplementedError

    def seeing(self, page: Page, i: Index) -> list[Index]:
        """The positions that see the place i of x, each as often as it does."""
        found = places(page.y_shape[-page.layer.axes :])
        return [p for p in found for _ in range(self.under(page, p).count(i))]

    def split(self, page: Page, index: Index) -> tuple[Index, Index]:
        """Batch and channel, and the place."""
        axes = page.layer.axes
        return index[:-axes], index[-axes:]


class _Windowed(_PoolRules):
    """Abstract: a sliding window."""

    def geometry(self, page: Page) -> Geometry:
        axes = page.layer.axes
        return Geometry.zeros(page.layer.window, page.x_shape[-axes:], page.y_shape[-axes:])

    def under(self, page: Page, p: Index) -> list[Index]:
        return [i for _, i in self.geometry(page).under(p)]

    def seeing(self, page: Page, i: Index) -> list[Index]:
        return sorted(p for _, p in self.geometry(page).over(i))


class _Regions(_PoolRules):
    """Abstract: as many regions as asked for, from ⌊o · in / O⌋ to ⌈(o + 1) · in / O⌉ - 1."""

    def under(self, page: Page, p: Index) -> list[Index]:
        axes = page.layer.axes
        sizes = zip(p, page.x_shape[-axes:], page.y_shape[-axes:], strict=True)
        ranges = [range(o * n // many, -(-(o + 1) * n // many)) for o, n, many in sizes]
        found: list[Index] = [()]
        for r in ranges:
            found = [(*i, j) for i in found for j in r]
        return found


class _Max(_PoolRules):
    """Abstract: the largest."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        before, p = self.split(page, index)
        if number:
            place = Constant(float(page.call.outputs[1].numbers[index]))
            return Rule("the winner's place in the plane, counted row by row", place)
        seen = [page.x((*before, *i)) for i in self.under(page, p)]
        winner = self._winner(page, before, p)
        note = f"the winner is x{[*before, *winner]}, where {len(seen)} numbers lie under the window"
        return Rule("max of x under the window", Apply("max", tuple(seen)) if len(seen) > 1 else seen[0], note)

    def _winner(self, page: Page, before: Index, p: Index) -> Index:
        spatial = page.x_shape[-page.layer.axes :]
        index = page.value("index")
        batched = before if len(before) == 2 else (0, *before)
        return tuple(int(i) for i in np.unravel_index(int(index[(*batched, *p)]), spatial))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        before, i = self.split(page, index)
        won = [p for p in self.seeing(page, i) if self._winner(page, before, p) == i]
        note = f"it won {len(won)} windows" if won else "it won no window: nothing comes back"
        return Rule("Σ δ[p] over the windows p that it won", total(page.delta((*before, *p)) for p in won), note)


class _Mean(_PoolRules):
    """Abstract: the mean."""

    def count(self, page: Page, p: Index) -> float:
        """What the sum over position p is divided by."""
        return float(len(self.under(page, p)))

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        before, p = self.split(page, index)
        summed = total(page.x((*before, *i)) for i in self.under(page, p))
        count = self.count(page, p)
        return Rule(f"Σ x under the window / {count:g}", Quotient(summed, Constant(count, "count")))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        before, i = self.split(page, index)
        seeing = self.seeing(page, i)
        terms = [Quotient(page.delta((*before, *p)), Constant(self.count(page, p), "count")) for p in seeing]
        return Rule("Σ δ[p] / count[p] over the windows p that see it", total(terms), f"{len(terms)} windows see it")


class MaxPoolRules(_Windowed, _Max):
    """y = the largest under each window."""


class AvgPoolRules(_Windowed, _Mean):
    """y = the mean under each window."""

    def count(self, page: Page, p: Index) -> float:
        layer = page.layer
        if layer.divisor_override is not None:
            return float(layer.divisor_override)
        w, counts = layer.window, []
        for o, n, k, s, (before, after) in zip(
            p, page.x_shape[-layer.axes :], w.kernel, w.stride, w.padding, strict=True
        ):
            low, high = (-before, n + after) if layer.count_include_pad else (0, n)
            counts.append(max(1, sum(low <= o * s + j - before < high for j in range(k))))
        return float(prod(counts))


class AdaptiveAvgPoolRules(_Regions, _Mean):
    """y = the mean of each region."""


class AdaptiveMaxPoolRules(_Regions, _Max):
    """y = the largest of each region."""
