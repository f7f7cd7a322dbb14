"""Tensor: an array that remembers the Call it came from. The thin tape.

One class, and so one file, however many things can be computed with a Tensor: each is a line that names its formulas.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np

from . import operations as ops
from . import writes
from .arrays import Array, array_module, as_dtype, device_of, is_array, is_floating
from .call import delta_misfit, this_thread
from .casts import Casts
from .errors import BackwardError, DtypeError, Misprint, ShapeError, describe
from .in_place import InPlace, as_data, plain
from .operations import Operation, as_operand
from .tape import Node, apply, backpropagate, expect_known, results_are
from .writes import drop_replaced, in_words, next_number, note, place_of_caller, recorded

__all__ = ["Parameter", "Tensor", "ValuesAndIndices", "Variable", "operand"]

Axis: TypeAlias = int | Sequence[int] | None  # ``dim``: one axis, several, or all of them


class ValuesAndIndices(NamedTuple):
    """What ``max``, ``min``, ``topk`` and ``sort`` along an axis return."""

    values: Tensor
    indices: Tensor


class Tensor(Node, InPlace, Casts):
    """An array that remembers the Call it came from.

    Args:
        data: an array, which is shared and not copied; or a number or nested lists, which become float32
            if any of them is a float.
        requires_grad: whether ``grad`` is to be filled by a backward.

    Attributes:
        array: the array itself, which layers and optimisers work on.
        data: the same numbers, sharing memory, with PyTorch's words: ``weight.data.normal_(std=0.01)``. What is done
            with it is no affair of the tape's.
        grad: ∂J/∂data, an array of the same shape; ``None`` until the first backward, then added to.
        grad_array: ``grad`` itself, as ``array`` is to ``data``.
        requires_grad: whether a backward comes through here.
        grad_fn: the :class:`~numnet.call.Call` that made it; ``None`` for a leaf.

    Raises:
        DtypeError: ``data`` is not numbers, or integers with ``requires_grad``.
    """

    __slots__ = ("__weakref__",)
    __array_ufunc__ = None  # so that `array + tensor` asks the tensor

    backword = Misprint()

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self._set(_as_array(data), False, None, 0)
        self.requires_grad_(requires_grad)

    @property
    def data(self) -> Any:
        """The numbers, sharing memory, off the tape; may be replaced.

        Raises:
            ShapeError, DtypeError: others in the place of a result on the tape, of another shape or dtype.
        """
        return as_data(self.array)

    @data.setter
    def data(self, data: Any) -> None:
        array = _as_array(data)
        if self.grad_fn is not None and (array.shape, array.dtype) != (self.array.shape, self.array.dtype):
            expected = (
                f"data of shape {self.shape} and dtype {self.dtype}, as the call made it that goes back from here"
            )
            error = ShapeError if array.shape != self.array.shape else DtypeError
            raise error(expected, describe(array), "make a new tensor of it")
        self.array = array
        self._born = writes.latest

    # ------------------------------------------------------------------ gradients

    @property
    def grad(self) -> Any:
        """∂J/∂data, or ``None``."""
        return None if self.grad_array is None else as_data(self.grad_array)

    @grad.setter
    def grad(self, grad: Any) -> None:
        self.grad_array = grad.array if isinstance(grad, InPlace) else grad
        self._owns_grad = False

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Walk the tape back from here: adds ∂J/∂x to the ``grad`` of every leaf and parameter on the way.

        Args:
            gradient: δ at this tensor, of its shape; 1 if it is left out, which needs a single number.
            retain_graph: keep the tape for a further backward.

        Raises:
            BackwardError: nothing recorded, the tape used up, or no ``gradient`` for several numbers.
        """
        if not self.requires_grad:
            raise BackwardError(
                "a tensor that was computed, while recording, from something with requires_grad=True",
                f"a tensor of shape {self.shape} with requires_grad=False",
                "run forward outside of no_grad, on the output of a network or on a leaf with requires_grad=True",
            )
        if gradient is None:
            if self.array.size != 1:
                raise BackwardError(
                    f"gradient = ∂J/∂(this tensor) of shape {self.shape}, since it is not a single number",
                    "backward() without an argument",
                    "call backward on the loss, or pass gradient, for instance the weight of each number in J",
                )
            gradient = array_module(self.array).ones(self.shape, self.dtype)
        elif isinstance(gradient, Tensor):
            gradient = gradient.array
        elif is_array(gradient):
            gradient = plain(gradient)
        else:
            gradient = array_module(self.array).asarray(gradient, self.dtype)
        if gradient.shape != self.shape:
            raise ShapeError(f"gradient of this tensor's shape {self.shape}", f"shape {gradient.shape}")
        if gradient.dtype != self.dtype:
            raise delta_misfit(gradient, self.shape, self.dtype)
        backpropagate([(self.place, gradient)], retain_graph)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch ``requires_grad``; returns itself."""
        if requires_grad and not is_floating(self.array):
            expected = "floating-point numbers, where a gradient is wanted"
            raise DtypeError(expected, describe(self.array), "x.astype(np.float32)")
        self.requires_grad = requires_grad
        return self

    def detach(self) -> Tensor:
        """The same array, off the tape."""
        return Tensor(self.array)

    # ------------------------------------------------------------------ the array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        ndim: int = self.array.ndim
        return ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the array."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    @property
    def device(self) -> str:
        """``"cpu"``, or ``"cuda:0"`` on GPU number 0."""
        return device_of(self.array)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded Call made it."""
        return self.grad_fn is None

    def numpy(self) -> Array:
        """The array itself, sharing memory.

        Raises:
            BackwardError: it is on the tape, which would not see what is done with the array.
            DtypeError: it is on a GPU.
        """
        if self.requires_grad:
            raise BackwardError(
                "a tensor off the tape", "one with requires_grad=True", "tensor.detach().numpy(), or tensor.data"
            )
        if not isinstance(self.array, np.ndarray):
            raise DtypeError("a tensor on the CPU", f"one on {self.device}", "tensor.cpu().numpy()")
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The single number as Python's own."""
        if self.array.size != 1:
            raise ShapeError("a tensor of a single number", f"shape {self.shape}", "index it, or reduce it first")
        return self.array.item()

    def tolist(self) -> Any:
        """Nested Python lists."""
        return self.array.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise DtypeError("a tensor with an axis, to count or go along it", "a single number", "tensor.item()")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        return iter([self[i] for i in range(len(self))])

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its entry ``dim``."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Number of axes."""
        return self.ndim

    def numel(self) -> int:
        """How many numbers there are."""
        return int(self.array.size)

    def __repr__(self) -> str:
        array = (
            np.array2string(self.array, separator=", ", prefix="tensor(") if is_array(self.array) else repr(self.array)
        )
        extras = "" if self.array.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.array.dtype}"
        if self.grad_fn is not None:
            extras += f", grad_fn={self.grad_fn!r}"
        elif self.requires_grad:
            extras += ", requires_grad=True"
        return f"tensor({array}{extras})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    # ------------------------------------------------------------------ arithmetic

    def __add__(self, other: Any) -> Tensor:
        return apply(ops.Add(), self, operand(other, self))

    def __sub__(self, other: Any) -> Tensor:
        return apply(ops.Subtract(), self, operand(other, self))

    def __rsub__(self, other: Any) -> Tensor:
        return apply(ops.Subtract(), operand(other, self), self)

    def __mul__(self, other: Any) -> Tensor:
        return apply(ops.Multiply(), self, operand(other, self))

    def __truediv__(self, other: Any) -> Tensor:
        return apply(ops.Divide(), self, operand(other, self))

    def __rtruediv__(self, other: Any) -> Tensor:
        return apply(ops.Divide(), operand(other, self), self)

    def __pow__(self, other: Any) -> Tensor:
        exponent = other.item() if isinstance(other, np.generic) else other
        if isinstance(exponent, (int, float)):
            return apply(ops.Power(exponent), self)
        return apply(ops.ElementwisePower(), self, operand(other, self))

    def __rpow__(self, other: Any) -> Tensor:
        return apply(ops.ElementwisePower(), operand(other, self), self)

    def __matmul__(self, other: Any) -> Tensor:
        return apply(ops.MatMul(), self, operand(other, self))

    def __rmatmul__(self, other: Any) -> Tensor:
        return apply(ops.MatMul(), operand(other, self), self)

    def __neg__(self) -> Tensor:
        return apply(ops.Negative(), self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return apply(ops.Abs(), self)

    __radd__ = __add__
    __rmul__ = __mul__
    __iadd__ = InPlace.add_
    __isub__ = InPlace.sub_
    __imul__ = InPlace.mul_
    __itruediv__ = InPlace.div_
    matmul = __matmul__
    mul = __mul__
    div = __truediv__
    pow = __pow__
    abs = __abs__
    neg = __neg__

    def add(self, other: Any, *, alpha: float = 1) -> Tensor:
        """x + alpha · other."""
        return self + (other if alpha == 1 else alpha * other)

    def sub(self, other: Any, *, alpha: float = 1) -> Tensor:
        """x - alpha · other."""
        return self - (other if alpha == 1 else alpha * other)

    def mm(self, other: Any) -> Tensor:
        """The product of two matrices, (n, m) with (m, p), without broadcasting: :meth:`matmul` broadcasts.

        Raises:
            ShapeError: they are not two matrices, or do not fit.
        """
        other = operand(other, self)
        if self.ndim != 2 or other.ndim != 2:
            cure = "matmul, or @, multiplies batches of matrices, and vectors"
            raise ShapeError("two matrices, (n, m) and (m, p)", f"shapes {self.shape} and {tuple(other.shape)}", cure)
        return self @ other

    def dot(self, other: Any) -> Tensor:
        """The inner product of two vectors. Raises ShapeError if they are none."""
        other = operand(other, self)
        if self.ndim != 1 or other.ndim != 1:
            raise ShapeError("two vectors", f"shapes {self.shape} and {tuple(other.shape)}", "mm, or matmul")
        return self @ other

    # ------------------------------------------------------------------ in place: the methods are those of InPlace

    def _in_place(self, method: str, formulas: Operation, *operands: Any) -> Self:
        others = [operand(other, self) for other in operands]
        if not self.array.flags.writeable:
            raise ShapeError(
                "an array that may be written into",
                "one that may not: expand repeats one number many times, and a file may be read-only",
                f"x.clone().{method}(…)",
            )
        number = next_number()
        recording = this_thread.state.recording
        on_tape = recording and (self.requires_grad or any(isinstance(x, Tensor) and x.requires_grad for x in others))
        region = formulas.region(self.array) if isinstance(formulas, ops.Assign) else self.array
        replaced = False  # recorded writes, by way of a view, that are gone now: `x[i] += w` is one of x[i], then this
        if recorded and recording:
            replaced = isinstance(formulas, ops.Assign) and formulas.writes_all and drop_replaced(region, self._since)
            expect_known([self])
        if on_tape:
            self._expect_no_leaf(method)
            self._become(apply(formulas, self, *others))
        else:
            formulas.in_place(self.array, *[x.array if isinstance(x, Tensor) else x for x in others])
            if replaced:  # and nothing else was news to it
                self._born = number
        note(region, method, number, on_tape or replaced, place_of_caller())
        return self

    def _expect_no_leaf(self, method: str) -> None:
        """What the tape records does not go into the memory of a leaf, whose gradient would then be another's."""
        place = self.place
        while isinstance(place, tuple) and len(place[0].parents) == 1:  # a view of a leaf is a call or two from it
            place = place[0].parents[0]
        if isinstance(place, Tensor) and place.requires_grad and np.may_share_memory(place.array, self.array):
            raise BackwardError(
                "a leaf with requires_grad=True to be written into only while nothing records",
                f"{method} on {'it' if place is self else 'a view of it'}{in_words(place_of_caller())}",
                f"with numnet.no_grad(): x.{method}(…), or x.data.{method}(…); or a new tensor, without the underscore",
            )

    def _become(self, y: Tensor) -> None:
        """Take the numbers of ``y`` into the own memory, and its place on the tape."""
        ops.expect_alike(self.array, y.array)
        call = y.grad_fn
        if call is not None and call.ctx is not None:
            for name, saved in vars(call.ctx).items():  # what it saved of this memory is overwritten now
                if isinstance(saved, np.ndarray) and np.may_share_memory(saved, self.array):
                    setattr(call.ctx, name, saved.copy())
        self.array[...] = y.array
        self.grad_fn, self._output, self.requires_grad = y.grad_fn, y._output, y.requires_grad

    def __setitem__(self, key: Any, value: Any) -> None:
        self._in_place("x[…] = …", ops.Assign(_key(key)), value)

    # ------------------------------------------------------------------ comparisons: boolean, without a gradient

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # as NumPy's: number by number
        return _compared(self, other, "equal")

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return _compared(self, other, "not_equal")

    def __lt__(self, other: Any) -> Tensor:
        return _compared(self, other, "less")

    def __le__(self, other: Any) -> Tensor:
        return _compared(self, other, "less_equal")

    def __gt__(self, other: Any) -> Tensor:
        return _compared(self, other, "greater")

    def __ge__(self, other: Any) -> Tensor:
        return _compared(self, other, "greater_equal")

    def __and__(self, other: Any) -> Tensor:
        return _compared(self, other, "bitwise_and")

    def __or__(self, other: Any) -> Tensor:
        return _compared(self, other, "bitwise_or")

    def __invert__(self) -> Tensor:
        return Tensor(array_module(self.array).asarray(~self.array))

    __hash__ = object.__hash__  # identity: a parameter is a key, whatever its numbers are

    def all(self) -> Tensor:
        """Whether every number is true, or not 0."""
        return Tensor(array_module(self.array).asarray(self.array.all()))

    def any(self) -> Tensor:
        """Whether some number is true, or not 0."""
        return Tensor(array_module(self.array).asarray(self.array.any()))

    # ------------------------------------------------------------------ number by number

    def exp(self) -> Tensor:
        """eˣ."""
        return apply(ops.Exp(), self)

    def log(self) -> Tensor:
        """ln x."""
        return apply(ops.Log(), self)

    def sqrt(self) -> Tensor:
        """√x."""
        return apply(ops.Sqrt(), self)

    def sin(self) -> Tensor:
        """sin x, x in radians."""
        return apply(ops.Sin(), self)

    def cos(self) -> Tensor:
        """cos x, x in radians."""
        return apply(ops.Cos(), self)

    def tanh(self) -> Tensor:
        """tanh x."""
        return apply(ops.Tanh(), self)

    def sigmoid(self) -> Tensor:
        """1 / (1 + e⁻ˣ)."""
        return apply(ops.Sigmoid(), self)

    def relu(self) -> Tensor:
        """max(x, 0)."""
        return apply(ops.Relu(), self)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """Numbers below ``min`` become ``min``, those above ``max`` become ``max``; one of them may be left out."""
        return apply(ops.Clamp(min, max), self)

    # ------------------------------------------------------------------ reductions

    def sum(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Σ over ``dim``, or over everything."""
        return apply(ops.Sum(_axes(dim), keepdim), self)

    def mean(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Mean over ``dim``, or over everything. Raises DtypeError for integers: ``x.float()`` first."""
        return apply(ops.Mean(_axes(dim), keepdim), self)

    def prod(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """Π over ``dim``, or over everything."""
        return apply(ops.Product(_axes(dim), keepdim), self)

    def var(self, dim: Axis = None, correction: float = 1, keepdim: bool = False) -> Tensor:
        """Σ (x - x̄)² / (n - correction) over ``dim``, or over everything."""
        return apply(ops.Variance(_axes(dim), keepdim, correction), self)

    def std(self, dim: Axis = None, correction: float = 1, keepdim: bool = False) -> Tensor:
        """Square root of :meth:`var`."""
        return apply(ops.StandardDeviation(_axes(dim), keepdim, correction), self)

    def norm(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """√Σx² over ``dim``, or over everything."""
        return apply(ops.Norm(_axes(dim), keepdim), self)

    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesAndIndices:
        """The ``k`` largest along ``dim``, or smallest, in order, and their positions; of equals the first comes first.

        ``sorted=False``, which allows any order, gives the same one.
        """
        return ValuesAndIndices(*apply(ops.TopK(k, dim, largest), self))

    def sort(self, dim: int = -1, descending: bool = False) -> ValuesAndIndices:
        """All numbers in order along ``dim``, and where they stood; equals stay in their order."""
        return self.topk(self.shape[dim] if self.ndim else 1, dim, largest=descending)

    def argsort(self, dim: int = -1, descending: bool = False) -> Tensor:
        """Where the numbers stand that :meth:`sort` puts in order."""
        return self.sort(dim, descending).indices

    def cumsum(self, dim: int) -> Tensor:
        """Sums of the first 1, 2, … numbers along ``dim``."""
        return apply(ops.CumulativeSum(dim), self)

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest number; with ``dim`` a pair: the largest along it, and their positions."""
        return apply(ops.Max(), self) if dim is None else ValuesAndIndices(*apply(ops.MaxAlong(dim, keepdim), self))

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest number; with ``dim`` a pair: the smallest along it, and their positions."""
        return apply(ops.Min(), self) if dim is None else ValuesAndIndices(*apply(ops.MinAlong(dim, keepdim), self))

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Position of the largest number along ``dim``, or in the flattened array; of the first of equals."""
        return Tensor(array_module(self.array).asarray(self.array.argmax(axis=dim, keepdims=keepdim)))

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Position of the smallest number along ``dim``, or in the flattened array; of the first of equals."""
        return Tensor(array_module(self.array).asarray(self.array.argmin(axis=dim, keepdims=keepdim)))

    # ------------------------------------------------------------------ shape

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The same numbers in another shape; one axis may be -1. Shares memory where the layout allows it."""
        return apply(ops.Reshape(_sizes(shape)), self)

    view = reshape

    def view_as(self, other: Tensor) -> Tensor:
        """The same numbers in the shape of ``other``."""
        return self.reshape(other.shape)

    def repeat(self, *times: int | Sequence[int]) -> Tensor:
        """Copies of the whole, ``times`` of them along each axis; more times than there are axes add some in front.

        Raises:
            ShapeError: fewer times than axes.
        """
        times = _sizes(times)
        added = len(times) - self.ndim
        if added < 0:
            raise ShapeError(f"{self.ndim} times or more, one for each axis of {self.shape}", f"{len(times)}: {times}")
        shape = (1,) * added + self.shape
        apart = [size for n in shape for size in (1, n)]
        apart_repeated = [size for many, n in zip(times, shape, strict=True) for size in (many, n)]
        whole = [many * n for many, n in zip(times, shape, strict=True)]
        return self.reshape(apart).expand(apart_repeated).reshape(whole)

    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """``value`` where the boolean ``mask`` holds, the numbers of x elsewhere."""
        mask = mask.array if isinstance(mask, InPlace) else mask
        return apply(ops.Where(), mask, operand(value, self), self)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Axes ``start_dim`` … ``end_dim`` become one."""
        if self.ndim == 0:
            return self.reshape(1)
        (start,), (end,) = (ops.normalised_axes(dim, self.ndim) for dim in (start_dim, end_dim))
        if start > end:
            raise ShapeError("start_dim before end_dim", f"axes {start} and {end}")
        return self.reshape(*self.shape[:start], math.prod(self.shape[start : end + 1]), *self.shape[end + 1 :])

    def squeeze(self, dim: int | None = None) -> Tensor:
        """Without axis ``dim`` if it is of size 1, or without all axes of size 1."""
        axes = ops.normalised_axes(dim, self.ndim)
        return self.reshape(tuple([n for axis, n in enumerate(self.shape) if n != 1 or axis not in axes]))

    def unsqueeze(self, dim: int) -> Tensor:
        """With a new axis of size 1 in position ``dim``."""
        (axis,) = ops.normalised_axes(dim, self.ndim + 1)
        return self.reshape(*self.shape[:axis], 1, *self.shape[axis:])

    def permute(self, *dims: int | Sequence[int]) -> Tensor:
        """The axes in another order: axis i of the result is axis ``dims[i]``."""
        return apply(ops.Permute(_sizes(dims)), self)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Two axes exchanged."""
        dims = list(range(self.ndim))
        for i, j in zip(ops.normalised_axes(dim0, self.ndim), ops.normalised_axes(dim1, self.ndim), strict=True):
            dims[i], dims[j] = j, i
        return self.permute(dims)

    @property
    def T(self) -> Tensor:  # noqa: N802
        """All axes in reverse order: the transpose of a matrix."""
        return self.permute(range(self.ndim)[::-1])

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The last two axes exchanged: the transpose of every matrix of a batch."""
        return self.transpose(-2, -1)

    def t(self) -> Tensor:
        """The transpose of a matrix."""
        return self.T

    def expand(self, *shape: int | Sequence[int]) -> Tensor:
        """Repeated along axes of size 1 and along new ones in front; -1 leaves an axis as it is."""
        return apply(ops.Broadcast(_sizes(shape)), self)

    broadcast_to = expand

    def __getitem__(self, key: Any) -> Tensor:
        return apply(ops.Index(_key(key)), self)

    # ------------------------------------------------------------------ dtype and device

    def to(self, target: Any) -> Self:
        """In another dtype (``np.float64``) or on another device (``"cuda"``); itself if it is so already.

        Raises:
            DtypeError, OptionError: no such dtype or device. MissingExtraError: a GPU without CuPy.
        """
        if isinstance(target, str) and target.split(":")[0] in ("cpu", "cuda"):
            return self if self.device == target else apply(ops.ToDevice(target), self)
        dtype = as_dtype(target)
        return self if self.array.dtype == dtype else apply(ops.Cast(dtype), self)

    def clone(self) -> Tensor:
        """A copy, on the tape."""
        return apply(ops.Cast(self.array.dtype), self)


results_are(Tensor)

Variable = Tensor
"""The name that a Tensor with a gradient had in PyTorch before 0.4; tutorials of that time use it."""


class Parameter(Tensor):
    """A Tensor that a Module owns and an optimiser changes: ``data``, ``grad``, ``requires_grad``.

    Args:
        data: the initial value, floating-point; shared, not copied.
        requires_grad: False for a frozen parameter, which no backward and no optimiser touches.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data.array if isinstance(data, Tensor) else data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def _as_array(data: Any) -> Array:
    return data.array if isinstance(data, InPlace) else ops.as_array(data)


def operand(other: Any, like: Tensor) -> Any:
    """The other side of an operator, beside the tensor ``like``: a Tensor as it is, anything else as an array."""
    if isinstance(other, Tensor):
        return other
    return other.array if isinstance(other, InPlace) else as_operand(other, like.array)


def _compared(a: Tensor, b: Any, how: str) -> Tensor:
    """A ufunc of NumPy's without a gradient; Python then tries ``b``'s own if ``b`` is nothing to compare with."""
    if isinstance(b, InPlace):
        b = b.array
    elif isinstance(b, np.generic):
        b = b.item()
    elif b is None or isinstance(b, (str, bytes)):
        return NotImplemented
    xp = array_module(a.array)
    return Tensor(xp.asarray(getattr(xp, how)(a.array, b)))


def _axes(dim: Axis) -> ops.Axes:
    return dim if dim is None or isinstance(dim, int) else tuple(dim)


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple([_key(k) for k in key])
    return key.array if isinstance(key, InPlace) else key
