"""Errors that name what was expected, what came, and the likely cure.

Code below a layer (kernels, window geometry, formulas) raises these without knowing where it runs; the
:class:`~numnet.call.Call` that ran it adds the place: the layer, its path in the network, the direction.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

__all__ = [
    "BackwardError",
    "DataError",
    "DomainError",
    "DtypeError",
    "LabelError",
    "Misprint",
    "MissingExtraError",
    "NonFiniteError",
    "NumnetError",
    "OptionError",
    "ShapeError",
    "StateDictError",
    "TrainingModeWarning",
    "UnknownNameError",
    "unknown_names",
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


class TrainingModeWarning(UserWarning):
    """A prediction in training mode: dropout drops, batch norm goes by the batch at hand."""


class UnknownNameError(NumnetError, AttributeError):
    """A method, function or class that is not there; the message names the one that was probably meant.

    Args:
        owner: the module or object that has no such attribute.
        name: the attribute.
    """

    def __init__(self, owner: object, name: str) -> None:
        super().__init__("", "", "")
        self.name = name  # and no ``obj``: Python would add a guess of its own
        self.owner = owner

    def __str__(self) -> str:  # the search for the right word waits until someone reads it: hasattr does not
        owner = self.owner
        what = f"module {owner.__name__!r}" if isinstance(owner, ModuleType) else f"{type(owner).__name__!r} object"
        meant = _meant_by(str(self.name), owner)
        return f"{what} has no attribute {self.name!r}" + (f"\n  cure:     {meant}" if meant else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return AttributeError, (str(self),)


_MEANT = {  # what no likeness of letters leads back from: the right word, and what is said of it
    "zeros": ("zero_grad", "zero_grad()"),
    "numpy": ("from_numpy", "tensor.numpy(), a method of every tensor; from_numpy(array) goes the other way"),
}


def _meant_by(name: str, owner: object) -> str:
    """The attributes of ``owner`` that ``name`` is probably a misprint of, in words; empty if there are none."""
    misprints = {n for cls in type(owner).__mro__ for n, value in vars(cls).items() if isinstance(value, Misprint)}
    public = getattr(owner, "__all__", None) or dir(owner)
    known = [word for word in public if not word.startswith("_") and word not in misprints]
    if name.startswith("_"):
        return ""
    if name in _MEANT and _MEANT[name][0] in known:
        return _MEANT[name][1]
    letters = {_letters(word): word for word in known}
    words = [letters[_letters(name)]] if _letters(name) in letters else difflib.get_close_matches(name, known, 1, 0.7)
    calls = [f"{word}()" if _is_method(owner, word) else word for word in words]
    return "".join(calls)


def _is_method(owner: object, word: str) -> bool:
    """Whether ``word`` names a method of an object, which is written with parentheses."""
    return not isinstance(owner, ModuleType) and callable(getattr(type(owner), word, None))


def _letters(word: str) -> str:
    return word.replace("_", "").casefold()


class Misprint:
    """A name that is printed wrong in tutorials, as an attribute of a class: whoever asks for it is told the right one.

    A ``__getattr__`` would know every misprint, and make every access to every attribute of the class slower. What is
    not listed is left to Python, which guesses too.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> Any:
        raise UnknownNameError(owner if instance is None else instance, self.name)


def unknown_names(module: str) -> Callable[[str], Any]:
    """A ``__getattr__`` for the module of this name, which runs for unknown names alone: it names the right one."""

    def __getattr__(name: str) -> Any:  # noqa: N807
        raise UnknownNameError(sys.modules[module], name)

    return __getattr__


def describe(value: Any) -> str:
    """A value in the few words an error message has room for: ``float32 array of shape (32, 64)``."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, (type, np.generic)):
        kind = type(value).__name__  # an array and a Tensor, or a tensor of PyTorch's, are not the same to a formula
        return f"{value.dtype} {'array' if kind == 'ndarray' else kind} of shape {tuple(value.shape)}"
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
