"""How much of what a core can do the kernels do: large products, and convolutions of 3 × 3."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

import numnet
from numnet import kernels
from numnet.window import Window

from .machine import threads
from .rows import Row
from .timing import Effort, Ratio, contest

__all__ = ["KERNELS", "Kernel", "Peak", "measure", "peak"]

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


@lru_cache(1)
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


class Kernel(NamedTuple):
    """One of the table: its floating-point operations, as a plain loop does them, and what makes the call."""

    name: str
    work: str
    operations: float
    make: Callable[[], Callable[[], object]]


def _normal(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def _product(n: int) -> Kernel:
    name = f"product, {n} × {n}"
    return Kernel(name, "matmul", 2.0 * n**3, lambda: partial(kernels.matmul, *_normal((n, n), (n, n))))


def _linear(N: int, inputs: int, outputs: int) -> Kernel:
    shapes = (N, inputs), (outputs, inputs), (outputs,)
    name = f"linear, {N} × {inputs} → {outputs}"
    return Kernel(name, "linear", 2.0 * N * inputs * outputs, lambda: partial(kernels.linear, *_normal(*shapes)))


def _convolution(N: int, C: int, size: int) -> list[Kernel]:
    """Its three products."""
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    shapes = (N, C, size, size), (N, C, size, size), (C, C, 3, 3)

    def forward() -> Callable[[], object]:
        x, _, W = _normal(*shapes)
        return partial(kernels.conv, x, W, None, window, 1)

    def backward(of_x: bool) -> Callable[[], object]:
        x, delta, W = _normal(*shapes)
        return partial(kernels.conv_backward, x, W, delta, window, 1, (of_x, not of_x, False))

    name, operations = f"conv 3 × 3, {C} → {C}, {size} × {size}, batch {N}", 2.0 * N * C * C * 9 * size**2
    return [
        Kernel(name, "forward", operations, forward),
        Kernel(name, "∂J/∂x", operations, partial(backward, of_x=True)),
        Kernel(name, "∂J/∂W", operations, partial(backward, of_x=False)),
    ]


KERNELS = (
    *(_product(n) for n in (256, 512, 1024)),
    _linear(256, 784, 256),
    *(k for sizes in ((16, 32, 32), (16, 64, 28), (16, 128, 14), (16, 256, 7)) for k in _convolution(*sizes)),
)


@contextlib.contextmanager
def _plain_sums() -> Iterator[None]:
    before = numnet.get_winograd()
    numnet.set_winograd(False)
    try:
        yield
    finally:
        numnet.set_winograd(before)


def measure(kernel: Kernel, effort: Effort) -> Iterator[Row]:
    """The share of the peak of one core that a kernel reaches by plain sums: Winograd's have fewer operations."""
    most, run = peak(), kernel.make()
    with threads(1), _plain_sums():
        result = contest({"numnet": run, "peak": most.run}, effort)
    scale = kernel.operations / most.operations
    yield Row(
        *("kernels", kernel.name, kernel.work, 1, kernel.operations / result.seconds["numnet"] / 1e9, most.what),
        other=most.operations / result.seconds["peak"] / 1e9,
        ratio=Ratio(*(scale * value for value in result.ratio("peak", "numnet"))),
        goal=GOAL,
        at_least=True,
        unit="GFLOP/s",
        rounds=len(result.rounds),
        disturbed=result.disturbed,
        noisy=result.noisy,
    )
