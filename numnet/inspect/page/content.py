"""The content of the page: a trace as plain data, with the arithmetic of every number."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ...errors import OptionError
from ..explain import explain, pattern_of, to_plain
from ..maps import Map, Maps
from ..mathml import mathml
from ..names import Named, names_of
from ..record import ArrayRecord
from ..recording import Recording
from ..source import Source
from ..step import Step
from ..words import both, caption
from .labels import LABELS

__all__ = ["content"]

_CELLS, _OPERANDS = 400, 40_000  # of arrays without a pattern: cells of one array, operands of all


def content(trace: Recording, limit: int) -> dict[str, Any]:
    """All that the page shows, for ``json.dumps``.

    Arrays are shipped smallest first, each memory once, as long as their bytes fit into ``limit``; of the others the
    page has the digest. A number's arithmetic comes from the pattern of its array; without one it is written out cell
    by cell, for small arrays.
    """
    names = {name: named for name, named in names_of(trace).items() if not named.alias}
    numbers = {name: i for i, name in enumerate(names)}
    buffers, places = _buffers(names, limit)
    patterns, missing = _patterns(trace, names, places)
    cells, remarks = _cells(
        trace, [n for n in names if n not in patterns and n not in missing and places[n] is not None], names
    )
    trees = {name: p["tree"] for name, p in patterns.items()} | {
        name: next(iter(c.values()))[-1] for name, c in cells.items()
    }
    maps = Maps(trace, names, places, {name: list(_read(tree)) for name, tree in trees.items()})
    batch = _batch(trace)
    return {
        "title": both(f"{trace.net_name}: {len(trace.steps)} steps, J = {trace.loss:.6g}"),
        "batch": batch,
        "labels": LABELS,
        "keys": [[keys, LABELS[label]] for keys, label in _KEYS],
        "buffers": buffers,
        "arrays": [
            {
                "name": name,
                "shape": list(named.record.shape),
                "buffer": places[name],
                "why": both(named.record.why_not or "not in this page, which would be too large: see trace.array(…)"),
                "digest": _digest(named.record),
                "pattern": _numbered(patterns.get(name), numbers),
                "cells": _numbered(cells.get(name), numbers),
                "remark": both(missing.get(name) or remarks.get(name, "")),
                "flows": named.what in _FLOWING or (named.what == "inner" and ".delta_" in name),
                "made": maps.made.get(name),
                "batch": batch > 0 and named.what in _BY_SAMPLE and named.record.shape[:1] == (batch,),
            }
            for name, named in names.items()
        ],
        "steps": [_step(step, maps.of(step), numbers) for step in trace.steps],
        **_network(trace, maps, numbers),
    }


_FLOWING = ("delta", "input_delta", "share", "gradient", "memory")
_BY_SAMPLE = ("given", "given_delta", "input", "output", "saved", "delta", "input_delta")
_KEYS = [
    (["→", "n"], "key next"),
    (["←", "b"], "key back"),
    (["Home", "End"], "key ends"),
    (["f", "l", "d", "u"], "key stages"),
    (["o"], "key other"),
    (["p"], "key play"),
    (["w"], "key walk"),
    (["r"], "key return"),
    (["Tab"], "key maps"),
    (["c", "t", "?"], "key settings"),
]


def _batch(trace: Recording) -> int:
    shapes = [record.shape for name, record in trace.given.items() if name != "target"]
    return shapes[0][0] if shapes and shapes[0] else 0


# ---------------------------------------------------------------------------------------------- numbers


def _buffers(names: dict[str, Named], limit: int) -> tuple[list[dict[str, str]], dict[str, int | None]]:
    """The memories, and for each array which one it is; ``None`` for what was not kept or has no room."""
    buffers: list[dict[str, str]] = []
    places: dict[str, int | None] = dict.fromkeys(names)
    known: dict[Any, int] = {}
    used = 0
    for name, named in sorted(names.items(), key=lambda item: math.prod(item[1].record.shape)):
        if named.record.array is None:
            continue
        array = named.record.array
        host = array if isinstance(array, np.ndarray) else array.get()
        memory: Any = id(named.record)
        if host.flags.c_contiguous:
            memory = host.__array_interface__["data"][0], host.size, str(host.dtype)
        if memory not in known:
            as_shipped = np.float32 if host.dtype in (np.float32, np.float16) else np.float64
            data = base64.b64encode(np.ascontiguousarray(host, as_shipped).tobytes()).decode("ascii")
            if used + len(data) > limit:
                continue
            used += len(data)
            known[memory] = len(buffers)
            buffers.append({"dtype": np.dtype(as_shipped).name, "data": data})
        places[name] = known[memory]
    return buffers, places


def _digest(record: ArrayRecord) -> dict[str, float | None]:
    digest = record.digest
    return {name: _finite(getattr(digest, name)) for name in ("least", "largest", "norm")}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


# ---------------------------------------------------------------------------------------------- arithmetic


def _read(node: Any) -> Iterator[str]:
    """The names of the arrays that a pattern reads, in the order of the formula."""
    if isinstance(node, dict):
        for part in node.values():
            yield from _read(part)
    elif isinstance(node, list):
        if node[:1] == ["at"]:
            yield node[1]
        for part in node:
            yield from _read(part)


def _patterns(
    trace: Recording, names: Iterable[str], places: dict[str, int | None]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The patterns, and of arrays whose pattern reads what is not in the page, what that is."""
    patterns: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name in names:
        pattern = pattern_of(trace, name)
        if pattern is not None:
            plain = pattern.to_plain()
            absent = [read for read in _read(plain["tree"]) if places[read] is None]
            if absent:
                missing[name] = f"its arithmetic needs {absent[0]}, which is not in this page"
            else:
                patterns[name] = plain
    return patterns, missing


