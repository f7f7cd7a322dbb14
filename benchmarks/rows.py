"""What is measured, as data: a row of a table each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .timing import Contest, Ratio

__all__ = ["Row", "compared"]


@dataclass(frozen=True)
class Row:
    """numnet beside one other. ``ours`` and ``other`` are in ``unit``; ``ratio`` is ours over the other's.

    For a share (``kernels``, ``loader``) there is no other: ``other`` is the whole, and ``ratio`` the share of it. The
    goal is the most that the ratio may be, or, with ``at_least``, the least.
    """

    part: str
    name: str
    work: str
    threads: int
    ours: float
    against: str
    other: float
    ratio: Ratio
    goal: float | None = None
    at_least: bool = False
    unit: str = "s"
    rounds: int = 0
    disturbed: int = 0
    noisy: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; ``None`` where there is none."""
        if self.goal is None:
            return None
        return self.ratio.median >= self.goal if self.at_least else self.ratio.median <= self.goal

    def plain(self) -> dict[str, Any]:
        """As dictionaries and numbers, for JSON."""
        return {**asdict(self), "ratio": self.ratio._asdict(), "met": self.met}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Row:
        """The row that ``plain`` gave this."""
        fields = {name: value for name, value in plain.items() if name != "met"}
        return cls(**fields | {"ratio": Ratio(**plain["ratio"])})


def compared(part: str, name: str, work: str, threads: int, result: Contest, **rows: dict[str, Any]) -> list[Row]:
    """Rows of one contest, one for each contestant beside ``numnet``, with what else is to be said of it."""
    return [
        Row(
            *(part, name, work, threads, result.seconds["numnet"]),
            other=result.seconds[other],
            ratio=result.ratio("numnet", other),
            rounds=len(result.rounds),
            disturbed=result.disturbed,
            noisy=result.noisy,
            **said,
        )
        for other, said in rows.items()
    ]
