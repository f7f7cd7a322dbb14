"""The compiled twins: this module has a function for each kernel that the extension has, and no other.

A compiled kernel covers NumPy arrays of float32 or float64, in native byte order and all of one dtype, whose shapes
fit. To anything else it answers ``NotImplemented``; where it is called by its name in :mod:`numnet.kernels`, the
reference twin then takes over: it can do the rest, and it writes the errors.
"""

from __future__ import annotations

from .. import _ext
from . import reference

__all__: list[str] = []

for _name in reference.__all__:
    for _module in _ext.modules.values():
        if hasattr(_module, _name):
            globals()[_name] = getattr(_module, _name)
            __all__ += [_name]
