"""The GPU: the only file that imports CuPy.

On CuPy arrays the reference twins run, each operation as CuPy has it, but for the kernels that stand here under their
own names; the dispatch finds them. One is added by writing it.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from ..arrays import Array, is_array
from ..errors import DtypeError, MissingExtraError, describe

__all__ = ["is_available", "scatter_rows", "to_cpu", "to_gpu"]


def is_available() -> bool:
    """Whether CuPy is installed and finds at least one GPU."""
    try:
        cupy = _cupy()
    except MissingExtraError:
        return False
    try:
        return bool(cupy.cuda.runtime.getDeviceCount() > 0)
    except cupy.cuda.runtime.CUDARuntimeError:  # no driver, or no device
        return False


def to_gpu(x: Array, device: int | None = None) -> Array:
    """A CuPy array with the numbers of ``x``, on GPU number ``device`` (CuPy's current one where that is ``None``).

    An array that is there already is returned as it is.

    Raises:
        MissingExtraError: CuPy is not installed.
        DtypeError: ``x`` is not an array.
    """
    cupy = _cupy()
    _check(x)
    with cupy.cuda.Device(device):
        return cupy.asarray(x)


def to_cpu(x: Array) -> np.ndarray:
    """A NumPy array with the numbers of ``x``; an array that is one already is returned as it is.

    Raises:
        DtypeError: ``x`` is not an array.
    """
    _check(x)
    return x if isinstance(x, np.ndarray) else np.asarray(x.get())


def scatter_rows(delta: Array, index: Array, rows: int) -> Array:
    """As ``reference.scatter_rows``, all rows at once."""
    cupy = _cupy()
    dW = cupy.zeros((rows, delta.shape[1]), delta.dtype)
    cupy.add.at(dW, index, delta)
    return dW


def _cupy() -> ModuleType:
    try:
        import cupy  # here and not above: it takes seconds, and most programs never touch a GPU
    except ImportError as error:
        raise MissingExtraError("cupy", "gpu") from error
    return cupy


def _check(x: Array) -> None:
    if not is_array(x):
        raise DtypeError("an array of NumPy's or CuPy's", describe(x), "convert it with np.asarray first")
