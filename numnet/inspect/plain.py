"""Plain data: a trace as dictionaries, lists and numbers, which every view shows."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from .record import ArrayRecord, CallRecord, UpdateRecord
from .recording import Recording
from .source import Source
from .step import Step

__all__ = ["plain"]


def plain(trace: Recording, numbers: int) -> dict[str, Any]:
    """The trace for ``json.dumps``; of every array at most ``numbers`` numbers, the first ones."""
    return {
        "network": trace.net_name,
        "loss": _number(trace.loss),
        "kept": trace.kept,
        "keep": trace.keep,
        "given": {name: _array(a, numbers) for name, a in trace.given.items()},
        "calls": [_call(call, numbers) for call in trace.calls],
        "steps": [_step(step) for step in trace.steps],
        "parameters": {
            name: {
                "value": _array(total.value, numbers),
                "grad_before": _array(total.before, numbers),
                "shares": [{"call": call.name, "name": key} for call, key, _ in total.shares],
                "grad": _array(total.after, numbers),
            }
            for name, total in trace.parameters.items()
        },
        "updates": [_update(update, numbers) for update in trace.updates],
        "input_deltas": {name: _array(a, numbers) for name, a in trace.input_deltas.items()},
    }


def _call(call: CallRecord, numbers: int) -> dict[str, Any]:
    return {
        "number": call.number,
        "name": call.name,
        "path": call.path,
        "kind": call.kind,
        "layer": repr(call.formulas_of),
        "is_loss": call.is_loss,
        "inputs": {name: _array(a, numbers) for name, a in call.inputs.items()},
        "origins": dict(call.origins),
        "saved": {name: _saved(value, numbers) for name, value in call.saved.items()},
        "outputs": [_array(a, numbers) for a in call.outputs],
        "deltas": [_array(a, numbers) for a in call.deltas],
        "input_deltas": {name: _array(a, numbers) for name, a in call.input_deltas.items()},
        "parameters": {
            name: {
                "name": p.name,
                "value": _array(p.value, numbers),
                "grad_before": _array(p.before, numbers),
                "share": _array(p.share, numbers),
                "grad_after": _array(p.after, numbers),
            }
            for name, p in call.parameters.items()
        },
        "formulas": {"forward": list(call.formulas.forward), "backward": list(call.formulas.backward)},
        "source": {"forward": _source(call.forward_source), "backward": _source(call.backward_source)},
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "stage": step.stage,
        "call": None if step.call is None else step.call.number,
        "parameter": None if step.update is None else step.update.name,
        "title": step.title,
        "formula": list(step.formula),
    }


def _update(update: UpdateRecord, numbers: int) -> dict[str, Any]:
    arrays = {"before": update.before, "gradient": update.gradient, "after": update.after}
    return {
        "name": update.name,
        "optimizer": type(update.optimizer).__name__,
        "options": {name: _option(value) for name, value in update.options.items()},
        **{name: _array(a, numbers) for name, a in arrays.items()},
    }


def _source(source: Source | None) -> dict[str, Any] | None:
    return None if source is None else dataclasses.asdict(source)


def _array(record: ArrayRecord | None, numbers: int) -> dict[str, Any] | None:
    if record is None:
        return None
    digest = {name: _number(value) for name, value in dataclasses.asdict(record.digest).items()}
    digest["shape"] = list(record.shape)
    if record.array is None:
        return {**digest, "why_not": record.why_not}
    host = record.array if isinstance(record.array, np.ndarray) else record.array.get()
    flat = host.reshape(-1)[:numbers].tolist()
    return {**digest, "numbers": [_number(a) for a in flat], "truncated": record.array.size > numbers}


def _saved(value: Any, numbers: int) -> Any:
    return _array(value, numbers) if isinstance(value, ArrayRecord) else repr(value)[:200]


def _option(value: Any) -> Any:
    return _number(value) if isinstance(value, (int, float)) else repr(value)


def _number(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are words."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
