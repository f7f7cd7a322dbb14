"""Tensor: an array that remembers the Call it came from. The thin tape, and the walk back along it."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import operations as ops
from .arrays import Array, array_module, is_array, is_floating
from .call import Call, Formulas, state
from .errors import BackwardError, DtypeError, ShapeError, describe

__all__ = ["Parameter", "Tensor", "Variable", "apply", "tensor"]

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
        DtypeError: ``requires_grad`` for integers.
    """

    __slots__ = ("__weakref__", "_output", "data", "grad", "grad_fn", "requires_grad")
    __array_ufunc__ = None  # so that `array + tensor` asks the tensor

    data: Array
    grad: Array | None
    grad_fn: Call | None

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self.data = _as_array(data)
        if requires_grad and not is_floating(self.data):
            raise DtypeError("floating-point numbers, where a gradient is wanted", describe(self.data), "x.astype(float)")
        self.grad = None
        self.requires_grad = requires_grad
        self.grad_fn = None
        self._output = 0  # which output of grad_fn this is

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
            gradient = np.ones(self.shape, self.dtype)
        elif isinstance(gradient, Tensor):
            gradient = gradient.data
        else:
            gradient = array_module(self.data).asarray(gradient, self.dtype)
        if gradient.shape != self.shape:
            raise ShapeError(f"gradient of this tensor's shape {self.shape}", f"shape {gradient.shape}")
        backpropagate([self], [gradient], retain_graph)

    def accumulate(self, delta: Array) -> None:
        """Add ``delta`` = ∂J/∂data to ``grad``; the first one becomes ``grad``, so hand over an array of your own.

        Raises:
            ShapeError, DtypeError: it is not of the data's shape and dtype.
        """
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
                self.grad = delta
            else:
                self.grad += delta

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch ``requires_grad``; returns itself."""
        if requires_grad and not is_floating(self.data):
            raise DtypeError("floating-point numbers, where a gradient is wanted", describe(self.data), "x.astype(float)")
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
    def is_leaf(self) -> bool:
        """Whether no recorded Call made it."""
        return self.grad_fn is None

    def numpy(self) -> Array:
        """The array itself, sharing memory. Raises BackwardError if it is on the tape: ``detach()`` first."""
        if self.requires_grad:
            raise BackwardError(
                "a tensor off the tape", "one with requires_grad=True", "tensor.detach().numpy(), or tensor.data"
            )
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The single number as Python's own."""
        if self.data.size != 1:
            raise ShapeError("a tensor of a single number", f"shape {self.shape}", "index it, or reduce it first")
        return self.data.item()

    def tolist(self) -> Any:
        """Nested Python lists."""
        return self.data.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

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

    # ------------------------------------------------------------------ operations

    def __add__(self, other: Any) -> Tensor:
        return apply(ops.Add(), self, _operand(other, self))

    def __mul__(self, other: Any) -> Tensor:
        return apply(ops.Multiply(), self, _operand(other, self))

    def __matmul__(self, other: Any) -> Tensor:
        return apply(ops.MatMul(), self, _operand(other, self))

    def sum(self, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
        """Σ over ``dim``, or over everything."""
        return apply(ops.Sum(_axes(dim), keepdim), self)

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """The same numbers in another shape; one axis may be -1."""
        return apply(ops.Reshape(_sizes(shape)), self)

    def __getitem__(self, key: Any) -> Tensor:
        return apply(ops.Index(_key(key)), self)

    __radd__ = __add__
    __rmul__ = __mul__


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
    needs = tuple([isinstance(x, Tensor) and x.requires_grad for x in inputs])
    recording = state.recording and (any(needs) or _trains(formulas))
    call = Call(formulas)
    arrays = [x.data if isinstance(x, Tensor) else x for x in inputs]
    outputs = call.forward(*arrays, needs_input_grad=needs, recording=recording)
    if recording:
        call.parents = tuple([_parent(x) if need else None for x, need in zip(inputs, needs, strict=True)])
    if not call.returns_tuple:
        return _made(outputs, call, 0, recording)
    return tuple([_made(a, call, i, recording) for i, a in enumerate(outputs)])


def backpropagate(outputs: Sequence[Tensor], deltas: Sequence[Array | None], retain_graph: bool = False) -> None:
    """Walk the tape back from ``outputs``: every call once, consumers before producers.

    Calls are numbered in the order of their making, so the highest number waiting has no consumer left. δ that
    reaches an output by several ways is added up, in the order of the walk.
    """
    waiting: dict[int, tuple[Call, list[Array | None]]] = {}
    numbers: list[int] = []  # a heap of negated call numbers

    def hand(parent: Any, delta: Array) -> None:
        if isinstance(parent, Tensor):
            parent.accumulate(delta.copy() if parent.grad is None else delta)
            return
        call, output = parent
        if call.number not in waiting:
            waiting[call.number] = (call, [None] * len(call.output_shapes))
            heapq.heappush(numbers, -call.number)
        arrived = waiting[call.number][1]
        arrived[output] = delta if arrived[output] is None else arrived[output] + delta

    for tensor_, delta in zip(outputs, deltas, strict=True):
        if delta is not None and tensor_.requires_grad:
            hand(_parent(tensor_), delta)
    while numbers:
        call, arrived = waiting.pop(-heapq.heappop(numbers))
        parents = call.parents
        result = call.backward(tuple(arrived) if call.returns_tuple else arrived[0], retain_graph)
        input_deltas = result if len(parents) != 1 else (result,)
        for parent, delta in zip(parents, input_deltas, strict=False):
            if parent is not None and delta is not None:
                hand(parent, delta)


def _parent(x: Tensor) -> Any:
    return x if x.grad_fn is None else (x.grad_fn, x._output)


def _made(array: Array, call: Call, output: int, recording: bool) -> Tensor:
    made = Tensor(array)
    if recording and is_floating(array):
        made.requires_grad = True
        made.grad_fn = call
        made._output = output
    return made


def _trains(formulas: Formulas) -> bool:
    return any(isinstance(value, Parameter) and value.requires_grad for value in vars(formulas).values())


def _as_array(data: Any) -> Array:
    if is_array(data):
        return data
    if isinstance(data, Tensor):
        return data.data
    array = np.asarray(data)
    if array.dtype == object or array.dtype.kind in "USO":
        raise DtypeError("numbers", describe(data), "pass an array, a number, or nested lists of equal lengths")
    return array.astype(np.float32) if array.dtype == np.float64 and not isinstance(data, np.generic) else array


def _operand(other: Any, like: Tensor) -> Any:
    """The other side of an operator: a Python number takes the tensor's dtype."""
    if isinstance(other, (bool, int, float)):
        dtype = like.dtype if is_floating(like.data) or not isinstance(other, float) else np.float32
        return array_module(like.data).asarray(other, dtype)
    return other if isinstance(other, Tensor) else _as_array(other)


def _axes(dim: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    return dim if dim is None or isinstance(dim, int) else tuple(dim)


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_key(k) for k in key)
    return key.data if isinstance(key, Tensor) else key
