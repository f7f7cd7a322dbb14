"""The rules of Tensor operations: arithmetic with broadcasting, matrix products, sums and means, functions."""

from __future__ import annotations

from itertools import product as every
from typing import Any

import numpy as np

from .explanation import Rule
from .expression import (
    Apply,
    Constant,
    Expression,
    Given,
    Operand,
    Quotient,
    difference,
    negative,
    product,
    total,
)
from .page import Index, Page, Rules, places

__all__ = [
    "AbsRules",
    "AddRules",
    "DivideRules",
    "ExpRules",
    "LogRules",
    "MatMulRules",
    "MeanRules",
    "MultiplyRules",
    "NegativeRules",
    "PowerRules",
    "SqrtRules",
    "SubtractRules",
    "SumRules",
    "WhereRules",
]


class _BinaryRules(Rules):
    """Abstract: two operands that broadcast."""

    @staticmethod
    def operand(page: Page, part: str, index: Index) -> Operand:
        """The element of an operand that broadcasting puts at ``index`` of y."""
        shape = page.shape(part)
        own = index[len(index) - len(shape) :]
        return page.x(tuple([i if n > 1 else 0 for i, n in zip(own, shape, strict=True)]), part, part)

    def reached(self, page: Page, part: str, index: Index) -> list[Index]:
        """The places of y to which broadcasting took this element."""
        added = page.y_shape[: len(page.y_shape) - len(index)]
        stretched = zip(index, page.shape(part), page.y_shape[len(added) :], strict=True)
        ranges: list[Any] = [range(n) for n in added] + [range(m) if n == 1 < m else (i,) for i, n, m in stretched]
        return list(every(*ranges))

    def combined(self, a: Operand, b: Operand) -> tuple[str, Expression]:
        """y."""
        raise NotImplementedError

    def slope(self, page: Page, part: str, place: Index, a: Operand, b: Operand) -> tuple[str, Expression]:
        """δ times ∂y/∂(operand), at one place of y."""
        raise NotImplementedError

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        return Rule(*self.combined(self.operand(page, "a", index), self.operand(page, "b", index)))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        found = [
            self.slope(page, part, i, self.operand(page, "a", i), self.operand(page, "b", i))
            for i in self.reached(page, part, index)
        ]
        if len(found) == 1:
            return Rule(*found[0])
        symbols = f"{found[0][0]} + …" if found else "0"
        return Rule(
            symbols, total(e for _, e in found), f"summed over the {len(found)} places that broadcasting took it to"
        )


class AddRules(_BinaryRules):
    """y = a + b."""

    def combined(self, a: Operand, b: Operand) -> tuple[str, Expression]:
        return f"{a.symbol} + {b.symbol}", total([a, b])

    def slope(self, page: Page, part: str, place: Index, a: Operand, b: Operand) -> tuple[str, Expression]:
        delta = page.delta(place)
        return delta.symbol, delta


class SubtractRules(_BinaryRules):
    """y = a - b."""

    def combined(self, a: Operand, b: Operand) -> tuple[str, Expression]:
        return f"{a.symbol} − {b.symbol}", difference(a, b)

    def slope(self, page: Page, part: str, place: Index, a: Operand, b: Operand) -> tuple[str, Expression]:
        delta = page.delta(place)
        return (delta.symbol, delta) if part == "a" else (f"−{delta.symbol}", negative(delta))


class MultiplyRules(_BinaryRules):
    """y = a ⊙ b."""

    def combined(self, a: Operand, b: Operand) -> tuple[str, Expression]:
        return f"{a.symbol} · {b.symbol}", product(a, b)

    def slope(self, page: Page, part: str, place: Index, a: Operand, b: Operand) -> tuple[str, Expression]:
        delta, other = page.delta(place), b if part == "a" else a
        return f"{delta.symbol} · {other.symbol}", product(delta, other)


class DivideRules(_BinaryRules):
    """y = a / b."""

    def combined(self, a: Operand, b: Operand) -> tuple[str, Expression]:
        return f"{a.symbol} / {b.symbol}", Quotient(a, b)

    def slope(self, page: Page, part: str, place: Index, a: Operand, b: Operand) -> tuple[str, Expression]:
        delta = page.delta(place)
        if part == "a":
            return f"{delta.symbol} / {b.symbol}", Quotient(delta, b)
        y = page.y(place)
        return f"−{delta.symbol} · {y.symbol} / {b.symbol}", negative(Quotient(product(delta, y), b))


