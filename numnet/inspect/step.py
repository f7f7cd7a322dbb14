"""Step: what a debugger for backpropagation stops at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .formula import formulas
from .record import CallRecord, UpdateRecord
from .source import Source

__all__ = ["Stage", "Step", "steps_of"]

Stage = Literal["forward", "loss", "backward", "update"]


@dataclass(frozen=True, slots=True)
class Step:
    """One stop on the way forward, back and to the next weights.

    Attributes:
        number: its place in ``trace.steps``, from 0.
        stage: ``"forward"``, ``"loss"``, ``"backward"`` or ``"update"``.
        call: the call; ``None`` at an update.
        update: the update of one parameter; ``None`` elsewhere.
        title: one line: ``"backward through 2 (Linear)"``.
        formula: the lines of the formula of this direction.
        source: the lines of code of this direction, and which of them ran.
    """

    number: int
    stage: Stage
    call: CallRecord | None
    update: UpdateRecord | None
    title: str
    formula: tuple[str, ...]
    source: Source | None


def steps_of(calls: list[CallRecord], order_back: list[int], updates: list[UpdateRecord]) -> list[Step]:
    """The steps: calls in the order of forward, the loss's own as stage ``"loss"``; back as they ran; the updates."""
    steps: list[Step] = []
    for call in calls:
        stage: Stage = "loss" if call.is_loss else "forward"
        title = f"{stage}: {_place(call)}" if call.is_loss else f"forward through {_place(call)}"
        steps.append(Step(len(steps), stage, call, None, title, call.formulas.forward, call.forward_source))
    for number in order_back:
        call = calls[number]
        title = f"backward through {_place(call)}"
        steps.append(Step(len(steps), "backward", call, None, title, call.formulas.backward, call.backward_source))
    for update in updates:
        title = f"update of {update.name} by {type(update.optimizer).__name__}"
        steps.append(Step(len(steps), "update", None, update, title, update_formula(update.optimizer), None))
    return steps


def _place(call: CallRecord) -> str:
    return call.name if call.path == call.kind else f"{call.name} ({call.kind})"


def update_formula(optimizer: object) -> tuple[str, ...]:
    """The formula lines of an optimiser: the one indented block of its docstring."""
    return formulas(type(optimizer)).forward
