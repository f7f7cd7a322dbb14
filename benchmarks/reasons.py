"""Why a goal is missed, in words, for the last column of the tables; printed only where it is missed.

A key is the name of a row, or the name and the work: ("LeNet", "inference, batch 1").
"""

from __future__ import annotations

from .rows import Row

__all__ = ["reason_of"]

REASONS: dict[str | tuple[str, str], str] = {}


def reason_of(row: Row) -> str:
    """What is known of it."""
    return REASONS.get((row.name, row.work)) or REASONS.get(row.name) or "not known yet"
