"""Symbols: indices that are not yet numbers, with which a rule is run for every number of an array at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

__all__ = ["Axis", "Each", "Element", "Loop", "NotOnePattern", "Numbers", "Outside", "Symbol", "exact"]

Plain: TypeAlias = Any
"""What ``json.dumps`` takes."""


class NotOnePattern(Exception):  # noqa: N818 - no error of anybody's
    """A rule wanted to know which number it is run for."""


class Outside(Exception):  # noqa: N818 - nor this
    """An index beyond its array: padding, or a step that does not divide. The term is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The number's own place on an axis of its array."""

    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """What a sum runs over."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """⌊a / by⌋, or what is left over."""

    of: Symbol
    by: int
    rest: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """An index that stands in another array."""

    element: Element


Leaf: TypeAlias = Axis | Loop | _Part | _Read


class Symbol:
    """An index that is not yet a number: (constant + Σ coefficient · leaf) / divisor.

    It can be added, multiplied and divided as far as that stays one; compared it cannot be, for that would be to ask
    which number it is.
    """

    __slots__ = ("constant", "divisor", "terms")

    def __init__(self, terms: dict[Leaf, int], constant: int = 0, divisor: int = 1) -> None:
        self.terms, self.constant, self.divisor = terms, constant, divisor

    def __add__(self, other: Symbol | int) -> Symbol:
        if isinstance(other, int):
            return Symbol(self.terms, self.constant + other * self.divisor, self.divisor)
        if self.divisor != 1 or other.divisor != 1:
            raise NotOnePattern
        terms = dict(self.terms)
        for leaf, coefficient in other.terms.items():
            terms[leaf] = terms.get(leaf, 0) + coefficient
        return Symbol(terms, self.constant + other.constant)

    __radd__ = __add__

    def __mul__(self, other: int) -> Symbol:
        if not isinstance(other, int):
            raise NotOnePattern
        return Symbol({leaf: other * c for leaf, c in self.terms.items()}, self.constant * other, self.divisor)

    __rmul__ = __mul__

    def __neg__(self) -> Symbol:
        return -1 * self

    def __sub__(self, other: Symbol | int) -> Symbol:
        return self + -other

    def __rsub__(self, other: int) -> Symbol:
        return -self + other

    def __floordiv__(self, by: int) -> Symbol:
        return self if by == 1 else Symbol({_Part(self, by, rest=False): 1})

    def __mod__(self, by: int) -> Symbol | int:
        return 0 if by == 1 else Symbol({_Part(self, by, rest=True): 1})

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Symbol) and self._key() == other._key():
            return True
        raise NotOnePattern

    def _key(self) -> tuple[Any, ...]:
        return frozenset((id(leaf), c) for leaf, c in self.terms.items() if c), self.constant, self.divisor

    def _refuse(self, *_: object) -> NoReturn:
        raise NotOnePattern

    __lt__ = __le__ = __gt__ = __ge__ = __hash__ = __bool__ = __index__ = __int__ = __float__ = _refuse

    def __str__(self) -> str:
        try:
            return f"⟦{json.dumps(self.to_plain(Numbers()), separators=(',', ':'))}⟧"
        except NotOnePattern:  # what a sum runs over has no number outside of it
            return "…"

    __repr__ = __str__

    def to_plain(self, numbers: Numbers) -> Plain:
        """[constant, [[leaf, coefficient], …], divisor]."""
        return [self.constant, [[numbers.plain(leaf), c] for leaf, c in self.terms.items() if c], self.divisor]


def exact(a: Any, by: int) -> Any:
    """a / by as an index. Raises Outside where that is no whole number."""
    if by == 1:
        return a
    if isinstance(a, Symbol):
        return Symbol(a.terms, a.constant, a.divisor * by)
    whole, left = divmod(a, by)
    if left:
        raise Outside
    return whole


class Numbers:
    """The numbers of axes and loops in the plain form: axes first, then loops from outside to inside."""

    def __init__(self, rank: int = 0, loops: tuple[Loop, ...] = ()) -> None:
        self.rank, self.loops = rank, loops

    def inside(self, loops: tuple[Loop, ...]) -> Numbers:
        """With these loops within those that there are."""
        return Numbers(self.rank, (*self.loops, *loops))

    def plain(self, leaf: Leaf) -> Plain:
        """The leaf in the plain form."""
        if isinstance(leaf, Axis):
            return leaf.number
        if isinstance(leaf, Loop):
            if leaf not in self.loops:
                raise NotOnePattern
            return self.rank + self.loops.index(leaf)
        if isinstance(leaf, _Part):
            return {"mod" if leaf.rest else "div": leaf.of.to_plain(self), "by": leaf.by}
        return {"of": leaf.element.to_plain(self)}


# ---------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Element:
    """An operand whose index has symbols in it."""

    name: str
    index: tuple[Any, ...]
    letter: str

    @property
    def symbol(self) -> str:
        return f"{self.letter}[{', '.join(map(str, self.index))}]" if self.index else self.letter

    @property
    def value(self) -> float:
        raise NotOnePattern

    def as_index(self) -> Symbol:
        """Its value as an index into another array."""
        return Symbol({_Read(self): 1})

    def to_plain(self, numbers: Numbers) -> Plain:
        """["at", name, letter, [index, …]]."""
        index = [i.to_plain(numbers) if isinstance(i, Symbol) else i for i in self.index]
        return ["at", self.name, self.letter, index]


@dataclass(frozen=True, slots=True)
class Each:
    """Σ of a body, or the largest, over loops."""

    sizes: tuple[int, ...]
    loops: tuple[Loop, ...]
    body: Any  # an Expression, which this module does not know
    function: str = "sum"

    @property
    def value(self) -> float:
        raise NotOnePattern

    @classmethod
    def over(cls, sizes: tuple[int, ...], body: Callable[..., Any], function: str = "sum") -> Each:
        loops = tuple(Loop() for _ in sizes)
        return cls(sizes, loops, body(*[Symbol({loop: 1}) for loop in loops]), function)
