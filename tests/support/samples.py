"""Data sets that worker processes can import, however they are started."""

from __future__ import annotations

import os
import random
import time
from typing import Any

import numpy as np

from numnet import kernels
from numnet.data import Dataset
from numnet.random import default_rng


class Noisy(Dataset):
    """Sample i is i plus noise from the default generator, with a word and a named structure around it."""

    def __init__(self, n: int = 23) -> None:
        self.n = n

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": index + default_rng().random((3, 2)), "y": index, "word": f"w{index}", "pid": os.getpid()}

    def __len__(self) -> int:
        return self.n


class Numbers(Dataset):
    """Sample i is i; but sample ``fault`` does what the name of the fault says."""

    def __init__(self, n: int = 12, fault: int = -1, does: str = "") -> None:
        self.n = n
        self.fault = fault
        self.does = does

    def __getitem__(self, index: int) -> np.ndarray:
        if index == self.fault:
            if self.does == "raise":
                raise KeyError(f"no picture {index}")
            if self.does == "unpicklable":
                raise Unpicklable(1, 2)
            if self.does == "exit":
                os._exit(3)
            if self.does == "stop":
                raise StopIteration
            if self.does == "sleep":
                time.sleep(60)
        return np.array([index])

    def __len__(self) -> int:
        return self.n


class Unpicklable(Exception):  # noqa: N818
    """An error that cannot be made again from its ``args``."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


class Others(Dataset):
    """What ``random`` and ``np.random`` draw."""

    def __getitem__(self, index: int) -> tuple[float, float]:
        return random.random(), float(np.random.rand())  # noqa: NPY002

    def __len__(self) -> int:
        return 8


class Talking(Dataset):
    """Says which sample is loaded."""

    def __getitem__(self, index: int) -> int:
        print("loading", index)
        return index

    def __len__(self) -> int:
        return 4


class Large(Dataset):
    """Samples of 800 kB, slowly."""

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full((256, 784), index, np.float32)

    def __len__(self) -> int:
        return 40


class Multiplied(Dataset):
    """Sample i is a product of matrices that is large enough for several threads."""

    def __getitem__(self, index: int) -> np.ndarray:
        a = np.random.default_rng(index).random((300, 300), np.float32)
        return kernels.matmul(a, a)

    def __len__(self) -> int:
        return 4


def refuse(number: int) -> None:
    """A worker_init_fn that fails."""
    raise ValueError(f"worker {number} has no disk")
