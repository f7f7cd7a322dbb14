"""How much of what a core can do the kernels do, and PyTorch's beside them: large products, convolutions of 3 × 3."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import numnet
from numnet import kernels
from numnet.window import Window

from .machine import threads
from .models import DisagreementError
from .rows import Row
from .timing import Effort, Ratio, contest

__all__ = ["KERNELS", "Kernel", "Peak", "measure", "peak"]

GOAL = 0.75
TOLERANCE = 1e-4

Sides = tuple[Callable[[], np.ndarray], Callable[[], torch.Tensor]]

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
            return Peak(lambda: a @ a, 2.0 * 1024**3, "NumPy's 1024 × 1024")
    loaded.operations.restype = ctypes.c_double
    loaded.multiply_add.restype = ctypes.c_float
    rounds = ctypes.c_long(1_000_000)
    return Peak(lambda: loaded.multiply_add(rounds), loaded.operations(rounds), f"peak ({isa})")


class Kernel(NamedTuple):
    """One of the table: its floating-point operations, as a plain loop does them, and what makes both calls."""

    name: str
    work: str
    operations: float
    make: Callable[[], Sides]


def _normal(*shapes: tuple[int, ...]) -> tuple[list[np.ndarray], list[torch.Tensor]]:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    return arrays, [torch.from_numpy(a) for a in arrays]


def _product(n: int) -> Kernel:
    def make() -> Sides:
        ours, theirs = _normal((n, n), (n, n))
        return partial(kernels.matmul, *ours), partial(torch.mm, *theirs)

    return Kernel(f"product, {n} × {n}", "matmul", 2.0 * n**3, make)


def _linear(N: int, inputs: int, outputs: int) -> Kernel:
    def make() -> Sides:
        ours, theirs = _normal((N, inputs), (outputs, inputs), (outputs,))
        return partial(kernels.linear, *ours), partial(torch.nn.functional.linear, *theirs)

    return Kernel(f"linear, {N} × {inputs} → {outputs}", "linear", 2.0 * N * inputs * outputs, make)


def _convolution(N: int, C: int, size: int) -> list[Kernel]:
    """Its three products."""
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    shapes = (N, C, size, size), (C, C, 3, 3), (N, C, size, size)

    def forward() -> Sides:
        (x, W, _), (x_, W_, _) = _normal(*shapes)
        return partial(kernels.conv, x, W, None, window, 1), partial(torch.conv2d, x_, W_, padding=1)

    def backward(which: int) -> Sides:
        (x, W, delta), (x_, W_, delta_) = _normal(*shapes)
        needs = tuple(k == which for k in range(3))
        settings = None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, needs
        return (
            lambda: kernels.conv_backward(x, W, delta, window, 1, needs)[which],
            lambda: torch.ops.aten.convolution_backward(delta_, x_, W_, *settings)[which],
        )

    name, operations = f"conv 3 × 3, {C} → {C}, {size} × {size}, batch {N}", 2.0 * N * C * C * 9 * size**2
    return [
        Kernel(name, "forward", operations, forward),
        Kernel(name, "∂J/∂x", operations, partial(backward, 0)),
        Kernel(name, "∂J/∂W", operations, partial(backward, 1)),
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
    """The share of the peak of one core that a kernel reaches by plain sums: Winograd's have fewer operations.

    Raises:
        DisagreementError: PyTorch computes something else.
    """
    most, (ours, theirs) = peak(), kernel.make()
    with threads(1), _plain_sums():
        right = theirs().numpy()
        if not np.linalg.norm(ours() - right) <= TOLERANCE * np.linalg.norm(right):
            raise DisagreementError(f"{kernel.name}, {kernel.work}")
        result = contest({"numnet": ours, "peak": most.run, "PyTorch": theirs}, effort)
    speeds = {who: kernel.operations / seconds / 1e9 for who, seconds in result.seconds.items()}
    what: Any = ("kernels", kernel.name, kernel.work, 1, speeds["numnet"])
    said: Any = {
        "unit": "GFLOP/s",
        "rounds": len(result.rounds),
        "disturbed": result.disturbed,
        "noisy": result.noisy,
    }
    scale = kernel.operations / most.operations
    share = Ratio(*(scale * value for value in result.ratio("peak", "numnet")))
    yield Row(*what, most.what, speeds["peak"] / scale, share, GOAL, at_least=True, **said)
    yield Row(*what, "PyTorch", speeds["PyTorch"], result.ratio("numnet", "PyTorch"), **said)
