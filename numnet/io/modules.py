"""Modules as data: the class and the arguments that make one anew, and what it holds beyond what they make."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import is_array
from ..errors import DataError, describe
from ..kernels import gpu
from ..nn import Branches, ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from ..nn.module import Module
from ..tensor import Parameter, Tensor

__all__ = ["class_name", "construction", "differences", "find_class", "restore", "shortened", "state_of"]

PACKAGES = ("numnet.nn", "numnet.nn.utils", "numnet.models")  # whose public modules a file may name
STATE_DICT = (
    "numnet.save(net.state_dict(), path); later build the network as now and net.load_state_dict(numnet.load(path))"
)


AS_SAVED = "load it with the class as it was when the file was saved"


# ---------------------------------------------------------------------------------------------- classes


def class_name(cls: type) -> str:
    """How a file names a class: ``"numnet.nn.Linear"``, or ``"Net"`` for one that the reader of the file hands over.

    Raises:
        DataError: a class that cannot be named so.
    """
    name = cls.__name__
    for package in PACKAGES:
        module = sys.modules.get(package)
        if name in getattr(module, "__all__", ()) and getattr(module, name) is cls:
            return f"{package}.{name}"
    if cls.__module__.partition(".")[0] == "numnet" or "." in name or not issubclass(cls, Module):
        raise DataError("Modules of public classes", f"the class {cls.__module__}.{name}", STATE_DICT)
    return name


def find_class(name: Any, handed: Mapping[str, type[Module]]) -> type[Module]:
    """The class of this name: a public Module of numnet's own, or one of those ``handed`` over.

    Raises:
        DataError: there is none.
    """
    package, _, short = str(name).rpartition(".")
    if not package:
        if short in handed:
            return handed[short]
        cure = f"load(path, classes=[{short}]) with your class {short}, if you trust the file to choose its arguments"
        raise DataError("classes of numnet's own, or handed over", f"a network of the class {short!r}", cure)
    found = None
    if package in PACKAGES:
        module = importlib.import_module(package)
        found = getattr(module, short) if short in module.__all__ else None
    if not isinstance(found, type) or not issubclass(found, Module):
        cure = "take the file from where it came once more; pip install --upgrade numnet if it is of a newer one"
        raise DataError(f"a Module of {', '.join(PACKAGES)}", f"{name!r}", cure)
    return found


# ---------------------------------------------------------------------------------------------- parts


def construction(module: Module) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments that make such a module. A container's are what it holds now.

    Raises:
        DataError: they are not known any more.
    """
    kind = type(module)
    children = dict(module.named_children())
    if kind is Sequential:
        return (children,), {}
    if isinstance(module, Branches) and kind is Branches:
        return (children,), {"join": module.join, "dim": module.dim}
    if isinstance(module, ModuleList | ParameterList) and kind in (ModuleList, ParameterList):
        return (list(module),), {}
    if isinstance(module, ModuleDict | ParameterDict) and kind in (ModuleDict, ParameterDict):
        return (dict(module.items()),), {}
    if module._arguments is None:
        got = f"a copy of a {kind.__name__} that was made from an iterator, which is used up"
        raise DataError("a network whose arguments are known", got, STATE_DICT)
    return module._arguments


def state_of(module: Module) -> tuple[dict[str, Any], list[str]]:
    """Parameters, buffers and generators by path, and the paths of the modules in evaluation mode."""
    state: dict[str, Any] = {}
    evaluating = []
    for path, part in module.named_modules(remove_duplicate=False):
        for name, value in vars(part).items():
            if name in part._buffers or isinstance(value, Parameter | np.random.Generator):
                state[_join(path, name)] = value
        if not part.training:
            evaluating.append(path)
    return state, evaluating


def restore(module: Module, state: Mapping[str, Any], evaluating: list[str]) -> None:
    """Put what :func:`state_of` found into a module that has just been made.

    Raises:
        DataError: they do not fit each other.
    """
    faults = _misfits(state_of(module)[0], state)
    if faults:
        got = f"{type(module).__name__} made anew {shortened(faults)}"
        raise DataError("the parameters and buffers that were saved", got, AS_SAVED)
    for path, part in module.named_modules(remove_duplicate=False):
        if part.training != (path not in evaluating):
            part.training = not part.training
    for path, value in state.items():
        owner, _, name = path.rpartition(".")
        setattr(module.get_submodule(owner), name, value)


