"""Tensor: an array that remembers the Call it came from. The thin tape.

One class, and so one file, however many things can be computed with a Tensor: each is a line that names its formulas.
"""

from __future__ import annotations

import builtins
import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from . import operations as ops
from .arrays import Array, array_module, as_dtype, device_of, is_array, is_floating
from .call import Call, Formulas, state
from .errors import BackwardError, DtypeError, ShapeError, describe
from .tape import backpropagate

__all__ = ["Parameter", "Tensor", "Variable", "apply", "cat", "stack", "tensor", "where"]

Axis: TypeAlias = int | Sequence[int] | None  # ``dim``: one axis, several, or all of them

_accumulating = threading.Lock()  # two threads may walk back into the same parameter


class Tensor:
    """An array that remembers the Call it came from.

    Args:
        data: an array, which is shared and not copied; or a number or nested lists, which become float32
            if any of them is a float.
        requires_grad: whether ``grad`` is to be filled by a backward.

    Attributes:
        data: the array.
        grad: ∂J/∂data, an array of the same shape; ``None`` until the first backward, then added to.
        requires_grad: whether a backward comes through here.
        grad_fn: the :class:`~numnet.call.Call` that made it; ``None`` for a leaf.

    Raises:
        DtypeError: ``data`` is not numbers, or integers with ``requires_grad``.
    """

    __slots__ = ("__weakref__", "_output", "_owns_grad", "data", "grad", "grad_fn", "requires_grad")
    __array_ufunc__ = None  # so that `array + tensor` asks the tensor

    data: Array
    grad: Array | None
    grad_fn: Call | None

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self.data = _as_array(data)
        self.grad = None
        self.requires_grad_(requires_grad)
        self.grad_fn = None
        self._output = 0  # which output of grad_fn this is
        self._owns_grad = False  # whether grad is an array that nobody else can hold

    # ------------------------------------------------------------------ gradients

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
            if self.data.size != 1:
                raise BackwardError(
                    f"gradient = ∂J/∂(this tensor) of shape {self.shape}, since it is not a single number",
                    "backward() without an argument",
                    "call backward on the loss, or pass gradient, for instance the weight of each number in J",
                )
            gradient = array_module(self.data).ones(self.shape, self.dtype)
        elif isinstance(gradient, Tensor):
            gradient = gradient.data
        elif not is_array(gradient):
            gradient = array_module(self.data).asarray(gradient, self.dtype)
        if gradient.shape != self.shape:
            raise ShapeError(f"gradient of this tensor's shape {self.shape}", f"shape {gradient.shape}")
        backpropagate([(self.place, gradient)], retain_graph)

    @property
    def place(self) -> Any:
        """Where on the tape δ goes that arrives here: ``(call, output index)``, or a leaf itself."""
        return self if self.grad_fn is None else (self.grad_fn, self._output)

    def accumulate(self, delta: Array) -> None:
        """Add ``delta`` = ∂J/∂data to ``grad``; the first one becomes ``grad`` itself, and is not written into.

        Raises:
            ShapeError, DtypeError: it is not of the data's shape and dtype.
        """
        if not is_array(delta):
            raise DtypeError(f"a gradient as an array of shape {self.shape}", describe(delta), "np.asarray(…)")
        if delta.shape != self.data.shape:
            cure = "transpose it" if delta.shape[::-1] == self.shape else "sum over the axes that forward broadcast"
            raise ShapeError(f"a gradient of the parameter's shape {self.shape}", f"shape {delta.shape}", cure)
        if delta.dtype != self.data.dtype:
            expected = f"a gradient of {self.dtype}, as the parameter is"
            raise DtypeError(expected, describe(delta), "keep every array of the backward in the dtype of the input")
        if not self.requires_grad:
            return
        with _accumulating:
            if self.grad is None:
                self.grad, self._owns_grad = delta, False
                return
            if not self._owns_grad:  # the first may be a δ that others read: a bias of x's own shape has the gradient δ
                self.grad, self._owns_grad = self.grad.copy(), True
            self.grad += delta

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch ``requires_grad``; returns itself."""
        if requires_grad and not is_floating(self.data):
            expected = "floating-point numbers, where a gradient is wanted"
            raise DtypeError(expected, describe(self.data), "x.astype(np.float32)")
        self.requires_grad = requires_grad
        return self

    def detach(self) -> Tensor:
        """The same array, off the tape."""
        return Tensor(self.data)

    # ------------------------------------------------------------------ the array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return tuple(self.data.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self.data.ndim)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the array."""
        dtype: np.dtype[Any] = self.data.dtype
        return dtype

    @property
    def device(self) -> str:
        """``"cpu"``, or ``"cuda:0"`` on GPU number 0."""
        return device_of(self.data)

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
        if not isinstance(self.data, np.ndarray):
            raise DtypeError("a tensor on the CPU", f"one on {self.device}", "tensor.cpu().numpy()")
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __getstate__(self) -> object:
        if self.grad_fn is not None:  # a copy would take the whole tape with it
            raise BackwardError("a leaf, to be copied or pickled", "a tensor on the tape", "tensor.detach()")
        return super().__getstate__()

    def item(self) -> Any:
        """The single number as Python's own."""
        if self.data.size != 1:
            raise ShapeError("a tensor of a single number", f"shape {self.shape}", "index it, or reduce it first")
        return self.data.item()

    def tolist(self) -> Any:
        """Nested Python lists."""
        return self.data.tolist()

    def __float__(self) -> builtins.float:
        return builtins.float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __len__(self) -> int:
        if self.data.ndim == 0:
            raise DtypeError("a tensor with an axis, to count or go along it", "a single number", "tensor.item()")
        return len(self.data)

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
        return int(self.data.size)

    def __repr__(self) -> str:
        array = np.array2string(self.data, separator=", ", prefix="tensor(") if is_array(self.data) else repr(self.data)
        extras = "" if self.data.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.data.dtype}"
        if self.grad_fn is not None:
            extras += f", grad_fn={self.grad_fn!r}"
        elif self.requires_grad:
            extras += ", requires_grad=True"
        return f"tensor({array}{extras})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    # ------------------------------------------------------------------ arithmetic

    def __add__(self, other: Any) -> Tensor:
        return apply(ops.Add(), self, _operand(other, self))

    def __sub__(self, other: Any) -> Tensor:
        return apply(ops.Subtract(), self, _operand(other, self))

    def __rsub__(self, other: Any) -> Tensor:
        return apply(ops.Subtract(), _operand(other, self), self)

    def __mul__(self, other: Any) -> Tensor:
        return apply(ops.Multiply(), self, _operand(other, self))

    def __truediv__(self, other: Any) -> Tensor:
        return apply(ops.Divide(), self, _operand(other, self))

    def __rtruediv__(self, other: Any) -> Tensor:
        return apply(ops.Divide(), _operand(other, self), self)

    def __pow__(self, other: Any) -> Tensor:
        exponent = other.item() if isinstance(other, np.generic) else other
        if isinstance(exponent, (int, float)):
            return apply(ops.Power(exponent), self)
        return apply(ops.ElementwisePower(), self, _operand(other, self))

    def __rpow__(self, other: Any) -> Tensor:
        return apply(ops.ElementwisePower(), _operand(other, self), self)

    def __matmul__(self, other: Any) -> Tensor:
        return apply(ops.MatMul(), self, _operand(other, self))

    def __rmatmul__(self, other: Any) -> Tensor:
        return apply(ops.MatMul(), _operand(other, self), self)

    def __neg__(self) -> Tensor:
        return apply(ops.Negative(), self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return apply(ops.Abs(), self)

    __radd__ = __add__
    __rmul__ = __mul__
    matmul = __matmul__
    mm = __matmul__
    pow = __pow__
    abs = __abs__

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
        return Tensor(array_module(self.data).asarray(~self.data))

    __hash__ = object.__hash__  # identity: a parameter is a key, whatever its numbers are

    def all(self) -> Tensor:
        """Whether every number is true, or not 0."""
        return Tensor(array_module(self.data).asarray(self.data.all()))

    def any(self) -> Tensor:
        """Whether some number is true, or not 0."""
        return Tensor(array_module(self.data).asarray(self.data.any()))

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

    def var(self, dim: Axis = None, correction: builtins.float = 1, keepdim: bool = False) -> Tensor:
        """Σ (x - x̄)² / (n - correction) over ``dim``, or over everything."""
        return apply(ops.Variance(_axes(dim), keepdim, correction), self)

    def std(self, dim: Axis = None, correction: builtins.float = 1, keepdim: bool = False) -> Tensor:
        """Square root of :meth:`var`."""
        return apply(ops.StandardDeviation(_axes(dim), keepdim, correction), self)

    def norm(self, dim: Axis = None, keepdim: bool = False) -> Tensor:
        """√Σx² over ``dim``, or over everything."""
        return apply(ops.Norm(_axes(dim), keepdim), self)

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest number; with ``dim`` a pair: the largest along it, and their positions."""
        return apply(ops.Max() if dim is None else ops.MaxAlong(dim, keepdim), self)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest number; with ``dim`` a pair: the smallest along it, and their positions."""
        return apply(ops.Min() if dim is None else ops.MinAlong(dim, keepdim), self)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Position of the largest number along ``dim``, or in the flattened array; of the first of equals."""
        return Tensor(array_module(self.data).asarray(self.data.argmax(axis=dim, keepdims=keepdim)))

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Position of the smallest number along ``dim``, or in the flattened array; of the first of equals."""
        return Tensor(array_module(self.data).asarray(self.data.argmin(axis=dim, keepdims=keepdim)))

    # ------------------------------------------------------------------ shape

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The same numbers in another shape; one axis may be -1. Shares memory where the layout allows it."""
        return apply(ops.Reshape(_sizes(shape)), self)

    view = reshape

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

    def to(self, target: Any) -> Tensor:
        """In another dtype (``np.float64``) or on another device (``"cuda"``); itself if it is so already.

        Raises:
            DtypeError, OptionError: no such dtype or device. MissingExtraError: a GPU without CuPy.
        """
        if isinstance(target, str) and target.split(":")[0] in ("cpu", "cuda"):
            return self if self.device == target else apply(ops.ToDevice(target), self)
        dtype = as_dtype(target)
        return self if self.data.dtype == dtype else apply(ops.Cast(dtype), self)

    def astype(self, dtype: Any) -> Tensor:
        """In another dtype, as NumPy's arrays have it: what an error message advises holds for both."""
        return self.to(as_dtype(dtype))

    def cpu(self) -> Tensor:
        """On the CPU."""
        return self.to("cpu")

    def double(self) -> Tensor:
        """In float64."""
        return self.to(np.float64)

    def float(self) -> Tensor:
        """In float32."""
        return self.to(np.float32)

    def long(self) -> Tensor:
        """In int64, without a gradient."""
        return self.to(np.int64)

    def clone(self) -> Tensor:
        """A copy, on the tape."""
        return apply(ops.Cast(self.data.dtype), self)


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
        super().__init__(data.data if isinstance(data, Tensor) else data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A new leaf Tensor with its own copy of ``data``.

    Python floats become float32, as in PyTorch; arrays keep their dtype.
    """
    array = _as_array(data)
    return Tensor(array_module(array).array(array, dtype=dtype), requires_grad)


def apply(formulas: Formulas, *inputs: Any) -> Any:
    """Run a pair of formulas on Tensors and put its Call on the tape.

    Inputs that are no Tensors are handed on as they are, and get no gradient.
    """
    arrays: list[Any] = []
    parents: list[Any] = []
    for x in inputs:
        if isinstance(x, Tensor):
            arrays.append(x.data)
            parents.append((x if x.grad_fn is None else (x.grad_fn, x._output)) if x.requires_grad else None)
        else:
            arrays.append(x)
            parents.append(None)
    needs = tuple([parent is not None for parent in parents])
    recording = state.recording and (True in needs or _trains(formulas))
    call = Call(formulas)
    outputs = call.forward(*arrays, needs_input_grad=needs, recording=recording)
    if recording:
        call.parents = tuple(parents)
    if not call.returns_tuple:
        return _made(outputs, call, 0, recording)
    return tuple([_made(a, call, i, recording) for i, a in enumerate(outputs)])


def cat(tensors: Iterable[Any], dim: int = 0) -> Tensor:
    """The tensors one after the other along the axis ``dim``. Raises ShapeError if they differ along another one."""
    return apply(ops.Concatenate(dim), *_operands(tensors))


def stack(tensors: Iterable[Any], dim: int = 0) -> Tensor:
    """The tensors, all of one shape, side by side along a new axis ``dim``."""
    return cat([x.unsqueeze(dim) for x in _operands(tensors)], dim)


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """``a`` where the condition holds, ``b`` elsewhere: tensors, arrays or numbers that broadcast."""
    a, b = _operands([a, b])
    return apply(ops.Where(), condition if isinstance(condition, Tensor) else _as_array(condition), a, b)


def _made(array: Array, call: Call, output: int, recording: bool) -> Tensor:
    made = Tensor.__new__(Tensor)  # what a call returns is an array: nothing to convert or to check
    made.data = array
    made.grad = None
    made._output = output
    made._owns_grad = False
    made.requires_grad = recording = recording and is_floating(array)
    made.grad_fn = call if recording else None
    return made


def _trains(formulas: Formulas) -> bool:
    return True in [value.requires_grad for value in vars(formulas).values() if isinstance(value, Parameter)]


def _as_array(data: Any) -> Array:
    if isinstance(data, Tensor):
        return data.data
    array = data if is_array(data) else np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise DtypeError("real numbers", describe(data), "pass an array, a number, or nested lists of equal lengths")
    pythons = not is_array(data) and not isinstance(data, np.generic)
    return array.astype(np.float32) if pythons and array.dtype == np.float64 else array


def _operand(other: Any, like: Tensor) -> Any:
    """The other side of an operator: a number takes the tensor's dtype, unless only a larger kind can hold it."""
    if isinstance(other, Tensor):
        return other
    if isinstance(other, np.generic):
        other = other.item()
    if not isinstance(other, (bool, int, float)):
        return _as_array(other)
    dtype = like.data.dtype
    if isinstance(other, float) and dtype.kind != "f":
        dtype = np.float32
    elif not isinstance(other, bool) and dtype.kind == "b":
        dtype = np.int64
    return array_module(like.data).asarray(other, dtype)


def _operands(values: Iterable[Any]) -> list[Tensor]:
    """Tensors, where a number takes the dtype of the first that has one."""
    values = [v if isinstance(v, (bool, int, float)) else Tensor(v) if not isinstance(v, Tensor) else v for v in values]
    like = next((v for v in values if isinstance(v, Tensor)), Tensor(0.0))
    return [v if isinstance(v, Tensor) else Tensor(_operand(v, like)) for v in values]


def _compared(a: Tensor, b: Any, how: str) -> Tensor:
    """A ufunc of NumPy's without a gradient; Python then tries ``b``'s own if ``b`` is nothing to compare with."""
    if isinstance(b, Tensor):
        b = b.data
    elif isinstance(b, np.generic):
        b = b.item()
    elif b is None or isinstance(b, (str, bytes)):
        return NotImplemented
    xp = array_module(a.data)
    return Tensor(xp.asarray(getattr(xp, how)(a.data, b)))


def _axes(dim: Axis) -> ops.Axes:
    return dim if dim is None or isinstance(dim, int) else tuple(dim)


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple([_key(k) for k in key])
    return key.data if isinstance(key, Tensor) else key
