"""The rules of losses: of differences, of two classes, of class labels."""

from __future__ import annotations

import numpy as np

from .activation import log_sum_exp
from .explanation import Rule
from .expression import (
    Apply,
    Constant,
    Expression,
    Given,
    Quotient,
    Sum,
    difference,
    equal,
    negative,
    product,
    square,
    total,
)
from .page import Index, Page, Rules, places

__all__ = ["BCERules", "BCEWithLogitsRules", "CrossEntropyRules", "DifferenceRules", "MSERules", "NLLRules"]

ONE = Constant(1.0)


def divided(page: Page, e: Expression) -> Expression:
    """``e`` by what the mean divides by."""
    n = page.call.saved.get("total", 1.0)
    return e if float(n) == 1 else Quotient(e, Constant(float(n), "n"))


class ElementwiseLossRules(Rules):
    """Abstract: J = Σ cost / n, and ∂J/∂x = δ slope / n, element by element."""

    cost_symbols: str

    def cost(self, page: Page, index: Index) -> Expression:
        """J of one element."""
        raise NotImplementedError

    def slope(self, page: Page, part: str, index: Index) -> tuple[str, Expression] | None:
        """∂(cost)/∂input: in letters and with operands."""
        raise NotImplementedError

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        if page.layer.reduction == "none":
            return Rule(self.cost_symbols, self.cost(page, index))
        if "total" not in page.call.saved:
            return None
        summed = page.total(page.x_shape, lambda *i: self.cost(page, i))
        n = float(page.call.saved["total"])
        return Rule(
            f"Σ {self.cost_symbols}" + ("" if n == 1 else " / n"),
            divided(page, summed),
            "" if n == 1 else f"n is {n:g}",
        )

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        found = self.slope(page, part, index)
        if found is None:
            return None
        symbols, slope = found
        if page.layer.reduction == "none":
            return Rule(f"δ · {symbols}", product(page.delta(index), slope))
        n = float(page.call.saved["total"])
        symbols = f"δ · {symbols}" + ("" if n == 1 else " / n")
        return Rule(symbols, divided(page, product(page.delta(()), slope)), "" if n == 1 else f"n is {n:g}")


class _OfDifferenceRules(ElementwiseLossRules):
    """Abstract: losses of x - y, which they save as r."""

    def saved(self, page: Page, part: str, index: Index) -> Rule | None:
        x, y = page.x(index), page.x(index, "y", "y")
        return Rule(f"{x.symbol} − {y.symbol}", difference(x, y)) if part == "r" else None


class MSERules(_OfDifferenceRules):
    """J = Σ (x - y)² / n."""

    cost_symbols = "(x − y)²"

    def cost(self, page: Page, index: Index) -> Expression:
        return square(difference(page.x(index), page.x(index, "y", "y")))

    def slope(self, page: Page, part: str, index: Index) -> tuple[str, Expression] | None:
        x, y = page.x(index), page.x(index, "y", "y")
        sign, symbols = (1.0, "2") if part == page.first else (-1.0, "−2")
        return f"{symbols} · ({x.symbol} − {y.symbol})", product(Constant(2 * sign), difference(x, y))


class DifferenceRules(_OfDifferenceRules):
    """J = Σ ρ(x - y) / n, with ρ and ρ′ as the layer computes them."""

    cost_symbols = "ρ(x − y)"

    @staticmethod
    def _of(page: Page, name: str, index: Index) -> float:
        r = np.asarray([page.array()[index] - page.array("y")[index]])
        return float(getattr(page.layer, name)(r)[0])

    def cost(self, page: Page, index: Index) -> Expression:
        operands = page.x(index), page.x(index, "y", "y")
        return Given(self._of(page, "_cost", index), "ρ(x − y)", operands)

    def slope(self, page: Page, part: str, index: Index) -> tuple[str, Expression] | None:
        x, y = page.x(index), page.x(index, "y", "y")
        slope: Expression = Given(self._of(page, "_slope", index), f"ρ′({x.symbol} − {y.symbol})", (x, y))
        symbols = f"ρ′({x.symbol} − {y.symbol})"
        return (symbols, slope) if part == page.first else (f"−{symbols}", negative(slope))


def weight_of(page: Page, name: str, index: Index) -> Expression:
    """The element of a loss's constant weights that broadcasting puts at ``index``; 1 if there are none."""
    w = getattr(page.layer, name, None)
    if w is None:
        return ONE
    return Constant(float(np.broadcast_to(w, page.x_shape)[index]), "w" if name == "weight" else "v")


