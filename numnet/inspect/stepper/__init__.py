"""The stepper: a trace in the terminal, step by step, as in a debugger."""

from __future__ import annotations

from .run import step
from .session import Session

__all__ = ["Session", "step"]
