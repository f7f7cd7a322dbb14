"""Writes into arrays that others may still need: who wrote, where, and when, so that a backward can say so.

A call of an underscore method (``x.mul_(2)``) is noted here with a running number, which calls and writes share. A call
with a lower number than the latest write looks at the notes before its backward; any other pays one comparison.
"""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType, SimpleNamespace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.array_utils import byte_bounds

from .arrays import Array
from .errors import BackwardError

__all__ = [
    "Place",
    "drop_replaced",
    "expect_current",
    "expect_unwritten",
    "in_words",
    "latest",
    "next_number",
    "note",
    "noted",
    "place_of_caller",
    "recorded",
    "written_since",
]

Place: TypeAlias = tuple[CodeType, int]  # a line as cheaply as it can be kept: the code, the position in it

_NOT_THE_PROGRAM = (os.path.dirname(__file__) + os.sep, "<frozen ")  # noqa: PTH120  # compared with co_filename

_numbers = itertools.count(1)
next_number = _numbers.__next__
"""The running number of the next call or write."""


class _Write(NamedTuple):
    number: int
    method: str
    place: Place | None
    region: dict[str, Any]  # the array interface of what was written: keeps no memory alive
    owner: weakref.ref[Any]  # whose end is the end of the note: its memory may become another array's


latest = 0
"""The number of the latest write."""

recorded: dict[Any, _Write] = {}
"""The writes that are on the tape, by region: none, in almost every program."""

noted: dict[Any, _Write] = {}
"""The writes into memory that is still in use, by region."""


def note(array: Array, method: str, number: int, on_tape: bool, place: Place | None) -> None:
    """Remember that ``method`` wrote into ``array``, for as long as its memory lives."""
    global latest
    latest = max(latest, number)
    if not isinstance(array, np.ndarray):
        return  # on a GPU nothing is policed
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    region = array.__array_interface__
    key = (region["data"][0], region["shape"], region["strides"], on_tape)
    notes = [noted, recorded] if on_tape else [noted]

    def forget(_: Any) -> None:
        for table in notes:
            table.pop(key, None)

    write = _Write(number, method, place, region, weakref.ref(owner, forget))
    for table in notes:
        table[key] = write


def expect_unwritten(call: Any) -> None:
    """Nothing that the backward of ``call`` reads has been written into since: what it saved on its ctx, and weights.

    Raises:
        BackwardError: something has; it names who saved it, who changed it, and both lines.
    """
    later = [write for write in list(noted.values()) if write.number > call.number]
    if not later:
        return
    cure = "make a new array there, without the underscore; or let {method} work on x.clone()"
    read = [(f"ctx.{name}", "saved it for this backward", array, cure) for name, array in _arrays_in(vars(call.ctx))]
    cure = "change the weights after the backward, or run forward again"
    read += [(name, "used it in this forward", array, cure) for name, array in _weights_of(call)]
    for name, verb, array, cure in read:
        for write in later:
            if _overlap(array, write):
                layer, path = type(call.layer).__name__, call.path
                who = f"{layer} {path!r}" if path else layer
                raise BackwardError(
                    f"{name} as {who} {verb}{in_words(call.run and call.run[1])}",
                    f"{write.method} has written into it since{in_words(write.place)}",
                    cure.format(method=write.method),
                )


def expect_current(array: Array, number: int) -> None:
    """``array``, of a tensor made at ``number``, still holds the numbers that the tape knows of.

    Raises:
        BackwardError: a recorded write went into its memory by way of another tensor.
    """
    for write in list(recorded.values()):
        if write.number > number and _overlap(array, write):
            raise BackwardError(
                "a tensor whose numbers are those that it was made with",
                f"one that shares memory with another, into which {write.method} has written{in_words(write.place)}",
                "write into a copy, x.clone(); or make a new tensor there, without the underscore",
            )


def drop_replaced(region: Array, number: int) -> bool:
    """Every number of ``region`` is written anew: drop the recorded writes into it since ``number``; whether any were.

    As far as it is quickly known: those into just this region, or into parts of one without gaps.
    """
    if not isinstance(region, np.ndarray):
        return False
    whole = region.flags.c_contiguous or region.flags.f_contiguous
    begin, end = byte_bounds(region)
    own = region.__array_interface__
    gone = []
    for key, write in list(recorded.items()):
        same = key[:3] == (own["data"][0], own["shape"], own["strides"])
        if write.number > number and (same or (whole and _within(write, begin, end))):
            gone.append(key)
    for key in gone:
        recorded.pop(key, None)
    return bool(gone)


def _within(write: _Write, begin: int, end: int) -> bool:
    first, last = byte_bounds(_array_at(write))
    return begin <= first and last <= end


def written_since(array: Array, number: int) -> str:
    """Which underscore method has written into ``array`` after the call ``number``, and where; empty if none has."""
    for write in list(noted.values()):
        if write.number > number and _overlap(array, write):
            return f"{write.method} has written into it since{in_words(write.place)}"
    return ""


def place_of_caller() -> Place | None:
    """The line of the program that is running: the innermost outside of this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_NOT_THE_PROGRAM):
        frame = frame.f_back
    return None if frame is None else (frame.f_code, frame.f_lasti)


def in_words(place: Place | None) -> str:
    """``train.py, line 12: x.mul_(2)``, or nothing."""
    if place is None:
        return ""
    code, position = place
    line = next(itertools.islice(code.co_positions(), position // 2, None))[0] or code.co_firstlineno
    path = Path(code.co_filename)
    name = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    text = linecache.getline(code.co_filename, line).strip()
    return f"\n            in {name}, line {line}{f': {text}' if text else ''}"


def _weights_of(call: Any) -> list[tuple[str, Array]]:
    """The weights that the backward of ``call`` multiplies by.

    Not the biases, which are added; and a layer's only weight is a factor of ∂J/∂input alone.
    """
    held = [(name, value) for name, value in vars(call.layer).items() if hasattr(value, "grad_array")]  # Parameters
    weights = [(name, parameter.array) for name, parameter in held if "bias" not in name]
    return weights if len(weights) > 1 or True in call.ctx.needs_input_grad else []


def _arrays_in(value: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """The arrays in what a ctx holds, with the name of the attribute that holds them."""
    if isinstance(value, np.ndarray):
        yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _arrays_in(part, name or str(key))
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _arrays_in(part, name)


def _overlap(array: Array, write: _Write) -> bool:
    if not isinstance(array, np.ndarray) or write.owner() is None:
        return False
    return np.shares_memory(array, _array_at(write))


def _array_at(write: _Write) -> np.ndarray:
    return np.asarray(SimpleNamespace(__array_interface__=write.region))
