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
from types import CodeType, SimpleNamespace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .arrays import Array
from .errors import BackwardError

__all__ = [
    "Place",
    "expect_current",
    "expect_unwritten",
    "in_words",
    "latest",
    "next_number",
    "note",
    "noted",
    "place_of_caller",
    "recorded",
]

Place: TypeAlias = tuple[
    CodeType, int, CodeType, int
]  # a line as cheaply as it can be kept: the code, the position in it

_PACKAGE = os.path.dirname(__file__) + os.sep  # noqa: PTH120  # compared with co_filename, a string

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
    """Nothing that ``call`` saved on its ctx has been written into since.

    Raises:
        BackwardError: something has; it names who saved it, who changed it, and both lines.
    """
    later = [write for write in list(noted.values()) if write.number > call.number]
    if not later:
        return
    for name, array in _arrays_in(vars(call.ctx)):
        for write in later:
            if _overlap(array, write):
                layer, path = type(call.layer).__name__, call.path
                who = f"{layer} {path!r}" if path else layer
                raise BackwardError(
                    f"ctx.{name} as {who} saved it for this backward{in_words(call.run and call.run[1])}",
                    f"{write.method} has written into it since{in_words(write.place)}",
                    f"make a new array there, without the underscore; or let {write.method} work on x.clone()",
                )


def expect_current(array: Array, number: int) -> None:
    """``array``, the output of the call ``number``, still holds the numbers that the tape knows of.

    Raises:
        BackwardError: a recorded write went into its memory by way of another tensor.
    """
    for write in list(recorded.values()):
        if write.number > number and _overlap(array, write):
            raise BackwardError(
                "a tensor whose numbers are those that its grad_fn computed",
                f"one that shares memory with another, into which {write.method} has written{in_words(write.place)}",
                "write into a copy, x.clone(); or make a new tensor there, without the underscore",
            )


def place_of_caller(depth: int) -> Place | None:
    """The lines that are running ``depth`` and ``depth + 1`` calls up: one of them is the program's own."""
    try:
        frame = sys._getframe(depth + 1)
    except ValueError:  # so many calls there are not
        return None
    back = frame.f_back or frame
    return frame.f_code, frame.f_lasti, back.f_code, back.f_lasti


def in_words(place: Place | None) -> str:
    """``train.py, line 12: x.mul_(2)``, or nothing if both candidates are in this package."""
    for code, position in (place[:2], place[2:]) if place is not None else ():
        if not code.co_filename.startswith(_PACKAGE):
            line = next(itertools.islice(code.co_positions(), position // 2, None))[0] or code.co_firstlineno
            path = Path(code.co_filename)
            name = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
            text = linecache.getline(code.co_filename, line).strip()
            return f"\n            in {name}, line {line}{f': {text}' if text else ''}"
    return ""


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
    written = np.asarray(SimpleNamespace(__array_interface__=write.region))
    return np.shares_memory(array, written)
