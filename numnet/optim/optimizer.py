"""Optimizer: what turns gradients into steps, and remembers what it needs for the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from ..arrays import Array, array_module, is_array, is_floating
from ..call import set_grad_enabled
from ..errors import DtypeError, Misprint, OptionError, StateDictError, describe
from ..tensor import Tensor

__all__ = ["Optimizer", "evaluated", "expect_alike", "expect_at_least_zero", "expect_betas", "remembered"]

OF_SCHEDULES = {"initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum"}  # they write these into a group


class Optimizer:
    """Abstract: parameters in groups with options of their own, and an array or two of memory for each parameter.

    A subclass gives :meth:`_check` for the options and :meth:`_update` for the formula of one parameter; or
    :meth:`_step`, where all parameters are one.

    Args:
        params: parameters, as ``net.parameters()`` gives them, or a list of groups: dictionaries with ``"params"`` and
            whatever options differ from ``defaults``.
        defaults: the value of every option, for groups that do not give their own.

    Attributes:
        param_groups: one dictionary a group: ``"params"``, a list, and every option. Schedules change ``"lr"`` in here.
        state: for each parameter that has been stepped, its memory by name, as in PyTorch.
        has_stepped: whether ``step`` was ever called, which schedules ask.

    Raises:
        OptionError: no parameters, one of them twice, an option that does not exist or cannot be.
        DtypeError: something that is no parameter.
    """

    _numbers: ClassVar[Mapping[str, type]] = {"step": int}  # what a memory holds besides arrays

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.has_stepped = False
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        if isinstance(params, (Tensor, Mapping)):
            raise DtypeError("a list of parameters, or of groups", describe(params), "put it into a list")
        try:
            groups = list(params)
        except TypeError:
            raise DtypeError("parameters, as a list or an iterator", describe(params), "net.parameters()") from None
        if not groups:
            cure = "give the network a layer with parameters; call net.parameters() anew, for one loop uses it up"
            raise OptionError("at least one parameter", "none", cure)
        for group in groups if isinstance(groups[0], Mapping) else [{"params": groups}]:
            self.add_param_group(group)

    # ------------------------------------------------------------------ what a subclass writes

    def _check(self, options: dict[str, Any]) -> None:
        """Raise OptionError for what an option cannot be."""
        raise NotImplementedError

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        """Step one parameter, whose gradient is ``delta``, in place; ``state`` is empty the first time."""
        raise NotImplementedError

    def _memory_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one array of the memory of a parameter of this shape."""
        return shape

    # ------------------------------------------------------------------ use

    zeros = Misprint()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that requires a gradient and has one.

        Args:
            closure: a function without arguments that computes J and its gradients anew; called first.

        Returns:
            What the closure returned; ``None`` without one.

        Raises:
            DtypeError: parameters changed dtype or device after the first step, and the memory did not.
        """
        self.has_stepped = True
        return self._step(closure)

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        """Call the closure, update every parameter that moves, return what the closure returned."""
        J = None if closure is None else evaluated(closure)
        state = self.state
        moving = []
        for group in self.param_groups:
            for p in group["params"]:
                delta = p.grad_array
                if delta is None or not p.requires_grad:
                    continue
                memory = state.get(p)
                if memory is None:
                    memory = state[p] = {}
                elif memory:
                    expect_alike(p, memory)  # before anything moves
                moving.append((p, delta, memory, group))
        for p, delta, memory, group in moving:
            self._update(p, delta, memory, group)
        return J

    def zero_grad(self) -> None:
        """Set every ``grad`` to ``None``, so that the next backward starts from zero."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad_array = None

    def add_param_group(self, group: Any) -> None:
        """One more group: a dictionary with ``"params"`` and whatever options differ from the defaults."""
        if not isinstance(group, Mapping) or "params" not in group:
            cure = '{"params": layer.parameters(), "lr": 1e-4}'
            raise DtypeError('a dictionary with "params"', describe(group), cure)
        unknown = sorted(group.keys() - self.defaults.keys() - OF_SCHEDULES - {"params"})
        if unknown:
            known = ", ".join(self.defaults)
            raise OptionError(f"options among {known}", ", ".join(map(repr, unknown)), "correct the name")
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        seen = {id(p) for p in self._parameters()}
        for p in params:
            self._expect_parameter(p)
            if id(p) in seen:
                cure = "give every parameter to one group, once; net.parameters() gives a shared one once"
                raise OptionError("every parameter once", f"one of shape {p.shape} again", cure)
            seen.add(id(p))
        options = {**self.defaults, **{name: value for name, value in group.items() if name != "params"}}
        self._check(options)
        self.param_groups.append({"params": params, **options})

    def _parameters(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    @staticmethod
    def _expect_parameter(p: Any) -> None:
        if not isinstance(p, Tensor):
            cure = "net.parameters(), not net.named_parameters()" if isinstance(p, tuple) else "pass net.parameters()"
            raise DtypeError("Parameters", describe(p), cure)
        if not p.is_leaf or not is_floating(p.array):
            cure = "pass what it was computed from" if not p.is_leaf else "x.float()"
            raise DtypeError("leaf tensors of a floating dtype", f"{'a leaf' if p.is_leaf else 'no leaf'}: {p!r}", cure)

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines += [f"  group {i}: {len(group['params'])} parameters"]
            lines += [f"    {name}: {value}" for name, value in group.items() if name != "params"]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """A copy of the memory and of the options, in PyTorch's structure, where parameters are numbers:

        ``{"state": {0: {"momentum_buffer": array}, …}, "param_groups": [{"lr": 0.1, …, "params": [0, …]}, …]}``.
        """
        number = {p: i for i, p in enumerate(self._parameters())}
        state = {
            number[p]: {name: _copied(value) for name, value in memory.items()}
            for p, memory in self.state.items()
            if memory
        }
        groups = [{**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the memory and the options of an optimiser over the same parameters: all or, on an error, nothing.

        Args:
            state_dict: from :meth:`state_dict`, or from the PyTorch optimiser of the same name, on the CPU. Arrays
                take the dtype of their parameter. Options that only PyTorch has are kept and not used.

        Raises:
            StateDictError: other groups, or arrays of other shapes, all of them listed.
            OptionError: an option that cannot be.
        """
        groups, memories = state_dict["param_groups"], state_dict["state"]
        sizes, own_sizes = ([len(group["params"]) for group in gs] for gs in (groups, self.param_groups))
        if sizes != own_sizes:
            cure = "build the same network and the same groups first"
            raise StateDictError(f"groups of {own_sizes} parameters", f"groups of {sizes}", cure)
        loaded_groups: list[dict[str, Any]] = []
        numbered: dict[Any, Tensor] = {}
        for saved, own in zip(groups, self.param_groups, strict=True):
            options = {**own, **saved, "params": own["params"]}
            self._check(options)
            loaded_groups.append(options)
            numbered.update(zip(saved["params"], own["params"], strict=True))
        faults = [f"{i} is no parameter of a group" for i in memories if i not in numbered]
        loaded: dict[Tensor, dict[str, Any]] = {}
        for i, memory in memories.items():
            p = numbered.get(i)
            if p is None:
                continue
            loaded[p] = {name: self._loaded(name, value, p) for name, value in memory.items() if value is not None}
            for name, value in loaded[p].items():
                expected = self._memory_shape(name, p.shape)
                wrong = [array.shape for array in _arrays(value) if array.shape != expected]
                faults += [f"{name} of {i} has shape {shape} for {expected}" for shape in wrong]
        if faults:
            cure = "load it for the network that it came from"
            raise StateDictError("memory for these parameters", "; ".join(faults), cure)
        self.param_groups, self.state = loaded_groups, loaded

    def _loaded(self, name: str, value: Any, parameter: Tensor) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._loaded(name, item, parameter) for item in value]
        if name in self._numbers:
            return self._numbers[name](value)
        return array_module(parameter.array).array(np.asarray(value), dtype=parameter.dtype)


def remembered(state: dict[str, Any], name: str, parameter: Tensor, initial: float = 0) -> Array:
    """The array of this name in the memory of the parameter; the first time, a new one filled with ``initial``."""
    memory = state.get(name)
    if memory is None:
        memory = state[name] = array_module(parameter.array).full_like(parameter.array, initial)
    return memory


def evaluated(closure: Callable[[], Any]) -> Any:
    """What the closure returns, its calls recorded even where the step is taken under ``no_grad``."""
    with set_grad_enabled(True):
        return closure()


def expect_at_least_zero(options: Mapping[str, Any], *names: str) -> None:
    """Each of the named options is a number of at least 0. Raises OptionError."""
    for name in names:
        value = options[name]
        if isinstance(value, (str, Tensor)) or not value >= 0:
            raise OptionError(f"{name} of at least 0", f"{name}={value!r}", f"{name}=0 switches it off")


def expect_betas(options: Mapping[str, Any]) -> None:
    """``betas`` are two numbers from 0 to below 1. Raises OptionError."""
    betas = options["betas"]
    if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
        raise OptionError("betas as two numbers from 0 to below 1", f"betas={betas!r}", "betas=(0.9, 0.999)")


def expect_alike(p: Tensor, memory: Mapping[str, Any]) -> None:
    """The arrays of a memory are of the parameter's dtype, and lie where it lies. Raises DtypeError."""
    dtype, kind = p.array.dtype, type(p.array)
    for name, value in memory.items():
        if type(value) is int or (type(value) is kind and value.dtype == dtype):  # as almost always
            continue
        for array in _arrays(value):
            if array.dtype != dtype or type(array) is not kind:
                raise DtypeError(
                    f"{name} of {p.dtype} on {p.device}, as the parameter is",
                    describe(array),
                    "convert or move the network before the optimiser's first step, or make a new optimiser after it",
                )


def _arrays(value: Any) -> list[Array]:
    """The arrays in one item of a memory, which is an array, a number, or a list of these."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if is_array(item)]


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value.copy() if is_array(value) else value
