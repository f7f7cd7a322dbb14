"""Is the cost linear in the batch, in the channels, in the depth? A training step of networks that grow.

python -m benchmarks.scaling NUMBER SIZE THREADS      seconds and bytes of growth NUMBER, as JSON
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import numnet
from numnet import models, nn

from .machine import Memory, threads
from .rows import Row
from .timing import Effort, Ratio, contest

__all__ = ["GROWTHS", "Growth", "measure"]

GOAL = 1.25
"""The most that the largest may cost for each unit, over the median of all."""
AGAINST = "the median of the sizes, for each unit"


class Growth(NamedTuple):
    """What grows: a training step for each size, and the first of the sizes, each twice the one before."""

    name: str
    build: Callable[[int], Callable[[], object]]
    first: int


SIZES = 6
"""As many are measured in turns. Larger ones are measured in a process each, until the memory is full."""
PATIENCE = 10.0
"""No size whose step is to take longer than so many seconds."""


def _step(net: nn.Module, *shape: int) -> Callable[[], object]:
    numnet.manual_seed(0)
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    labels = np.zeros(len(x), np.int64)
    loss: nn.Module = nn.CrossEntropyLoss()

    def step() -> None:
        net.zero_grad()
        loss(net(x), labels)
        net.backward(loss.backward())

    return step


def _by_batch(n: int) -> Callable[[], object]:
    return _step(models.LeNet(), n, 1, 28, 28)


def _by_channels(n: int) -> Callable[[], object]:
    convolution = nn.Sequential(nn.Conv2d(n, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())
    return _step(convolution, 8, n, 32, 32)


def _by_depth(n: int) -> Callable[[], object]:
    return _step(models.MLP([64] * (n + 1)), 1024, 64)


GROWTHS = (
    Growth("batch of LeNet", _by_batch, 32),
    Growth("channels into conv 3 × 3, 8 out", _by_channels, 32),
    Growth("layers of an MLP of width 64, batch 1024", _by_depth, 8),
)


def measure(growth: Growth, n: int, effort: Effort, large: bool) -> Iterator[Row]:
    """A row for each size: seconds, and seconds for each unit over the median of the sizes.

    ``large``: sizes up to the memory of the machine, too.
    """
    sizes = [growth.first * 2**k for k in range(SIZES)]
    with threads(n):
        result = contest({str(size): growth.build(size) for size in sizes}, effort)
    found = {size: [times[str(size)] for times in result.rounds] for size in sizes}
    found |= {size: [seconds] for size, seconds in _large(growth, n, sizes[-1])} if large else {}
    middle = statistics.median(statistics.median(times) / size for size, times in found.items())
    for size, times in found.items():
        low, median, high = (float(np.quantile(times, q)) for q in (0.25, 0.5, 0.75))
        ratio = Ratio(*(value / size / middle for value in (median, low, high)))
        among = size in sizes
        yield Row(
            *("scaling", growth.name, str(size), n, median, AGAINST, middle * size, ratio),
            goal=GOAL if size == max(found) else None,
            rounds=len(times),
            disturbed=result.disturbed if among else 0,
            noisy=result.noisy and among,
        )


def _large(growth: Growth, n: int, size: int) -> Iterator[tuple[int, float]]:
    """Sizes beyond this one and their seconds, as long as the memory that is free has room for the next."""
    while True:
        size *= 2
        command = [sys.executable, "-m", "benchmarks.scaling", str(GROWTHS.index(growth)), str(size), str(n)]
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", cwd=Path(__file__).parents[1])
        found = json.loads(done.stdout)
        yield size, found["seconds"]
        if Memory.available() < 2.2 * found["bytes"] or 2 * found["seconds"] > PATIENCE:
            return


def _once(growth: Growth, size: int, n: int) -> dict[str, float]:
    """Seconds of a step, after one that is not timed: of two, or of ten if they are quick; the most bytes held."""
    with threads(n):
        result = contest({"numnet": growth.build(size)}, Effort(5, 0, 1, limit=2))
    return {"seconds": result.seconds["numnet"], "bytes": Memory.most()}


if __name__ == "__main__":
    print(json.dumps(_once(GROWTHS[int(sys.argv[1])], int(sys.argv[2]), int(sys.argv[3]))))
