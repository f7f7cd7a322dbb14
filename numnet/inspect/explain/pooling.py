"""The rules of pooling: the winner, and the mean of a window or region."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from .conv import Geometry
from .explanation import Rule
from .expression import Constant, Expression, Quotient, equal, product, total
from .page import Index, Page, Rules, flat_of, places
from .symbols import NotOnePattern, Symbol

__all__ = ["AdaptiveAvgPoolRules", "AdaptiveMaxPoolRules", "AvgPoolRules", "MaxPoolRules"]


class _PoolRules(Rules):
    """Abstract: what is under which position."""

    def under(self, page: Page, p: Index, body: Callable[[Index], Expression], function: str = "sum") -> Expression:
        """Σ of ``body(i)`` over the places i of x that position p sees, or the largest."""
        raise NotImplementedError

    def over(self, page: Page, i: Index, body: Callable[[Index], Expression]) -> Expression:
        """Σ of ``body(p)`` over the positions p that see the place i of x, each as often as it does."""
        raise NotImplementedError

    def split(self, page: Page, index: Index) -> tuple[Index, Index]:
        """Batch and channel, and the place."""
        axes = page.layer.axes
        return index[:-axes], index[-axes:]


class _Windowed(_PoolRules):
    """Abstract: a sliding window."""

    def geometry(self, page: Page) -> Geometry:
        axes = page.layer.axes
        return Geometry.zeros(page.layer.window, page.x_shape[-axes:], page.y_shape[-axes:])

    def under(self, page: Page, p: Index, body: Callable[[Index], Expression], function: str = "sum") -> Expression:
        geometry = self.geometry(page)
        return page.total(geometry.window.kernel, lambda *k: body(geometry.seen(p, k)), function)

    def over(self, page: Page, i: Index, body: Callable[[Index], Expression]) -> Expression:
        geometry = self.geometry(page)
        return page.total(geometry.window.kernel, lambda *k: body(geometry.position(i, k)))


class _Regions(_PoolRules):
    """Abstract: as many regions as asked for, from ⌊o · in / O⌋ to ⌈(o + 1) · in / O⌉ - 1."""

    def sizes(self, page: Page, p: Index) -> Index:
        """How many places region p has along each axis; the same for all regions, where they divide x."""
        axes = page.layer.axes
        found = []
        for o, n, many in zip(p, page.x_shape[-axes:], page.y_shape[-axes:], strict=True):
            found.append(len(range(o * n // many, -(-(o + 1) * n // many))) if n % many else n // many)
        return tuple(found)

    def under(self, page: Page, p: Index, body: Callable[[Index], Expression], function: str = "sum") -> Expression:
        axes = page.layer.axes
        shapes = zip(p, page.x_shape[-axes:], page.y_shape[-axes:], strict=True)
        first = [o * n // many if n % many else o * (n // many) for o, n, many in shapes]
        return page.total(
            self.sizes(page, p), lambda *j: body(tuple([a + b for a, b in zip(first, j, strict=True)])), function
        )

    def over(self, page: Page, i: Index, body: Callable[[Index], Expression]) -> Expression:
        axes, shape = page.layer.axes, page.y_shape[-page.layer.axes :]
        alike = all(n % many == 0 for n, many in zip(page.x_shape[-axes:], shape, strict=True))
        if alike:
            return body(tuple([a // n for a, n in zip(i, self.sizes(page, i), strict=True)]))
        return total(body(p) for p in places(shape) if self._sees(page, p, i))

    def _sees(self, page: Page, p: Index, i: Index) -> bool:
        axes = page.layer.axes
        sizes = zip(p, i, page.x_shape[-axes:], page.y_shape[-axes:], strict=True)
        return all(o * n // many <= a < -(-(o + 1) * n // many) for o, a, n, many in sizes)


class _Max(_PoolRules):
    """Abstract: the largest."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        before, p = self.split(page, index)
        if number:
            place = Constant(float(page.call.outputs[1].numbers[index]))
            return Rule("the winner's place in the plane, counted row by row", place)
        largest = self.under(page, p, lambda i: page.x((*before, *i)), "max")
        return Rule("max of x under the window", largest, page.note(lambda: self._winner(page, before, p)))

    def _winner(self, page: Page, before: Index, p: Index) -> str:
        place = np.unravel_index(int(self._index(page, before, p).value), page.x_shape[-page.layer.axes :])
        return f"the winner is x{[*before, *map(int, place)]}"

    @staticmethod
    def _index(page: Page, before: Index, p: Index) -> Any:
        """The place of the winner under p, counted row by row."""
        batched: Index = before if len(before) == 2 else (0, *before)
        return page.saved("index", (*batched, *p), "winner")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        before, i = self.split(page, index)
        place = flat_of(i, page.x_shape[-page.layer.axes :])

        def term(p: Index) -> Expression:
            return product(page.delta((*before, *p)), equal(self._index(page, before, p), place))

        symbols = f"Σ δ[p] · [winner[p] = {place}]"
        note = f"over the windows p that see it; δ goes to the winner alone, and this is place {place} of its plane"
        return Rule(symbols, self.over(page, i, term), note)


class _Mean(_PoolRules):
    """Abstract: the mean."""

    def count(self, page: Page, p: Index) -> float:
        """What the sum over position p is divided by."""
        raise NotImplementedError

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        before, p = self.split(page, index)
        summed = self.under(page, p, lambda i: page.x((*before, *i)))
        count = self.count(page, p)
        return Rule(f"Σ x under the window / {count:g}", Quotient(summed, Constant(count, "count")))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        before, i = self.split(page, index)

        def term(p: Index) -> Expression:
            delta = page.delta((*before, *p))
            return Quotient(delta, Constant(self.count(page, p), "count"))

        return Rule("Σ δ[p] / count[p] over the windows p that see it", self.over(page, i, term))


class MaxPoolRules(_Windowed, _Max):
    """y = the largest under each window."""


class AvgPoolRules(_Windowed, _Mean):
    """y = the mean under each window."""

    def count(self, page: Page, p: Index) -> float:
        layer, w = page.layer, page.layer.window
        if layer.divisor_override is not None:
            return float(layer.divisor_override)
        if any(isinstance(o, Symbol) for o in p):
            counts = {self.count(page, q) for q in places(page.y_shape[-layer.axes :])}
            if len(counts) > 1:
                raise NotOnePattern
            return counts.pop()
        counted = []
        for o, n, k, s, (before, after) in zip(
            p, page.x_shape[-layer.axes :], w.kernel, w.stride, w.padding, strict=True
        ):
            low, high = (-before, n + after) if layer.count_include_pad else (0, n)
            counted.append(max(1, sum(low <= o * s + j - before < high for j in range(k))))
        return float(prod(counted))


class AdaptiveAvgPoolRules(_Regions, _Mean):
    """y = the mean of each region."""

    def count(self, page: Page, p: Index) -> float:
        return float(prod(self.sizes(page, p)))


class AdaptiveMaxPoolRules(_Regions, _Max):
    """y = the largest of each region."""
