"""What all losses share: a J for every element or row, made one number, and the search for what is wrong with it."""

from __future__ import annotations

from math import inf, prod
from typing import Literal

import numpy as np
from numpy import ndarray

from .. import kernels
from ..arrays import Array, array_module, is_array, is_floating
from ..call import Ctx
from ..errors import DtypeError, NonFiniteError, NumnetError, OptionError, ShapeError, describe
from ..tensor import Tensor
from .expect import conversion, expect_floating, expect_same_shape
from .layer import Loss

__all__ = ["Elementwise", "Reduced", "Reduction", "cure_for_weights", "places_of", "refuse", "softplus", "weighted"]

Reduction = Literal["mean", "sum", "none"]


class Reduced(Loss):
    """Abstract: a loss for every element or row, made one number as ``reduction`` says."""

    _reductions: tuple[str, ...] = ("mean", "sum", "none")

    def __init__(self, reduction: str) -> None:
        super().__init__()
        if reduction not in self._reductions:
            *names, last = map(repr, self._reductions)
            expected = f"{type(self).__name__} with reduction {', '.join(names)} or {last}"
            raise OptionError(expected, f"reduction={reduction!r}", "choose one of these")
        self.reduction = reduction

    def _set_weight(self, name: str, weight: Array | Tensor | None) -> None:
        """Make ``weight`` a buffer: a constant that moves with the loss and is in its state dict."""
        if weight is not None:
            array = weight.array if isinstance(weight, Tensor) else weight
            if not (is_array(array) or isinstance(array, np.generic)) or not is_floating(array):
                expected = f"{type(self).__name__} with {name} as an array of floats"
                raise DtypeError(expected, describe(array), f"np.asarray({name}, dtype=np.float32)")
            weight = array_module(array).array(array)  # our own: load_state_dict writes into it
        self.register_buffer(name, weight)

    def _reduced(self, ctx: Ctx, J: Array, total: float, **inputs: Array) -> Array:
        """J of every element, reduced; a mean is the sum divided by ``total``, the number (or weight) of elements.

        The inputs are searched for what is wrong with them only once J is NaN, or negative.
        """
        if self.reduction != "none":
            return self._averaged(ctx, J.sum(), total, **inputs)
        if not bool((J >= 0).all()):
            self._find_fault(**inputs)
        return J

    def _averaged(self, ctx: Ctx, J: Array, total: float, **inputs: Array) -> Array:
        """:meth:`_reduced`, of the sum over all elements."""
        if self.reduction == "sum":
            total = 1.0
        ctx.total = total
        if total == 0:
            x = next(iter(inputs.values()))
            got = f"x of shape {tuple(x.shape)}" + (", every row ignored or of weight 0" if x.size else "")
            cure = "leave such a batch out, or use reduction='sum', which makes it 0"
            raise ShapeError("at least one element to take the mean of", got, cure)
        J = J / total
        if not J >= 0:
            self._find_fault(**inputs)
        return J

    def _find_fault(self, **inputs: Array) -> None:
        """Raise if a number in the inputs is why J cannot be right. If none is, J is what it is and stays."""
        for name, array in inputs.items():
            if is_floating(array):
                wrong = ~array_module(array).isfinite(array)
                cure = "look for it in the data; if the network made it, lower the learning rate"
                refuse(NonFiniteError, f"finite numbers in {name}", name, array, wrong, cure)

    def _share(self, ctx: Ctx, delta: Array) -> Array | float:
        """δ of every element of J, from δ of what was returned: an array, or the one number that it is for all."""
        return delta if self.reduction == "none" else delta.item() / ctx.total

    def _spread(self, ctx: Ctx, delta: Array, shape: tuple[int, ...]) -> Array:
        """δ of every element of J, as an array of its own for each element."""
        if self.reduction == "none":
            return delta.reshape(shape)
        spread = array_module(delta).empty(shape, delta.dtype)
        spread.fill(delta.item() / ctx.total)
        return spread


class Elementwise(Reduced):
    """Abstract: x and y of one shape and one dtype; nothing broadcasts but the weights."""

    def _expect(self, x: Array, y: Array, **weights: Array | None) -> None:
        expect_floating(x)
        if not weights and type(y) is ndarray and y.dtype is x.dtype and y.shape == x.shape:
            return  # as almost always
        if not is_array(y) or y.dtype != x.dtype:
            raise DtypeError(f"y of {x.dtype}, as x is", describe(y), conversion("y", y, x.dtype))
        expect_same_shape("y", x, y)
        for name, w in weights.items():
            if w is None:
                continue
            axes = zip(w.shape[::-1], x.shape[::-1], strict=False)
            if w.ndim > x.ndim or any(n not in (1, size) for n, size in axes):
                cure = "give one weight per element, per last axis, or per sample as (N, 1)"
                raise ShapeError(f"{name} that broadcasts to x of shape {x.shape}", f"shape {w.shape}", cure)
            if w.dtype != x.dtype:
                raise DtypeError(f"{name} of {x.dtype}, as x is", describe(w), cure_for_weights(x))


def cure_for_weights(x: Array) -> str:
    """How the weights of a loss get the dtype of ``x``."""
    return f"loss.{'double' if x.dtype == np.float64 else 'float'}() converts its weights"


def refuse(
    error: type[NumnetError], expected: str, name: str, array: Array, wrong: Array, cure: str, remark: str = ""
) -> None:
    """Raise ``error`` with the first element of ``array`` that is ``wrong``, if there is one."""
    if bool(wrong.any()):
        place = tuple(map(int, np.unravel_index(int(wrong.argmax()), array.shape)))
        raise error(expected, f"{array[place]} at {name}{list(place)}{remark}", cure)


def places_of(labels: Array, shape: tuple[int, ...]) -> Array:
    """Where in an array (N, C, …) the numbers of these classes stand, counted row by row: (N, …)."""
    xp, labels = array_module(labels), labels.astype("int64", copy=False)
    N, C, *rest = shape
    samples = xp.arange(0, N * C, max(C, 1))  # (N,) where they begin
    if not rest:
        return samples + labels
    inner = xp.arange(prod(rest)).reshape(rest)
    return (samples.reshape(-1, *(1,) * len(rest)) + labels) * prod(rest) + inner


def weighted(J: Array, weight: Array | None) -> Array:
    """w ⊙ J, with ``None`` for ones."""
    return J if weight is None else J * weight


def softplus(x: Array) -> Array:
    """log (1 + eˣ), whose exponential cannot overflow."""
    return kernels.softplus(x, 1.0, inf)
