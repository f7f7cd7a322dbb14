"""The rules of layers and operations that only move numbers about, and of dropout, which also scales them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...call import Ctx
from .explanation import Rule
from .expression import Constant, product, total
from .page import Index, Page, Rules, flat_of

__all__ = [
    "ConcatenateRules",
    "DropoutRules",
    "MergeHeadsRules",
    "MoveRules",
    "PermuteRules",
    "ReshapeRules",
    "SplitHeadsRules",
    "SplitRules",
]


class MoveRules(Rules):
    """Every number of y is a number of x, or 0. Which one, the layer's own forward says, run on the places of x."""

    @staticmethod
    def sources(page: Page) -> Any:
        """For each place of y the place of x, counted from 1 row by row; 0 for a number that is no x."""
        shape = page.x_shape
        size = int(np.prod(shape, dtype=np.int64))
        numbered = np.arange(1, size + 1, dtype=np.float64).reshape(shape)
        ctx = Ctx((False,), recording=False)
        border = page.call.layer.forward(ctx, 0 * numbered)  # what is not 0 here is a constant of the layer's
        found = page.call.layer.forward(ctx, numbered)
        return np.where(border == 0, found, 0).astype(np.int64)

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        source = int(self.sources(page)[index])
        if not source:
            return Rule("0", Constant(float(page.call.outputs[0].numbers[index])), "a number of the border, no x")
        x = page.x(_place(source, page.x_shape))
        return Rule(x.symbol, x, "the same number in another place")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        number = int(np.ravel_multi_index(index, page.x_shape)) + 1 if index else 1
        found = [tuple(map(int, i)) for i in np.argwhere(self.sources(page) == number)]
        notes = ["it does not stand in y: nothing comes back", "the same number in another place"]
        note = notes[len(found)] if len(found) < 2 else f"it stands {len(found)} times in y"
        symbols = f"δ{list(found[0])}" if len(found) == 1 and found[0] else "Σ δ where it stands in y"
        return Rule(symbols, total(page.delta(i) for i in found), note)


def _place(number: int, shape: Index) -> Index:
    return tuple(int(i) for i in np.unravel_index(number - 1, shape)) if shape else ()


class ReshapeRules(Rules):
    """Every number of y is the number of x that comes at the same turn, row by row."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x = page.x(reshaped(index, page.y_shape, page.x_shape))
        return Rule(x.symbol, x, "the same number in another place")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        delta = page.delta(reshaped(index, page.x_shape, page.y_shape))
        return Rule(delta.symbol, delta, "the same number in another place")


def reshaped(index: Index, old: Index, new: Index) -> Index:
    """The index in an array of shape ``new`` of what has ``index`` in one of shape ``old``; both may be symbols."""
    flat = flat_of(index, old)
    found: list[Any] = []
    for n in reversed(new):
        found.append(flat % n)
        flat = flat // n
    return tuple(reversed(found))


class PermuteRules(Rules):
    """Axis i of y is axis dims[i] of x."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        axes = self._axes(page)
        x = page.x(tuple([index[axes.index(a)] for a in range(len(axes))]))
        return Rule(x.symbol, x, "the same number in another place")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        delta = page.delta(tuple([index[a] for a in self._axes(page)]))
        return Rule(delta.symbol, delta, "the same number in another place")

    @staticmethod
    def _axes(page: Page) -> list[int]:
        rank = len(page.x_shape)
        return [int(d) % rank for d in page.layer.dims]


class DropoutRules(Rules):
    """y = m ⊙ x."""

    def _scaled(self, page: Page, index: Index, number: Any) -> Rule:
        mask = page.call.saved.get("mask")
        if mask is None:
            return Rule(number.symbol, number, "in evaluation mode, or with p = 0, nothing is dropped")
        if isinstance(mask, float):
            return Rule(f"m · {number.symbol}", product(Constant(mask, "m"), number), "the factor of evaluation mode")
        place = tuple([i if n > 1 else 0 for i, n in zip(index, mask.shape, strict=True)])
        m = page.saved("mask", place, "m")
        note = page.note(lambda: "dropped" if m.value == 0 else f"kept, and scaled by {m.value:.4g}")
        return Rule(f"{m.symbol} · {number.symbol}", product(m, number), note)

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        return self._scaled(page, index, page.x(index))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        return self._scaled(page, index, page.delta(index))


class ConcatenateRules(Rules):
    """y = [x₁, x₂, …] along an axis."""

    def _axis(self, page: Page) -> int:
        return int(page.layer.dim) % len(page.y_shape)

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        axis, i = self._axis(page), index[self._axis(page)]
        for part in page.call.inputs:
            n = page.shape(part)[axis]
            if i < n:
                x = page.x((*index[:axis], i, *index[axis + 1 :]), part, part)
                return Rule(x.symbol, x, "the same number in another place")
            i -= n
        return None

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        axis, start = self._axis(page), 0
        for other in page.call.inputs:
            if other == part:
                break
            start += page.shape(other)[axis]
        delta = page.delta((*index[:axis], index[axis] + start, *index[axis + 1 :]))
        return Rule(delta.symbol, delta, f"the part of δ that {part} became")


class SplitRules(Rules):
    """x = [y₁, y₂, …] along an axis."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        axis, start = int(page.layer.dim), sum(page.layer.sizes[:number])
        x = page.x((*index[:axis], index[axis] + start, *index[axis + 1 :]))
        return Rule(x.symbol, x, "the same number in another place")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        axis, i = int(page.layer.dim), index[int(page.layer.dim)]
        for number, n in enumerate(page.layer.sizes):
            if i < n:
                delta = page.delta((*index[:axis], i, *index[axis + 1 :]), number)
                return Rule(delta.symbol, delta, "the same number in another place")
            i -= n
        return None


class SplitHeadsRules(Rules):
    """yₚ[n, h, l, d] = x[n, l, D (p H + h) + d]."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        n, h, l, d = index  # noqa: E741  # the letters of the formula
        heads = number * page.layer.heads + h
        x = page.x((*_batch_and_place(page, n, l), page.y_shape[3] * heads + d))
        return Rule(x.symbol, x, "the same number in another place")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        size = page.y_shape[3]
        n, l = _batch_and_place(page, *index[:2])  # noqa: E741
        i, number, width = index[2], 0, page.layer.heads * size
        while number < page.layer.parts - 1 and i >= width:
            i, number = i - width, number + 1
        delta = page.delta((n, i // size, l, i % size), number)
        return Rule(delta.symbol, delta, "the same number in another place")


class MergeHeadsRules(Rules):
    """y[n, l, D h + d] = x[n, h, l, d]."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        size = page.x_shape[3]
        n, l = _batch_and_place(page, *index[:2])  # noqa: E741
        x = page.x((n, index[2] // size, l, index[2] % size))
        return Rule(x.symbol, x, "the same number in another place")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        n, h, l, d = index  # noqa: E741
        delta = page.delta((*_batch_and_place(page, n, l), page.x_shape[3] * h + d))
        return Rule(delta.symbol, delta, "the same number in another place")


def _batch_and_place(page: Page, first: Any, second: Any) -> tuple[Any, Any]:
    """n and l in the order of the layout, or from it: the exchange is its own inverse."""
    return (first, second) if page.layer.batch_first else (second, first)
