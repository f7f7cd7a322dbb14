"""Call: one application of one layer, and the only code that ever invokes a layer's formulas.

Because every formula runs through :class:`Call`, checking, recording and naming the place of an error are each
written once, here.

Cython compiles this file as it stands, with the types in ``call.pxd``.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy import ndarray

from . import writes
from .arrays import Array, array_module, is_array, is_floating
from .errors import BackwardError, DtypeError, NumnetError, ShapeError, describe
from .writes import Place, next_number, noted

__all__ = ["Call", "Ctx", "Formulas", "Observer", "no_grad", "observe", "set_grad_enabled"]

P = ParamSpec("P")
R = TypeVar("R")


class Formulas(Protocol):
    """The explicit pair that a call runs: every :class:`numnet.nn.Layer` and every operation on Tensors has it."""

    @property
    def forward(self) -> Callable[..., Any]:
        """``forward(ctx, *inputs)`` returns one array or a tuple of arrays."""

    @property
    def backward(self) -> Callable[..., Any]:
        """``backward(ctx, delta)`` returns ∂J/∂input: one array, or a tuple with ``None`` where there is none."""


class Ctx:
    """The notebook page of one call: what ``forward`` saved for its own ``backward``, in attributes that it names.

    Attributes:
        needs_input_grad: for each input, whether anyone asks for ∂J/∂input. ``backward`` may return ``None`` elsewhere.
        recording: whether a backward can follow. Where it is False, ``forward`` may skip work done only for it.
    """

    __slots__ = ("__dict__", "needs_input_grad", "recording")  # vars(ctx) holds the saved values alone

    needs_input_grad: tuple[bool, ...]
    recording: bool

    def __init__(self, needs_input_grad: tuple[bool, ...] = (), recording: bool = True) -> None:
        self.needs_input_grad = needs_input_grad
        self.recording = recording

    if TYPE_CHECKING:  # a layer saves what it likes

        def __setattr__(self, name: str, value: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...


class Observer(Protocol):
    """What :func:`observe` tells of every call; it must not write into the arrays."""

    def forward(self, call: Call, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> None:
        """After ``call``'s forward formula ran."""

    def backward(self, call: Call, deltas: tuple[Array | None, ...], input_deltas: tuple[Array | None, ...]) -> None:
        """After its backward formula ran, with ∂J/∂output and ∂J/∂input."""


Run: TypeAlias = tuple[Any, Place | None] | None
"""The outermost module now running, from which paths are named, and the line that called it."""


class State:
    """What belongs to a thread: every thread records, and is observed, by itself."""

    __slots__ = ("observer", "recording", "run")

    def __init__(self) -> None:
        self.recording = True
        self.observer: Observer | None = None
        self.run: Run = None


class _Thread(threading.local):
    """The way to the state of the thread that asks; a function that needs it more than once asks once."""

    def __init__(self) -> None:
        self.state = State()


this_thread = _Thread()


class set_grad_enabled:
    """Switch recording on or off in this thread, at once or for a ``with`` block (``torch.set_grad_enabled``)."""

    def __init__(self, mode: bool) -> None:
        self.state = this_thread.state
        self.previous = self.state.recording
        self.state.recording = bool(mode)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        self.state.recording = self.previous


class no_grad:
    """Record nothing in this block (``with`` or decorator): forwards keep no arrays and no backward can follow.

    As a decorator it is for functions: the body of a generator runs later, so write ``with no_grad():`` inside it.
    """

    def __enter__(self) -> None:
        self.state = this_thread.state
        self.previous, self.state.recording = self.state.recording, False

    def __exit__(self, *exception: object) -> None:
        self.state.recording = self.previous

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """``function``, every call of which records nothing."""

        @functools.wraps(function)
        def unrecorded(*args: P.args, **options: P.kwargs) -> R:
            with no_grad():
                return function(*args, **options)

        return unrecorded


@contextmanager
def observe(observer: Observer) -> Iterator[Observer]:
    """Tell ``observer`` of every call that this thread makes inside the block."""
    state = this_thread.state
    previous, state.observer = state.observer, observer
    try:
        yield observer
    finally:
        state.observer = previous


