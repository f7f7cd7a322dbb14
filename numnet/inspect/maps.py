"""Maps: which arrays a step shows, in which role, and at which step each number was made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .explain.page import letter_of
from .names import Named
from .record import CallRecord
from .recording import Recording
from .step import Step

__all__ = ["Map", "Maps"]


class Map(NamedTuple):
    """One array at one step.

    Attributes:
        array: its name.
        role: the label of what it is here.
        letter: as the formula has it.
        made: whether this step made it.
    """

    array: str
    role: str
    letter: str
    made: bool


class Maps:
    """The arrays of every step.

    Args:
        trace: what was recorded.
        names: every array by its usual name.
        places: which memory each one is; arrays of one memory are shown once.
        read: the arrays that an array's pattern reads.

    Attributes:
        made: the number of the step that made an array; nothing for what was given.
    """

    def __init__(
        self,
        trace: Recording,
        names: dict[str, Named],
        places: dict[str, int | None],
        read: dict[str, list[str]],
    ) -> None:
        self._trace, self._names, self._places, self._read = trace, names, places, read
        self._by_record: dict[int, str] = {}
        for name, named in names.items():
            self._by_record.setdefault(id(named.record), name)
        self._found = {step.number: list(self._maps(step)) for step in trace.steps}
        self.made: dict[str, int] = {}
        for number, maps in self._found.items():
            self.made |= {m.array: number for m in maps if m.made}

    def of(self, step: Step) -> list[Map]:
        """What this step shows: what it reads, what the arithmetic of its results reads besides, its results."""
        found = self._found[step.number]
        results = [m for m in found if m.made]
        read = [name for m in results for name in self._read.get(m.array, ()) if name in self._names]
        beside = [Map(name, self._role(step, name), "", False) for name in read]
        shown: dict[object, Map] = {}
        for m in [*[m for m in found if not m.made], *beside, *results]:
            place = self._places[m.array]
            key: object = m.array if place is None else place
            if key not in shown or (m.made and m.role != "saved"):
                shown.pop(key, None)
                shown[key] = m
        return list(shown.values())

    def _role(self, step: Step, name: str) -> str:
        """Of an array that the arithmetic reads: this call's own, or that of a layer behind."""
        named = self._names[name]
        if named.owner is None:
            return "input"
        return named.what if named.owner is step.call and named.what in ("output", "saved") else "used here"

    def steps_of(self, call: CallRecord) -> list[int]:
        """The steps of a call: forward, backward, the updates of its parameters."""
        mine = {p.name for p in call.parameters.values()}
        return [
            step.number
            for step in self._trace.steps
            if step.call is call or (step.update is not None and step.update.name in mine)
        ]

    def _maps(self, step: Step) -> Iterator[Map]:
        if step.update is not None:
            name, update = step.update.name, step.update
            yield from self._map(name, "before", "W")
            yield from self._map(f"{name}.grad", "gradient", "∂J/∂W")
            for part in update.memory_before:
                yield from self._map(f"{name}.{part}.before", "memory before", part)
            for part in update.memory:
                yield from self._map(f"{name}.{part}", "memory", part, made=True)
            yield from self._map(f"{name}.after", "after", "W", made=True)
        elif step.call is not None:
            yield from self._forward(step.call) if step.stage != "backward" else self._backward(step.call)

    def _forward(self, call: CallRecord) -> Iterator[Map]:
        for part in call.inputs:
            yield from self._map(self._input(call, part), "input", part)
        for part, parameter in call.parameters.items():
            yield from self._map(parameter.name, "parameter", letter_of(call, part))
        for part in call.inner:
            if "delta_" not in part:
                yield from self._map(f"{call.name}.{part}", "time steps", part, made=True)
        for part in call.saved:
            yield from self._map(f"{call.name}.saved.{part}", "saved", part, made=True)
        for i in range(len(call.outputs)):
            yield from self._map(f"{call.name}.output" + (f".{i}" if i else ""), "output", "", made=True)

    def _backward(self, call: CallRecord) -> Iterator[Map]:
        for i in range(len(call.deltas)):
            yield from self._map(f"{call.name}.delta" + (f".{i}" if i else ""), "δ in", "")
        for part, parameter in call.parameters.items():
            yield from self._map(parameter.name, "parameter", letter_of(call, part))
        if call.parameters:
            for part in call.inputs:
                yield from self._map(self._input(call, part), "input", part)
        for part in call.inner:
            if "delta_" in part:
                yield from self._map(f"{call.name}.{part}", "time steps", part, made=True)
        for part, parameter in call.parameters.items():
            letter = f"∂J/∂{letter_of(call, part)}"
            shared = f"{call.path}#{call.use}.{part}.grad"
            name = shared if shared in self._names else f"{parameter.name}.grad"
            yield from self._map(name, "gradient", letter, made=True)
            total = self._trace.parameters.get(parameter.name)
            if total is not None and name == shared and total.shares and total.shares[-1][0] is call:
                yield from self._map(f"{parameter.name}.grad", "sum of all uses", letter, made=True)
        for i, part in enumerate(call.input_deltas):
            yield from self._map(self._handed_on(call, part, i), "δ out", f"∂J/∂{part}", made=True)

    def _input(self, call: CallRecord, part: str) -> str:
        origin = call.origins.get(part, "")
        return origin if origin in self._names else f"{call.name}.input.{part}"

    def _handed_on(self, call: CallRecord, part: str, number: int) -> str:
        """δ at the output that this input is, if nobody else reads it; else this call's share in it."""
        origin = call.origins.get(part, "")
        delta = f"{origin}.delta" if origin in self._trace.given else origin.replace(".output", ".delta")
        alone = len(self._trace.consumers.get(origin, [])) == 1
        own = f"{call.name}.input_delta" + (f".{part}" if number else "")
        return delta if alone and delta in self._names else own

    def _map(self, name: str, role: str, letter: str, made: bool = False) -> Iterator[Map]:
        if name in self._names:
            yield Map(name, role, letter, made)
