"""The rules of activations: number by number, and along an axis."""

from __future__ import annotations

from collections.abc import Callable
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
    Sum,
    difference,
    negative,
    positive,
    product,
    square,
    total,
)
from .page import Index, Page, Rules, places

__all__ = [
    "AlongAxisRules",
    "ElementwiseRules",
    "GLURules",
    "LeakyRules",
    "LogSoftmaxRules",
    "PReLURules",
    "RReLURules",
    "ReLURules",
    "SigmoidRules",
    "TanhRules",
]

ONE = Constant(1.0)


class ElementwiseRules(Rules):
    """a = f(x): δ ⊙ f′(x), both as the layer computes them."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x = page.x(index)
        return Rule(
            f"f({x.symbol})", Given(self._of(page, "value", x), f"f({x.symbol})", (x,)), "f is the formula above"
        )

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        x, delta = page.x(index), page.delta(index)
        slope = Given(self._of(page, "slope", x), f"f′({x.symbol})", (x,))
        note = f"f′ is the slope in the formula above: at {x.symbol} = {x.value:.4g} it is {slope.value:.4g}"
        return Rule(f"{delta.symbol} · f′({x.symbol})", product(delta, slope), note)

    @staticmethod
    def _of(page: Page, name: str, x: Operand) -> float:
        array = page.array()
        return float(np.asarray(getattr(page.layer, name)(np.asarray([x.value], array.dtype)))[0])


class ReLURules(Rules):
    """a = max(x, 0)."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x = page.x(index)
        return Rule(f"max({x.symbol}, 0)", Apply("max", (x, Constant(0.0))))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        a, delta = page.y(index, "a"), page.delta(index)
        note = page.note(lambda: "the unit is on: δ passes" if a.value > 0 else "the unit is off: nothing passes")
        return Rule(f"{delta.symbol} · [{a.symbol} > 0]", product(delta, positive(a)), note)


class SigmoidRules(Rules):
    """a = σ(x)."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x = page.x(index)
        return Rule(f"σ({x.symbol}) = 1 / (1 + exp(−{x.symbol}))", Apply("σ", (x,)))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        a, delta = page.y(index, "a"), page.delta(index)
        symbols = f"{delta.symbol} · {a.symbol} · (1 − {a.symbol})"
        note = page.note(lambda: f"a (1 − a) is σ′: {a.value * (1 - a.value):.4g}")
        return Rule(symbols, product(delta, a, difference(ONE, a)), note)


class TanhRules(Rules):
    """a = tanh(x)."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x = page.x(index)
        return Rule(f"tanh({x.symbol})", Apply("tanh", (x,)))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        a, delta = page.y(index, "a"), page.delta(index)
        symbols = f"{delta.symbol} · (1 − {a.symbol}²)"
        note = page.note(lambda: f"1 − a² is tanh′: {1 - a.value**2:.4g}")
        return Rule(symbols, product(delta, difference(ONE, square(a))), note)


