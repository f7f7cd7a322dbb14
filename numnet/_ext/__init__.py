"""The compiled kernels, where they were built: ``modules`` has ``"runtime"``, ``"products"``, ``"maps"``,
``"planes"``, ``"elementwise"``, ``"recurrent"``, ``"steps"``.

The package works without them; ``reason`` then says why they are absent. Setting the environment variable
``NUMNET_NO_EXT=1`` makes numnet ignore them, and run as Python what Cython has compiled of the package's own:
``call.py``, ``tape.py``, ``kernels/dispatch.py``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

__all__ = ["modules", "reason"]

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


class _SourceFinder(MetaPathFinder):
    """Finds the sources of compiled Python, where Python itself would take what was made of them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if f"{package}._ext" != __name__ or name not in ("call", "tape", "kernels.dispatch"):
            return None
        source = Path(__file__).parents[1].joinpath(*name.split(".")).with_suffix(".py")
        return importlib.util.spec_from_file_location(fullname, source)


if os.environ.get("NUMNET_NO_EXT", "0") not in ("", "0"):
    reason = "switched off by NUMNET_NO_EXT"
    sys.meta_path.insert(0, _SourceFinder())
else:
    with _short_spin():
        for _name in ("runtime", "products", "maps", "planes", "elementwise", "recurrent", "steps"):
            try:
                modules[_name] = importlib.import_module(f"{__name__}.{_name}")
            except ImportError as error:
                reason = f"not built ({error})"
                if _name == "runtime":
                    break
