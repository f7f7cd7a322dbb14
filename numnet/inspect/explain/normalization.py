"""The rules of normalisation: statistics that every δ goes through, so that ∂J/∂x has three paths."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

from .explanation import Rule
from .expression import Apply, Constant, Expression, Quotient, difference, number, product, square, total
from .page import Index, Page, Rules

__all__ = ["ChannelNormRules", "RowNormRules"]

Places: TypeAlias = Callable[..., Index]


class _NormRules(Rules):
    """Abstract: y = γ x̂ + β with x̂ = (x - μ) / √(σ² + ε), over groups of places with statistics of their own."""

    def group(self, page: Page, index: Index) -> Any:
        """The number of the statistics that the place has."""
        raise NotImplementedError

    def of_group(self, page: Page, group: Any) -> tuple[Index, Places]:
        """The places with these statistics: how many along each axis, and which one each is."""
        raise NotImplementedError

    def of_scale(self, page: Page, index: Index) -> tuple[Index, Places]:
        """The places with this element of γ and β."""
        raise NotImplementedError

    def scaled_by(self, page: Page, index: Index) -> Index:
        """Which element of γ and β."""
        raise NotImplementedError

    def measured(self, page: Page) -> bool:
        """Whether μ and σ² are of this batch, and not running ones."""
        return True

    def x_hat(self, page: Page, index: Index) -> Expression:
        """(x - μ) / √(σ² + ε)."""
        g = (self.group(page, index),)
        return product(difference(page.x(index), page.saved("mean", g, "μ")), page.saved("inv_std", g, "s"))

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x = page.x(index)
        terms, symbols = [self.x_hat(page, index)], f"({x.symbol} − μ) · s"
        if page.has("weight"):
            terms = [product(page.parameter("weight", self.scaled_by(page, index), "γ"), terms[0])]
            symbols = f"γ · {symbols}"
        if page.has("bias"):
            terms.append(page.parameter("bias", self.scaled_by(page, index), "β"))
            symbols += " + β"
        return Rule(symbols, total(terms), "s is 1 / √(σ² + ε)")

    def _d(self, page: Page, index: Index) -> Expression:
        """γ δ."""
        delta = page.delta(index)
        return (
            product(page.parameter("weight", self.scaled_by(page, index), "γ"), delta) if page.has("weight") else delta
        )

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        g = self.group(page, index)
        s, d = page.saved("inv_std", (g,), "s"), self._d(page, index)
        if not self.measured(page):
            return Rule("γ · δ · s", product(d, s), "with running statistics μ and σ² are constants: one path")
        sizes, place = self.of_group(page, g)
        M = Constant(float(prod(sizes)), "M")
        mean = Quotient(page.total(sizes, lambda *i: self._d(page, place(*i))), M)
        along = Quotient(
            page.total(sizes, lambda *i: product(self._d(page, place(*i)), self.x_hat(page, place(*i)))), M
        )
        inside = difference(difference(d, mean), product(self.x_hat(page, index), along))

        def paths() -> str:
            found = [d.value, -mean.value, -self.x_hat(page, index).value * along.value]
            straight, mu, var = (number(path * s.value) for path in found)
            return f"three paths: straight through {straight}, through μ {mu}, through σ² {var}; "

        note = page.note(paths) + f"M is {prod(sizes)}, s is 1 / √(σ² + ε), d is γ δ, x̂ is (x − μ) · s"
        return Rule("s · (d − Σd / M − x̂ · Σ(d · x̂) / M)", product(s, inside), note)

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        sizes, place = self.of_scale(page, index)
        if part == "bias":
            return Rule("Σ δ", page.total(sizes, lambda *i: page.delta(place(*i))))
        found = page.total(sizes, lambda *i: product(page.delta(place(*i)), self.x_hat(page, place(*i))))
        return Rule("Σ δ · x̂", found, "x̂ is (x − μ) · s")

    def saved(self, page: Page, part: str, index: Index) -> Rule | None:
        if part not in ("mean", "inv_std") or not self.measured(page):
            return None
        sizes, place = self.of_group(page, index[0])
        M = Constant(float(prod(sizes)), "M")
        if part == "mean":
            return Rule("Σ x / M", Quotient(page.total(sizes, lambda *i: page.x(place(*i))), M), f"M is {prod(sizes)}")
        mu = page.saved("mean", index, "μ")
        var = Quotient(page.total(sizes, lambda *i: square(difference(page.x(place(*i)), mu))), M)
        root = Apply("√", (total([var, Constant(page.layer.eps, "ε")]),))
        note = f"M is {prod(sizes)}, ε is {page.layer.eps:g}"
        return Rule("1 / √(Σ (x − μ)² / M + ε)", Quotient(Constant(1.0), root), note)


class ChannelNormRules(_NormRules):
    """Batch norm: a channel over the batch; instance norm: a channel of a sample."""

    @staticmethod
    def _channel_axis(page: Page) -> int:
        shapes = [letters.split() for letters in page.layer.shapes]
        return next(letters.index("C") for letters in shapes if len(letters) == len(page.x_shape))

    def measured(self, page: Page) -> bool:
        return bool(page.call.saved["measured"])

    def _alone(self, page: Page) -> bool:
        """Whether every sample has statistics of its own."""
        return bool(page.layer.by_sample and self.measured(page))

    def group(self, page: Page, index: Index) -> Any:
        axis = self._channel_axis(page)
        sample = index[0] if self._alone(page) and axis else 0
        return sample * page.layer.num_features + index[axis]

    def of_group(self, page: Page, group: Any) -> tuple[Index, Places]:
        axis, C = self._channel_axis(page), page.layer.num_features
        if self._alone(page) and axis:
            sizes = page.x_shape[1:axis] + page.x_shape[axis + 1 :]
            return sizes, lambda *i: (group // C, *i[: axis - 1], group % C, *i[axis - 1 :])
        return self.of_scale(page, (group,))

    def of_scale(self, page: Page, index: Index) -> tuple[Index, Places]:
        axis = self._channel_axis(page)
        return page.x_shape[:axis] + page.x_shape[axis + 1 :], lambda *i: (*i[:axis], *index, *i[axis:])

    def scaled_by(self, page: Page, index: Index) -> Index:
        return (index[self._channel_axis(page)],)


class RowNormRules(_NormRules):
    """Layer norm: the last axes of a sample. Group norm: some channels of a sample."""

    @staticmethod
    def _leading(page: Page) -> int:
        """How many axes say which row; for group norm the groups are one more."""
        layer = page.layer
        return len(page.x_shape) - len(layer.normalized_shape) if hasattr(layer, "normalized_shape") else 1

    def group(self, page: Page, index: Index) -> Any:
        layer, shape = page.layer, page.x_shape
        if hasattr(layer, "normalized_shape"):
            row: Any = 0
            for i, n in zip(index, shape[: self._leading(page)], strict=False):
                row = row * n + i
            return row
        size = shape[1] // layer.num_groups
        return index[0] * int(layer.num_groups) + index[1] // size

    def of_group(self, page: Page, group: Any) -> tuple[Index, Places]:
        layer, shape = page.layer, page.x_shape
        if hasattr(layer, "normalized_shape"):
            leading: list[Any] = []
            for n in reversed(shape[: self._leading(page)]):
                leading.append(group % n)
                group = group // n
            return shape[self._leading(page) :], lambda *i: (*reversed(leading), *i)
        size, groups = shape[1] // layer.num_groups, layer.num_groups
        return (size, *shape[2:]), lambda c, *i: (group // groups, group % groups * size + c, *i)

    def of_scale(self, page: Page, index: Index) -> tuple[Index, Places]:
        shape = page.x_shape
        if hasattr(page.layer, "normalized_shape"):
            return shape[: self._leading(page)], lambda *i: (*i, *index)
        return (shape[0], *shape[2:]), lambda n, *i: (n, *index, *i)

    def scaled_by(self, page: Page, index: Index) -> Index:
        return index[self._leading(page) :] if hasattr(page.layer, "normalized_shape") else (index[1],)
