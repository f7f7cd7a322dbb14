"""Training steps with AVX2 alone, on processors that have more: numnet and PyTorch restricted in the same way.

python -m benchmarks.avx2 NUMBER THREADS EFFORT      the rows of network NUMBER, as JSON; EFFORT quick or full
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

import numnet

from . import timing
from .models import train
from .networks import NETWORKS
from .rows import Row

__all__ = ["GOAL", "SWITCHES", "has_more", "measure"]

GOAL = 1.1
SWITCHES = {
    "NUMNET_ISA": "avx2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
"""They are read when the libraries are imported, and so each network is measured in a process of its own."""


def has_more() -> bool:
    """Whether either library uses AVX-512 when nobody restricts it, and numnet can do with AVX2."""
    kernels = numnet.show_config(mode="dict")["kernels"]
    more = kernels.get("isa") == "avx512" or "AVX512" in torch.backends.cpu.get_cpu_capability()
    return more and "avx2" in kernels.get("isas available", ())


def measure(number: int, n: int, quick: bool) -> list[Row]:
    """The training step of network ``number`` beside PyTorch, each with AVX2 alone."""
    command = [sys.executable, "-m", "benchmarks.avx2", str(number), str(n), "quick" if quick else "full"]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=Path(__file__).parents[1],
        env=os.environ | SWITCHES,
    )
    return [Row.of(plain) for plain in json.loads(done.stdout)]


def _rows(number: int, n: int, effort: timing.Effort) -> Iterator[Row]:
    for row in train(NETWORKS[number], n, effort):
        yield dataclasses.replace(row, part="avx2", goal=GOAL)


if __name__ == "__main__":
    _effort = timing.QUICK if sys.argv[3] == "quick" else timing.FULL
    print(json.dumps([row.plain() for row in _rows(int(sys.argv[1]), int(sys.argv[2]), _effort)]))
