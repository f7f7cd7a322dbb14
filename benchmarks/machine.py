"""What the numbers were measured on, with how many threads, and how much memory there is."""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import numnet

__all__ = ["SWITCHES", "Memory", "conditions", "threads"]

SWITCHES = (
    *("NUMNET_ISA", "NUMNET_NUM_THREADS", "NUMNET_WINOGRAD", "NUMNET_NO_CACHE", "NUMNET_NO_EXT"),
    *("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OPENBLAS_NUM_THREADS"),
    *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS"),
)
"""The environment variables that change what is measured."""


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Let numnet, PyTorch and NumPy's BLAS use ``n`` threads each, and keep what lives now out of garbage collections.

    PyTorch is imported before numnet, which then uses the same OpenMP: two pools would get into each other's way.
    """
    before = numnet.get_num_threads(), torch.get_num_threads()
    gc.collect()
    gc.freeze()
    with _blas(n):
        numnet.set_num_threads(n)
        torch.set_num_threads(n)
        try:
            yield
        finally:
            numnet.set_num_threads(before[0])
            torch.set_num_threads(before[1])
            gc.unfreeze()


def _blas(n: int) -> contextlib.AbstractContextManager[object]:
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        return contextlib.nullcontext()
    return threadpool_limits(n, user_api="blas")


class Memory:
    """Bytes, as Linux keeps the books."""

    @staticmethod
    def available() -> float:
        """What this process may take, of the machine and of the group that it is put in; 0 on other systems."""
        free = [_book(Path("/proc/meminfo"), "MemAvailable")]
        group = Path("/sys/fs/cgroup")
        with contextlib.suppress(OSError, ValueError):  # no group, or no limit
            limit, taken = (int((group / f"memory.{name}").read_text(encoding="utf-8")) for name in ("max", "current"))
            free.append(limit - taken)
        return max(0.0, min(free))

    @staticmethod
    def most() -> float:
        """The most that this process has held."""
        return _book(Path("/proc/self/status"), "VmHWM")


def _book(path: Path, name: str) -> float:
    with contextlib.suppress(OSError):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return 1024 * float(line.split()[1])
    return 0.0


def conditions(quick: bool) -> dict[str, str]:
    """Processor, instruction sets, versions, switches, date."""
    kernels = numnet.show_config(mode="dict")["kernels"]
    compiled = f"{kernels['isa']} of {', '.join(kernels['isas available'])}" if kernels["compiled"] else "none"
    compiled += ("", ", OpenMP" if kernels.get("openmp") else ", no OpenMP")[kernels["compiled"]]
    blas = numnet.show_config(mode="dict")["blas"]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": f"{_processor()}, {os.cpu_count()} cores seen",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "numnet": f"{numnet.__version__}{_commit()}, compiled kernels: {compiled}",
        "PyTorch": f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}",
        "JAX": _version("jax"),
        "NumPy": f"{_version('numpy')}, {blas['name']} {blas['version']}; SciPy {_version('scipy')}",
        "switches": ", ".join(f"{name}={os.environ[name]}" for name in SWITCHES if name in os.environ) or "none set",
        "effort": "quick: fewer and shorter passes" if quick else "full",
    }


def _commit() -> str:
    """Which one numnet is of, where its source tree is a clone."""
    source = Path(numnet.__file__).parents[1]
    if not (source / ".git").exists() or shutil.which("git") is None:
        return ""

    def answer(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=source, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = " with changes" if answer("status", "--porcelain", "--untracked-files=no") else ""
        return f" at {answer('rev-parse', '--short', 'HEAD')}{changed}"
    except subprocess.CalledProcessError:  # a clone that git does not trust, say
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
