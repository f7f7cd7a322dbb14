"""Explanation: one number of a trace, with the arithmetic that made it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import cached_property

from ..source import Source
from .expression import Expression, Operand, Term, number, operands_of, terms_of, text_of

__all__ = ["Explanation", "Rule"]


@dataclass(frozen=True)
class Rule:
    """How one number comes about.

    Attributes:
        symbols: the formula for this one element, in letters: ``"Σₙ δ[n, 3] · x[n, 5]"``.
        expression: the same with its operands.
        note: what else a reader has to know.
    """

    symbols: str
    expression: Expression
    note: str = ""


@dataclass(frozen=True)
class Explanation:
    """One number of a trace. ``str()`` of it is the arithmetic, for people; ``arithmetic`` is all of it.

    Attributes:
        name, index: which number.
        value: what the trace has there.
        symbol: its letter: ``"∂J/∂W[3, 5]"``.
        rule: its formula in letters and with operands; ``None`` where it was given, or its arithmetic is not known.
        formula: the lines of the layer's docstring that it follows.
        place: what ran: ``"2 (Linear), backward"``.
        source: the lines of the formula's code, and which of them ran.
        remark: why there is no arithmetic, if there is none.
        beside: operands by name where the arithmetic is not known.
    """

    name: str
    index: tuple[int, ...]
    value: float
    symbol: str
    rule: Rule | None = None
    formula: tuple[str, ...] = ()
    place: str = ""
    source: Source | None = None
    remark: str = ""
    beside: tuple[str, ...] = ()

    @property
    def expression(self) -> Expression | None:
        """The arithmetic as a tree; ``None`` where there is none."""
        return None if self.rule is None else self.rule.expression

    @cached_property
    def terms(self) -> list[Term]:
        """The arithmetic multiplied out: (sign, factors) for each term; a factor without a name is a constant or the
        value of a function."""
        return [] if self.expression is None else terms_of(self.expression)

    @cached_property
    def operands(self) -> list[Operand]:
        """Every number that took part, with the name and index of where it stands; each place once."""
        found = (
            {} if self.expression is None else {(o.name, o.index): o for o in operands_of(self.expression) if o.name}
        )
        return list(found.values())

    @property
    def sources(self) -> list[tuple[str, tuple[int, ...]]]:
        """Where the operands came from: names and indices that ``trace.explain`` takes in turn."""
        return [(o.name, o.index) for o in self.operands]

    @property
    def arithmetic(self) -> str:
        """All of the arithmetic, every term and every digit, as Python reads it once · is *, − is - and √ is sqrt."""
        return "" if self.expression is None else text_of(self.expression, None, None)

    @property
    def short(self) -> str:
        """The arithmetic in one line: four digits, the largest terms of long sums."""
        return "" if self.expression is None else text_of(self.expression, 4, 4)

    @property
    def source_line(self) -> str:
        """The line of code that the formula is: ``numnet/nn/linear.py:62  delta_x, dW, db = …``; empty if unknown."""
        return "" if self.source is None else self.source.telling_line

    @property
    def lines(self) -> list[str]:
        """The text, line by line."""
        at = _indexed(self.name, self.index)
        head = f"{at} = {number(self.value, 6)}" + (f"        {self.place}" if self.place else "")
        formula = [line.replace("``", "") for line in self.formula]
        body = [f"formula   {line}" for line in formula[:1]] + [f"          {line}" for line in formula[1:]]
        if self.rule is not None:
            body.append(f"here      {self.symbol} = {self.rule.symbols}")
            value = number(self.value, 4)
            body.append(f"        = {self.short}" + ("" if self.short == value else f" = {value}"))
            if self.rule.note:
                body.append(f"note      {self.rule.note}")
            body += self._where()
        if self.remark:
            body.append(self.remark)
        body += [f"          {line}" for line in self.beside]
        if self.source_line:
            body.append(f"code      {self.source_line}")
        return [head, *(f"  {line}" for line in body)]

    def _where(self) -> list[str]:
        """Which array each letter is."""
        letters: dict[str, str] = {}
        for o in self.operands:
            letters.setdefault(o.name, o.symbol.partition("[")[0])
        return [f"where     {', '.join(f'{letter} is {name}' for name, letter in letters.items())}"] if letters else []

    def __str__(self) -> str:
        wrapped = []
        for line in self.lines:
            indent = " " * 12 if line.startswith("  ") else ""
            wrapped += textwrap.wrap(
                line, 116, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            )
        return "\n".join(wrapped)


def _indexed(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name
