"""Page: one call of a trace, as the rules read it: its arrays by their letters, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product as every
from typing import Any

from ...arrays import Array
from ..names import names_of
from ..record import ArrayRecord, CallRecord
from ..recording import Recording
from .explanation import Rule
from .expression import Apply, Expression, Operand, total
from .symbols import Each, Element, Outside, Symbol

__all__ = ["Page", "Rules", "at", "flat_of", "letter_of", "places"]

Index = tuple[int, ...]

_LETTERS = {"weight": "W", "bias": "b"}


class Rules:
    """Abstract: the arithmetic of one family of layers. What it does not know it answers with ``None``."""

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        """An element of what forward returned (output ``number``)."""
        return None

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        """An element of ∂J/∂input."""
        return None

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        """An element of ∂J/∂parameter, as far as this call made it."""
        return None

    def saved(self, page: Page, part: str, index: Index) -> Rule | None:
        """An element of what ctx kept."""
        return None

    def inner(self, page: Page, part: str, index: Index) -> Rule | None:
        """An element of an array of the time steps."""
        return None


class Page:
    """One call as the rules read it.

    Args:
        trace: the whole.
        call: its record.
        index: of the number that is asked for; symbols, where it is asked for all numbers at once.

    Attributes:
        call: its record.
        layer: whose formulas ran, with its settings.
    """

    def __init__(self, trace: Recording, call: CallRecord, index: Index = ()) -> None:
        self._trace = trace
        self.call = call
        self._symbolic = any(isinstance(i, Symbol) for i in index)
        self.layer: Any = call.formulas_of

    def total(self, sizes: Index, body: Callable[..., Expression], function: str = "sum") -> Expression:
        """Σ of ``body(i, j, …)`` over 0 ≤ i < sizes[0], …, or the largest of them (``"max"``).

        A term with an index outside of its array is left out: that is padding.
        """
        if self._symbolic:
            return Each.over(sizes, body, function)
        terms = []
        for i in places(sizes):
            with suppress(Outside):
                terms.append(body(*i))
        return total(terms) if function == "sum" or len(terms) == 1 else Apply(function, tuple(terms))

    def note(self, text: Callable[[], str]) -> str:
        """A note that looks at values; nothing where it is asked for all numbers at once."""
        return "" if self._symbolic else text()

    # ------------------------------------------------------------------ arrays

    def array(self, part: str = "") -> Array:
        """The input of this name; the first one."""
        record = self.call.inputs[part or self.first]
        assert record is not None, f"{self.call.name} has no array for its input {part}"
        return record.numbers

    @property
    def first(self) -> str:
        """The name of the first input."""
        return next(iter(self.call.inputs))

    @property
    def x_shape(self) -> Index:
        """The shape of the first input."""
        record = self.call.inputs[self.first]
        assert record is not None
        return record.shape

    def shape(self, part: str) -> Index:
        """The shape of the input of this name."""
        record = self.call.inputs[part]
        return () if record is None else record.shape

    @property
    def bound(self) -> float:
        """What no number of the first input exceeds in size."""
        record = self.call.inputs[self.first]
        assert record is not None
        return max(-record.digest.least, record.digest.largest) if not record.digest.nans else math.inf

    @property
    def y_shape(self) -> Index:
        """The shape of the first output."""
        return self.call.outputs[0].shape

    def has(self, name: str) -> bool:
        """Whether there is a parameter of this name."""
        return self._parameter(name) is not None

    def value(self, name: str) -> Array:
        """What forward saved under this name, as it is."""
        value = self.call.saved.get(name)
        return value.numbers if isinstance(value, ArrayRecord) else value

    def _parameter(self, name: str) -> tuple[str, ArrayRecord] | None:
        if name in self.call.parameters:
            parameter = self.call.parameters[name]
            return parameter.name, parameter.value
        record = self.call.inputs.get(name)
        return None if record is None else (self._input_name(name), record)

    def _input_name(self, part: str) -> str:
        origin = self.call.origins.get(part, "")
        return origin if origin in names_of(self._trace) else f"{self.call.name}.input.{part}"

    # ------------------------------------------------------------------ operands

    def x(self, index: Index, letter: str = "x", part: str = "") -> Operand:
        """An element of an input, under the name of the array that it is."""
        part = part or self.first
        return at(self._input_name(part), self.call.inputs[part], index, letter)

    def y(self, index: Index, letter: str = "y", number: int = 0) -> Operand:
        """An element of an output."""
        name = f"{self.call.name}.output" + (f".{number}" if number else "")
        return at(name, self.call.outputs[number], index, letter)

    def delta(self, index: Index, number: int = 0) -> Operand:
        """An element of δ, 0 where none came."""
        record = self.call.deltas[number] if number < len(self.call.deltas) else None
        if record is None:
            return Operand("", index, 0.0, "δ")
        return at(f"{self.call.name}.delta" + (f".{number}" if number else ""), record, index, "δ")

    def parameter(self, name: str, index: Index, letter: str = "") -> Operand:
        """An element of a parameter."""
        found = self._parameter(name)
        assert found is not None, f"{self.call.name} has no parameter {name}"
        return at(*found, index, letter or _LETTERS.get(name, name))

    def saved(self, name: str, index: Index, letter: str = "") -> Operand:
        """An element of an array that ctx kept."""
        return at(f"{self.call.name}.saved.{name}", self.call.saved[name], index, letter or name)

    def inner(self, name: str, index: Index, letter: str) -> Operand:
        """An element of an array of the time steps."""
        return at(f"{self.call.name}.{name}", self.call.inner[name], index, letter)


def at(name: str, record: ArrayRecord | None, index: Index, letter: str) -> Operand:
    """The element as an operand. Raises Outside where it is beyond the array."""
    assert record is not None, f"{name} is no array"
    if any(isinstance(i, Symbol) for i in index):
        return Element(name, index, letter)  # type: ignore[return-value]  # an operand in all but its value
    if not all(0 <= i < n for i, n in zip(index, record.shape, strict=True)):
        raise Outside
    inside = ", ".join(map(str, index))
    return Operand(name, index, float(record.numbers[index]), f"{letter}[{inside}]" if index else letter)


def places(shape: Index) -> Iterator[Index]:
    """Every index of an array of this shape, in order."""
    return every(*[range(n) for n in shape])


def flat_of(index: Index, shape: Index) -> Any:
    """Where this index comes if the array is counted row by row."""
    flat: Any = 0
    for i, n in zip(index, shape, strict=True):
        flat = flat * n + i
    return flat


def letter_of(call: CallRecord, part: str) -> str:
    """The letter that the call's formulas have for a parameter: W for ``weight``, γ in a normalisation."""
    stem, _, suffix = part.partition("_")
    letter = {"weight": "γ", "bias": "β"} if "∂J/∂γ" in " ".join(call.formulas.backward) else _LETTERS
    if stem in letter and suffix.startswith(("ih", "hh")):
        return f"{letter[stem]}_{suffix[:2]}"
    return letter.get(part, part)
