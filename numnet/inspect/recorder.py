"""The recorder: the observer that writes a trace's records, and the room that it has for them."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .. import writes
from ..arrays import Array, is_array
from ..call import Call, Ctx
from ..nn import Module
from ..nn.functional.run import Functional
from ..nn.recurrent.base import RecurrentBase
from ..tensor import Parameter, Tensor
from .record import ArrayRecord, CallRecord, ParameterRecord, formulas_behind
from .source import Watch
from .time_steps import time_steps

__all__ = ["Recorder", "Room"]


class Room:
    """How many bytes of arrays a trace may still keep; every memory counts once."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.used = 0
        self.limit = keep
        self._known: dict[int, Array] = {}  # by id of the array whose memory it is, which is kept so that the id stays

    def record(self, array: Array) -> ArrayRecord:
        """The record of ``array``: with the array itself if there is room, else with its digest alone."""
        return ArrayRecord(array, self._why_not([array]))

    def fits(self, value: Any) -> str:
        """Why the arrays in ``value`` are not kept; empty if there is room for them, which is then taken."""
        return self._why_not(list(arrays_in(value)))

    def _why_not(self, arrays: list[Array]) -> str:
        new = {id(owner): owner for owner in map(_owner, arrays) if id(owner) not in self._known}
        size = sum(owner.nbytes for owner in new.values())
        if self.used + size > self.limit:
            return f"no room for {size} more bytes: keep={self.keep}, {self.used} in use"
        self.used += size
        self._known.update(new)
        return ""


