"""Run: the loop between what is typed and what is shown."""

from __future__ import annotations

from collections.abc import Iterable

from ..recording import Recording
from .keys import commands_typed
from .screen import Screen
from .session import Session

__all__ = ["step"]


def step(trace: Recording, commands: Iterable[str] | None = None) -> None:
    """Walk over the steps of ``trace``, as :meth:`.Trace.step` says."""
    if not trace.steps:
        return
    screen = Screen(plain=commands is not None)
    session = Session(trace, screen.width if commands is None else 80)
    screen.show(session.start())
    for text in commands_typed(screen) if commands is None else _echoed(screen, commands):
        if commands is None:
            session.resize(screen.width)
        screen.show(session.answer(text))
        if session.ended:
            return


def _echoed(screen: Screen, commands: Iterable[str]) -> Iterable[str]:
    for text in commands:
        screen.write(f"> {text}\n")
        yield text
