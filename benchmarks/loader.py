"""What of a training step is the DataLoader's, and what the optimiser's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from numnet.data import DataLoader, TensorDataset

from .machine import threads
from .models import Numnet
from .networks import NETWORKS, Network
from .rows import Row
from .timing import Effort, contest

__all__ = ["LOADED", "measure"]

GOAL = 0.05
"""A share that nobody sees."""

BATCHES = 16
LOADED = [network for network in NETWORKS if network.name.startswith(("MLP", "LeNet", "ResNet-20"))]


def measure(network: Network, n: int, effort: Effort) -> Iterator[Row]:
    """The share of a step that loading a batch of arrays in memory takes, and ``optimizer.step()``."""
    with threads(n):
        ours = Numnet(network)
        x, y = network.batch_of(BATCHES * network.batch)
        ours.step()  # so that there are gradients
        options: dict[str, Any] = {"batch_size": network.batch, "shuffle": True}
        next_batch = _endless(DataLoader(TensorDataset(x, y), **options))
        theirs = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        their_next_batch = _endless(torch.utils.data.DataLoader(theirs, **options))
        runs = {"step": ours.step, "loader": next_batch, "optimiser": ours.optimizer.step, "PyTorch": their_next_batch}
        result = contest(runs, effort)
        seconds = result.seconds
        said: dict[str, Any] = {"rounds": len(result.rounds), "disturbed": result.disturbed, "noisy": result.noisy}
        for part in ("loader", "optimiser"):
            share = result.ratio(part, "step")
            yield Row("loader", network.name, part, n, seconds[part], "the step", seconds["step"], share, GOAL, **said)
        ratio = result.ratio("loader", "PyTorch")
        beside = ("PyTorch's DataLoader", seconds["PyTorch"], ratio)
        yield Row("loader", network.name, "loader", n, seconds["loader"], *beside, **said)


def _endless(loader: Any) -> Callable[[], object]:
    """What gives the next batch, epoch after epoch: opening an epoch is part of the price."""

    def batches() -> Iterator[object]:
        while True:
            yield from loader

    return batches().__next__
