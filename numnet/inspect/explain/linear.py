"""The rules of the affine map, and of an embedding, whose W is looked up by rows."""

from __future__ import annotations

from typing import Any

from .explanation import Rule
from .expression import Given, plus, product, total
from .page import Index, Page, Rules, places
from .symbols import Element

__all__ = ["EmbeddingRules", "LinearRules"]


class LinearRules(Rules):
    """z = x Wᵀ + b, with whatever axes before the last one."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        *n, j = index
        z = page.total(page.x_shape[-1:], lambda k: product(page.x((*n, k)), page.parameter("weight", (j, k))))
        symbols = f"Σₖ x[{_of(n)}k] · W[{j}, k]"
        if not page.has("bias"):
            return Rule(symbols, z)
        return Rule(f"{symbols} + b[{j}]", plus(z, page.parameter("bias", (j,))))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        *n, k = index
        found = page.total(page.y_shape[-1:], lambda j: product(page.parameter("weight", (j, k)), page.delta((*n, j))))
        return Rule(f"Σⱼ W[j, {k}] · δ[{_of(n)}j]", found)

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        rows = page.x_shape[:-1]
        if part == "bias":
            return Rule(f"Σₙ δ[n, {index[0]}]", page.total(rows, lambda *n: page.delta((*n, index[0]))))
        j, k = index
        found = page.total(rows, lambda *n: product(page.delta((*n, j)), page.x((*n, k))))
        return Rule(f"Σₙ δ[n, {j}] · x[n, {k}]", found)


class EmbeddingRules(Rules):
    """y[n] = W[x[n]]."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        *n, d = index
        word = page.x(tuple(n))
        row: Any = word.as_index() if isinstance(word, Element) else int(word.value)
        note = page.note(lambda: f"x is {row} here: row {row} of W")
        return Rule(f"W[{word.symbol}, {d}]", page.parameter("weight", (row, d)), note)

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        row, d = index
        x, layer = page.array(), page.layer
        if row == layer.padding_idx:
            return Rule("0", total([]), "the row of the padding is not trained")
        found = [n for n in places(x.shape) if int(x[n]) == row]
        summed = total(page.delta((*n, d)) for n in found)
        symbols = f"Σ δ[n, {d}] over the n with x[n] = {row}"
        note = f"row {row} was looked up {len(found)} times"
        if layer.scale_grad_by_freq and found:
            share = Given(1 / len(found), "1 / (times)")
            return Rule(f"({symbols}) / {len(found)}", product(share, summed), note)
        return Rule(symbols, summed, note)


def _of(n: list[int]) -> str:
    return "".join(f"{i}, " for i in n)
