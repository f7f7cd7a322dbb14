"""Session: a position in a trace, and what each command answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ...errors import NumnetError, OptionError
from ..delta_budget import budget_of
from ..explain import Explanation, explain, walk
from ..maps import Maps
from ..names import names_of, resolve
from ..record import ArrayRecord
from ..recording import Recording
from .commands import COMMANDS, Command, command_of
from .grid import grid, picture
from .lines import Line, Span, fold, line
from .places import Places
from .stop import Stop, head_of

__all__ = ["Session"]

_ROWS = 12  # of an array that is printed


class Session:
    """A debugger's session with one trace: :meth:`answer` takes a command and gives the lines that it prints.

    Attributes:
        here: the number of the step that it stands at, from 0.
        ended: whether it was left.
    """

    def __init__(self, trace: Recording, width: int = 80) -> None:
        self._trace, self._width = trace, width
        names = {name: named for name, named in names_of(trace).items() if not named.alias}
        maps = Maps(trace, names, dict.fromkeys(names), {})
        self._places = Places(trace, maps.made)
        self._stop = Stop(trace, maps, self._places)
        self._latest = "next"
        self.here = 0
        self.ended = False

    def resize(self, width: int) -> None:
        """How wide a line may be."""
        self._width = width

    def start(self) -> list[Line]:
        """What is shown before the first command."""
        steps = f": {len(self._trace.steps)} steps, J = {self._trace.loss:.6g}"
        head = line(Span(self._trace.net_name, "here"), steps, Span("        h lists the commands, q leaves", "quiet"))
        return [head, *fold(self._here(""), self._width)]

    def answer(self, text: str) -> list[Line]:
        """The lines that a command prints, errors too; an empty command is the latest one again."""
        text = text.strip() or self._latest
        word, _, rest = text.partition(" ")
        try:
            command = command_of(word)
            if command.needs and not rest.strip():
                raise OptionError(f"{command.word} {command.takes}", text, command.help)
            if rest.strip() and not command.takes:
                raise OptionError(f"{command.word} alone", text, f"{command.word}: {command.help}")
            lines = list(getattr(self, f"_{command.word}")(rest.strip()))
        except NumnetError as error:
            said = [line(Span(part, "error")) for part in str(error).strip("\n").splitlines()]
            return list(fold(said, self._width))
        self._latest = text
        return list(fold(lines, self._width))

    # ------------------------------------------------------------------ moving

    def _go(self, number: int) -> Iterator[Line]:
        self.here = number
        return self._here("")

    def _here(self, rest: str) -> Iterator[Line]:
        return self._stop.lines(self._trace.steps[self.here], self._width)

    def _next(self, rest: str) -> Iterable[Line]:
        if self.here + 1 == len(self._trace.steps):
            return [line(Span("this was the last step; b goes back, f to the first one, q leaves", "note"))]
        return self._go(self.here + 1)

    def _back(self, rest: str) -> Iterable[Line]:
        if self.here == 0:
            return [line(Span("this is the first step", "note"))]
        return self._go(self.here - 1)

    def _into(self, rest: str) -> Iterable[Line]:
        number = self._places.into(self.here, rest)
        if number is None:
            return [line(Span("no container begins after this step", "note"))]
        return self._go(number)

    def _over(self, rest: str) -> Iterable[Line]:
        number = self._places.over(self.here, rest)
        if number >= len(self._trace.steps):
            return [line(Span("no step comes after it", "note"))]
        return self._go(number)

    def _jump(self, rest: str) -> Iterator[Line]:
        return self._go(self._places.find(rest))

    def _turn(self, rest: str) -> Iterable[Line]:
        number = self._places.other_pass(self.here)
        if number is None:
            return [line(Span("this step has no other pass", "note"))]
        return self._go(number)

    def _forward(self, rest: str) -> Iterator[Line]:
        return self._go(self._places.stage("forward"))

    def _loss(self, rest: str) -> Iterator[Line]:
        return self._go(self._places.stage("loss"))

    def _delta(self, rest: str) -> Iterator[Line]:
        return self._go(self._places.stage("backward"))

    def _update(self, rest: str) -> Iterator[Line]:
        return self._go(self._places.stage("update"))

    # ------------------------------------------------------------------ numbers

    def _print(self, rest: str) -> Iterator[Line]:
        name, index, part = self._part(rest)
        if np.ndim(part) == 0:
            yield line(f"{_indexed(name, index)} = {part.item()!r}")
            return
        yield head_of(Span(""), _indexed(name, index), ArrayRecord(part), part)
        yield from grid(part, self._width, _ROWS)

    def _map(self, rest: str) -> Iterator[Line]:
        name, index, part = self._part(rest)
        if np.ndim(part) == 0:
            raise OptionError("an array, or a part of one, to draw", rest, "print gives one number")
        yield head_of(Span(""), _indexed(name, index), ArrayRecord(part), part)
        yield from picture(part, self._width)

    def _part(self, rest: str) -> tuple[str, tuple[Any, ...], Any]:
        """The array, or the part of it that is meant."""
        name, record, index = self._named(rest)
        array: Any = record.numbers
        if len(index) > array.ndim:
            expected = f"at most {array.ndim} indices of {name}, of shape {record.shape}"
            raise OptionError(expected, rest, f"p {name} prints all of it")
        try:
            part = array[index]
        except IndexError:
            raise OptionError(f"a place in {name}, of shape {record.shape}", rest, f"p {name} prints it") from None
        return name, index, part

    def _explain(self, rest: str) -> Iterator[Line]:
        name, _, index = self._named(rest)
        for n, text in enumerate(explain(self._trace, name, _whole(rest, index)).lines):
            yield line(Span(text, "name") if n == 0 else text)

    def _walk(self, rest: str) -> Iterator[Line]:
        name, _, index = self._named(rest)
        for e in walk(self._trace, name, _whole(rest, index)):
            yield from _step_of_walk(e)

    def _named(self, text: str) -> tuple[str, ArrayRecord, tuple[Any, ...]]:
        """The array and the index in ``"0.delta[0, 2]"`` or ``"0.delta 0 2"``; a part of the present layer too."""
        name, index = re.match(r"([^\s\[(]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        call = self._trace.steps[self.here].call
        if call is not None and name not in names_of(self._trace) and f"{call.name}.{name}" in names_of(self._trace):
            name = f"{call.name}.{name}"
        name, named = resolve(self._trace, name)
        words = [word for word in re.split(r"[\s,]+", index.strip().strip("[]()")) if word]
        return name, named.record, tuple([_place(word, text) for word in words])

    # ------------------------------------------------------------------ looking around

    def _search(self, rest: str) -> Iterator[Line]:
        wanted = rest.lower()
        found = 0
        for step in self._trace.steps:
            beside = [] if step.call is None else [repr(step.call.formulas_of)]
            if any(wanted in text.lower() for text in [step.title, *step.formula, *beside]):
                found += 1
                yield self._entry(step.number)
        for name, named in names_of(self._trace).items():
            if not named.alias and wanted in name.lower():
                found += 1
                yield line("     ", Span(name, "name"), f"  {named.record.shape}")
        if not found:
            yield line(Span(f"nothing here has {rest!r} in it", "note"))

    def _entry(self, number: int) -> Line:
        step = self._trace.steps[number]
        mark = Span(">" if number == self.here else " ", "here")
        return line(mark, f"{number + 1:4}  ", Span(step.title, step.stage))

    def _list(self, rest: str) -> Iterator[Line]:
        return map(self._entry, range(len(self._trace.steps)))

    def _names(self, rest: str) -> Iterator[Line]:
        names = [(name, named) for name, named in names_of(self._trace).items() if not named.alias and rest in name]
        widest = max((len(name) for name, _ in names), default=0)
        for name, named in names:
            yield line("  ", Span(f"{name:<{widest}}", "name"), f"  {named.record.shape}")
        if not names:
            resolve(self._trace, rest)  # whose error lists what there is

    def _source(self, rest: str) -> Iterator[Line]:
        source = self._trace.steps[self.here].source
        if source is None:
            yield line(Span("there is no source to show here", "note"))
            return
        yield line(Span(source.file, "quiet"))
        for s in source.lines:
            mark = {True: ">", False: " ", None: "?"}[s.ran]
            yield line(Span(f"{s.number:5} {mark} ", "quiet"), Span(s.text, "code" if s.ran else "quiet"))

    def _budget(self, rest: str) -> Iterator[Line]:
        return (line(text) for text in str(budget_of(self._trace.calls)).splitlines())

    def _form(self, rest: str) -> Iterator[Line]:
        if rest and rest not in ("column", "row"):
            raise OptionError("form column or form row", f"form {rest}")
        self._stop.columns = rest == "column" if rest else not self._stop.columns
        yield line(Span("samples are columns now" if self._stop.columns else "samples are rows now", "note"))
        yield from self._here("")

    def _help(self, rest: str) -> Iterator[Line]:
        if rest:
            command = command_of(rest)
            yield _help_of(command)
            return
        for command in COMMANDS.values():
            yield _help_of(command)
        yield line(Span("an empty line is the latest command again", "quiet"))

    def _quit(self, rest: str) -> Iterable[Line]:
        self.ended = True
        return []


def _step_of_walk(e: Explanation) -> Iterator[Line]:
    yield line(Span(f"{_indexed(e.name, e.index)} = {e.value:.6g}".replace("-", "−"), "name"), f"    {e.place}")
    if e.rule is not None:
        yield line(f"    = {e.rule.symbols}")
        if e.short != e.rule.symbols:
            yield line(f"    = {e.short}")
    elif e.remark:
        yield line(f"    {e.remark}")


def _help_of(command: Command) -> Line:
    said = f"{command.letter}, {command.word} {command.takes}"
    return line(Span(f"  {said:<24}  ", "name"), command.help)


def _indexed(name: str, index: tuple[Any, ...]) -> str:
    if not index:
        return name
    return f"{name}[{', '.join(_text_of(i) for i in index)}]"


def _text_of(i: Any) -> str:
    if isinstance(i, slice):
        start, stop, step = ("" if part is None else str(part) for part in (i.start, i.stop, i.step))
        return f"{start}:{stop}{f':{step}' if step else ''}"
    return str(i)


def _place(word: str, text: str) -> int | slice:
    parts = word.replace("−", "-").split(":")
    if len(parts) <= 3 and all(re.fullmatch("-?[0-9]+", part) for part in parts if part or len(parts) == 1):
        if len(parts) == 1:
            return int(parts[0])
        start_stop_step = [int(part) if part else None for part in parts]
        if start_stop_step[2:] != [0]:
            return slice(*start_stop_step)
    raise OptionError("indices, as in 0.delta[0, 2], 0.delta 0 2 or 0.delta[0, 1:3]", repr(text), "give whole numbers")


def _whole(text: str, index: tuple[Any, ...]) -> tuple[int, ...]:
    if any(isinstance(i, slice) for i in index):
        raise OptionError("the index of one number", repr(text), "print takes parts of an array")
    return index
