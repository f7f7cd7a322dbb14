"""Module: anything with parameters that can be called; its backward walks the record of what it called in reverse."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy import ndarray

from ..arrays import Array, array_module, as_dtype, is_array, is_floating
from ..call import Call, State, delta_misfit, miscounted_deltas, missing_delta, this_thread
from ..errors import BackwardError, DtypeError, Misprint, NumnetError, StateDictError, describe
from ..kernels import gpu
from ..nested import flatten, unflatten
from ..tape import backpropagate, leaf, owned
from ..tensor import Parameter, Tensor
from ..writes import place_of_caller

__all__ = ["Module"]


_Record: TypeAlias = tuple[tuple[Any, ...], tuple[Tensor, ...]] | Call
"""What a call with plain arrays leaves behind: the two ends of its tape, inputs and outputs; of a layer its Call."""


class _Latest(threading.local):
    """The latest call of one module with plain arrays, in this thread; or why there is none to go back through."""

    record: _Record | str = "no call in this thread"


def _holds_tensor(values: Iterable[Any]) -> bool:
    for x in values:  # noqa: SIM110  # a generator would cost more than what it looks at
        if isinstance(x, Tensor) or (isinstance(x, tuple) and _holds_tensor(x)):
            return True
    return False


class LoadResult(NamedTuple):
    """What :meth:`Module.load_state_dict` with ``strict=False`` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base of everything with parameters, as ``torch.nn.Module``.

    A subclass assigns parameters and children to attributes and writes ``forward(self, *inputs)`` with Tensors; it
    needs no backward of its own. Children are the attributes that are Modules, parameters those that are
    :class:`Parameter`, buffers (arrays that are saved but not trained) those named by :meth:`register_buffer`.

    Called with plain arrays, a module returns plain arrays and keeps its latest call, so that
    :meth:`backward` works; it differentiates in the inputs given by position, not in those given by name. Called
    with a Tensor, it returns a Tensor.
    """

    training: bool = True
    """True between :meth:`train` and :meth:`eval`: dropout drops, batch norm uses the batch's statistics."""

    input_delta: bool = True
    """Whether :meth:`backward` returns ∂J/∂input.

    ``net.input_delta = False`` says of a whole network that its input is data, of which nobody asks it. The first
    layer then leaves out the product that it would take; all other numbers are the same, and backward returns ``None``.
    """

    forward: Callable[..., Any]
    """``forward(self, *inputs)``, written by the subclass."""

    _buffers: tuple[str, ...] = ()
    _transient: tuple[str, ...] = ()  # those of the buffers that are in no state dict

    # vars(module) holds settings, parameters and children alone
    __slots__ = ("__dict__", "__weakref__", "_arguments", "_latest")

    _latest: _Latest
    _arguments: tuple[tuple[Any, ...], dict[str, Any]] | None  # what the constructor got, which a file of it holds

    def __new__(cls, *args: Any, **options: Any) -> Self:
        module = super().__new__(cls)
        module._latest = _Latest()
        module._arguments = args, options
        return module

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a copy gets, which starts without a latest call."""
        arguments = self._arguments
        if arguments is not None and any(isinstance(a, Iterator) for a in (*arguments[0], *arguments[1].values())):
            arguments = None  # used up, and not to be copied
        return vars(self).copy(), {"_arguments": arguments}

    state_dic = Misprint()
    load_state_dic = Misprint()

    # ------------------------------------------------------------------ calling

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        state = this_thread.state
        if state.run is not None:
            if inputs and type(inputs[0]) is Tensor:  # as almost always inside another module
                return self._run(*inputs, **options) if options else self._run(*inputs)
            return self._call(inputs, options, state)
        state.run = self, place_of_caller() if state.recording else None
        try:
            return self._call(inputs, options, state)
        finally:
            state.run = None

    def _call(self, inputs: tuple[Any, ...], options: dict[str, Any], state: State) -> Any:
        if _holds_tensor(inputs) or (options and _holds_tensor(options.values())):
            return self._run(*inputs, **options)
        latest = self._latest
        latest.record = "a call that ended in an error"
        wanted = state.recording and self.input_delta
        leaves = tuple([self._leaf(i, x, wanted and self._differentiates(i)) for i, x in enumerate(inputs)])
        options = {name: Tensor(x) if is_array(x) else x for name, x in options.items()} if options else options
        result = self._run(*leaves, **options)
        if type(result) is Tensor:  # as almost always: nothing to take apart
            latest.record = (leaves, (result,)) if state.recording else "a call under no_grad"
            return result.array
        outputs = tuple([y for y in flatten(result) if y is not None])  # an output may be left out, as PyTorch's are
        if not outputs or not all(isinstance(y, Tensor) for y in outputs):
            cure = "end forward with `return`" if result is None else "return what the layers returned"
            error = DtypeError("forward to return a Tensor or a tuple of Tensors", describe(result), cure)
            error.where = f"{type(self).__name__}, forward"
            raise error
        latest.record = (leaves, outputs) if state.recording else "a call under no_grad"
        return unflatten(result, [None if y is None else y.array for y in flatten(result)])

    def _leaf(self, position: int, x: Any, wanted: bool) -> Any:
        """The array ``x`` as the start of a tape, its δ ``wanted`` or not; every array of a tuple."""
        if type(x) is ndarray and x.dtype.kind in "fiub":
            return leaf(x, wanted and x.dtype.kind == "f")
        if isinstance(x, tuple) and x:
            return tuple([self._leaf(position, part, wanted) for part in x])
        if not is_array(x):
            if x is None:
                return None
            numbers = isinstance(x, (list, tuple, float, int))
            cure = "np.asarray(x, dtype=np.float32), or np.int64 for labels" if numbers else "pass an array of numbers"
            error = DtypeError("arrays or Tensors as inputs", describe(x), cure)
            error.where = f"{type(self).__name__}, input {position}"
            raise error
        try:
            return Tensor(x, requires_grad=wanted and is_floating(x))
        except DtypeError as error:
            error.where = f"{type(self).__name__}, input {position}"
            raise

    def _differentiates(self, position: int) -> bool:
        """Whether :meth:`backward` returns ∂J/∂(input at ``position``)."""
        return True

    def _run(self, *inputs: Any, **options: Any) -> Any:
        return self.forward(*inputs, **options)

    def backward(self, delta: Any = None) -> Any:
        """Go back through the latest call with plain arrays: adds to every parameter's ``grad``.

        Args:
            delta: δ = ∂J/∂output, an array of the output's shape (a tuple if there are several outputs, nested as
                they are or flat, with ``None`` for zero); 1 if it is left out and the output is a single number, as a
                loss is.

        Returns:
            ∂J/∂input; a tuple, nested as the inputs were and with ``None`` for labels and indices, if it is
            differentiable in several inputs. ``None`` where :attr:`input_delta` is False.

        Raises:
            BackwardError: no call to go back through. A call can be gone back through once.
            ShapeError, DtypeError: ``delta`` does not fit the output.
        """
        latest = self._latest
        record = latest.record
        if isinstance(record, str):
            error: NumnetError = BackwardError(
                "a call with plain arrays, in this thread and outside of no_grad, to go back through",
                record,
                "call the module on an array before each backward; with Tensors, call backward on the loss instead",
            )
            error.where = f"{type(self).__name__}, backward"
            raise error
        if isinstance(record, Call):
            return self._back_through(record, delta)
        inputs, outputs = record
        if delta is None and len(outputs) == 1 and outputs[0].array.size == 1:
            J = outputs[0].array
            delta = array_module(J).asarray(1, J.dtype).reshape(J.shape)
        try:
            origins = self._origins(outputs, tuple(flatten(delta)) if isinstance(delta, tuple) else (delta,))
        except NumnetError as error:  # nothing has been touched: the right delta may follow
            error.where = f"{type(self).__name__}, backward"
            raise
        latest.record = "a call whose backward has run already"
        if not self.input_delta:
            backpropagate(origins)
            return None
        asked = [x for x in flatten(inputs) if isinstance(x, Tensor) and x.requires_grad]
        if len(asked) == 1:
            backpropagate(origins, lender=asked[0])
            return asked[0].grad_array
        backpropagate(origins)
        return unflatten(inputs, [x.grad_array if isinstance(x, Tensor) else None for x in flatten(inputs)])

    def _back_through(self, call: Call, delta: Any) -> Any:
        """:meth:`backward` where a Call is the whole tape."""
        needs = call.ctx.needs_input_grad if call.ctx is not None else ()
        given = call._deltas(delta)  # what does not fit is refused before anything is touched: the right δ may follow
        self._latest.record = "a call whose backward has run already"
        result = call._backward(given, False, this_thread.state.observer)
        deltas = result if len(needs) != 1 else (result,)
        if needs.count(True) == 1:
            return owned(deltas[needs.index(True)], given)
        if not self.input_delta:
            return None
        return tuple([d.copy() if needed and d is not None else None for d, needed in zip(deltas, needs, strict=True)])

    @staticmethod
    def _origins(outputs: tuple[Tensor, ...], deltas: tuple[Any, ...]) -> list[tuple[Any, Any]]:
        """The places on the tape where the deltas start, each with its δ, checked."""
        if len(deltas) != len(outputs):
            raise miscounted_deltas(len(outputs), len(deltas))
        origins = []
        for y, delta in zip(outputs, deltas, strict=True):
            if delta is None and len(outputs) == 1:
                raise missing_delta(y.shape)
            array = y.array
            if delta is not None and not (
                is_array(delta) and delta.shape == array.shape and delta.dtype == array.dtype
            ):
                raise delta_misfit(delta, y.shape, y.dtype)
            if y.requires_grad:
                origins.append((y.place, delta))
        return origins

    # ------------------------------------------------------------------ parts

    def register_buffer(self, name: str, value: Array | None, persistent: bool = True) -> None:
        """Make ``value`` an attribute that moves with the module and, if ``persistent``, is in its state dict."""
        setattr(self, name, value)
        if name not in self._buffers:
            self._buffers = (*self._buffers, name)
        transient = [other for other in self._transient if other != name]
        self._transient = tuple(transient if persistent else [*transient, name])

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The Modules among the attributes, in the order of their assignment."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        """The direct children."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module (as ``prefix``) and everything inside it, with its path; a shared one once, by its first path."""
        seen: set[int] = set()

        def walk(module: Module, path: str) -> Iterator[tuple[str, Module]]:
            if remove_duplicate and id(module) in seen:
                return
            seen.add(id(module))
            yield path, module
            for name, child in module.named_children():
                yield from walk(child, f"{path}.{name}" if path else name)

        return walk(self, prefix)

    def modules(self) -> Iterator[Module]:
        """This module and everything inside it."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its path, such as ``"encoder.fc1.weight"``; a shared one once, by its first path."""
        seen: set[int] = set()
        for path, module in self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]:
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, as an optimiser takes them.

        Warns:
            UserWarning: modules or parameters in a plain list or dict, which are found nowhere.
        """
        if hidden := list(self._hidden()):
            cure = "hold them in nn.ModuleList, nn.ModuleDict, nn.ParameterList or nn.ParameterDict"
            places = ", ".join(hidden)
            warnings.warn(f"not trained and not saved, because in a plain list or dict: {places}; {cure}", stacklevel=2)
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def _hidden(self) -> Iterator[str]:
        """Where a plain list or dict begins with a module or parameter that is no attribute of any module inside."""
        firsts = []
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, (list, tuple, dict)) and value:
                    first = next(iter(value.values() if isinstance(value, dict) else value))
                    if isinstance(first, (Module, Parameter)):
                        firsts.append((f"{path}.{name}" if path else name, first))
        if firsts:
            found = {id(part) for part in (*self.modules(), *(p for _, p in self.named_parameters()))}
            yield from (place for place, first in firsts if id(first) not in found)

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Array]]:
        """Every buffer with its path, such as ``"norm.running_mean"``."""
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            for name in module._buffers:
                if getattr(module, name, None) is not None:
                    yield f"{path}.{name}" if path else name, getattr(module, name)

    def buffers(self, recurse: bool = True) -> Iterator[Array]:
        """Every buffer."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, path: str) -> Module:
        """The module at ``path``, such as ``"encoder.fc1"``. Raises AttributeError if there is none."""
        module: Module = self
        for name in path.split(".") if path else []:
            child = vars(module).get(name)
            if not isinstance(child, Module):
                known = [n for n, _ in module.named_children()]
                raise AttributeError(f"{type(module).__name__} has no child {name!r} (of {path!r}); it has {known}")
            module = child
        return module

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every module inside, children first, then on this one; returns itself."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # ------------------------------------------------------------------ modes

    def train(self, mode: bool = True) -> Self:
        """Set training mode here and in everything inside; returns itself."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode: dropout keeps everything, batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze or thaw every parameter; returns itself."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Let the next backward start from zero: every ``grad`` becomes ``None``, or zeros if not ``set_to_none``."""
        for _, parameter in self.named_parameters():  # every step: without the search for what hides
            parameter.grad_array = None if set_to_none or parameter.grad_array is None else 0 * parameter.grad_array

    # ------------------------------------------------------------------ dtype and device

    def _convert(self, convert: Callable[[Array], Array]) -> Self:
        for parameter in self.parameters():
            parameter.array = convert(parameter.array)
            if parameter.grad_array is not None:
                parameter.grad = convert(parameter.grad_array)
        for module in self.modules():
            for name in module._buffers:
                buffer = getattr(module, name, None)
                if buffer is not None:
                    setattr(module, name, convert(buffer))
        return self

    def to(self, target: Any) -> Self:
        """Move to a device (``"cpu"``, ``"cuda"``) or to a floating dtype (``np.float64``); returns itself.

        Raises:
            DtypeError: neither a device nor a floating dtype. MissingExtraError: a GPU without CuPy.
        """
        if target == "cpu":
            return self._convert(gpu.to_cpu)
        if isinstance(target, str) and target.split(":")[0] == "cuda":
            number = target.partition(":")[2]
            return self._convert(lambda a: gpu.to_gpu(a, int(number) if number else None))
        dtype = as_dtype(target)
        if dtype.kind != "f":
            raise DtypeError("a device or a floating dtype", describe(target), 'net.to("cuda"), net.to(np.float64)')
        return self._convert(lambda a: a.astype(dtype) if is_floating(a) else a)

    def double(self) -> Self:
        """Parameters and buffers in float64, for gradient checks."""
        return self.to(np.float64)

    def float(self) -> Self:
        """Parameters and buffers in float32."""
        return self.to(np.float32)

    # ------------------------------------------------------------------ state

    def state_dict(self, prefix: str = "") -> dict[str, Array]:
        """A copy of every parameter and buffer by path; names are PyTorch's.

        What is shared is one array here too, under each of its paths, and so once in a file of it.
        """
        arrays: dict[str, Array] = {}
        copies: dict[int, Array] = {}
        for path, module in self.named_modules(prefix.removesuffix("."), remove_duplicate=False):
            for name, array in module._own_arrays():
                if id(array) not in copies:
                    copies[id(array)] = array.copy()
                arrays[f"{path}.{name}" if path else name] = copies[id(array)]
        return arrays

    def _own_arrays(self) -> Iterator[tuple[str, Array]]:
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value.array
        for name in self._buffers:
            array = getattr(self, name, None)
            if array is None or name in self._transient:
                continue
            if not is_array(array):  # arithmetic makes a number of an array without axes, and loading writes into it
                array = np.asarray(array)
                setattr(self, name, array)
            yield name, array

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Copy values into parameters and buffers in place; all of them or, on an error, none.

        Args:
            state_dict: arrays (or CPU tensors of PyTorch's) by path.
            strict: whether keys must match exactly.

        Returns:
            ``(missing_keys, unexpected_keys)``, both empty if ``strict``.

        Raises:
            StateDictError: missing or unexpected keys, or shapes that differ, all of them listed.
        """
        targets: dict[str, Array] = {}
        for path, module in self.named_modules(remove_duplicate=False):
            for name, array in module._own_arrays():
                targets[f"{path}.{name}" if path else name] = array
        missing = [key for key in targets if key not in state_dict]
        unexpected = [key for key in state_dict if key not in targets]
        values = {key: np.asarray(state_dict[key]) for key in targets if key in state_dict}
        wrong = [f"{k} {v.shape} for {targets[k].shape}" for k, v in values.items() if v.shape != targets[k].shape]
        faults = [f"shapes {', '.join(wrong)}"] if wrong else []
        if strict:
            faults += [f"missing keys {', '.join(missing)}"] if missing else []
            faults += [f"unexpected keys {', '.join(unexpected)}"] if unexpected else []
        if faults:
            raise StateDictError(
                f"the keys and shapes of this {type(self).__name__}",
                "; ".join(faults),
                "build the same network first" + ("" if wrong else ", or pass strict=False to load what matches"),
            )
        for key, value in values.items():
            targets[key][...] = array_module(targets[key]).asarray(value)
        return LoadResult(missing, unexpected)

    # ------------------------------------------------------------------ text

    def extra_repr(self) -> str:
        """The settings that ``print`` shows between the parentheses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        if not children:
            return f"{type(self).__name__}({extra})"
        lines = ([extra] if extra else []) + children
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"