class Recorder:
    """The observer behind a trace.

    Args:
        parameters: by their names in the network.
        room: for the arrays.
        watch: knows which lines ran.
        x: the arrays that the network is given, by name.
        target: what the loss compares with.
    """

    def __init__(self, parameters: dict[str, Parameter], room: Room, watch: Watch, given: dict[str, Array]) -> None:
        self.calls: list[CallRecord] = []
        self.order_back: list[int] = []
        self.consumers: dict[str, list[tuple[CallRecord, str]]] = {}
        self.events: dict[str, list[tuple[CallRecord, str, Array]]] = {name: [] for name in parameters}
        self.in_loss = False
        self._names = {id(p): name for name, p in parameters.items()}
        self._room = room
        self._watch = watch
        self._made: list[Call] = []
        self._by_number: dict[int, CallRecord] = {}
        self._pages: dict[int, Ctx] = {}
        self._uses: Counter[str] = Counter()
        self._known: dict[Any, str] = {}  # the latest name of the array with this memory, shape and dtype
        self._latest: CallRecord | None = None
        self._sealed = 0
        for name, array in given.items():
            self._known.setdefault(_key(array), name)  # of an array that is x and target too, x

    # ------------------------------------------------------------------ the observer

    def forward(self, call: Call, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> None:
        path = call.path or type(formulas_behind(call.layer)).__name__
        self._uses[path] += 1
        record = CallRecord(len(self.calls), path, self._uses[path], call.layer, is_loss=self.in_loss)
        record.training = getattr(formulas_behind(call.layer), "training", None)
        for name, array in zip(_input_names(call, len(inputs)), inputs, strict=True):
            record.inputs[name] = self._room.record(array) if is_array(array) else None
            if is_array(array):
                record.origins[name] = self._known.get(_key(array), "")
        record.outputs = tuple([self._room.record(a) for a in outputs])
        record.forward_source = self._watch.source(call.layer, "forward")
        for i, (array, entry) in enumerate(zip(outputs, record.outputs, strict=True)):
            self._known.pop(_key(array), None)
            if entry.array is not None:  # what is not kept may give its memory to another array
                self._known[_key(array)] = output_name(record, i)
        self.calls.append(record)
        self._made.append(call)
        self._by_number[call.number] = record
        if call.ctx is not None:
            self._pages[call.number] = call.ctx

    def seal(self, outputs: Iterable[Tensor] = ()) -> None:
        """After a forward: what ctx kept, where each input came from, the parameters' numbers."""
        for call, record in zip(self._made[self._sealed :], self.calls[self._sealed :], strict=True):
            if call.parents:
                self._place(call, record)
            ctx = self._pages.get(call.number)
            for name, value in ({} if ctx is None else vars(ctx)).items():
                if is_array(value):
                    record.saved[name] = self._room.record(value)
                else:
                    why_not = self._room.fits(value)
                    record.saved[name] = f"not kept: {why_not}" if why_not else value
            self._forget_what_was_overwritten(call, record)
        self._sealed = len(self.calls)

    def _place(self, call: Call, record: CallRecord) -> None:
        """Where each input's δ goes; a Parameter that is an input gets a leaf that stands in for it."""
        places = []
        for name, parent in zip(record.inputs, call.parents, strict=True):
            if isinstance(parent, tuple):
                origin = output_name(self._by_number[parent[0].number], parent[1])
                record.origins[name] = origin
                self.consumers.setdefault(origin, []).append((record, name))
            elif isinstance(parent, Tensor) and id(parent) in self._names:
                parameter = self._names[id(parent)]
                record.origins[name] = parameter
                value = self._room.record(parent.array.copy())
                record.inputs[name] = value
                record.parameters[name] = ParameterRecord(parameter, value)
                parent = _StandIn(self, record, name, parameter)
            elif isinstance(parent, Tensor) and record.origins.get(name):  # x; or, for the loss, what the network made
                self.consumers.setdefault(record.origins[name], []).append((record, name))
            places.append(parent)
        call.parents = tuple(places)

    def values(self, copies: dict[str, ArrayRecord]) -> None:
        """Give each call of a layer with parameters their values, which an optimiser may be going to overwrite."""
        for record in self.calls:
            if isinstance(record.layer, Module):
                for name, parameter in record.layer.named_parameters(remove_duplicate=False):
                    full = self._names.get(id(parameter))
                    if full is not None:
                        record.parameters[name] = ParameterRecord(full, copies[full])

    def backward(self, call: Call, deltas: tuple[Array | None, ...], input_deltas: tuple[Array | None, ...]) -> None:
        record = self._by_number[call.number]
        self.order_back.append(record.number)
        record.deltas = tuple([None if d is None else self._room.record(d) for d in deltas])
        record.input_deltas = {
            name: None if d is None else self._room.record(d)
            for name, d in zip(record.inputs, input_deltas, strict=True)
        }
        record.backward_source = self._watch.source(call.layer, "backward")
        if isinstance(call.layer, Module):
            for name, parameter in call.layer.named_parameters():
                if parameter.grad_array is not None and id(parameter) in self._names:
                    self.share(record, name, self._names[id(parameter)], parameter.grad_array)
                    parameter.grad_array = None  # so that the next call that uses it shows its own share
        page = self._pages.pop(call.number, None)
        if isinstance(call.layer, RecurrentBase) and page is not None:
            steps = time_steps(call.layer, page, deltas)
            record.inner = {name: self._room.record(array) for name, array in steps.items()}

    def share(self, record: CallRecord, key: str, name: str, gradient: Array) -> None:
        """What ``record`` adds to the gradient of the parameter ``name``, next in the order of the walk back."""
        self.events[name].append((record, key, gradient))

    # ------------------------------------------------------------------ afterwards

    def totals(self, before: dict[str, Array | None]) -> dict[str, Array | None]:
        """The gradient of every parameter: what it was, and the shares added in the order of the walk back."""
        totals = dict(before)
        for name, events in self.events.items():
            for record, key, gradient in events:
                entry = record.parameters[key]
                earlier = totals[name]
                total = totals[name] = gradient if earlier is None else earlier + gradient
                entry.before = None if earlier is None else self._room.record(earlier)
                entry.share, entry.after = self._room.record(gradient), self._room.record(total)
        return totals

    def _forget_what_was_overwritten(self, call: Call, record: CallRecord) -> None:
        if writes.latest < self._made[0].number - 1:
            return
        for entries, number in ((record.outputs, call.number), (record.inputs.values(), call.number - 2)):
            for entry in entries:
                if entry is not None and entry.array is not None:
                    why_not = writes.written_since(entry.array, number)
                    if why_not:
                        entry.forget(why_not)


class _StandIn:
    """A leaf in the place of a Parameter on the tape: what arrives is the share of one input of one call."""

    grad_array = None

    def __init__(self, recorder: Recorder, record: CallRecord, key: str, name: str) -> None:
        self._recorder = recorder
        self._place = record, key, name

    def accumulate(self, delta: Array) -> None:
        self._recorder.share(*self._place, delta)


def output_name(record: CallRecord, number: int) -> str:
    """``"0.output"``, or ``"rnn.output.1"`` for a further output."""
    return f"{record.name}.output" + (f".{number}" if number else "")


def _input_names(call: Call, count: int) -> list[str]:
    """The names of forward's inputs; those of ``*inputs`` are numbered."""
    formulas = call.layer
    if isinstance(formulas, Functional):
        return [*_names_of(formulas.layer.forward, count - len(formulas.names)), *formulas.names]
    if isinstance(formulas, RecurrentBase):
        return ["x", *formulas.state_names[: len(formulas.step.states)], "lengths"][:count]
    return _names_of(formulas.forward, count)


def _names_of(forward: Any, count: int) -> list[str]:
    names: list[str] = []
    try:
        parameters = list(inspect.signature(forward).parameters.values())[1:]  # without ctx
    except (TypeError, ValueError):
        parameters = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            stem = parameter.name if parameter.name != "inputs" else "x"
            names += [f"{stem}{i}" for i in range(count - len(names))]
        else:
            names.append(parameter.name)
    names += [f"x{i}" for i in range(len(names), count)]
    return names[:count]


def arrays_in(value: Any) -> Iterator[Array]:
    """The arrays in lists, tuples, dictionaries and pages of a notebook."""
    if is_array(value):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from arrays_in(part)
    elif isinstance(value, dict):
        yield from arrays_in(list(value.values()))
    elif isinstance(value, Ctx):
        yield from arrays_in(vars(value))


def _owner(array: Array) -> Array:
    """The array whose memory it is."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array


def _key(array: Array) -> Any:
    if not isinstance(array, np.ndarray):
        return id(array)
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.str
