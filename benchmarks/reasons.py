"""Why goals are missed, in words, for the notes below the tables; printed only where a goal is missed.

A reason holds for one row of one table, or for several: whatever is left out of it may be anything.
"""

from __future__ import annotations

from typing import NamedTuple

from .rows import Row

__all__ = ["REASONS", "Reason", "reason_of"]


class Reason(NamedTuple):
    """``work`` may end before a comma: "inference" is any batch. ``beside``: "default", "best", "NumPy by hand"."""

    part: str
    name: str
    why: str
    work: str | None = None
    beside: str | None = None
    threads: int | None = None

    def fits(self, row: Row) -> bool:
        """Whether it speaks of this row."""
        return (
            (self.part, self.name) == (row.part, row.name)
            and self.work in (None, row.work, row.work.partition(",")[0])
            and self.beside in (None, row.against.partition(":")[0])
            and self.threads in (None, row.threads)
        )

    def narrowness(self) -> int:
        """How much it says of where it holds."""
        return sum(value is not None for value in (self.work, self.beside, self.threads))


REASONS: tuple[Reason, ...] = ()


def reason_of(row: Row, reasons: tuple[Reason, ...] = REASONS) -> str:
    """The narrowest of those that fit."""
    fitting = [reason for reason in reasons if reason.fits(row)]
    return max(fitting, key=Reason.narrowness).why if fitting else "not known yet"
