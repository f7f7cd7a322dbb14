"""Is the cost linear in the batch, in the channels, in the depth? A training step of networks that grow."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import numnet
from numnet import models, nn

from .machine import threads
from .rows import Row
from .timing import Effort, Ratio, contest

__all__ = ["GROWTHS", "measure"]

GOAL = 1.25
"""The most that the largest may cost for each unit, over the median of all."""


def _step(net: nn.Module, *shape: int) -> Callable[[], object]:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
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
    convolution = nn.Sequential(nn.Conv2d(n, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())
    return _step(convolution, 8, n, 16, 16)


def _by_depth(n: int) -> Callable[[], object]:
    return _step(models.MLP([128] * (n + 1)), 64, 128)


GROWTHS: dict[str, tuple[Callable[[int], Callable[[], object]], tuple[int, ...]]] = {
    "batch of LeNet": (_by_batch, (32, 64, 128, 256, 512, 1024)),
    "channels into conv 3 × 3, 32 out": (_by_channels, (32, 64, 128, 256, 512, 1024)),
    "layers of an MLP of width 128": (_by_depth, (8, 16, 32, 64, 128, 256)),
}


def measure(n: int, effort: Effort) -> Iterator[Row]:
    """A row for each size: seconds, and seconds for each unit over the median of the sizes."""
    with threads(n):
        for name, (build, sizes) in GROWTHS.items():
            numnet.manual_seed(0)
            runs = {str(size): build(size) for size in sizes}
            result = contest(runs, effort)
            rounds = [{size: times[size] / int(size) for size in runs} for times in result.rounds]
            middle = statistics.median(value for times in rounds for value in times.values())
            for size in runs:
                values = [times[size] / middle for times in rounds]
                low, median, high = (float(np.quantile(values, q)) for q in (0.25, 0.5, 0.75))
                said: dict[str, Any] = {"rounds": len(rounds), "disturbed": result.disturbed, "noisy": result.noisy}
                goal = GOAL if size == str(sizes[-1]) else None
                seconds = result.seconds[size]
                against = "the median of the sizes, for each unit"
                row = ("scaling", name, size, n, seconds, against, middle * int(size), Ratio(median, low, high), goal)
                yield Row(*row, **said)
