"""The compiled twins: this module has a function for each kernel that the extension has, and no other.

A compiled kernel covers NumPy arrays of float32 or float64, in native byte order and all of one dtype, whose shapes
fit. To anything else it
answers ``NotImplemented``, and the reference twin takes over: it can do the rest, and it writes the errors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from .. import _ext
from . import reference

__all__: list[str] = []


def _or_reference(compiled: Callable[..., Any], reference_twin: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(reference_twin)
    def kernel(*arguments: Any, **options: Any) -> Any:
        result = compiled(*arguments, **options)
        return reference_twin(*arguments, **options) if result is NotImplemented else result

    return kernel


for _name in reference.__all__:
    for _module in _ext.modules.values():
        if hasattr(_module, _name):
            globals()[_name] = _or_reference(getattr(_module, _name), getattr(reference, _name))
            __all__ += [_name]