class BCERules(ElementwiseLossRules):
    """J = -Σ w (y log x + (1 - y) log (1 - x)) / n."""

    cost_symbols = "−w · (y · log(x) + (1 − y) · log(1 − x))"

    @staticmethod
    def _log(e: Expression) -> Expression:
        return Apply("max", (Apply("log", (e,)), Constant(-100.0)))

    def cost(self, page: Page, index: Index) -> Expression:
        x, y = page.x(index), page.x(index, "y", "y")
        right = product(difference(ONE, y), self._log(difference(ONE, x)))
        return negative(product(weight_of(page, "weight", index), Sum((product(y, self._log(x)), right))))

    def slope(self, page: Page, part: str, index: Index) -> tuple[str, Expression] | None:
        x, y, w = page.x(index), page.x(index, "y", "y"), weight_of(page, "weight", index)
        if part != page.first:
            symbols = f"w · (log(1 − {x.symbol}) − log({x.symbol}))"
            return symbols, product(w, difference(self._log(difference(ONE, x)), self._log(x)))
        bottom = Apply("max", (product(x, difference(ONE, x)), Constant(1e-12)))
        symbols = f"w · ({x.symbol} − {y.symbol}) / ({x.symbol} · (1 − {x.symbol}))"
        return symbols, Quotient(product(w, difference(x, y)), bottom)


class BCEWithLogitsRules(ElementwiseLossRules):
    """J = Σ w ((1 - y) x + (1 + (v - 1) y) log (1 + e⁻ˣ)) / n."""

    cost_symbols = "w · ((1 − y) · x + (1 + (v − 1) · y) · log(1 + exp(−x)))"

    @staticmethod
    def _softplus(page: Page, index: Index) -> Expression:
        """log (1 + e⁻ˣ), without overflow."""
        x = page.x(index)
        small = Apply("log1p", (Apply("exp", (negative(Apply("abs", (x,))),)),))
        return Sum((Apply("max", (negative(x), Constant(0.0))), small))

    @staticmethod
    def _positive(page: Page, index: Index) -> Expression:
        if page.layer.pos_weight is None:
            return ONE
        v = weight_of(page, "pos_weight", index)
        return Sum((ONE, product(difference(v, ONE), page.x(index, "y", "y"))))

    def cost(self, page: Page, index: Index) -> Expression:
        x, y = page.x(index), page.x(index, "y", "y")
        second = product(self._positive(page, index), self._softplus(page, index))
        return product(weight_of(page, "weight", index), Sum((product(difference(ONE, y), x), second)))

    def slope(self, page: Page, part: str, index: Index) -> tuple[str, Expression] | None:
        x, y, w = page.x(index), page.x(index, "y", "y"), weight_of(page, "weight", index)
        if part != page.first:
            v = weight_of(page, "pos_weight", index)
            return "w · ((v − 1) · log(1 + exp(−x)) − x)", product(
                w, difference(product(difference(v, ONE), self._softplus(page, index)), x)
            )
        second = product(self._positive(page, index), Apply("σ", (negative(x),)))
        symbols = f"w · ((1 − {y.symbol}) − (1 + (v − 1) · {y.symbol}) · σ(−{x.symbol}))"
        if page.layer.pos_weight is None:
            symbols = f"w · ((1 − {y.symbol}) − σ(−{x.symbol}))"
        return symbols, product(w, difference(difference(ONE, y), second))


class ClassRules(Rules):
    """Abstract: rows of C numbers, and a label, or a probability for each class, for every row."""

    @staticmethod
    def row(index: Index) -> tuple[Index, int]:
        """The place of the label, and the class, of an element of x."""
        return ((), index[0]) if len(index) == 1 else ((index[0], *index[2:]), index[1])

    @staticmethod
    def element(page: Page, row: Index, c: int) -> Index:
        """The element of x for this label and class."""
        return (c,) if len(page.x_shape) == 1 else (row[0], c, *row[1:])

    @staticmethod
    def classes(page: Page) -> int:
        """C."""
        return page.x_shape[min(1, len(page.x_shape) - 1)]

    @staticmethod
    def rows(page: Page) -> Index:
        """The shape of the labels."""
        shape = page.x_shape
        return (*shape[:1], *shape[2:]) if len(shape) > 1 else ()

    @staticmethod
    def label(page: Page, row: Index) -> int | None:
        """The label, ``None`` where it is to be ignored."""
        label = int(page.array("y")[row])
        return None if label == page.layer.ignore_index else label

    @staticmethod
    def class_weight(page: Page, c: int) -> Expression:
        """w[c]."""
        w = page.layer.weight
        return ONE if w is None else Constant(float(w[c]), f"w[{c}]")

    def cost(self, page: Page, row: Index) -> Expression:
        """J of one row."""
        raise NotImplementedError

    symbols: str

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        if page.layer.reduction == "none":
            return Rule(self.symbols, self.cost(page, index))
        if "total" not in page.call.saved:
            return None
        n = float(page.call.saved["total"])
        summed = total(self.cost(page, row) for row in places(self.rows(page)))
        note = "" if n == 1 else f"n is {n:g}, the number (or weight) of rows"
        return Rule(f"Σₙ {self.symbols}" + ("" if n == 1 else " / n"), divided(page, summed), note)

    def upstream(self, page: Page, row: Index, e: Expression) -> tuple[Expression, str]:
        """e, times δ, divided as the mean is."""
        if page.layer.reduction == "none":
            return product(page.delta(row), e), ""
        n = float(page.call.saved["total"])
        return divided(
            page, product(page.delta(()), e)
        ), "" if n == 1 else f"n is {n:g}, the number (or weight) of rows"


