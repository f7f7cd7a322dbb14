"""The array module shim: which library an array belongs to, in one place.

Code that is written against ``array_module(x)`` runs on NumPy and on CuPy alike.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from .errors import DtypeError, describe

__all__ = ["Array", "array_module", "as_dtype", "device_of", "is_array", "is_floating", "special_functions"]

Array: TypeAlias = Any  # np.ndarray or cupy.ndarray: two classes with one interface and no common base


def array_module(x: Array) -> ModuleType:
    """The module that made ``x``: ``numpy``, or ``cupy`` for an array on a GPU."""
    if isinstance(x, ndarray):
        return np
    cupy = sys.modules.get("cupy")  # an array of CuPy's can exist only once CuPy has been imported
    return cupy if cupy is not None and isinstance(x, cupy.ndarray) else np


def special_functions(x: Array) -> ModuleType:
    """The module with special functions (``ndtr``, ``gammaln``) of the arrays of ``x``'s kind.

    That is ``scipy.special``, or ``cupyx.scipy.special`` for an array on a GPU.
    """
    return importlib.import_module("scipy.special" if array_module(x) is np else "cupyx.scipy.special")


def is_array(x: object) -> bool:
    """Whether ``x`` is an array of NumPy's or CuPy's."""
    if isinstance(x, ndarray):
        return True
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(x, cupy.ndarray)


def is_floating(x: Array) -> bool:
    """Whether ``x`` holds floating-point numbers, so that a gradient with respect to it makes sense."""
    return bool(x.dtype.kind == "f")


def device_of(x: Array) -> str:
    """Where ``x`` lies, in PyTorch's words: ``"cpu"``, or ``"cuda:0"`` for an array of CuPy's on GPU number 0."""
    device = x.device
    return device if isinstance(device, str) else f"cuda:{device.id}"


def as_dtype(target: Any) -> np.dtype[Any]:
    """The dtype that ``target`` names: ``np.float64``, ``"float64"``.

    Raises:
        DtypeError: it names none; the cure speaks of devices too, since ``to`` takes both.
    """
    try:
        if target is not None:  # which NumPy takes for float64
            return np.dtype(target)
    except (TypeError, ValueError):
        pass
    raise DtypeError("a device or a dtype", describe(target), '"cpu", "cuda", "cuda:0", or np.float64')
