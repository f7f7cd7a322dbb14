"""How much of what a core can do the kernels do: large products, and convolutions of 3 × 3."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

import numnet
from numnet import kernels
from numnet.window import Window

from .machine import threads
from .rows import Row
from .timing import Effort, Ratio, contest

__all__ = ["Peak", "measure", "peak"]

GOAL = 0.75

_FLAGS = {
    "avx512": ("-mavx512f", "-mfma", "-mprefer-vector-width=512", "-DWIDTH=64"),
    "avx2": ("-mavx2", "-mfma", "-DWIDTH=32"),
}


class Peak(NamedTuple):
    """What kernels are held against: a function, its floating-point operations a call, and what it is."""

    run: Callable[[], object]
    operations: float
    what: str


def peak() -> Peak:
    """Multiply-adds in registers, for the instruction set that numnet uses; without a compiler NumPy's product."""
    isa = numnet.show_config(mode="dict")["kernels"].get("isa", "baseline")
    flags = ("-O3", "-ffp-contract=fast", "-fPIC", "-shared", *_FLAGS.get(isa, ("-DWIDTH=16",)))
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "peak.so"
        source = Path(__file__).with_name("peak.c")
        try:
            command = [os.environ.get("CC", "cc"), *flags, str(source), "-o", str(library)]
            subprocess.run(command, check=True, capture_output=True)
            loaded = ctypes.CDLL(str(library))
        except (OSError, subprocess.CalledProcessError):
            a = np.ones((1024, 1024), np.float32)
            return Peak(lambda: a @ a, 2.0 * 1024**3, "NumPy's product of 1024 × 1024, there being no compiler")
    loaded.operations.restype = ctypes.c_double
    loaded.multiply_add.restype = ctypes.c_float
    rounds = ctypes.c_long(1_000_000)
    return Peak(
        lambda: loaded.multiply_add(rounds), loaded.operations(rounds), f"multiply-adds in registers ({isa}, peak.c)"
    )


def _products() -> Iterator[tuple[str, str, float, Callable[[], object]]]:
    rng = np.random.default_rng(0)
    for n in (256, 512, 1024):
        a, b = (rng.normal(size=(n, n)).astype(np.float32) for _ in range(2))
        yield f"product, {n} × {n}", "matmul", 2.0 * n**3, partial(kernels.matmul, a, b)
    x, W, b = (rng.normal(size=shape).astype(np.float32) for shape in ((256, 784), (256, 784), (256,)))
    yield "linear, 256 × 784 → 256", "linear", 2.0 * 256 * 784 * 256, partial(kernels.linear, x, W, b)


def _convolutions() -> Iterator[tuple[str, str, float, Callable[[], object]]]:
    rng = np.random.default_rng(0)
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    for N, C, size in ((16, 32, 32), (16, 64, 28), (16, 128, 14), (16, 256, 7)):
        x, delta = (rng.normal(size=(N, C, size, size)).astype(np.float32) for _ in range(2))
        W = rng.normal(size=(C, C, 3, 3)).astype(np.float32)
        name, work = f"conv 3 × 3, {C} → {C}, {size} × {size}, batch {N}", 2.0 * N * C * C * 9 * size**2
        yield name, "forward", work, partial(kernels.conv, x, W, None, window, 1)
        for what, needs in (("∂J/∂x", (True, False, False)), ("∂J/∂W", (False, True, False))):
            yield name, what, work, partial(kernels.conv_backward, x, W, delta, window, 1, needs)


def measure(effort: Effort) -> Iterator[Row]:
    """The share of the peak of one core that each kernel reaches; operations are counted as a plain loop does them."""
    most = peak()
    with threads(1):
        for name, what, operations, run in (*_products(), *_convolutions()):
            result = contest({"numnet": run, "peak": most.run}, effort)
            scale = operations / most.operations
            share = Ratio(*(scale * value for value in result.ratio("peak", "numnet")))
            yield Row(
                *("kernels", name, what, 1, operations / result.seconds["numnet"] / 1e9, most.what),
                other=most.operations / result.seconds["peak"] / 1e9,
                ratio=share,
                goal=GOAL,
                at_least=True,
                unit="GFLOP/s",
                rounds=len(result.rounds),
                disturbed=result.disturbed,
                noisy=result.noisy,
            )