class Call:
    """One application of one layer: layer + ctx + running number.

        call = Call(layer);  z = call.forward(x);  delta_x = call.backward(delta)

    Args:
        layer: the formulas to run.
        state: of this thread; looked up if ``None``.

    Attributes:
        layer: the :class:`Formulas` that it runs.
        ctx: what forward saved; ``None`` before forward, under ``no_grad``, and once backward has run.
        number: calls are numbered in the order of their making, so that consumers come after producers.
        run: the outermost module that was running, from which :attr:`path` is named, and the line that called it.
        parents: for each input where its δ goes: a leaf Tensor, ``(call, output index)``, or ``None``. Set by the tape.
        output_shapes: one shape per output.
    """

    __slots__ = (
        "_inputs",
        "_module",
        "_output_dtypes",
        "_why_not",
        "ctx",
        "layer",
        "number",
        "output_shapes",
        "parents",
        "returns_tuple",
        "run",
    )

    def __init__(self, layer: Formulas, state: State | None = None) -> None:
        self.layer = layer
        self.ctx: Ctx | None = None
        self.number = next_number()
        self.run = (this_thread.state if state is None else state).run
        self.parents: tuple[Any, ...] = ()
        self.output_shapes: tuple[tuple[int, ...], ...] = ()
        self.returns_tuple = False
        self._inputs: tuple[tuple[Any, Any], ...] = ()  # shape and dtype of each
        self._output_dtypes: tuple[Any, ...] = ()
        self._module: Any = np
        self._why_not = "its forward has not run"

    @property
    def path(self) -> str:
        """The layer's path in the network that was running, such as ``"encoder.fc1"``; empty for the root itself."""
        if self.run is not None and self.run[0] is not None:
            for name, module in self.run[0].named_modules():
                if module is self.layer:
                    return name
        return ""

    def __repr__(self) -> str:
        path = self.path
        return f"<Call {self.number} of {type(self.layer).__name__}{f' {path!r}' if path else ''}>"

    def forward(
        self, *inputs: Any, needs_input_grad: tuple[bool, ...] | None = None, recording: bool | None = None
    ) -> Any:
        """Run the layer's forward formula.

        Args:
            inputs: what the layer takes: arrays.
            needs_input_grad: which inputs want their δ; by default every floating array.
            recording: whether to keep what the backward needs; by default unless under ``no_grad``.

        Raises:
            NumnetError: whatever the layer refuses, with its place added.
        """
        if needs_input_grad is None:
            needs_input_grad = tuple([is_array(x) and is_floating(x) for x in inputs])
        state = this_thread.state
        recording = state.recording if recording is None else recording
        return self._forward(inputs, needs_input_grad, recording, state.observer)

    def _forward(
        self, inputs: tuple[Any, ...], needs_input_grad: tuple[bool, ...], recording: bool, observer: Observer | None
    ) -> Any:
        if self.output_shapes:
            again = BackwardError("one forward for each Call", "a second forward", "make a new Call(layer)")
            raise self._located(again)
        ctx = Ctx(needs_input_grad, recording)
        try:
            result = self.layer.forward(ctx, *inputs)
            if type(result) is ndarray:  # as almost always
                self.output_shapes, self._output_dtypes = (result.shape,), (result.dtype,)
            else:
                outputs = self._outputs(result)
                result = outputs if self.returns_tuple else outputs[0]
        except Exception as error:
            self._located(error)
            raise
        if recording:
            self.ctx = ctx
            x = inputs[0] if len(inputs) == 1 else None
            if type(x) is ndarray:  # as almost always
                self._inputs = ((x.shape, x.dtype),)
            else:
                self._inputs = tuple(
                    [(x.shape, x.dtype) if type(x) is ndarray else _shape_and_dtype(x) for x in inputs]
                )
        else:
            self._why_not = "nothing was recorded: its forward ran under no_grad, or nothing in it requires a gradient"
        if observer is not None:
            observer.forward(self, inputs, result if self.returns_tuple else (result,))
        return result

    def backward(self, delta: Any = None, retain_graph: bool = False) -> Any:
        """Run the layer's backward formula: adds to each parameter's ``grad``, returns ∂J/∂input.

        Args:
            delta: δ = ∂J/∂output, of the output's shape and dtype; a tuple, ``None`` meaning zero, if the layer
                has several outputs; 1 if it is left out and the output is a single number.
            retain_graph: keep what forward saved, for a further backward.

        Returns:
            One array, or a tuple with one entry for each input if there are several inputs.

        Raises:
            BackwardError: no forward before, or a second backward.
            ShapeError, DtypeError: δ, or what the layer returns, does not fit.
        """
        if self.ctx is None:
            raise self._used_up()
        return self._backward(self._deltas(delta), retain_graph, this_thread.state.observer)

    def _backward(self, deltas: tuple[Array | None, ...], retain_graph: bool, observer: Observer | None) -> Any:
        """:meth:`backward` with a δ for every output, each known to fit."""
        ctx = self.ctx
        if ctx is None:
            raise self._used_up()
        if noted and self.number < writes.latest:
            self._expect_unwritten()
        try:
            result = self.layer.backward(ctx, deltas if self.returns_tuple else deltas[0])
            input_deltas = self._input_deltas(result)
        except Exception as error:
            self._located(error, "backward")
            raise
        if not retain_graph:
            self.free("its backward has run already and freed what forward saved")
        if observer is not None:
            observer.backward(self, deltas, input_deltas)
        return input_deltas if len(input_deltas) != 1 else input_deltas[0]

    def _used_up(self) -> Exception:
        error = BackwardError("a recorded forward to go back through", self._why_not, self._cure())
        return self._located(error, "backward")

    def _expect_unwritten(self) -> None:
        try:
            writes.expect_unwritten(self)
        except BackwardError as error:
            self._located(error, "backward")
            raise

    def free(self, why: str) -> None:
        """Let go of everything that forward saved; ``why`` is what a later backward is told."""
        self.ctx = None
        self.parents = ()
        self._why_not = why

    def _cure(self) -> str:
        if "already" in self._why_not:
            return "run forward again before each backward, or pass retain_graph=True to all but the last"
        return "run forward, outside of no_grad, before backward"

    def _outputs(self, result: Any) -> tuple[Array, ...]:
        """What forward returned, checked, as a tuple."""
        if isinstance(result, np.generic):  # NumPy's scalars are the arrays without axes that they came from
            result = np.asarray(result)
            self.output_shapes, self._output_dtypes = ((),), (result.dtype,)
            return (result,)
        self.returns_tuple = isinstance(result, tuple)
        outputs = _as_arrays(result)
        if not outputs or not all(map(is_array, outputs)):
            cure = "return arrays, and several as a tuple; of a Parameter or a Tensor take .data"
            cure = "end forward with `return`" if result is None else cure
            raise DtypeError("forward to return an array or a tuple of arrays", describe(result), cure)
        self.output_shapes = tuple([a.shape for a in outputs])
        self._output_dtypes = tuple([a.dtype for a in outputs])
        self._module = array_module(outputs[0])
        return outputs

    def _deltas(self, delta: Any) -> tuple[Array | None, ...]:
        """δ of each output, checked against the outputs of forward."""
        shapes, dtypes = self.output_shapes, self._output_dtypes
        if type(delta) is ndarray and len(shapes) == 1 and delta.shape == shapes[0] and delta.dtype is dtypes[0]:
            return (delta,)  # as almost always
        if delta is None and len(shapes) == 1:
            if math.prod(shapes[0]) != 1:
                raise self._located(missing_delta(shapes[0]), "backward")
            return (self._module.asarray(1, dtypes[0]).reshape(shapes[0]),)
        deltas = _as_arrays(delta)
        if len(deltas) != len(shapes):
            raise self._located(miscounted_deltas(len(shapes), len(deltas)), "backward")
        for d, shape, dtype in zip(deltas, shapes, dtypes, strict=True):
            if d is None or (is_array(d) and d.shape == shape and d.dtype == dtype):
                continue
            raise self._located(delta_misfit(d, shape, dtype), "backward")
        return deltas

    def _input_deltas(self, result: Any) -> tuple[Array | None, ...]:
        """∂J/∂input for each input, checked: the mistakes of a backward pass written tonight are named here."""
        inputs = self._inputs
        if type(result) is ndarray and len(inputs) == 1:
            shape, dtype = inputs[0]
            if result.shape == shape and result.dtype is dtype:  # as almost always
                return (result,)
        if isinstance(result, tuple) and len(result) == len(inputs) and all(map(_may_be_delta, result, inputs)):
            return result
        deltas = _as_arrays(result) if inputs or result is not None else ()
        if len(deltas) != len(inputs):
            expected = f"backward to return {len(inputs)} values, ∂J/∂input for each input"
            raise ShapeError(expected, f"{len(deltas)}", "return None for an input that has no gradient")
        for d, (shape, dtype) in zip(deltas, inputs, strict=True):
            if d is not None and (not is_array(d) or d.shape != shape or d.dtype != dtype):
                raise _misfit(d, shape, dtype)
        if result is None and len(inputs) == 1 and self.ctx is not None and self.ctx.needs_input_grad[0]:
            cure = "end backward with `return` and ∂J/∂input"
            raise DtypeError("backward to return ∂J/∂input", "None", cure)
        return deltas

    def _located(self, error: Exception, direction: str = "forward") -> Exception:
        """``error`` with the place where it happened: innermost call, path in the network."""
        path = self.path
        place = f"{type(self.layer).__name__}{f' {path!r}' if path else ''}, {direction}"
        if isinstance(error, AttributeError) and isinstance(error.obj, Ctx):
            saved = sorted(vars(error.obj)) or "nothing"
            error.args = (f"forward saved no {error.name!r} on its ctx; it saved {saved}",)
        if not isinstance(error, NumnetError):
            error.add_note(f"in {place} of {self.layer!r}")
            if direction == "backward" and isinstance(error, TypeError) and "'NoneType'" in str(error):
                error.add_note("a grad is None until the first backward; parameter.accumulate(…) adds in either case")
        elif not error.where:
            error.where = f"{place} of {self.layer!r}"
        return error


