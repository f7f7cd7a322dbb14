"""The most memory that training takes, each side in a process of its own: what came on top of the imports.

python -m benchmarks.memory NUMBER SIDE       bytes, of network NUMBER of the table; SIDE numnet, default or best
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .machine import threads
from .models import NETWORKS, Network, Numnet, PyTorch
from .rows import Row
from .timing import spread

__all__ = ["measure"]

STEPS = 3
STATUS = Path("/proc/self/status")


def measure(number: int, runs: int) -> Iterator[Row]:
    """The rows of network ``number``: medians of ``runs`` processes on each side. Linux alone keeps these books."""
    if not STATUS.exists():
        return
    network = NETWORKS[number]
    ours = [_process(number, "numnet") for _ in range(runs)]
    for side in ("default", "best"):
        others = [_process(number, side) for _ in range(runs)]
        ratio = spread([a / b for a, b in zip(ours, others, strict=True)])
        against = f"{side}: {network.settings(side == 'best')}"
        row = (network.name, "training", 1, spread(ours).median, against, spread(others).median, ratio)
        yield Row("memory", *row, goal=1.0, unit="bytes", rounds=runs)


def _process(number: int, side: str) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", str(number), side]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", cwd=Path(__file__).parents[1])
    return float(done.stdout)


def _status(name: str) -> float:
    for line in STATUS.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * float(line.split()[1])
    raise KeyError(name)


def _peak(number: int, side: str) -> float:
    """The highest that the resident memory stood in some steps, over where it stood after the same of a small network.

    The small network fetches the code that both libraries fetch when it is first needed.
    """
    best = partial(PyTorch, best=True)
    builds: dict[str, Any] = {"numnet": Numnet, "default": PyTorch, "best": best}

    def train(network: Network, batch: int | None = None) -> None:
        trained = builds[side](network, batch=batch)
        for _ in range(STEPS):
            trained.step()

    small = next(network for network in NETWORKS if network.name == "LeNet")
    with threads(1):
        train(small, 2)
        before = _status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest so far is forgotten
        train(NETWORKS[number])
        return _status("VmHWM") - before


if __name__ == "__main__":
    print(_peak(int(sys.argv[1]), sys.argv[2]))
