"""Expressions: the arithmetic of one number, from which its text, its terms and its value are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from .symbols import Each, Element

__all__ = [
    "Apply",
    "Constant",
    "Expression",
    "Given",
    "Operand",
    "Product",
    "Quotient",
    "Sum",
    "Term",
    "difference",
    "equal",
    "negative",
    "number",
    "operands_of",
    "plus",
    "positive",
    "product",
    "square",
    "terms_of",
    "text_of",
    "total",
]


@dataclass(frozen=True, slots=True)
class Operand:
    """One element of a named array.

    Attributes:
        name: of the array in the trace.
        index: where in it.
        value: the number.
        symbol: its letter in the formula: ``"W[7, 2]"``.
    """

    name: str
    index: tuple[int, ...]
    value: float
    symbol: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A number of the formula or a setting of the layer: 2, n, ε, the learning rate."""

    value: float
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A number that a condition or a function of the layer gives, [a > 0] or f′(x), and the operands that it reads.

    Attributes:
        test: ``"positive"`` or ``"equal"`` for a condition, which a pattern can ask again; see :func:`positive`.
        against: the index that ``"equal"`` compares with.
    """

    value: float
    symbol: str
    operands: tuple[Operand | Element, ...] = ()
    test: str = ""
    against: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Sum:
    """a + b + …"""

    terms: tuple[Expression, ...]

    @property
    def value(self) -> float:
        return math.fsum(term.value for term in self.terms)


@dataclass(frozen=True, slots=True)
class Product:
    """a · b · …"""

    factors: tuple[Expression, ...]

    @property
    def value(self) -> float:
        value = 1.0
        for factor in self.factors:
            value *= factor.value
        return value


@dataclass(frozen=True, slots=True)
class Quotient:
    """a / b."""

    top: Expression
    bottom: Expression

    @property
    def value(self) -> float:
        top, bottom = self.top.value, self.bottom.value
        if bottom == 0:
            return math.nan if top == 0 or math.isnan(top) else math.copysign(math.inf, top)
        return top / bottom


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of one or more numbers: one of exp, log, log1p, √, tanh, σ, max, min, abs, pow."""

    function: str
    arguments: tuple[Expression, ...]

    @property
    def value(self) -> float:
        return FUNCTIONS[self.function](*[a.value for a in self.arguments])


Expression: TypeAlias = Operand | Constant | Given | Sum | Product | Quotient | Apply | Element | Each
Term: TypeAlias = tuple[int, list[Operand]]
"""A sign, and the factors; a factor without a name is a constant or the value of a function."""


def _exp(x: float) -> float:
    return math.exp(x) if x < 709.7 else math.inf


def _log(x: float) -> float:
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


FUNCTIONS: dict[str, Callable[..., float]] = {
    "exp": _exp,
    "log": _log,
    "log1p": math.log1p,
    "√": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "tanh": math.tanh,
    "σ": _sigmoid,
    "max": max,
    "min": min,
    "abs": abs,
    "pow": pow,
}

# ---------------------------------------------------------------------------------------------- making them


def total(terms: Iterable[Expression]) -> Expression:
    """Σ terms; a single one is itself, none is 0."""
    found = tuple(terms)
    return found[0] if len(found) == 1 else Sum(found) if found else Constant(0.0)


def plus(a: Expression, *others: Expression) -> Expression:
    """a + b + …; the terms of a sum a stay terms."""
    return Sum((*(a.terms if isinstance(a, Sum) else (a,)), *others))


def product(*factors: Expression | float) -> Expression:
    """The product; a factor of 1 that is no operand's is left out."""
    found = [Constant(float(f)) if isinstance(f, (int, float)) else f for f in factors]
    kept = [f for f in found if not (isinstance(f, Constant) and f.value == 1)]
    return Constant(1.0) if not kept else kept[0] if len(kept) == 1 else Product(tuple(kept))


def negative(a: Expression) -> Expression:
    """-a."""
    return Constant(-a.value, a.symbol and f"−{a.symbol}") if isinstance(a, Constant) else Product((Constant(-1.0), a))


def difference(a: Expression, b: Expression) -> Expression:
    """a - b."""
    return Sum((a, negative(b)))


def square(a: Expression) -> Expression:
    """a · a."""
    return Product((a, a))


def positive(a: Operand | Element) -> Given:
    """[a > 0]: 1 or 0."""
    value = math.nan if isinstance(a, Element) else float(a.value > 0)
    return Given(value, f"[{a.symbol} > 0]", (a,), "positive")


def equal(a: Operand | Element, index: Any) -> Given:
    """[a = i]: 1 or 0, for an index i."""
    value = math.nan if isinstance(a, Element) else float(a.value == index)
    return Given(value, f"[{a.symbol} = {index}]", (a,), "equal", (index,))


# ---------------------------------------------------------------------------------------------- taking them apart