class WhereRules(_BinaryRules):
    """y = a where c, b elsewhere."""

    def _holds(self, page: Page, place: Index) -> bool:
        return bool(self.operand(page, "c", place).value)

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        part = "a" if self._holds(page, index) else "b"
        x = self.operand(page, part, index)
        return Rule(x.symbol, x, f"the condition {'holds' if part == 'a' else 'does not hold'} here")

    def slope(self, page: Page, part: str, place: Index, a: Operand, b: Operand) -> tuple[str, Expression]:
        delta, c = page.delta(place), self.operand(page, "c", place)
        chosen = Given(float((part == "a") == bool(c.value)), f"[{c.symbol}]", (c,))
        return f"{delta.symbol} · [{part} is chosen]", product(delta, chosen)


class MatMulRules(Rules):
    """y = a b, with whatever axes before the last two."""

    @staticmethod
    def _shapes(page: Page) -> tuple[Index, Index, Index, bool, bool]:
        """a (…, n, m), b (…, m, p), y (…, n, p), and whether a, b were vectors."""
        a, b = page.shape("a"), page.shape("b")
        row, column = len(a) == 1, len(b) == 1
        a, b = (1, *a) if row else a, (*b, 1) if column else b
        batch = np.broadcast_shapes(a[:-2], b[:-2])
        return a, b, (*batch, a[-2], b[-1]), row, column

    def _operand(self, page: Page, part: str, batch: Index, i: int, j: int) -> Operand:
        a, b, _, row, column = self._shapes(page)
        shape = a if part == "a" else b
        own = batch[len(batch) - len(shape[:-2]) :] if len(shape) > 2 else ()
        leading = tuple([k if n > 1 else 0 for k, n in zip(own, shape[:-2], strict=True)])
        index = (j,) if part == "a" and row else (i,) if part == "b" and column else (*leading, i, j)
        return page.x(index, part, part)

    def _delta(self, page: Page, batch: Index, i: int, j: int) -> Operand:
        *_, row, column = self._shapes(page)
        return page.delta((*batch, *(() if row else (i,)), *(() if column else (j,))))

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        a, _, _, row, column = self._shapes(page)
        full = list(index)
        if column:
            full.append(0)
        if row:
            full.insert(len(full) - 1, 0)
        *batch, i, j = full
        terms = [
            product(self._operand(page, "a", tuple(batch), i, k), self._operand(page, "b", tuple(batch), k, j))
            for k in range(a[-1])
        ]
        return Rule(f"Σₖ a[{i}, k] · b[k, {j}]", total(terms))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        a, b, y, row, column = self._shapes(page)
        shape = a if part == "a" else b
        full = (0, *index) if part == "a" and row else (*index, 0) if part == "b" and column else index
        *leading, i, j = full
        terms: list[Expression] = []
        for batch in places(y[:-2]):
            own = batch[len(batch) - len(leading) :] if leading else ()
            if not all(k == m or n == 1 for k, m, n in zip(own, leading, shape[:-2], strict=True)):
                continue
            if part == "a":
                pairs = [((i, p), "b", (j, p)) for p in range(y[-1])]
            else:
                pairs = [((n, j), "a", (n, i)) for n in range(y[-2])]
            terms += [
                product(self._delta(page, batch, *d), self._operand(page, other, batch, *o)) for d, other, o in pairs
            ]
        symbols = f"Σₚ δ[{i}, p] · b[{j}, p]" if part == "a" else f"Σₙ a[n, {i}] · δ[n, {j}]"
        return Rule(symbols, total(terms))


