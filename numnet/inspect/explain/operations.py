"""The rules of Tensor operations: arithmetic with broadcasting, matrix products, sums and means, functions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

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
    positive,
    product,
    total,
)
from .page import Index, Page, Rules

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

    def combined(self, a: Operand, b: Operand) -> tuple[str, Expression]:
        """y."""
        raise NotImplementedError

    def slope(self, page: Page, part: str, place: Index, a: Operand, b: Operand) -> tuple[str, Expression]:
        """δ times ∂y/∂(operand), at one place of y."""
        raise NotImplementedError

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        return Rule(*self.combined(self.operand(page, "a", index), self.operand(page, "b", index)))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        sizes, place = reached(index, page.shape(part), page.y_shape)

        def at(*loops: int) -> tuple[str, Expression]:
            i = place(*loops)
            return self.slope(page, part, i, self.operand(page, "a", i), self.operand(page, "b", i))

        many = prod(sizes)
        first = at(*[0 for _ in sizes]) if many else ("0", total([]))
        if many <= 1:
            return Rule(*first)
        summed = page.total(sizes, lambda *loops: at(*loops)[1])
        return Rule(f"{first[0]} + …", summed, f"summed over the {many} places that broadcasting took it to")


def reached(index: Index, shape: Index, whole: Index) -> tuple[Index, Callable[..., Index]]:
    """The places of an array of shape ``whole`` to which broadcasting takes this element of one of ``shape``: how many
    along each axis that it is repeated over, and which one each is."""
    added = len(whole) - len(shape)
    repeated = [True] * added + [n == 1 != m for n, m in zip(shape, whole[added:], strict=True)]
    own = (*[0] * added, *index)

    def place(*loops: int) -> Index:
        left = iter(loops)
        return tuple([next(left) if again else i for i, again in zip(own, repeated, strict=True)])

    return tuple([m for m, again in zip(whole, repeated, strict=True) if again]), place


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
        chosen = positive(c) if part == "a" else difference(Constant(1.0), positive(c))
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
        n = tuple(batch)
        summed = page.total(
            a[-1:], lambda k: product(self._operand(page, "a", n, i, k), self._operand(page, "b", n, k, j))
        )
        return Rule(f"Σₖ a[{i}, k] · b[k, {j}]", summed)

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        a, b, y, row, column = self._shapes(page)
        shape = a if part == "a" else b
        full = (0, *index) if part == "a" and row else (*index, 0) if part == "b" and column else index
        *leading, i, j = full
        sizes, place = reached(tuple(leading), shape[:-2], y[:-2])

        def term(*loops: int) -> Expression:
            *repeated, p = loops
            batch = place(*repeated)
            if part == "a":
                return product(self._delta(page, batch, i, p), self._operand(page, "b", batch, j, p))
            return product(self._delta(page, batch, p, j), self._operand(page, "a", batch, p, i))

        symbols = f"Σₚ δ[{i}, p] · b[{j}, p]" if part == "a" else f"Σₙ a[n, {i}] · δ[n, {j}]"
        return Rule(symbols, page.total((*sizes, y[-1] if part == "a" else y[-2]), term))


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
        axes, shape = self._axes(page), page.x_shape
        kept = [i for a, i in enumerate(index) if a not in axes] if page.layer.keepdim else index

        def x(*loops: int) -> Expression:
            left, own = iter(loops), iter(kept)
            return page.x(tuple([next(left) if a in axes else next(own) for a in range(len(shape))]))

        sizes = tuple([m for a, m in enumerate(shape) if a in axes])
        summed, n = page.total(sizes, x), self.n(page)
        if n == 1:
            return Rule("Σ x", summed, f"{prod(sizes)} numbers")
        return Rule("Σ x / n", Quotient(summed, Constant(n, "n")), f"n is {n:g}")

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
