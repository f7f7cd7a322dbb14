"""A stop: what the stepper shows at one step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ...arrays import Array
from ..explain.expression import number
from ..maps import Map, Maps
from ..names import names_of
from ..record import ArrayRecord, CallRecord
from ..recording import Recording
from ..step import Step
from ..words import caption
from .column import both_forms, is_column
from .grid import grid, shape_text
from .lines import Line, Span, line
from .places import STAGES, Places
from .sizes import size_formulas

__all__ = ["Stop", "head_of", "memory_of"]

_ARROWS = {"forward": "→", "loss": "→", "backward": "←", "update": "·"}
_ROWS = 4  # of an array's numbers


class Stop:
    """What is shown at each step of a trace.

    Args:
        trace: what was recorded.
        maps: which arrays each step has.
        places: where its containers begin.

    Attributes:
        columns: whether a linear layer is shown with samples as columns.
    """

    def __init__(self, trace: Recording, maps: Maps, places: Places) -> None:
        self._trace, self._maps, self._places = trace, maps, places
        self._warned: set[str] = set()
        self.columns = False

    def lines(self, step: Step, width: int) -> Iterator[Line]:
        """All of a stop."""
        yield self._title(step, width)
        yield from self._place(step, width)
        yield line()
        yield line("  ", Span(_caption(step), "caption"))
        yield line()
        forms = list(both_forms(step)) if self.columns else []
        for form, formula, shape in forms:
            yield line(f"  {form:<9}", Span(f"{formula:<24}  ", "formula"), Span(shape, "quiet"))
        if not forms:
            yield from (line("  ", Span(text, "formula")) for text in _formulas(step, width))
        yield from self._sizes(step)
        yield from self._code(step)
        for shown, is_kept in self._shown(step):
            yield line()
            yield from self._array(step, shown, is_kept, width)

    # ------------------------------------------------------------------ where

    def _title(self, step: Step, width: int) -> Line:
        stage = STAGES.index(step.stage) + 1
        text = f"step {step.number + 1} of {len(self._trace.steps)}"
        parts = f"── {text} ── ", f"stage {stage} of 4: {step.stage} {_ARROWS[step.stage]}"
        rest = width - len(parts[0]) - len(parts[1]) - 1
        return line(Span(parts[0], "quiet"), Span(parts[1], step.stage), Span(" " + "─" * rest, "quiet"))

    def _place(self, step: Step, width: int) -> Iterator[Line]:
        if step.update is not None:
            update = step.update
            settings = ", ".join(f"{k}={v}" for k, v in update.options.items() if v is not None and v is not False)
            yield line(Span(update.name, "here"), f"  by {type(update.optimizer).__name__}({settings})")
        call = step.call
        if call is not None:
            mode = {True: "  in training mode", False: "  in evaluation mode", None: ""}[call.training]
            path = f"{call.name}  " if call.name != call.kind else ""
            yield line(Span(path, "here"), repr(call.formulas_of).splitlines()[0], Span(mode, "mode"))
        yield self._network(step, width)
        for container in self._places.containers(step.number):
            span = self._places.span(container, step.number)
            place = f"{step.number - span[0] + 1} of {len(span)}"
            yield line("in ", Span(container, "here"), f", step {place}", Span(self._over(container, step), "quiet"))

    def _over(self, container: str, step: Step) -> str:
        behind = self._places.span(container, step.number)[-1] + 2
        if container not in self._places.begun(step.number) or behind > len(self._trace.steps):
            return ""
        return f"; o {container} goes over it, to step {behind}"

    def _network(self, step: Step, width: int) -> Line:
        """The calls in a row, the present one in brackets, as many around it as the width has room for."""
        arrow = f" {_ARROWS[step.stage]} "
        given = ", ".join(name for name in self._trace.given if name != "target")
        calls = self._trace.calls
        here = [i for i, call in enumerate(calls, 1) if _is_here(call, step)]
        boxes = [given, *[f"[{_label(call)}]" if i in here else _label(call) for i, call in enumerate(calls, 1)]]
        if len(arrow.join(boxes)) > width:
            boxes = [box if i in (0, *here) else calls[i - 1].kind for i, box in enumerate(boxes)]
        low, high = _window([len(box) + len(arrow) for box in boxes], here[0] if here else 0, width)
        spans = [Span(f"…{arrow}" if low else "", "quiet")]
        for i in range(low, high):
            spans += [Span(arrow if i > low else "", step.stage), Span(boxes[i], "here" if i in here else "")]
        return (*spans, Span(f"{arrow}…" if high < len(boxes) else "", "quiet"))

    # ------------------------------------------------------------------ formulas and code

    def _sizes(self, step: Step) -> Iterator[Line]:
        call = step.call
        if call is None or step.stage == "backward" or not call.outputs:
            return
        x = next(iter(call.inputs.values()), None)
        for text in size_formulas(call.formulas_of, () if x is None else x.shape, call.outputs[0].shape):
            yield line("  ", Span(text, "formula"))

    def _code(self, step: Step) -> Iterator[Line]:
        """The line that the formula is, with the place where it stands."""
        source = step.source
        if source is None or not source.telling_line:
            return
        place, _, text = source.telling_line.partition("  ")
        ran = [s for s in source.ran if s.text.strip() and not _is_no_code(s.text)]
        more = f"    source shows all {len(ran)} lines that ran" if len(ran) > 1 else ""
        yield line("  ", Span(f"{place}{more}", "quiet"))
        yield line("      ", Span(text, "code"))

    # ------------------------------------------------------------------ arrays

    def _shown(self, step: Step) -> Iterator[tuple[Map, bool]]:
        """The arrays of a step, and whether each is kept for backward: what was saved is often the input or output."""
        named, maps = names_of(self._trace), self._maps.of(step)
        saved = [m for m in maps if m.role == "saved"]
        others = [m for m in maps if m.role != "saved"]
        for m in maps:
            beside = others if m in saved else saved
            same = any(_is_same(named[m.array].record, named[other.array].record) for other in beside)
            if not (same and m in saved):
                yield m, same

    def _array(self, step: Step, shown: Map, is_kept: bool, width: int) -> Iterator[Line]:
        record, transposed = names_of(self._trace)[shown.array].record, False
        array = record.array
        if self.columns and array is not None and is_column(shown, record, self._batch):
            transposed = True
            array = array.T if len(record.shape) == 2 else array[:, None]
        letter = "δ" if shown.role == "δ in" else shown.letter
        if step.stage == "loss" and shown.made and record.shape == ():
            letter = "J"
        equals = f"{letter} = " if letter and not f".{shown.array}".endswith(f".{letter}") else ""
        name = f"{equals}{shown.array}{'ᵀ' if transposed else ''}"
        role = Span(f"{shown.role:<11}", "made" if shown.made else "role")
        origin = self._maker(shown) or self._readers(shown)
        yield head_of(role, name, record, array, origin)
        if array is not None and shown.role != "time steps" and record.shape != ():
            yield from grid(array, width, _ROWS, around_largest=True)
        if is_kept:
            yield line("    ", Span("kept for backward", "quiet"))
        yield from self._shares_memory(shown.array, record)

    @property
    def _batch(self) -> int:
        shapes = [record.shape for name, record in self._trace.given.items() if name != "target"]
        return shapes[0][0] if shapes and shapes[0] else 0

    def _maker(self, shown: Map) -> str:
        """The operation that made an input."""
        named = names_of(self._trace)[shown.array]
        if shown.role != "input":
            return ""
        if named.what == "output":
            return f"made by {_place_of(named.owner)}"
        return "given by you" if named.what == "given" else ""

    def _readers(self, shown: Map) -> str:
        """Who handed δ back."""
        if shown.role != "δ in":
            return ""
        output = re.sub(r"\.delta(\.\d+)?$", r".output\1", shown.array)
        readers = [_place_of(call) for call, _ in self._trace.consumers.get(output, [])]
        if not readers:
            return "for ∂J/∂J is 1: here δ begins" if names_of(self._trace)[shown.array].record.shape == () else ""
        return f"from {readers[0]}" if len(readers) == 1 else f"the sum of what {' and '.join(readers)} hand back"

    def _shares_memory(self, name: str, record: ArrayRecord) -> Iterator[Line]:
        """Once for each array that the user holds: writing into it changes what is shown."""
        for given, original in self._trace.given.items():
            if given in self._warned or not memory_of(record.array, original.array):
                continue
            self._warned.add(given)
            which = "this is the array" if name == given else "its memory is that of the array"
            said = f"{which} that you gave as {given}, no copy: write into yours, and other numbers stand here"
            yield line("    ", Span(said, "note"))


def head_of(role: Span, name: str, record: ArrayRecord, array: Array | None, origin: str = "") -> Line:
    """The line above an array's numbers: what it is, where it came from, shape, norm, least and largest number."""
    parts: list[str | Span] = ["  ", role, Span(name, "name")]
    if record.shape == () and record.array is not None:
        parts.append(f" = {number(float(record.numbers), 6)}")
    if origin:
        parts.append(Span(f", {origin}", "origin"))
    if record.array is None:
        return line(*parts, f"  {shape_text(record.shape)}  ", Span(f"not kept: {record.why_not}", "note"))
    if record.shape != ():
        digest = record.digest
        parts.append(f"  {shape_text(record.shape if array is None else array.shape)}")
        if digest.dtype != "float64":
            parts.append(f" {digest.dtype}")
        if 0 in record.shape:  # which has neither a norm nor a least number
            return line(*parts)
        if np.dtype(digest.dtype).kind == "f":
            parts.append(Span(f"  norm {number(digest.norm)}", "quiet"))
        parts.append(Span(f"  {number(digest.least)} … {number(digest.largest)}", "quiet"))
        if digest.nans:
            parts.append(Span(f"  {digest.nans:.0%} NaN or infinite", "error"))
    return line(*parts)


