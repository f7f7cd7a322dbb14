"""The underscore methods, which write into memory instead of making a new array; and Data, which has them too."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from . import operations as ops
from .arrays import Array, array_module
from .errors import OptionError, ShapeError, UnknownNameError
from .operations import Operation
from .random import default_rng

__all__ = ["Data", "InPlace", "as_data", "plain"]


class InPlace:
    """Abstract: what can be written over its own numbers. Every method returns the object itself."""

    __slots__ = ()

    array: Array
    shape: Any
    dtype: Any

    def _in_place(self, method: str, formulas: Operation, *operands: Any) -> Self:
        raise NotImplementedError

    # ------------------------------------------------------------------ arithmetic

    def add_(self, other: Any, *, alpha: float = 1) -> Self:
        """x ← x + alpha · other."""
        return self._in_place("add_", ops.Add(), other if alpha == 1 else alpha * other)

    def sub_(self, other: Any, *, alpha: float = 1) -> Self:
        """x ← x - alpha · other."""
        return self._in_place("sub_", ops.Subtract(), other if alpha == 1 else alpha * other)

    def mul_(self, other: Any) -> Self:
        """x ← x ⊙ other."""
        return self._in_place("mul_", ops.Multiply(), other)

    def div_(self, other: Any) -> Self:
        """x ← x / other."""
        return self._in_place("div_", ops.Divide(), other)

    def pow_(self, exponent: float) -> Self:
        """x ← x to the power of a number."""
        return self._in_place("pow_", ops.Power(exponent))

    # ------------------------------------------------------------------ number by number

    def neg_(self) -> Self:
        """x ← -x."""
        return self._in_place("neg_", ops.Negative())

    def abs_(self) -> Self:
        """x ← |x|."""
        return self._in_place("abs_", ops.Abs())

    def exp_(self) -> Self:
        """x ← eˣ."""
        return self._in_place("exp_", ops.Exp())

    def log_(self) -> Self:
        """x ← ln x."""
        return self._in_place("log_", ops.Log())

    def sqrt_(self) -> Self:
        """x ← √x."""
        return self._in_place("sqrt_", ops.Sqrt())

    def relu_(self) -> Self:
        """x ← max(x, 0)."""
        return self._in_place("relu_", ops.Relu())

    def sigmoid_(self) -> Self:
        """x ← 1 / (1 + e⁻ˣ)."""
        return self._in_place("sigmoid_", ops.Sigmoid())

    def tanh_(self) -> Self:
        """x ← tanh x."""
        return self._in_place("tanh_", ops.Tanh())

    def clamp_(self, min: Any = None, max: Any = None) -> Self:
        """Numbers below ``min`` become ``min``, those above ``max`` become ``max``."""
        return self._in_place("clamp_", ops.Clamp(min, max))

    # ------------------------------------------------------------------ values from elsewhere

    def zero_(self) -> Self:
        """Every number becomes 0."""
        return self._in_place("zero_", ops.Assign(...), 0)

    def fill_(self, value: Any) -> Self:
        """Every number becomes ``value``."""
        return self._in_place("fill_", ops.Assign(...), value)

    def copy_(self, source: Any) -> Self:
        """The numbers of ``source``, converted and broadcast to what this is."""
        return self._in_place("copy_", ops.Assign(...), source)

    def masked_fill_(self, mask: Any, value: Any) -> Self:
        """``value`` where the boolean ``mask``, which broadcasts to x, holds."""
        mask = mask.array if isinstance(mask, InPlace) else mask
        whole = array_module(self.array).broadcast_to(mask, self.shape)
        return self._in_place("masked_fill_", ops.Assign(whole), value)

    # ------------------------------------------------------------------ random values

    def normal_(self, mean: float = 0, std: float = 1, *, rng: np.random.Generator | None = None) -> Self:
        """Normal with this mean and standard deviation; from the default generator if ``rng`` is ``None``."""
        return self._draw("normal_", (rng or default_rng()).normal(mean, std, self.shape))

    def uniform_(self, low: float = 0, high: float = 1, *, rng: np.random.Generator | None = None) -> Self:
        """Uniform from ``low`` up to ``high``."""
        return self._draw("uniform_", (rng or default_rng()).uniform(low, high, self.shape))

    def exponential_(self, lambd: float = 1, *, rng: np.random.Generator | None = None) -> Self:
        """Exponential with the rate ``lambd``, whose mean is 1 / ``lambd``."""
        return self._draw("exponential_", (rng or default_rng()).exponential(1 / lambd, self.shape))

    def bernoulli_(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> Self:
        """1 with the probability ``p``, otherwise 0."""
        return self._draw("bernoulli_", (rng or default_rng()).random(self.shape) < p)

    def random_(
        self, low: int | None = None, high: int | None = None, *, rng: np.random.Generator | None = None
    ) -> Self:
        """Whole numbers from ``low`` up to, and without, ``high``; ``random_(n)`` from 0 up to n.

        Without bounds every whole number that the dtype holds exactly: up to 2²⁴ for float32, 2⁵³ for float64.

        Raises:
            OptionError: there is no number between the bounds.
        """
        if high is None:
            low, high = 0, low
        if high is None:
            high = 2 ** (np.finfo(self.dtype).nmant + 1) + 1 if self.dtype.kind == "f" else _largest(self.dtype) + 1
        if not (low or 0) < high:
            raise OptionError("low below high", f"{low} and {high}")
        return self._draw("random_", (rng or default_rng()).integers(low or 0, high, self.shape, _width(self.dtype)))

    def _draw(self, method: str, drawn: Any) -> Self:
        return self._in_place(method, ops.Assign(...), np.asarray(drawn).astype(self.dtype))

    def resize_(self, *shape: Any) -> Self:
        """Refused: PyTorch's drops numbers, or leaves new ones as it finds them in memory.

        Raises:
            ShapeError: always.
        """
        raise ShapeError(
            "a change of shape that keeps every number",
            "resize_, which drops numbers, or leaves new ones uninitialised",
            "x.reshape(…) for the same numbers in another shape; x[:n] to drop some, numnet.cat to add some",
        )


class Data(InPlace, np.ndarray):
    """What ``tensor.data`` gives: the numbers as an array of NumPy's, sharing memory, with the underscore methods.

    ``weight.data.normal_(std=0.01)`` writes into the weight, unseen by the tape, and ``tensor.data.numpy()`` is the
    array itself. What is computed with it is a plain array.
    """

    __array_priority__ = -1.0

    def _in_place(self, method: str, formulas: Operation, *operands: Any) -> Self:
        x = self.array
        others = [other.array if isinstance(other, InPlace) else ops.as_operand(other, x) for other in operands]
        formulas.in_place(x, *others)
        return self

    @property
    def array(self) -> np.ndarray:
        """The same numbers as a plain array."""
        return self.view(np.ndarray)

    def numpy(self) -> np.ndarray:
        """The same numbers as a plain array."""
        return self.view(np.ndarray)

    @property
    def data(self) -> Self:  # type: ignore[override]  # PyTorch's word, not NumPy's buffer
        """Itself."""
        return self

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if out is not None:
            options["out"] = tuple([plain(x) for x in out])
        result = getattr(ufunc, method)(*[plain(x) for x in inputs], **options)
        return result if out is None else out[0] if len(out) == 1 else out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = super().__array_function__(func, types, args, kwargs)
        if isinstance(result, (tuple, list)):
            return type(result)([plain(x) for x in result]) if type(result) in (tuple, list) else result
        return plain(result)

    def __repr__(self) -> str:
        return repr(self.array)

    def __getattr__(self, name: str) -> Any:
        raise UnknownNameError(self, name)


def plain(x: Any) -> Any:
    """``x`` itself; of a :class:`Data` the plain array."""
    return x.view(np.ndarray) if isinstance(x, Data) else x


def as_data(array: Array) -> Any:
    """What ``tensor.data`` gives for this array: with PyTorch's words, unless it is on a GPU."""
    return array.view(Data) if isinstance(array, np.ndarray) else array


def _largest(dtype: Any) -> int:
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)


def _width(dtype: Any) -> Any:
    return np.int64 if dtype.kind in "fb" else dtype
