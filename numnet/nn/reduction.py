"""What all losses share: a J for every element or row, made one number, and the search for what is wrong with it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..arrays import Array, array_module, is_array, is_floating
from ..call import Ctx
from ..errors import DtypeError, NonFiniteError, NumnetError, OptionError, ShapeError, describe
from ..tensor import Tensor
from .layer import Loss

__all__ = ["Reduced", "Reduction", "cure_for_weights", "refuse", "weighted"]

Reduction = Literal["mean", "sum", "none"]


class Reduced(Loss):
    """Abstract: a loss for every element or row, made one number as ``reduction`` says."""

    def __init__(self, reduction: Reduction) -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            expected = f"{type(self).__name__} with reduction 'mean', 'sum' or 'none'"
            raise OptionError(expected, f"reduction={reduction!r}", "choose one of these")
        self.reduction = reduction

    def _set_weight(self, name: str, weight: Array | Tensor | None) -> None:
        """Make ``weight`` a buffer: a constant that moves with the loss and is in its state dict."""
        if weight is not None:
            array = weight.data if isinstance(weight, Tensor) else weight
            if not (is_array(array) or isinstance(array, np.generic)) or not is_floating(array):
                expected = f"{type(self).__name__} with {name} as an array of floats"
                raise DtypeError(expected, describe(array), f"np.asarray({name}, dtype=np.float32)")
            weight = array_module(array).array(array)  # our own: load_state_dict writes into it
        self.register_buffer(name, weight)

    def _reduced(self, ctx: Ctx, J: Array, total: float, x: Array, y: Array) -> Array:
        """J of every element, reduced; a mean is the sum divided by ``total``, the number (or weight) of elements.

        x and y are searched for what is wrong with them only once J is NaN, or negative.
        """
        if self.reduction == "none":
            reduced = J
        else:
            ctx.total = total if self.reduction == "mean" else 1.0
            if ctx.total == 0:
                got = f"x of shape {tuple(x.shape)}" + (", every row ignored or of weight 0" if x.size else "")
                cure = "leave such a batch out, or use reduction='sum', which makes it 0"
                raise ShapeError("at least one element to take the mean of", got, cure)
            reduced = J.sum() / ctx.total
        if not bool((reduced >= 0).all()):
            self._find_fault(x, y)
        return reduced

    def _find_fault(self, x: Array, y: Array) -> None:
        """Raise if a number in x or y is why J cannot be right. If none is, J overflowed by itself and stays."""
        for name, array in (("x", x), ("y", y)):
            if is_floating(array):
                wrong = ~array_module(array).isfinite(array)
                cure = "look for it in the data; if the network made it, lower the learning rate"
                refuse(NonFiniteError, f"finite numbers in {name}", name, array, wrong, cure)

    def _spread(self, ctx: Ctx, delta: Array, shape: tuple[int, ...]) -> Array:
        """δ of every element of J, from δ of what was returned."""
        if self.reduction == "none":
            return delta.reshape(shape)
        return array_module(delta).broadcast_to(delta / ctx.total, shape)


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


def weighted(J: Array, weight: Array | None) -> Array:
    """w ⊙ J, with ``None`` for ones."""
    return J if weight is None else J * weight
