"""Names: every array of a trace by its place and its part, ``"0.delta"``, ``"2.weight.grad"``."""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

from ..errors import OptionError
from .record import ArrayRecord, CallRecord, UpdateRecord
from .recorder import output_name
from .recording import Recording

__all__ = ["Named", "expect_index", "names_of", "resolve"]


class Named(NamedTuple):
    """An array with a name.

    Attributes:
        record: the array.
        what: what kind of array: ``"input"``, ``"delta"``, ``"share"``, …
        owner: the call, the update, or the parameter's total that it belongs to.
        part: which output, input, parameter or saved array.
        alias: the name that is the usual one, if this is another.
    """

    record: ArrayRecord
    what: str
    owner: Any
    part: Any
    alias: str = ""


def names_of(trace: Recording) -> dict[str, Named]:
    """Every array of the trace by its names, in the order of the step; made once."""
    if not trace.named:
        trace.named = _made(trace)
    return trace.named


def _made(trace: Recording) -> dict[str, Named]:
    named: dict[str, Named] = {}
    for name, record in trace.given.items():
        named[name] = Named(record, "given", None, name)
    for name, total in trace.parameters.items():
        for alias in ("", *total.aliases):
            named[alias or name] = Named(total.value, "value", total, name, name if alias else "")
    for call in trace.calls:
        named.update(_forward_names(call))
    losses = [call for call in trace.calls if call.is_loss]
    if losses:
        named["J"] = named[f"{losses[-1].name}.output"]
    for call in reversed(trace.calls):
        named.update(_backward_names(call))
    for name, record in trace.input_deltas.items():
        named[f"{name}.delta"] = Named(record, "given_delta", None, name)
    for name, total in trace.parameters.items():
        if total.before is None and len(total.shares) == 1:  # one use: its share is the gradient
            call, part, _ = total.shares[0]
            share = f"{call.path}#{call.use}.{part}.grad"
            named[share] = named[share]._replace(alias=f"{name}.grad")
        for alias in ("", *total.aliases):
            if total.before is not None:
                named[f"{alias or name}.grad.before"] = Named(total.before, "before", total, name, alias and name)
            if total.after is not None:
                named[f"{alias or name}.grad"] = Named(total.after, "gradient", total, name, alias and f"{name}.grad")
    for update in trace.updates:
        named.update(_update_names(update))
    return named


def _forward_names(call: CallRecord) -> dict[str, Named]:
    named: dict[str, Named] = {}
    for i, (part, record) in enumerate(call.inputs.items()):
        if record is not None:
            origin = call.origins.get(part) or ""
            named[f"{call.name}.input.{part}"] = Named(record, "input", call, part, origin)
            if i == 0:
                named[f"{call.name}.input"] = Named(record, "input", call, part, origin or f"{call.name}.input.{part}")
    for part, value in call.saved.items():
        if isinstance(value, ArrayRecord):
            named[f"{call.name}.saved.{part}"] = Named(value, "saved", call, part)
    for part, record in call.inner.items():
        named[f"{call.name}.{part}"] = Named(record, "inner", call, part)
    for i, record in enumerate(call.outputs):
        named[output_name(call, i)] = Named(record, "output", call, i)
    return {**named, **_numbered(call, named)}


def _backward_names(call: CallRecord) -> dict[str, Named]:
    named: dict[str, Named] = {}
    for i, record in enumerate(call.deltas):
        if record is not None:
            named[f"{call.name}.delta" + (f".{i}" if i else "")] = Named(record, "delta", call, i)
    for i, (part, record) in enumerate(call.input_deltas.items()):
        if record is not None:
            name = f"{call.name}.input_delta"
            if i == 0:
                named[name] = Named(record, "input_delta", call, part)
            named[f"{name}.{part}"] = Named(record, "input_delta", call, part, name if i == 0 else "")
    for part, parameter in call.parameters.items():
        if parameter.share is not None:
            named[f"{call.path}#{call.use}.{part}.grad"] = Named(parameter.share, "share", call, part)
    return {**named, **_numbered(call, named)}


def _numbered(call: CallRecord, named: dict[str, Named]) -> dict[str, Named]:
    """The first use by its number too: ``"rnn#1.output"``."""
    if call.use > 1:
        return {}
    return {
        f"{call.path}#1{name[len(call.name) :]}": entry._replace(alias=entry.alias or name)
        for name, entry in named.items()
        if not name.startswith(f"{call.path}#1.")
    }


def _update_names(update: UpdateRecord) -> dict[str, Named]:
    named = {}
    for what, memory in (("memory_before", update.memory_before), ("memory", update.memory)):
        for part, value in memory.items():
            if isinstance(value, ArrayRecord):
                ending = ".before" if what == "memory_before" else ""
                named[f"{update.name}.{part}{ending}"] = Named(value, what, update, part)
    named[f"{update.name}.after"] = Named(update.after, "after", update, None)
    return named


def resolve(trace: Recording, name: str) -> tuple[str, Named]:
    """The array called ``name``, by its usual name.

    Raises:
        OptionError: there is none; the message lists what there is.
    """
    named = names_of(trace).get(name)
    if named is None:
        known = [n for n, entry in names_of(trace).items() if not entry.alias]
        place = name.rpartition(".")[0]
        near = difflib.get_close_matches(name, known, n=4, cutoff=0.7)
        beside = [other for other in known if place and other.startswith(f"{place}.")]
        shown = beside or known
        more = f" and {len(shown) - 40} more" if len(shown) > 40 else ""
        cure = f"{'perhaps ' + ', '.join(near) + '; ' if near else ''}there are {', '.join(shown[:40])}{more}"
        raise OptionError("the name of an array of the trace", repr(name), cure)
    if named.alias and named.alias in trace.named:
        return named.alias, trace.named[named.alias]
    return name, named


def expect_index(name: str, record: ArrayRecord, index: Any) -> tuple[int, ...]:
    """``index`` as one non-negative integer for each axis.

    Raises:
        OptionError: it is no place in the array.
    """
    parts = tuple(index) if isinstance(index, (tuple, list)) else (index,)
    shape = record.shape
    whole = all(hasattr(i, "__index__") and not isinstance(i, bool) for i in parts)
    if not whole or len(parts) != len(shape) or not all(-n <= int(i) < n for i, n in zip(parts, shape, strict=True)):
        places = f"({', '.join(f'0 … {n - 1}' for n in shape)})" if shape else "(), since it is a single number"
        raise OptionError(f"a place in {name}, of shape {shape}: {places}", f"{index!r}", "one integer for each axis")
    return tuple([int(i) % n for i, n in zip(parts, shape, strict=True)])