def with_or_without_ctx(formula: Callable[..., Any], outside: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is the ``formula`` as ``backward(ctx, delta)``, and ``outside`` as ``backward(delta)``."""

    @functools.wraps(formula)
    def backward(self: Any, ctx: Any = None, delta: Any = None) -> Any:
        if isinstance(ctx, Ctx):
            return formula(self, ctx, delta)
        return outside(self, ctx if delta is None else delta)

    return backward


def unrecorded(layer: Formulas, inputs: tuple[Any, ...]) -> Any:
    """What forward returns where nothing is recorded and nobody observes: only an error then needs a Call.

    Raises:
        NumnetError: whatever the layer refuses, with its place added.
    """
    try:
        result = layer.forward(Ctx((False,) * len(inputs), False), *inputs)
        if type(result) is ndarray or (type(result) is tuple and _are_plain(result)):  # as almost always
            return result
        call = Call(layer)
        outputs = call._outputs(result)
    except Exception as error:
        Call(layer)._located(error)
        raise
    return outputs if call.returns_tuple else outputs[0]


def _are_plain(outputs: tuple[Any, ...]) -> bool:
    for a in outputs:  # a generator would cost more than what it looks at
        if type(a) is not ndarray:
            return False
    return len(outputs) > 0


def _may_be_delta(delta: Any, shape_and_dtype: tuple[Any, Any]) -> bool:
    return delta is None or (type(delta) is ndarray and (delta.shape, delta.dtype) == shape_and_dtype)


def _shape_and_dtype(x: Any) -> tuple[Any, Any]:
    return getattr(x, "shape", None), getattr(x, "dtype", None)


def missing_delta(shape: tuple[int, ...]) -> NumnetError:
    """Why a backward from an output of this shape cannot do without δ."""
    expected = f"delta = ∂J/∂output of shape {shape}, since the output is not a single number"
    return BackwardError(expected, "backward() without an argument", "pass what loss.backward() returned")


def miscounted_deltas(outputs: int, deltas: int) -> NumnetError:
    """Why so many deltas cannot be those of so many outputs."""
    cure = "give each output its delta, with None for one that has no part in J"
    return ShapeError(f"{outputs} deltas, one for each output, as a tuple", f"{deltas}", cure)


def delta_misfit(delta: Any, shape: tuple[int, ...], dtype: Any) -> NumnetError:
    """Why ``delta`` cannot be ∂J/∂output for an output of this shape and dtype."""
    if not is_array(delta) or delta.dtype != dtype:
        cure = f"delta.astype(np.{dtype})" if is_array(delta) else f"np.asarray(delta, dtype=np.{dtype})"
        if isinstance(delta, (int, float)):
            cure = f"np.full({shape}, {delta}, np.{dtype})"
        return DtypeError(f"delta as an array of {dtype}, as the output is", describe(delta), cure)
    cure = "delta is ∂J/∂output: one number for each number that forward returned"
    return ShapeError(f"delta of the output's shape {shape}", f"delta of shape {delta.shape}", cure)


def _misfit(delta: Any, shape: tuple[int, ...], dtype: Any) -> NumnetError:
    """Why ``delta`` cannot be ∂J/∂input for an input of this shape and dtype."""
    if not is_array(delta):
        return DtypeError("backward to return arrays", describe(delta), "return ∂J/∂input as an array")
    if delta.shape != shape:
        cure = "transpose it" if delta.shape[::-1] == shape else "sum over what forward broadcast, undo its reshape"
        return ShapeError(f"∂J/∂input of the input's shape {shape}", f"shape {delta.shape}", cure)
    cure = "keep every array of the backward in the dtype of the input; return None for an input of integers"
    return DtypeError(f"∂J/∂input of {dtype}, as the input is", describe(delta), cure)


def _as_arrays(value: Any) -> tuple[Any, ...]:
    """``value`` as a tuple of plain arrays; NumPy's scalars are the arrays without axes that they came from."""
    if type(value) is ndarray:
        return (value,)
    values = value if isinstance(value, tuple) else (value,)
    for v in values:
        if isinstance(v, (np.generic, np.ndarray)) and type(v) is not ndarray:
            return tuple([np.asarray(v) if isinstance(v, (np.generic, np.ndarray)) else v for v in values])
    return values