def _misfits(made: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    faults = [f"without {path}" for path in state if path not in made]
    faults += [f"with {path} besides" for path in made if path not in state]
    for path, value in state.items():
        own = made.get(path)
        kinds: Any = (
            type(own) if isinstance(own, Parameter | np.random.Generator) else (np.ndarray, np.generic, type(None))
        )
        if path in made and not isinstance(value, kinds):
            faults.append(f"with {describe(own)} for {path}, {describe(value)}")
        elif isinstance(own, Parameter) and value.shape != own.shape:
            faults.append(f"with {path} of shape {own.shape} for {value.shape}")
    return faults


def shortened(faults: list[str]) -> str:
    """The first of them, and how many there are besides."""
    return "; ".join(faults[:4]) + (f"; and {len(faults) - 4} more" if len(faults) > 4 else "")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# ---------------------------------------------------------------------------------------------- comparison


def differences(module: Module, again: Module) -> list[str]:
    """Where ``again``, made from a file of ``module``, is not what ``module`` is: its parts, settings and numbers."""
    parts, others = (dict(m.named_modules(remove_duplicate=False)) for m in (module, again))
    if list(parts) != list(others):
        return [f"the children are {list(parts)[1:]}, made anew {list(others)[1:]}"]
    alike = _Comparison()
    for path, part in parts.items():
        alike.pair(part, others[path])
        for name, value in vars(part).items():
            if isinstance(value, Parameter):
                alike.pair(value, vars(others[path]).get(name))
    found = []
    for path, part in parts.items():
        other = others[path]
        if type(part) is not type(other):
            found.append(f"{path} is {type(part).__name__}, made anew {type(other).__name__}")
        for name in {**vars(part), **vars(other), "training": None}:
            a, b = (m.training if name == "training" else vars(m).get(name, _ABSENT) for m in (part, other))
            if not alike(a, b):
                found.append(f"{_join(path, name)} is {_shown(a)}, made anew {_shown(b)}")
    return found


_ABSENT = object()


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else type(value).__name__ if isinstance(value, Module) else describe(value)


class _Comparison:
    """Whether two values are alike, where modules and parameters are those that stand in each other's place."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._open: set[tuple[int, int]] = set()  # being compared: what refers back to itself is not followed again

    def pair(self, a: Any, b: Any) -> None:
        """``b`` stands in the place of ``a``."""
        self._places[id(a)] = id(b)

    def __call__(self, a: Any, b: Any) -> bool:
        if a is b or (id(a), id(b)) in self._open:
            return True
        if is_array(a) and is_array(b):
            a, b = gpu.to_cpu(a), gpu.to_cpu(b)
        if type(a) is not type(b):
            return False
        self._open.add((id(a), id(b)))
        try:
            return self._alike(a, b)
        finally:
            self._open.discard((id(a), id(b)))

    def _alike(self, a: Any, b: Any) -> bool:
        if isinstance(a, Module | Parameter) and self._places.get(id(a)) != id(b):
            return False  # one that is no attribute of a module, and so is not in the file
        if isinstance(a, Module):
            return True
        if isinstance(a, Tensor):
            return a.requires_grad == b.requires_grad and self(a.array, b.array)
        if isinstance(a, np.ndarray):
            return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        if isinstance(a, np.random.Generator):
            return self(a.bit_generator.state, b.bit_generator.state)
        if isinstance(a, dict):
            return list(a) == list(b) and all(self(a[key], b[key]) for key in a)
        if isinstance(a, list | tuple):
            return len(a) == len(b) and all(map(self, a, b))
        if isinstance(a, types.FunctionType):  # one that the constructor defines is a new one each time
            held = [
                ([cell.cell_contents for cell in f.__closure__ or ()], f.__defaults__, f.__kwdefaults__) for f in (a, b)
            ]
            return a.__code__ is b.__code__ and self(*held)
        if isinstance(a, types.MethodType):
            return a.__func__ is b.__func__ and self(a.__self__, b.__self__)
        try:
            return bool(a == b or (a != a and b != b)) or self(
                a.__reduce_ex__(2), b.__reduce_ex__(2)
            )  # NaN; what a copy gets
        except Exception:  # it cannot be compared, or copied
            return False