class CrossEntropyRules(ClassRules):
    """J = -Σ w[y] log softmax(x)[y] / n; or with a probability for every class."""

    symbols = "w[yₙ] · (log Σ_c exp(x[n, c]) − x[n, yₙ])"

    def shares(self, page: Page, row: Index) -> list[tuple[int, Expression]]:
        """w[c] t[c] of each class that has one; t is the target, smoothed."""
        C, smoothing = self.classes(page), page.layer.label_smoothing
        if page.call.saved.get("labels") is None:
            found: list[tuple[int, Expression]] = []
            for c in range(C):
                y: Expression = page.x(self.element(page, row, c), "y", "y")
                if smoothing:
                    y = Sum((product(1 - smoothing, y), Constant(smoothing / C)))
                found.append((c, product(self.class_weight(page, c), y)))
            return found
        label = self.label(page, row)
        if label is None:
            return []
        if not smoothing:
            return [(label, self.class_weight(page, label))]
        return [
            (c, product(self.class_weight(page, c), Constant((1 - smoothing) * (c == label) + smoothing / C)))
            for c in range(C)
        ]

    def cost(self, page: Page, row: Index) -> Expression:
        whole = log_sum_exp(page, self.classes(page), lambda c: self.element(page, row, c))
        shares = self.shares(page, row)
        return total(product(share, difference(whole, page.x(self.element(page, row, c)))) for c, share in shares)

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        row, c = self.row(index)
        if part != page.first:
            log_p = page.saved("log_p", self._batched(self.element(page, row, c)), "log p")
            slope = product(Constant(page.layer.label_smoothing - 1), self.class_weight(page, c), log_p)
            e, note = self.upstream(page, row, slope)
            return Rule(f"−δ · w · {log_p.symbol} / n", e, note)
        if self._plain(page):
            p_c, label = page.saved("p", self._batched(self.element(page, row, c)), "p"), page.x(row, "y", "y")
            e, note = self.upstream(page, row, difference(p_c, equal(label, c)))
            own = page.note(lambda: f"class {c} is {'' if label.value == c else 'not '}the label")
            return Rule(f"δ · ({p_c.symbol} − [{label.symbol} = {c}]) / n", e, "; ".join(filter(None, [own, note])))
        shares = dict(self.shares(page, row))
        if not shares:
            return Rule("0", Constant(0.0), "the label of this row is to be ignored")
        if page.call.saved.get("labels") is None:
            p: Expression = Apply("exp", (page.saved("log_p", self._batched(self.element(page, row, c)), "log p"),))
            letter = "p"
        else:
            p = page.saved("p", self._batched(self.element(page, row, c)), "p")
            letter = p.symbol
        share = next((e for k, e in shares.items() if k == c), Constant(0.0))
        e, note = self.upstream(page, row, difference(product(p, total(shares.values())), share))
        return Rule(f"δ · ({letter} · Σ_c w[c] t[c] − w[{c}] · t[{c}]) / n", e, note)

    @staticmethod
    def _plain(page: Page) -> bool:
        """Whether every row has a label that counts, and counts alike."""
        layer = page.layer
        if page.call.saved.get("labels") is None or layer.weight is not None or layer.label_smoothing:
            return False
        return not (page.array("y") == layer.ignore_index).any()

    def saved(self, page: Page, part: str, index: Index) -> Rule | None:
        if part not in ("p", "log_p"):
            return None
        row, c = self.row(index if len(page.x_shape) > 1 else index[1:])
        x = page.x(self.element(page, row, c))
        log_p = difference(x, log_sum_exp(page, self.classes(page), lambda k: self.element(page, row, k)))
        if part == "log_p":
            return Rule(f"{x.symbol} − log Σ_c exp(x[n, c])", log_p)
        return Rule(f"exp({x.symbol} − log Σ_c exp(x[n, c]))", Apply("exp", (log_p,)), "p is softmax(x)")

    @staticmethod
    def _batched(index: Index) -> Index:
        """The place in what was saved, a batch in any case, of an element of x."""
        return index if len(index) > 1 else (0, *index)


class NLLRules(ClassRules):
    """J = -Σ w[y] x[n, y] / n."""

    symbols = "−w[yₙ] · x[n, yₙ]"

    def cost(self, page: Page, row: Index) -> Expression:
        label = self.label(page, row)
        if label is None:
            return Constant(0.0)
        return negative(product(self.class_weight(page, label), page.x(self.element(page, row, label))))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        row, c = self.row(index)
        if self.label(page, row) != c:
            return Rule("0", Constant(0.0), f"{c} is not the label of this row")
        e, note = self.upstream(page, row, negative(self.class_weight(page, c)))
        return Rule(f"−δ · w[{c}] / n", e, note)