def memory_of(a: Array | None, b: Array | None) -> bool:
    """Whether two arrays have memory in common."""
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.may_share_memory(a, b)


def _place_of(call: CallRecord) -> str:
    return call.name if call.path == call.kind else f"{call.name} ({call.kind})"


def _label(call: CallRecord) -> str:
    return call.name if call.path == call.kind else f"{call.name} {call.kind}"


def _window(widths: list[int], middle: int, width: int) -> tuple[int, int]:
    """How many to the left and right of ``middle`` there is room for: from, up to."""
    if sum(widths) <= width + 3:
        return 0, len(widths)
    low, high, used = middle, middle + 1, widths[middle] + 8  # and "… →" at both ends
    for _ in widths:
        if high < len(widths) and used + widths[high] <= width:
            used += widths[high]
            high += 1
        if low > 0 and used + widths[low - 1] <= width:
            low -= 1
            used += widths[low]
    return low, high


def _is_same(a: ArrayRecord, b: ArrayRecord) -> bool:
    """Whether two records are of one array, or of one in two shapes."""
    first, second = a.array, b.array
    if not isinstance(first, np.ndarray) or not isinstance(second, np.ndarray):
        return first is second and first is not None
    return first.size == second.size and first.__array_interface__["data"] == second.__array_interface__["data"]


def _is_here(call: CallRecord, step: Step) -> bool:
    if step.update is not None:
        return step.update.name in [p.name for p in call.parameters.values()]
    return call is step.call


def _formulas(step: Step, width: int) -> Iterator[str]:
    """The lines of the formula; what stands beside each other on one, one below the other where it is too long."""
    for text in step.formula:
        text = text.replace("``", "")
        yield from [text] if len(text) + 2 <= width else re.split(r"\s{3,}", text)


def _caption(step: Step) -> str:
    """What the step does, in plain words."""
    if step.call is not None:
        return caption(step.call.kind, step.stage, "en")
    return caption(type(step.update.optimizer).__name__ if step.update is not None else "", step.stage, "en")


def _is_no_code(text: str) -> bool:
    return text.strip().startswith(("def ", '"""', "@", "#", ")"))
