"""How long ``import numnet`` takes in a fresh process, beyond NumPy, with its bytecode compiled as pip installs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .rows import Row
from .timing import spread

__all__ = ["measure"]

GOAL = 0.25

_SCRIPT = "import numpy, time; start = time.perf_counter(); import {0}; print(time.perf_counter() - start)"


def measure(runs: int) -> Iterator[Row]:
    """Seconds beside the goal, and beside ``import torch``; medians of ``runs`` processes each."""
    times: dict[str, list[float]] = {"numnet": [], "torch": []}
    for module in ("numnet", "torch"):
        _once(module)  # from the disk; and what was edited since its last import is compiled
    for _ in range(runs):
        for module, found in times.items():
            found.append(_once(module))
    for against, others in (("the goal", [GOAL] * runs), ("import torch", times["torch"])):
        ratio = spread([a / b for a, b in zip(times["numnet"], others, strict=True)])
        ours, other = spread(times["numnet"]).median, spread(others).median
        goal = 1.0 if against == "the goal" else None
        yield Row("import", "import numnet", "after NumPy", 1, ours, against, other, ratio, goal, rounds=runs)


def _once(module: str) -> float:
    command = [sys.executable, "-c", _SCRIPT.format(module)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    root = Path(__file__).parents[1]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", cwd=root, env=environment)
    return float(done.stdout)
