"""The rules of scaled dot-product attention: weights by a softmax, and a mean of the values by these weights."""

from __future__ import annotations

import math

import numpy as np

from .explanation import Rule
from .expression import Apply, Constant, Expression, Operand, Quotient, Sum, difference, product, total
from .page import Index, Page, Rules, places

__all__ = ["AttentionRules"]


class AttentionRules(Rules):
    """y = m ⊙ a v with a = softmax(q kᵀ / √E + M). Not where heads are shared, or leading axes broadcast."""

    @staticmethod
    def _known(page: Page) -> bool:
        q, k, v = (page.shape(part)[:-2] for part in ("q", "k", "v"))
        return q == k == v and not page.layer.enable_gqa

    @staticmethod
    def _scale(page: Page) -> Constant:
        scale = page.layer.scale
        return Constant(1 / math.sqrt(max(1, page.shape("q")[-1])) if scale is None else float(scale), "1/√E")

    def _weight(self, page: Page, n: Index, i: int, j: int) -> Expression:
        """m a, for query i and key j."""
        a = page.saved("a", (*n, i, j), "a")
        return a if page.call.saved["m"] is None else product(page.saved("m", (*n, i, j), "m"), a)

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        if not self._known(page):
            return None
        *leading, i, e = index
        n = tuple(leading)
        if number:
            return Rule("m · a", self._weight(page, n, i, e), "m is 1 without dropout")
        keys = range(page.shape("k")[-2])
        terms = [product(self._weight(page, n, i, j), page.x((*n, j, e), "v", "v")) for j in keys]
        return Rule(
            f"Σⱼ a[{i}, j] · v[j, {e}]", total(terms), f"what query {i} reads: the values of all keys by its weights"
        )

    def saved(self, page: Page, part: str, index: Index) -> Rule | None:
        if part != "a" or not self._known(page):
            return None
        *leading, i, j = index
        scores = {key: s for key in range(page.shape("k")[-2]) if (s := self._score(page, tuple(leading), i, key))}
        if j not in scores:
            return Rule("0", Constant(0.0), f"the mask hides key {j} from query {i}")
        largest = max(s.value for s in scores.values())
        shift = Constant(-largest, "−max") if abs(largest) > 600 else Constant(0.0)
        powers = {key: Apply("exp", (Sum((s, shift)) if shift.value else s,)) for key, s in scores.items()}
        symbols = f"exp(s[{i}, {j}]) / Σⱼ exp(s[{i}, j])"
        return Rule(symbols, Quotient(powers[j], total(powers.values())), "s is q · k / √E, and what the mask adds")

    def _score(self, page: Page, n: Index, i: int, j: int) -> Expression | None:
        """q · k / √E + M; ``None`` where the mask hides the key."""
        if page.layer.is_causal and j > i:
            return None
        width = range(page.shape("q")[-1])
        s = product(
            self._scale(page), total(product(page.x((*n, i, e), "q", "q"), page.x((*n, j, e), "k", "k")) for e in width)
        )
        if page.call.inputs.get("M") is None:
            return s
        M = page.array("M")
        place = (*n, i, j)[len(n) + 2 - M.ndim :]
        place = tuple([a if size > 1 else 0 for a, size in zip(place, M.shape, strict=True)])
        if M.dtype == bool:
            return s if M[place] else None
        return None if M[place] == -np.inf else Sum((s, page.x(place, "M", "M")))

    def _delta_s(self, page: Page, n: Index, i: int, j: int) -> Expression:
        """∂J/∂(score of query i and key j): back through the softmax."""
        keys = range(page.shape("k")[-2])
        a = page.saved("a", (*n, i, j), "a")
        mean = total(product(page.saved("a", (*n, i, k), "a"), self._delta_a(page, n, i, k)) for k in keys)
        return product(a, difference(self._delta_a(page, n, i, j), mean))

    def _delta_a(self, page: Page, n: Index, i: int, j: int) -> Expression:
        terms: list[Expression] = []
        if page.call.deltas[0] is not None:
            width = range(page.shape("v")[-1])
            terms += [product(page.delta((*n, i, e)), page.x((*n, j, e), "v", "v")) for e in width]
        if page.call.deltas[1] is not None:
            terms.append(page.delta((*n, i, j), 1))
        summed = total(terms)
        return summed if page.call.saved["m"] is None else product(page.saved("m", (*n, i, j), "m"), summed)

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        if not self._known(page):
            return None
        if part == "M":
            return self._through_mask(page, index)
        *leading, row, e = index
        n = tuple(leading)
        queries, keys = range(page.shape("q")[-2]), range(page.shape("k")[-2])
        if part == "v":
            if page.call.deltas[0] is None:
                return Rule("0", Constant(0.0), "no δ came to y")
            terms = [product(self._weight(page, n, i, row), page.delta((*n, i, e))) for i in queries]
            return Rule(f"Σᵢ a[i, {row}] · δ[i, {e}]", total(terms), "from every query, by the weight it gave this key")
        note = "δs[i, j] = a[i, j] · (δa[i, j] − Σₖ a[i, k] · δa[i, k]), δa[i, j] = Σₑ δ[i, e] · v[j, e]"
        if part == "q":
            terms = [product(self._delta_s(page, n, row, j), self._other(page, n, j, e, "k")) for j in keys]
            return Rule(f"Σⱼ δs[{row}, j] · k[j, {e}] / √E", product(self._scale(page), total(terms)), note)
        if part == "k":
            terms = [product(self._delta_s(page, n, i, row), self._other(page, n, i, e, "q")) for i in queries]
            return Rule(f"Σᵢ δs[i, {row}] · q[i, {e}] / √E", product(self._scale(page), total(terms)), note)
        return None

    def _through_mask(self, page: Page, index: Index) -> Rule:
        """∂J/∂M: δs of every score that this number was added to."""
        scores = (*page.shape("q")[:-1], page.shape("k")[-2])
        shape = (1,) * (len(scores) - len(index)) + page.shape("M")
        own = (0,) * (len(scores) - len(index)) + index
        reached = [i for i in places(scores) if all(a == b or n == 1 for a, b, n in zip(i, own, shape, strict=True))]
        terms = [self._delta_s(page, i[:-2], i[-2], i[-1]) for i in reached]
        return Rule("Σ δs", total(terms), f"it was added to {len(reached)} scores")

    @staticmethod
    def _other(page: Page, n: Index, i: int, e: int, part: str) -> Operand:
        return page.x((*n, i, e), part, part)