class LeakyRules(Rules):
    """a = x where x > 0, r x elsewhere."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x, r, zero = page.x(index), self._slope(page, index), Constant(0.0)
        a = Sum((Apply("max", (x, zero)), product(r, Apply("min", (x, zero)))))
        return Rule(f"max({x.symbol}, 0) + {r.symbol} · min({x.symbol}, 0)", a)

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        x, r, delta = page.x(index), self._slope(page, index), page.delta(index)
        slope = Sum((positive(x), product(r, difference(ONE, positive(x)))))
        symbols = f"{delta.symbol} · ([{x.symbol} > 0] + {r.symbol} · (1 − [{x.symbol} > 0]))"

        def note() -> str:
            if x.value > 0:
                return f"{x.symbol} = {x.value:.4g} is above 0: the slope is 1"
            return f"{x.symbol} = {x.value:.4g} is not above 0: the slope is {r.symbol}"

        return Rule(symbols, product(delta, slope), page.note(note))

    def _slope(self, page: Page, index: Index) -> Constant | Operand:
        dtype = page.array().dtype.type
        return Constant(float(dtype(page.layer.negative_slope)), "r")


class PReLURules(LeakyRules):
    """A leaky rectifier whose slope is learned."""

    def _slope(self, page: Page, index: Index) -> Constant | Operand:
        return page.parameter("weight", self._channel(page, index), "w")

    @staticmethod
    def _channel(page: Page, index: Index) -> Index:
        return (index[1],) if page.layer.num_parameters > 1 else (0,)

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        found = [i for i in places(page.x_shape) if self._channel(page, i) == index and page.x(i).value < 0]
        terms = [product(page.delta(i), page.x(i)) for i in found]
        return Rule("Σ δ[i] · x[i] over the i with x[i] < 0", total(terms))


class RReLURules(LeakyRules):
    """A leaky rectifier whose slope is drawn."""

    def _slope(self, page: Page, index: Index) -> Constant | Operand:
        return page.saved("slope", index, "r")


class AlongAxisRules(Rules):
    """aᵢ = e^xᵢ / Σⱼ e^xⱼ; with e^-x for Softmin."""

    sign = 1

    def __init__(self, sign: int = 1) -> None:
        self.sign = sign

    @staticmethod
    def row(page: Page, index: Index) -> tuple[int, Callable[[Any], Index], Any]:
        """The places that share the axis with ``index``: how many, which one each is, and which of them this is."""
        axis = getattr(page.layer, "dim", len(index) - 3) % len(index)
        return page.x_shape[axis], lambda j: (*index[:axis], j, *index[axis + 1 :]), index[axis]

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        size, place, own = self.row(page, index)
        power, note = exponentials(page, size, place, self.sign)
        s = "" if self.sign == 1 else "−"
        symbols = f"exp({s}{page.x(index).symbol}) / Σⱼ exp({s}xⱼ)"
        return Rule(symbols, Quotient(power(own), page.total((size,), power)), note)

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        size, place, _ = self.row(page, index)
        a, delta = page.y(index, "a"), page.delta(index)
        mean = page.total((size,), lambda j: product(page.delta(place(j)), page.y(place(j), "a")))
        found = product(a, difference(delta, mean))
        symbols = f"{a.symbol} · ({delta.symbol} − Σⱼ δⱼ · aⱼ)"
        return Rule(symbols, found) if self.sign == 1 else Rule(f"−{symbols}", negative(found))


class LogSoftmaxRules(AlongAxisRules):
    """aᵢ = xᵢ - log Σⱼ e^xⱼ."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x = page.x(index)
        size, place, _ = self.row(page, index)
        return Rule(f"{x.symbol} − log Σⱼ exp(xⱼ)", difference(x, log_sum_exp(page, size, place)))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        a, delta = page.y(index, "a"), page.delta(index)
        size, place, _ = self.row(page, index)
        summed = page.total((size,), lambda j: page.delta(place(j)))
        symbols = f"{delta.symbol} − exp({a.symbol}) · Σⱼ δⱼ"
        return Rule(symbols, difference(delta, product(Apply("exp", (a,)), summed)))


class GLURules(Rules):
    """a = x₁ ⊙ σ(x₂)."""

    def _halves(self, page: Page, index: Index) -> tuple[Operand, Operand, Index, bool]:
        axis = page.layer.dim % len(index)
        half = page.x_shape[axis] // 2
        i = index[axis]
        first = (*index[:axis], i % half, *index[axis + 1 :])
        second = (*index[:axis], i % half + half, *index[axis + 1 :])
        return page.x(first, "x₁"), page.x(second, "x₂"), first, i < half

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        x1, x2, *_ = self._halves(page, index)
        return Rule(f"{x1.symbol} · σ({x2.symbol})", product(x1, Apply("σ", (x2,))))

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        x1, x2, place, first = self._halves(page, index)
        delta, s = page.delta(place), Apply("σ", (x2,))
        if first:
            return Rule(f"{delta.symbol} · σ({x2.symbol})", product(delta, s))
        symbols = f"{delta.symbol} · {x1.symbol} · σ({x2.symbol}) · (1 − σ({x2.symbol}))"
        return Rule(symbols, product(delta, x1, s, difference(ONE, s)))


_HARMLESS = 600.0  # its exponential neither overflows nor vanishes


def exponentials(
    page: Page, size: int, place: Callable[[Any], Index], sign: int = 1
) -> tuple[Callable[[Any], Expression], str]:
    """eˣ of each x of a row; all of them scaled down alike where they would overflow or vanish together."""

    def power(j: Any, shift: float = 0.0) -> Expression:
        x = page.x(place(j))
        signed = x if sign == 1 else negative(x)
        return Apply("exp", (Sum((signed, Constant(shift, "−m"))) if shift else signed,))

    if page.bound < _HARMLESS:
        return power, ""
    shift = -max((sign * page.x(place(j)).value for j in range(size)), default=0.0)
    return lambda j: power(j, shift), "each x has the largest one of its row taken off, which cancels"


def log_sum_exp(page: Page, size: int, place: Callable[[Any], Index]) -> Expression:
    """log Σ eˣ over a row."""
    power, _ = exponentials(page, size, place)
    logarithm = Apply("log", (page.total((size,), power),))
    if page.bound < _HARMLESS:
        return logarithm
    return Sum((Constant(max(page.x(place(j)).value for j in range(size)), "m"), logarithm))
