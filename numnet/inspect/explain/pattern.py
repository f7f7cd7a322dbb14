"""Patterns: the arithmetic of every number of an array at once, with symbols in the place of the number's index.

A rule that is run on symbols, ``W[j, k]`` for ``W[3, 5]``, gives a tree that holds for every j and k. What cannot be
said of all numbers alike (a rule that looks at a value, a border of another kind) refuses, and has no pattern.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .expression import Apply, Constant, Expression, Given, Operand, Product, Quotient, Sum
from .symbols import Each, Element, Numbers, Plain, Symbol

__all__ = ["Pattern", "to_plain"]


def to_plain(e: Expression, numbers: Numbers | None = None) -> Plain:
    """An expression as nested lists, which the page's script reads.

    ======================================  =====================================================================
    ``["at", name, letter, [index, …]]``    an operand; an index is an integer, or [constant, [[leaf, coefficient],
                                            …], divisor], whose leaves are the numbers of axes and loops,
                                            ``{"div": index, "by": n}``, ``{"mod": …}`` or ``{"of": node}``
    ``["sum", [size, …], node]``            Σ over loops, without the terms that have an index beyond its array
    ``["max", [size, …], node]``            the largest, likewise
    ``["+", …]``, ``["*", …]``, ``["/", a, b]``
    ``["fn", name, …]``                     a function
    ``["const", value, symbol]``            a constant
    ``["given", test, symbol, …]``          1 or 0: whether the node is ``positive``, the two are ``equal``
    ``["index", index]``                    an index as a number, behind ``equal``
    ``["value", value, symbol, [node, …]]``  what a function of the layer gave, and what it read
    ======================================  =====================================================================
    """
    numbers = numbers or Numbers()
    if isinstance(e, Element):
        return e.to_plain(numbers)
    if isinstance(e, Operand):
        if not e.name:
            return ["const", _finite(e.value), e.symbol]
        return ["at", e.name, e.symbol.partition("[")[0], list(e.index)]
    if isinstance(e, Each):
        return [e.function, list(e.sizes), to_plain(e.body, numbers.inside(e.loops))]
    if isinstance(e, Constant):
        return ["const", _finite(e.value), e.symbol]
    if isinstance(e, Given):
        if e.test:
            against = [["index", i.to_plain(numbers) if isinstance(i, Symbol) else i] for i in e.against]
            return ["given", e.test, e.symbol, *[to_plain(o, numbers) for o in e.operands], *against]
        return ["value", _finite(e.value), e.symbol, [to_plain(o, numbers) for o in e.operands]]
    if isinstance(e, Sum):
        return ["+", *[to_plain(t, numbers) for t in e.terms]]
    if isinstance(e, Product):
        return ["*", *[to_plain(f, numbers) for f in e.factors]]
    if isinstance(e, Quotient):
        return ["/", to_plain(e.top, numbers), to_plain(e.bottom, numbers)]
    assert isinstance(e, Apply)
    return ["fn", e.function, *[to_plain(a, numbers) for a in e.arguments]]


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The arithmetic of every number of an array.

    Attributes:
        rank: how many axes the array has.
        symbols: the formula of one element, with ⟦index⟧ where a number's own place comes in.
        expression: its tree.
        note: what else a reader has to know.
    """

    rank: int
    symbols: str
    expression: Expression
    note: str

    def to_plain(self) -> dict[str, Plain]:
        """For ``json.dumps``; the tree is that of :func:`to_plain`."""
        tree = to_plain(self.expression, Numbers(self.rank))
        return {"symbols": self.symbols, "note": self.note, "tree": tree}
