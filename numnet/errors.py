"""Errors that name what was expected, what came, and the likely cure.

Code below a layer (kernels, window geometry, formulas) raises these without knowing where it runs; the
:class:`~numnet.call.Call` that ran it adds the place: the layer, its path in the network, the direction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "BackwardError",
    "DataError",
    "DomainError",
    "DtypeError",
    "LabelError",
    "MissingExtraError",
    "NonFiniteError",
    "NumnetError",
    "OptionError",
    "ShapeError",
    "StateDictError",
]


class NumnetError(Exception):
    """Base of every error that numnet raises on purpose.

    Args:
        expected: what would have been right, in words and shapes.
        got: what came instead.
        cure: the likely remedy, as an instruction.
    """

    def __init__(self, expected: str, got: str, cure: str = "") -> None:
        super().__init__(expected, got, cure)
        self.expected = expected
        self.got = got
        self.cure = cure
        self.where = ""

    def __str__(self) -> str:
        lines = [self.where] if self.where else []
        lines += [f"  expected: {self.expected}", f"  got:      {self.got}"]
        if self.cure:
            lines.append(f"  cure:     {self.cure}")
        return "\n" + "\n".join(lines)


class ShapeError(NumnetError, ValueError):
    """An array whose shape does not fit."""


class DtypeError(NumnetError, TypeError):
    """An array, or another object, of the wrong type."""


class OptionError(NumnetError, ValueError):
    """A setting of a layer, loss or optimiser outside what it can be."""


class LabelError(NumnetError, IndexError):
    """A class label outside 0 … C - 1."""


class DataError(NumnetError, ValueError):
    """A file, row or sample of data that is missing, cut short, altered or not what its place says."""


class DomainError(NumnetError, ValueError):
    """Numbers outside of where a formula is defined, such as a probability above 1."""


class NonFiniteError(NumnetError, ValueError):
    """NaN or infinity where it would poison everything after it."""


class BackwardError(NumnetError, RuntimeError):
    """A backward that cannot run: no forward before it, run twice, or a wrong delta."""


class StateDictError(NumnetError, KeyError):
    """Keys or shapes of a state dict that do not match the module."""


class MissingExtraError(NumnetError, ImportError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"the package {package!r}", "it is not installed", f'pip install "numnet[{extra}]"')


def describe(value: Any) -> str:
    """A value in the few words an error message has room for: ``float32 array of shape (32, 64)``."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, (type, np.generic)):
        kind = type(value).__name__  # an array and a Tensor, or a tensor of PyTorch's, are not the same to a formula
        return f"{value.dtype} {'array' if kind == 'ndarray' else kind} of shape {tuple(value.shape)}"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
