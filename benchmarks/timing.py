"""Contests: several ways to do the same, timed in turns, so that whatever slows the machine slows them all."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

__all__ = ["FULL", "QUICK", "Clock", "Contest", "Effort", "Pass", "Ratio", "contest", "spread"]

LEAST_CPU = 0.9
"""A pass during which this thread ran for less of the time than this was disturbed: others had the processor."""
MOST_OF_MEDIAN = 1.5
"""So was a pass that took more than this many times the median of its kind."""


class Clock(NamedTuple):
    """What time it is: on the wall, and for this thread alone."""

    wall: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.thread_time


class Effort(NamedTuple):
    """How much to measure: clean rounds wanted, seconds that a pass lasts at least, calls before anything is timed.

    After ``limit`` seconds ``ENOUGH`` clean rounds will do, and after three times as many whatever there is.
    """

    rounds: int = 15
    seconds: float = 0.05
    warm_up: int = 5
    limit: float = math.inf


FULL = Effort(limit=8)
QUICK = Effort(5, 0.02, 2, limit=4)
ENOUGH = 5
REAL = Clock()


class Pass(NamedTuple):
    """One block of calls: seconds for a call, and the share of them in which this thread ran."""

    seconds: float
    cpu: float


class Ratio(NamedTuple):
    """A median, and the quartiles around it."""

    median: float
    low: float
    high: float


class Contest(NamedTuple):
    """What came out. ``seconds``: the median for one call. ``disturbed``: rounds that were thrown away.

    ``noisy``: too few rounds were clean, and so the numbers are of all of them.
    """

    seconds: dict[str, float]
    rounds: tuple[dict[str, float], ...]
    disturbed: int
    noisy: bool

    def ratio(self, one: str, other: str) -> Ratio:
        """The time of ``one`` over that of ``other``, round by round."""
        return spread([times[one] / times[other] for times in self.rounds])


def contest(
    contestants: Mapping[str, Callable[[], object]],
    effort: Effort = FULL,
    clock: Clock = REAL,
    waiting: Collection[str] = (),
) -> Contest:
    """Time the contestants in rounds, each there and back: A B C C B A.

    What drifts in the course of a round counts for all of them alike. A round with a disturbed pass is thrown away
    and made again, up to three times as many rounds as are wanted. Those that are ``waiting`` leave the work to other
    threads, so that how long this one ran says nothing.
    """
    calls = {name: max(1, math.ceil(effort.seconds / _warm(run, effort, clock))) for name, run in contestants.items()}
    rounds: list[dict[str, tuple[Pass, Pass]]] = []
    kept: list[int] = []
    start = clock.wall()
    while len(kept) < effort.rounds and len(rounds) < 3 * effort.rounds:
        if clock.wall() - start > effort.limit * (1 if len(kept) >= ENOUGH else 3):
            break
        there = {name: _timed(run, calls[name], clock) for name, run in contestants.items()}
        back = {name: _timed(contestants[name], calls[name], clock) for name in reversed(list(contestants))}
        rounds.append({name: (there[name], back[name]) for name in contestants})
        kept = _clean(rounds, waiting)
    noisy = len(kept) < min(3, effort.rounds)
    used = range(len(rounds)) if noisy else kept
    times = tuple({name: sum(p.seconds for p in passes) / 2 for name, passes in rounds[i].items()} for i in used)
    seconds = {name: statistics.median(round_[name] for round_ in times) for name in contestants}
    return Contest(seconds, times, len(rounds) - len(kept), noisy)


def spread(values: list[float]) -> Ratio:
    """The median of ``values`` and their quartiles."""
    if len(values) == 1:
        return Ratio(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Ratio(median, low, high)


def _warm(run: Callable[[], object], effort: Effort, clock: Clock) -> float:
    """Call until everything that is made once has been made; returns the seconds of the quickest call.

    Two calls will do of those that take a second.
    """
    start, quickest = clock.wall(), math.inf
    for call in range(effort.warm_up):
        if call >= 2 and clock.wall() - start > 1:
            break
        quickest = min(quickest, _timed(run, 1, clock).seconds)
    return quickest


def _timed(run: Callable[[], object], calls: int, clock: Clock) -> Pass:
    if calls > 1:
        run()  # caches and threads are still the one's before
    wall, cpu = clock.wall(), clock.cpu()
    for _ in range(calls):
        run()
    cpu, wall = clock.cpu() - cpu, clock.wall() - wall
    return Pass(max(wall, 1e-9) / calls, cpu / max(wall, 1e-9))


def _clean(rounds: list[dict[str, tuple[Pass, Pass]]], waiting: Collection[str]) -> list[int]:
    """The numbers of the rounds without a disturbed pass."""
    median = {name: statistics.median(p.seconds for r in rounds for p in r[name]) for name in rounds[0]}
    return [
        i
        for i, round_ in enumerate(rounds)
        if all(
            (p.cpu >= LEAST_CPU or name in waiting) and p.seconds <= MOST_OF_MEDIAN * median[name]
            for name, passes in round_.items()
            for p in passes
        )
    ]
