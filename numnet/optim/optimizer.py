"""Optimizer: what turns gradients into steps, and remembers what it needs for the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..arrays import Array, array_module, is_array, is_floating
from ..errors import DtypeError, OptionError, StateDictError, describe
from ..tensor import Tensor

__all__ = ["Optimizer", "expect_at_least_zero"]


class Optimizer:
    """Abstract: parameters in groups with options of their own, and an array or two of memory for each parameter.

    A subclass gives :meth:`_check` for the options and :meth:`_update` for the formula of one parameter.

    Args:
        params: parameters, as ``net.parameters()`` gives them, or a list of groups: dictionaries with ``"params"`` and
            whatever options differ from ``defaults``.
        defaults: the value of every option, for groups that do not give their own.

    Attributes:
        param_groups: one dictionary a group: ``"params"``, a list, and every option. Schedules change ``"lr"`` in here.
        state: for each parameter that has been stepped, its memory by name, as in PyTorch.

    Raises:
        OptionError: no parameters, one of them twice, an option that does not exist or cannot be.
        DtypeError: something that is no parameter.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
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

    # ------------------------------------------------------------------ use

    def step(self) -> None:
        """Move every parameter that requires a gradient and has one.

        Raises:
            DtypeError: parameters changed dtype or device after the first step, and the memory did not.
        """
        moving = [(p, group) for group in self.param_groups for p in group["params"] if p.requires_grad]
        moving = [(p, group) for p, group in moving if p.grad is not None]
        for p, _ in moving:
            _expect_alike(p, self.state.get(p, {}))  # before anything moves
        for p, group in moving:
            self._update(p, p.grad, self.state.setdefault(p, {}), group)

    def zero_grad(self) -> None:
        """Set every ``grad`` to ``None``, so that the next backward starts from zero."""
        for p in self._parameters():
            p.grad = None

    def add_param_group(self, group: Any) -> None:
        """One more group: a dictionary with ``"params"`` and whatever options differ from the defaults."""
        if not isinstance(group, Mapping) or "params" not in group:
            cure = '{"params": layer.parameters(), "lr": 1e-4}'
            raise DtypeError('a dictionary with "params"', describe(group), cure)
        unknown = sorted(group.keys() - self.defaults.keys() - {"params"})
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
        if not p.is_leaf or not is_floating(p.data):
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
            number[p]: {name: value.copy() if is_array(value) else value for name, value in memory.items()}
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
            loaded[p] = {name: _loaded(name, value, p) for name, value in memory.items() if value is not None}
            for name, value in loaded[p].items():
                if is_array(value) and value.shape != p.shape:
                    faults.append(f"{name} of {i} has shape {value.shape} for {p.shape}")
        if faults:
            cure = "load it for the network that it came from"
            raise StateDictError("memory for these parameters", "; ".join(faults), cure)
        self.param_groups, self.state = loaded_groups, loaded


def expect_at_least_zero(options: Mapping[str, Any], *names: str) -> None:
    """Each of the named options is a number of at least 0. Raises OptionError."""
    for name in names:
        value = options[name]
        if isinstance(value, (str, Tensor)) or not value >= 0:
            raise OptionError(f"{name} of at least 0", f"{name}={value!r}", f"{name}=0 switches it off")


def _loaded(name: str, value: Any, parameter: Tensor) -> Any:
    if name == "step":
        return int(value)
    return array_module(parameter.data).array(np.asarray(value), dtype=parameter.dtype)


def _expect_alike(p: Tensor, memory: Mapping[str, Any]) -> None:
    for name, value in memory.items():
        if is_array(value) and (value.dtype != p.dtype or type(value) is not type(p.data)):
            raise DtypeError(
                f"{name} of {p.dtype} on {p.device}, as the parameter is",
                describe(value),
                "convert or move the network before the optimiser's first step, or make a new optimiser after it",
            )
