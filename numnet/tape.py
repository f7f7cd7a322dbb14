"""The tape: what it knows of a Tensor, how a call goes onto it, and the walk back along it.

Cython compiles this file as it stands, with the types in ``tape.pxd``.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from numpy import ndarray

from . import kernels, writes
from .arrays import Array, is_array, is_floating
from .call import Call, Formulas, this_thread, unrecorded
from .errors import BackwardError, DtypeError, NumnetError, ShapeError, describe
from .writes import noted, place_of_caller, recorded

__all__ = ["Node", "apply", "backpropagate", "expect_known", "leaf", "owned", "results_are"]

_accumulating = threading.Lock()  # two threads may walk back into the same parameter


class Node:
    """Abstract: a Tensor as the tape sees it: an array, its gradient, and the call that it came from."""

    __slots__ = ("_born", "_output", "_owns_grad", "array", "grad_array", "grad_fn", "requires_grad")

    array: Array
    grad_array: Array | None
    grad_fn: Call | None
    requires_grad: bool

    def _set(self, array: Array, requires_grad: bool, call: Call | None, output: int) -> None:
        self.array = array
        self.grad_array = None
        self.requires_grad = requires_grad
        self.grad_fn = call if requires_grad else None
        self._born = writes.latest if noted else 0  # writes up to this one went into it before it was made
        self._output = output  # which output of grad_fn this is
        self._owns_grad = False  # whether grad is an array that nobody else can hold

    def __getstate__(self) -> tuple[Array, Array | None, bool]:
        if self.grad_fn is not None:  # a copy would take the whole tape with it
            raise BackwardError("a leaf, to be copied or pickled", "a tensor on the tape", "tensor.detach()")
        return self.array, self.grad_array, self.requires_grad

    def __setstate__(self, state: tuple[Array, Array | None, bool]) -> None:
        self._set(state[0], state[2], None, 0)
        self.grad_array = state[1]

    @property
    def place(self) -> Any:
        """Where on the tape δ goes that arrives here: ``(call, output index)``, or a leaf itself."""
        return self if self.grad_fn is None else (self.grad_fn, self._output)

    @property
    def _since(self) -> int:
        """The running number of its making: a later write into its memory, by way of another tensor, is news to it."""
        return self._born if self.grad_fn is None else self.grad_fn.number

    def accumulate(self, delta: Array) -> None:
        """Add ``delta`` = ∂J/∂data to ``grad``; the first one becomes ``grad`` itself, and is not written into.

        Raises:
            ShapeError, DtypeError: it is not of the data's shape and dtype.
        """
        array = self.array
        is_plain = type(delta) is ndarray  # as almost always
        if not (is_plain or is_array(delta)) or delta.shape != array.shape or delta.dtype != array.dtype:
            raise self._misfit(delta)
        if not self.requires_grad:
            return
        with _accumulating:
            if self.grad_array is None:
                self.grad_array, self._owns_grad = delta, False
                return
            if not self._owns_grad:  # the first may be a δ that others read: a bias of x's own shape has the gradient δ
                self.grad_array, self._owns_grad = self.grad_array.copy(), True
            self.grad_array += delta

    def _misfit(self, delta: Any) -> NumnetError:
        """Why ``delta`` cannot be ∂J/∂data."""
        shape, dtype = self.array.shape, self.array.dtype
        if not is_array(delta):
            return DtypeError(f"a gradient as an array of shape {shape}", describe(delta), "np.asarray(…)")
        if delta.shape != shape:
            cure = "transpose it" if delta.shape[::-1] == shape else "sum over the axes that forward broadcast"
            return ShapeError(f"a gradient of the parameter's shape {shape}", f"shape {delta.shape}", cure)
        expected = f"a gradient of {dtype}, as the parameter is"
        return DtypeError(expected, describe(delta), "keep every array of the backward in the dtype of the input")


_result: type[Node] = Node


def results_are(kind: type[Node]) -> None:
    """What :func:`apply` returns: Tensors, whose class is defined by what it can do with :func:`apply`."""
    global _result
    _result = kind


def leaf(
    array: Array, requires_grad: bool, call: Call | None = None, output: int = 0, kind: type[Node] | None = None
) -> Any:
    """A Tensor of a plain array of numbers, of which nothing is to be converted or checked."""
    kind = _result if kind is None else kind
    made: Any = kind.__new__(kind)
    made._set(array, requires_grad, call, output)
    return made


def apply(formulas: Formulas, *inputs: Any) -> Any:
    """Run a pair of formulas on Tensors and put its Call on the tape.

    Inputs that are no Tensors are handed on as they are, and get no gradient.
    """
    return _applied(formulas, inputs)


def _applied(formulas: Formulas, inputs: tuple[Any, ...]) -> Any:
    """:func:`apply`, of which Cython can know the types: a function with ``*inputs`` has none."""
    state = this_thread.state
    arrays: tuple[Any, ...]
    needs: tuple[bool, ...]
    parents: tuple[Any, ...]
    if len(inputs) == 1 and isinstance(inputs[0], Node):  # as almost always
        x: Node = inputs[0]
        arrays, needs, parents = (x.array,), (x.requires_grad,), (x.place if x.requires_grad else None,)
    else:
        arrays = tuple([a.array if isinstance(a, Node) else a for a in inputs])
        needs = tuple([isinstance(a, Node) and a.requires_grad for a in inputs])
        parents = tuple([a.place if isinstance(a, Node) and a.requires_grad else None for a in inputs])
    if not state.recording and state.observer is None:
        result = unrecorded(formulas, arrays)
        return tuple([leaf(a, False) for a in result]) if type(result) is tuple else leaf(result, False)
    recording = state.recording and (True in needs or _trains(formulas))
    if recorded and state.recording:
        expect_known(inputs)
    call = Call(formulas, state)
    result = call._forward(arrays, needs, recording, state.observer)
    if recording:
        call.parents = parents
        if call.run is None:  # outside of any module, it is the line itself that says which call this is
            call.run = None, place_of_caller()
    if call.returns_tuple:
        return tuple([leaf(a, recording and is_floating(a), call, i) for i, a in enumerate(result)])
    return leaf(result, recording and result.dtype.kind == "f", call)


def expect_known(inputs: Iterable[Any]) -> None:
    """What goes onto the tape are the numbers that it knows.

    Raises:
        BackwardError: a recorded write went into the memory of a Tensor by way of another.
    """
    for x in inputs:
        if not isinstance(x, Node) or (x.grad_fn is None and x.requires_grad):
            continue  # of such a leaf its own gradient is wanted, whatever its numbers came from
        writes.expect_current(x.array, x._since)


def _trains(formulas: Formulas) -> bool:
    for value in vars(formulas).values():  # noqa: SIM110  # a generator would cost more than what it looks at
        if isinstance(value, Node) and value.requires_grad:
            return True
    return False


def owned(delta: Array | None, given: Iterable[Array | None]) -> Array | None:
    """``delta`` itself where nobody else holds it; a copy where it is a view, or one of those that the caller gave."""
    if delta is None or (delta.base is None and all(delta is not other for other in given)):
        return delta
    return delta.copy()


def backpropagate(origins: Sequence[tuple[Any, Array | None]], retain_graph: bool = False, lender: Any = None) -> None:
    """Walk the tape back from ``origins``: every call once, consumers before producers.

        δ(output) = Σ over its consumers of the ∂J/∂input that their backwards return

    Calls are numbered in the order of their making, so the highest number waiting has no consumer left to wait for.

    Args:
        origins: pairs of a place and the δ that starts there. A place is a leaf, which has ``accumulate``, or
            ``(call, output index)``, as in :attr:`numnet.nn.Call.parents`.
        retain_graph: keep what the forwards saved, for a further walk.
        lender: a leaf whose ``grad`` is handed on and never written into, as that of a module's input: it takes its δ
            as it comes, where that is an array of its own. Any other leaf gets a copy.
    """
    observer = this_thread.state.observer
    waiting: dict[int, tuple[Call, list[Array | None]]] = {}  # number -> the call and the δ arrived at its outputs
    numbers: list[int] = []  # a heap of the waiting numbers, negated: the highest first

    handed: Iterable[tuple[Any, Array | None]] = origins
    while True:
        for place, delta in handed:
            if place is None or delta is None:
                continue
            if not isinstance(place, tuple):  # a leaf; the δ may be a view, or others'
                if place.grad_array is None:
                    delta = owned(delta, [given for _, given in origins]) if place is lender else delta.copy()
                place.accumulate(delta)
                continue
            call, output = place
            if call.number not in waiting:
                waiting[call.number] = (call, [None] * len(call.output_shapes))
                heapq.heappush(numbers, -call.number)
            arrived = waiting[call.number][1]
            earlier = arrived[output]
            arrived[output] = delta if earlier is None else kernels.add(earlier, delta)
        if not numbers:
            return
        call, arrived = waiting.pop(-heapq.heappop(numbers))
        parents = call.parents
        result = call._backward(tuple(arrived), retain_graph, observer)
        while not numbers and len(parents) == 1 and isinstance(parents[0], tuple) and result is not None:
            call = parents[0][0]  # its only consumer, of all that are asked, was the one before
            if call.returns_tuple:
                break
            parents = call.parents
            result = call._backward((result,), retain_graph, observer)
        handed = zip(parents, result if len(parents) != 1 else (result,), strict=True)