def operands_of(e: Expression) -> Iterator[Any]:
    """The operands of an expression, in the order of the text."""
    if isinstance(e, (Operand, Element)):
        yield e
    elif isinstance(e, Each):
        yield from operands_of(e.body)
    elif isinstance(e, Given):
        yield from e.operands
    elif not isinstance(e, Constant):
        for part in _parts(e):
            yield from operands_of(part)


def _parts(e: Expression) -> tuple[Expression, ...]:
    if isinstance(e, Sum):
        return e.terms
    if isinstance(e, Product):
        return e.factors
    if isinstance(e, Quotient):
        return e.top, e.bottom
    return e.arguments if isinstance(e, Apply) else ()


_MANY = 20_000


def terms_of(e: Expression) -> list[Term]:
    """The expression multiplied out: a sum of products of operands.

    What is no sum and no product (a function, a divisor) is a factor without a name, as is a sum where to multiply out
    would make more than 20,000 terms.
    """
    if isinstance(e, Sum):
        return [term for part in e.terms for term in terms_of(part)]
    if isinstance(e, Quotient):
        bottom = Operand("", (), 1 / e.bottom.value if e.bottom.value else math.inf, f"1/{text_of(e.bottom, 4, 3)}")
        return [(sign, [*factors, bottom]) for sign, factors in terms_of(e.top)]
    if isinstance(e, Product):
        found: list[Term] = [(1, [])]
        for factor in e.factors:
            parts = terms_of(factor)
            if len(found) * len(parts) > _MANY:
                parts = [(1, [Operand("", (), factor.value, text_of(factor, 4, 3))])]
            found = [(s * t, [*f, *g]) for s, f in found for t, g in parts]
        return found
    if isinstance(e, Operand):
        return [(1, [e])]
    if isinstance(e, Constant):
        if e.value in (1, -1):
            return [(int(e.value), [])]
        sign = -1 if e.value < 0 else 1
        return [(sign, [Operand("", (), abs(e.value), e.symbol.removeprefix("−"))])]
    return [(1, [Operand("", (), e.value, e.symbol if isinstance(e, Given) else text_of(e, 4, 3))])]


# ---------------------------------------------------------------------------------------------- writing them


def number(value: float, digits: int | None = 4) -> str:
    """A number in text, with a proper minus; ``None`` for all its digits."""
    text = repr(float(value)) if digits is None else f"{value:.{digits}g}"
    text = text.removesuffix(".0")
    return text.replace("-", "−")


def text_of(e: Expression, digits: int | None, shown: int | None) -> str:
    """The arithmetic with the values put in.

    Args:
        digits: of each number; ``None`` for all.
        shown: how many terms of a long sum are written out, the largest ones; ``None`` for all.
    """
    if isinstance(e, (Operand, Constant, Given)):
        return number(e.value, digits)
    if isinstance(e, Sum):
        return _sum_text(e, digits, shown)
    if isinstance(e, Product):
        factors, sign = e.factors, ""
        if isinstance(factors[0], Constant) and factors[0].value == -1 and len(factors) > 1:
            factors, sign = factors[1:], "−"
        if len(factors) == 2 and factors[0] == factors[1]:
            text = _bracketed(factors[0], digits, shown, (Sum, Product, Quotient))
            text = f"({text})²" if text.startswith("−") else f"{text}²"
        else:
            text = "·".join(_bracketed(f, digits, shown, Sum) for f in factors)
        return text.removeprefix("−") if sign and text.startswith("−") else sign + text
    if isinstance(e, Quotient):
        top = _bracketed(e.top, digits, shown, Sum)
        return f"{top}/{_bracketed(e.bottom, digits, shown, (Sum, Product, Quotient))}"
    assert isinstance(e, Apply), "a pattern has no numbers to write"
    inside = ", ".join(text_of(a, digits, shown) for a in e.arguments)
    return f"{e.function}({inside})"


def _bracketed(e: Expression, digits: int | None, shown: int | None, kinds: type | tuple[type, ...]) -> str:
    text = text_of(e, digits, shown)
    signed = isinstance(e, Product) and text.startswith("−")
    return f"({text})" if isinstance(e, kinds) or signed else text


def _sum_text(e: Sum, digits: int | None, shown: int | None) -> str:
    terms = list(e.terms)
    rest = ""
    if shown is not None and len(terms) > shown + 2:
        order = sorted(range(len(terms)), key=lambda i: -abs(terms[i].value))
        largest = sorted(order[:shown])
        others = math.fsum(terms[i].value for i in order[shown:])
        rest = f" + {len(terms) - shown} more terms, sum {number(others, digits)}"
        terms = [terms[i] for i in largest]
    text = ""
    for term in terms:
        part = text_of(term, digits, shown)
        if isinstance(term, Sum):
            part = f"({part})"
        if not text:
            text = part
        elif part.startswith("−"):
            text += f" − {part.removeprefix('−')}"
        else:
            text += f" + {part}"
    return text + rest
