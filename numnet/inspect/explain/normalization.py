"""The rules of normalisation: statistics that every δ goes through, so that ∂J/∂x has three paths."""

from __future__ import annotations

from .explanation import Rule
from .expression import Apply, Constant, Expression, Quotient, difference, number, product, square, total
from .page import Index, Page, Rules, places

__all__ = ["ChannelNormRules", "RowNormRules"]


class _NormRules(Rules):
    """Abstract: y = γ x̂ + β with x̂ = (x - μ) / √(σ² + ε), over groups of places with statistics of their own."""

    def group(self, page: Page, index: Index) -> int:
        """The number of the statistics that the place has."""
        raise NotImplementedError

    def members(self, page: Page, group: int) -> list[Index]:
        """The places with these statistics."""
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
        members = self.members(page, g)
        M = Constant(float(len(members)), "M")
        ds = {i: self._d(page, i) for i in members}
        mean = Quotient(total(ds.values()), M)
        along = Quotient(total(product(ds[i], self.x_hat(page, i)) for i in members), M)
        inside = difference(difference(d, mean), product(self.x_hat(page, index), along))
        paths = [d.value, -mean.value, -self.x_hat(page, index).value * along.value]
        straight, mu, var = (number(path * s.value) for path in paths)
        note = (
            f"three paths: straight through {straight}, through μ {mu}, through σ² {var}; M is {len(members)}, "
            "s is 1 / √(σ² + ε), d is γ δ, x̂ is (x − μ) · s"
        )
        return Rule("s · (d − Σd / M − x̂ · Σ(d · x̂) / M)", product(s, inside), note)

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        found = [i for i in places(page.x_shape) if self.scaled_by(page, i) == index]
        if part == "bias":
            return Rule("Σ δ", total(page.delta(i) for i in found))
        return Rule("Σ δ · x̂", total(product(page.delta(i), self.x_hat(page, i)) for i in found), "x̂ is (x − μ) · s")

    def saved(self, page: Page, part: str, index: Index) -> Rule | None:
        if part not in ("mean", "inv_std") or not self.measured(page):
            return None
        xs = [page.x(i) for i in self.members(page, index[0])]
        M = Constant(float(len(xs)), "M")
        if part == "mean":
            return Rule("Σ x / M", Quotient(total(xs), M), f"M is {len(xs)}")
        mu = page.saved("mean", index, "μ")
        var = Quotient(total(square(difference(x, mu)) for x in xs), M)
        root = Apply("√", (total([var, Constant(page.layer.eps, "ε")]),))
        return Rule(
            "1 / √(Σ (x − μ)² / M + ε)", Quotient(Constant(1.0), root), f"M is {len(xs)}, ε is {page.layer.eps:g}"
        )


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

    def group(self, page: Page, index: Index) -> int:
        axis = self._channel_axis(page)
        sample = index[0] if self._alone(page) and axis else 0
        return sample * page.layer.num_features + index[axis]

    def members(self, page: Page, group: int) -> list[Index]:
        axis, C = self._channel_axis(page), page.layer.num_features
        ranges = [range(n) for n in page.x_shape]
        ranges[axis] = range(group % C, group % C + 1)
        if self._alone(page) and axis:
            ranges[0] = range(group // C, group // C + 1)
        return [tuple(r[i] for r, i in zip(ranges, j, strict=True)) for j in places(tuple(len(r) for r in ranges))]

    def scaled_by(self, page: Page, index: Index) -> Index:
        return (index[self._channel_axis(page)],)


class RowNormRules(_NormRules):
    """Layer norm: the last axes of a sample. Group norm: some channels of a sample."""

    @staticmethod
    def _leading(page: Page) -> int:
        """How many axes say which row; for group norm the groups are one more."""
        layer = page.layer
        return len(page.x_shape) - len(layer.normalized_shape) if hasattr(layer, "normalized_shape") else 1

    def group(self, page: Page, index: Index) -> int:
        layer, shape = page.layer, page.x_shape
        if hasattr(layer, "normalized_shape"):
            row = 0
            for i, n in zip(index, shape[: self._leading(page)], strict=False):
                row = row * n + i
            return row
        size = shape[1] // layer.num_groups
        return index[0] * int(layer.num_groups) + index[1] // size

    def members(self, page: Page, group: int) -> list[Index]:
        layer, shape = page.layer, page.x_shape
        if hasattr(layer, "normalized_shape"):
            leading = []
            for n in reversed(shape[: self._leading(page)]):
                leading.append(group % n)
                group //= n
            return [(*reversed(leading), *i) for i in places(shape[self._leading(page) :])]
        size = shape[1] // layer.num_groups
        n, g = divmod(group, layer.num_groups)
        return [(n, g * size + i[0], *i[1:]) for i in places((size, *shape[2:]))]

    def scaled_by(self, page: Page, index: Index) -> Index:
        return index[self._leading(page) :] if hasattr(page.layer, "normalized_shape") else (index[1],)
