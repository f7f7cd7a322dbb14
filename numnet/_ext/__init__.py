"""The compiled kernels, where they were built: ``modules`` has ``"runtime"``, ``"products"``, ``"maps"``,
``"planes"``, ``"elementwise"``, ``"recurrent"``, ``"steps"``.

The package works without them; ``reason`` then says why they are absent. Setting the environment variable
``NUMNET_NO_EXT=1`` makes numnet ignore them, and what is compiled of its Python, which it ignores once edited, too.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from types import ModuleType

__all__ = ["PYTHON", "modules", "reason"]

modules: dict[str, ModuleType] = {}
reason = ""


@contextmanager
def _short_spin() -> Iterator[None]:
    """Let the threads of libgomp, which reads this variable once as it is loaded, go to sleep soon.

    By default they wait for work at full speed for milliseconds. On a machine that does anything else they then take
    the processor from the thread they are waiting for: a training step became twenty times slower.
    """
    chosen = [name for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY") if name in os.environ]
    if not chosen:
        os.environ["GOMP_SPINCOUNT"] = "2000"
    try:
        yield
    finally:
        if not chosen:
            del os.environ["GOMP_SPINCOUNT"]


PYTHON = ("call", "tape", "kernels.dispatch")
"""The modules of Python that Cython compiles as they stand, because they run at every call of every layer."""

_A_MOMENT = 10  # seconds: the files of one installation are not written at once


def _is_newer(source: Path) -> bool:
    """Whether ``source`` was edited after Cython compiled it."""
    written = source.stat().st_mtime
    compiled = [source.with_suffix(suffix) for suffix in EXTENSION_SUFFIXES]
    return any(path.exists() and path.stat().st_mtime + _A_MOMENT < written for path in compiled)


class _SourceFinder(MetaPathFinder):
    """Finds the sources of some modules, where Python itself would take what Cython made of them."""

    def __init__(self, sources: dict[str, Path]) -> None:
        self.sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        source = self.sources.get(fullname)
        return None if source is None else importlib.util.spec_from_file_location(fullname, source)


def _choose_sources() -> None:
    package = Path(__file__).parents[1]
    sources = {f"{package.name}.{name}": package.joinpath(*name.split(".")).with_suffix(".py") for name in PYTHON}
    if reason or any(map(_is_newer, sources.values())):  # all or none: one compiled module knows the other's types
        sys.meta_path.insert(0, _SourceFinder(sources))


if os.environ.get("NUMNET_NO_EXT", "0") not in ("", "0"):
    reason = "switched off by NUMNET_NO_EXT"
else:
    with _short_spin():
        for _name in ("runtime", "products", "maps", "planes", "elementwise", "recurrent", "steps"):
            try:
                modules[_name] = importlib.import_module(f"{__name__}.{_name}")
            except ImportError as error:
                reason = f"not built ({error})"
                if _name == "runtime":
                    break

_choose_sources()
