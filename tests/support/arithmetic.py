"""Reading the printed arithmetic of an explanation: text to number, by the rules of school and no code of numnet's."""

from __future__ import annotations

import math
import re

__all__ = ["evaluate", "scale_of", "value_of_terms"]

FUNCTIONS = {
    "exp": lambda x: math.exp(x) if x < 709 else math.inf,
    "log": lambda x: math.log(x) if x > 0 else -math.inf,
    "log1p": math.log1p,
    "√": math.sqrt,
    "tanh": math.tanh,
    "σ": lambda x: 1 / (1 + math.exp(-x)),
    "max": max,
    "min": min,
    "abs": abs,
    "pow": pow,
}
TOKEN = re.compile(r"\s*(\d+\.?\d*(?:e[+−-]?\d+)?|nan|inf|[a-z√σ][a-z0-9]*|[-−+·/(),²])")


class _Reader:
    """Sums of products of atoms; an atom is a number, a bracket, or a function of some."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == text.replace(" ", ""), text
        self.at = 0

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def sum(self) -> float:
        terms = [self.product()]
        while self.peek() in ("+", "−"):
            sign = 1 if self.next() == "+" else -1
            terms.append(sign * self.product())
        return math.fsum(terms)

    def product(self) -> float:
        value = self.atom()
        while self.peek() in ("·", "/"):
            value = value * self.atom() if self.next() == "·" else value / self.atom()
        return value

    def atom(self) -> float:
        if self.peek() == "−":
            self.next()
            return -self.atom()
        value = self.plain()
        if self.peek() == "²":
            self.next()
            value *= value
        return value

    def plain(self) -> float:
        token = self.next()
        if token == "(":
            value = self.sum()
            assert self.next() == ")"
            return value
        if token in FUNCTIONS:
            assert self.next() == "("
            arguments = [self.sum()]
            while self.peek() == ",":
                self.next()
                arguments.append(self.sum())
            assert self.next() == ")"
            return FUNCTIONS[token](*arguments)
        return float(token.replace("−", "-"))


def evaluate(arithmetic: str) -> float:
    """The number that the text comes to."""
    reader = _Reader(arithmetic)
    value = reader.sum()
    assert not reader.peek(), arithmetic
    return value


def value_of_terms(terms: list) -> float:
    """Σ sign · Π factors."""
    return math.fsum(sign * math.prod(factor.value for factor in factors) for sign, factors in terms)


def scale_of(terms: list) -> float:
    """The size that rounding is measured by: Σ |term|, more than the sum itself where terms cancel."""
    return math.fsum(abs(math.prod(factor.value for factor in factors)) for _, factors in terms)
