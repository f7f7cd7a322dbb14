"""What a layer expects of its input, said at once: each check returns nothing or raises with the likely cure."""

from __future__ import annotations

import warnings
from typing import Any

from numpy import ndarray

from ..arrays import Array, is_array, is_floating
from ..call import this_thread
from ..errors import DtypeError, OptionError, ShapeError, TrainingModeWarning, describe

__all__ = ["conversion", "expect_floating", "expect_same_shape", "expect_shape", "refuse_inplace", "warn_if_predicting"]


def conversion(name: str, value: Any, dtype: Any) -> str:
    """The cure for a ``value`` that is not an array of ``dtype``."""
    return f"{name}.astype(np.{dtype})" if is_array(value) else f"np.asarray({name}, dtype=np.{dtype})"


def expect_floating(x: Array, dtype: Any = None) -> None:
    """``x`` holds floating-point numbers; those of the layer's parameters, if ``dtype`` is given.

    Raises:
        DtypeError: it does not; numnet never converts silently.
    """
    if type(x) is ndarray and (x.dtype is dtype or (dtype is None and x.dtype.kind == "f")):
        return  # as almost always: one comparison
    if not is_array(x):
        raise DtypeError("an array", describe(x), "np.asarray(x, dtype=np.float32)")
    if dtype is not None and x.dtype != dtype:
        cure = conversion("x", x, dtype)
        if is_floating(x):
            cure += f", or net.{'double' if x.dtype.itemsize > dtype.itemsize else 'float'}() for the whole network"
        raise DtypeError(f"x of {dtype}, as the parameters are", describe(x), cure)
    if not is_floating(x):
        raise DtypeError("x of a floating dtype", describe(x), "x.astype(np.float32)")


def expect_shape(x: Array, letters: str, sizes: dict[str, int], cure: str = "") -> None:
    """The shape of ``x`` reads as ``letters``, such as ``"N C H W"``; ``sizes`` fixes some: ``{"C": 3}``.

    A leading ``…`` stands for any number of axes.

    Raises:
        ShapeError: it does not.
    """
    names = letters.split()
    free = names[0] == "…"
    names = names[1:] if free else names
    shape = x.shape[len(x.shape) - len(names) :] if free else x.shape
    fits = len(shape) == len(names) and all(sizes.get(name, n) == n for name, n in zip(names, shape, strict=True))
    if not fits:
        wanted = ", ".join((["…"] if free else []) + [f"{n}={sizes[n]}" if n in sizes else n for n in names])
        raise ShapeError(f"x of shape ({wanted})", f"shape {tuple(x.shape)}", cure)


def expect_same_shape(name: str, x: Array, target: Array) -> None:
    """``x`` and ``target`` have one shape: nothing broadcasts silently.

    Raises:
        ShapeError: they differ.
    """
    if x.shape != target.shape:
        cure = f"{name}.reshape({x.shape})" if x.size == target.size else "check which samples belong together"
        raise ShapeError(f"{name} of the input's shape {tuple(x.shape)}", f"shape {tuple(target.shape)}", cure)


def refuse_inplace(layer: object, inplace: bool) -> None:
    """``inplace`` is PyTorch's option to write into the input, which no layer of numnet does.

    Raises:
        OptionError: it is asked for.
    """
    if inplace:
        name = type(layer).__name__
        raise OptionError(f"{name}(inplace=False): a layer never writes into its input", "inplace=True", "leave it out")


def warn_if_predicting(layer: object, what: str) -> None:
    """A layer in training mode warns under ``no_grad``: who does not record predicts, as a rule, and forgot ``eval()``.

    Args:
        layer: the layer, in training mode.
        what: what it does to the prediction.
    """
    if not this_thread.state.recording:
        text = f"{type(layer).__name__} in training mode under no_grad: {what}; net.eval() before predicting"
        warnings.warn(text, TrainingModeWarning, stacklevel=2)
