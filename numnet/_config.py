"""What this installation of numnet is made of and runs on, as a text to put into a bug report."""

from __future__ import annotations

import platform
import sys
import textwrap
from typing import Any, Literal, overload

import numpy as np

from . import _ext, kernels
from .errors import OptionError
from .kernels import gpu, reference

__all__ = ["show_config"]


@overload
def show_config(mode: Literal["print"] = "print") -> None: ...
@overload
def show_config(mode: Literal["dict"]) -> dict[str, dict[str, Any]]: ...
def show_config(mode: Literal["print", "dict"] = "print") -> dict[str, dict[str, Any]] | None:
    """Print what numnet runs on: versions, compiled kernels, instruction set, threads, BLAS and GPU.

    Args:
        mode: ``"print"`` prints a text to put into a bug report, ``"dict"`` returns the same as dictionaries.

    Raises:
        OptionError: ``mode`` is neither.
    """
    if mode not in ("print", "dict"):
        raise OptionError('mode "print" or "dict"', f"mode={mode!r}", "choose one of these")
    config = {"versions": _versions(), "kernels": _kernels(), "blas": _blas(), "gpu": _gpu()}
    if mode == "dict":
        return config
    print(_text(**config))
    return None


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version  # which loads much, for this alone

    versions = {"Python": platform.python_version(), "platform": platform.platform()}
    for package in ("numnet", "numpy", "scipy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _kernels() -> dict[str, Any]:
    by_twin: dict[str, list[str]] = {"native": [], "reference": []}
    for name in reference.__all__:
        by_twin[kernels.twin(name)].append(name)
    modules = {name: sys.modules[f"{__package__}.{name}"] for name in _ext.PYTHON}
    python = [name for name, module in modules.items() if not str(module.__file__).endswith(".py")]
    found: dict[str, Any] = {"compiled": not _ext.reason, "reason": _ext.reason, **by_twin, "python": python}
    if runtime := _ext.modules.get("runtime"):
        found["isa"] = runtime.get_isa()
        found["isas available"] = list(runtime.available_isas())
        found["openmp"] = runtime.has_openmp()
        found["threads"] = runtime.get_num_threads()
        found["winograd"] = runtime.get_winograd()
    return found


def _blas() -> dict[str, str]:
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return {"name": blas.get("name", "unknown"), "version": blas.get("version", "unknown")}


def _gpu() -> dict[str, Any]:
    available = gpu.is_available()
    cupy = sys.modules.get("cupy")  # which the question before has imported, if it is installed
    return {"available": available, "cupy": cupy.__version__ if cupy else "not installed"}


def _text(versions: dict[str, str], kernels: dict[str, Any], blas: dict[str, str], gpu: dict[str, Any]) -> str:
    if kernels["compiled"]:
        threads = "1 thread" if kernels["threads"] == 1 else f"{kernels['threads']} threads"
        others = ", ".join(kernels["isas available"])
        openmp = "OpenMP" if kernels["openmp"] else "no OpenMP"
        compiled = f"compiled: {kernels['isa']} (of {others}), {openmp}, {threads}"
        if not kernels["winograd"]:
            compiled += ", without Winograd's method"
    else:
        compiled = f"{kernels['reason']}; everything works, more slowly"
    rows = {
        "numnet": versions["numnet"],
        "Python": f"{versions['Python']} on {versions['platform']}",
        "NumPy": f"{versions['numpy']}, BLAS: {blas['name']} {blas['version']}",
        "SciPy": versions["scipy"],
        "kernels": compiled,
        "  native": ", ".join(kernels["native"]) or "none",
        "  reference": ", ".join(kernels["reference"]) or "none",
        "  Python": ", ".join(kernels["python"]) or "none",
        "GPU": f"{'available' if gpu['available'] else 'none'}, CuPy: {gpu['cupy']}",
    }
    lines = [
        textwrap.fill(text, 100, initial_indent=f"{name:13}", subsequent_indent=" " * 13) for name, text in rows.items()
    ]
    if not kernels["compiled"]:
        lines.append(_CURE)
    return "\n".join(lines)


_CURE = """
numnet is slower than it could be, because it runs without its compiled kernels. To get them, install a C compiler
(gcc or clang; on Debian and Ubuntu: apt install gcc python3-dev), and then numnet once more, with
pip install --force-reinstall --no-deps --verbose, which shows what the compiler says."""
