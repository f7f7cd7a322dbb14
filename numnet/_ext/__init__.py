"""The compiled kernels, where they were built. ``modules`` maps ``"runtime"``, ``"products"``, ``"maps"`` to what there is.

The package works without them; ``reason`` then says why they are absent. Setting the environment variable
``NUMNET_NO_EXT=1`` makes numnet ignore them.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

__all__ = ["modules", "reason"]

modules: dict[str, ModuleType] = {}
reason = ""

if os.environ.get("NUMNET_NO_EXT", "0") not in ("", "0"):
    reason = "switched off by NUMNET_NO_EXT"
else:
    for _name in ("runtime", "products", "maps"):
        try:
            modules[_name] = importlib.import_module(f"{__name__}.{_name}")
        except ImportError as error:
            reason = f"not built ({error})"
            if _name == "runtime":
                break