class SumRules(Rules):
    """y = Σ x, over axes."""

    letter = "Σ x"

    @staticmethod
    def _axes(page: Page) -> Index:
        n = len(page.x_shape)
        dim = page.layer.dim
        dims = range(n) if dim is None else dim if isinstance(dim, tuple) else (dim,)
        return tuple(d % n for d in dims) if n else ()

    def _of_x(self, page: Page, place: Index) -> Index:
        """The place of y that a place of x goes into."""
        axes = self._axes(page)
        if page.layer.keepdim:
            return tuple(0 if a in axes else i for a, i in enumerate(place))
        return tuple(i for a, i in enumerate(place) if a not in axes)

    def n(self, page: Page) -> float:
        """What the sum is divided by."""
        return 1.0

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        terms = [page.x(i) for i in places(page.x_shape) if self._of_x(page, i) == index]
        n = self.n(page)
        if n == 1:
            return Rule("Σ x", total(terms), f"{len(terms)} numbers")
        return Rule("Σ x / n", Quotient(total(terms), Constant(n, "n")), f"n is {n:g}")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        delta, n = page.delta(self._of_x(page, index)), self.n(page)
        if n == 1:
            return Rule(delta.symbol, delta, "every number of a sum gets the same δ")
        return Rule(f"{delta.symbol} / n", Quotient(delta, Constant(n, "n")), f"n is {n:g}")


class MeanRules(SumRules):
    """y = Σ x / n."""

    def n(self, page: Page) -> float:
        shape = page.x_shape
        return float(np.prod([shape[a] for a in self._axes(page)], dtype=np.int64))


class _UnaryRules(Rules):
    """Abstract: number by number."""

    def value(self, page: Page, x: Operand) -> tuple[str, Expression]:
        """y."""
        raise NotImplementedError

    def slope(self, page: Page, x: Operand, y: Operand) -> tuple[str, Expression]:
        """∂y/∂x."""
        raise NotImplementedError

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        return Rule(*self.value(page, page.x(index)))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        delta = page.delta(index)
        symbols, slope = self.slope(page, page.x(index), page.y(index))
        return Rule(f"{delta.symbol} · {symbols}", product(delta, slope))


class NegativeRules(_UnaryRules):
    """y = -x."""

    def value(self, page: Page, x: Operand) -> tuple[str, Expression]:
        return f"−{x.symbol}", negative(x)

    def slope(self, page: Page, x: Operand, y: Operand) -> tuple[str, Expression]:
        return "(−1)", Constant(-1.0)


class ExpRules(_UnaryRules):
    """y = eˣ."""

    def value(self, page: Page, x: Operand) -> tuple[str, Expression]:
        return f"exp({x.symbol})", Apply("exp", (x,))

    def slope(self, page: Page, x: Operand, y: Operand) -> tuple[str, Expression]:
        return y.symbol, y


class LogRules(_UnaryRules):
    """y = ln x."""

    def value(self, page: Page, x: Operand) -> tuple[str, Expression]:
        return f"log({x.symbol})", Apply("log", (x,))

    def slope(self, page: Page, x: Operand, y: Operand) -> tuple[str, Expression]:
        return f"(1 / {x.symbol})", Quotient(Constant(1.0), x)


class SqrtRules(_UnaryRules):
    """y = √x."""

    def value(self, page: Page, x: Operand) -> tuple[str, Expression]:
        return f"√({x.symbol})", Apply("√", (x,))

    def slope(self, page: Page, x: Operand, y: Operand) -> tuple[str, Expression]:
        return f"(1 / (2 · {y.symbol}))", Quotient(Constant(1.0), product(2.0, y))


class AbsRules(_UnaryRules):
    """y = |x|."""

    def value(self, page: Page, x: Operand) -> tuple[str, Expression]:
        return f"|{x.symbol}|", Apply("abs", (x,))

    def slope(self, page: Page, x: Operand, y: Operand) -> tuple[str, Expression]:
        return f"sign({x.symbol})", Given(float(np.sign(x.value)), f"sign({x.symbol})", (x,))


class PowerRules(_UnaryRules):
    """y = xᵖ."""

    def value(self, page: Page, x: Operand) -> tuple[str, Expression]:
        p = float(page.layer.exponent)
        return f"pow({x.symbol}, {p:g})", Apply("pow", (x, Constant(p, "p")))

    def slope(self, page: Page, x: Operand, y: Operand) -> tuple[str, Expression]:
        p = float(page.layer.exponent)
        if not p:
            return "0", Constant(0.0)
        return f"{p:g} · pow({x.symbol}, {p - 1:g})", product(p, Apply("pow", (x, Constant(p - 1, "p − 1"))))