def _cells(
    trace: Recording, names: Iterable[str], named: dict[str, Named]
) -> tuple[dict[str, dict[int, Any]], dict[str, str]]:
    """Of arrays without a pattern: the arithmetic of each number, or why there is none."""
    cells: dict[str, dict[int, Any]] = {}
    remarks: dict[str, str] = {}
    left = _OPERANDS
    for name in sorted(names, key=lambda n: math.prod(named[n].record.shape)):
        shape = named[name].record.shape
        size = math.prod(shape)
        if size == 0:
            continue
        try:
            first = explain(trace, name, tuple(0 for _ in shape))
        except OptionError as error:  # it reads what was not kept
            remarks[name] = error.got
            continue
        if first.rule is None:
            remarks[name] = first.remark
            continue
        if size > _CELLS or left <= 0:
            continue
        found: dict[int, Any] = {}
        for flat in range(size):
            e = explain(trace, name, tuple(int(i) for i in np.unravel_index(flat, shape)))
            if e.rule is None:
                continue
            left -= len(e.operands) + 1
            if left <= 0:
                found.clear()
                break
            found[flat] = [both(e.rule.symbols), both(e.rule.note), to_plain(e.rule.expression)]
        if found:
            cells[name] = found
    return cells, remarks


def _numbered(node: Any, numbers: dict[str, int]) -> Any:
    """Plain data with numbers in the place of the arrays' names, and notes in both languages."""
    if isinstance(node, dict):
        notes = {key: both(node[key]) for key in ("symbols", "note") if key in node}
        return {**{key: _numbered(part, numbers) for key, part in node.items() if key not in notes}, **notes}
    if isinstance(node, list):
        if node[:1] == ["at"]:
            return ["at", numbers[node[1]], node[2], _numbered(node[3], numbers)]
        return [_numbered(part, numbers) for part in node]
    return node


# ---------------------------------------------------------------------------------------------- steps


def _step(step: Step, maps: list[Map], numbers: dict[str, int]) -> dict[str, Any]:
    kind = step.call.kind if step.call is not None else type(step.update.optimizer).__name__ if step.update else ""
    return {
        "stage": step.stage,
        "title": both(step.title),
        "caption": [caption(kind, step.stage, language) for language in ("en", "zh")],
        "formulas": [mathml(line.replace("``", "")) for line in step.formula],
        "source": _source(step.source),
        "maps": [{**m._asdict(), "array": numbers[m.array]} for m in maps],
    }


def _source(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    lines = [[line.number, line.text, line.ran is not False] for line in source.lines]
    return {"file": source.file, "line": source.telling_line, "lines": lines}


# ---------------------------------------------------------------------------------------------- the network


def _network(trace: Recording, maps: Maps, numbers: dict[str, int]) -> dict[str, Any]:
    """Boxes from left to right, what was given first; and the arcs of what does not come from the box before."""
    nodes: list[dict[str, Any]] = []
    sources: dict[str, int] = {}
    back = [step.number for step in trace.steps if step.stage == "backward"]
    for name in (n for n in trace.given if n != "target"):
        sources[name] = len(nodes)
        delta = numbers.get(f"{name}.delta")
        box = {"name": name, "kind": "x", "output": numbers[name], "delta": delta, "steps": [], "given": True}
        nodes.append({**box, "backward": back[-1] if back else None, "apart": len(nodes) > 0})
    arcs = []
    for call in trace.calls:
        here = len(nodes)
        origins = [sources[origin] for origin in call.origins.values() if origin in sources]
        arcs += [[origin, here] for origin in dict.fromkeys(origins) if origin != here - 1]
        outputs = [f"{call.name}.output" + (f".{i}" if i else "") for i in range(len(call.outputs))]
        sources |= dict.fromkeys(outputs, here)
        steps = maps.steps_of(call)
        nodes.append(
            {
                "name": call.name,
                "kind": call.kind,
                "output": numbers.get(outputs[0]) if outputs else None,
                "delta": numbers.get(f"{call.name}.delta"),
                "steps": steps,
                "backward": next((s for s in steps if trace.steps[s].stage == "backward"), None),
                "given": False,
                "apart": here - 1 not in origins,
            }
        )
    return {"nodes": nodes, "arcs": arcs}
