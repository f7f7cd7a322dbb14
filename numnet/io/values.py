"""Nested values as JSON and arrays, and back: what is not in JSON's own words is a table with the key ``$``."""

from __future__ import annotations

import contextlib
import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import is_array
from ..errors import DataError, DtypeError, describe
from ..nn import functional
from ..nn.module import Module
from ..tensor import Parameter, Tensor
from .file import DTYPES, plain
from .modules import AS_SAVED, STATE_DICT, class_name, construction, find_class, restore, state_of

__all__ = ["Decoder", "Encoder"]

DEPTH = 100  # levels of nesting
GENERATORS = {name: getattr(np.random, name) for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")}


class Encoder:
    """Values on their way into a file.

    Attributes:
        arrays: the arrays met so far, by their names in the file.
        classes: the classes met so far that numnet does not have.
        networks: the outermost modules met so far.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.classes: dict[str, type[Module]] = {}
        self.networks: list[Module] = []
        self._names: dict[int, str] = {}  # of an array, its name
        self._numbers: dict[int, int] = {}  # of a Tensor, generator or module, its number
        self._open: list[int] = []  # the lists, tuples, dicts and modules that we are in
        self._inside = 0  # the modules whose arguments we are in
        self._kept: list[Any] = []  # so that no id is used twice

    def encode(self, value: Any, at: tuple[str, ...] = ()) -> Any:
        """``value``, which is found at the place ``at``, as JSON.

        Raises:
            DtypeError: it is of a type that has no place in a file. DataError: it is nested without end, or a network
            that cannot be made anew.
        """
        try:
            return self._encode(value, at)
        except (DtypeError, DataError) as error:
            error.where = error.where or (f"at {'.'.join(at)}" if at else "")
            raise

    def _encode(self, value: Any, at: tuple[str, ...]) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, np.generic):
            return self._inline(value)
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**63 else {"$": "int", "hex": hex(value)}
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$": "float", "text": repr(float(value))}
        if is_array(value):
            return {"$": "array", "name": self._name(value, at)}
        if isinstance(value, Mapping | list | tuple):
            with self._level(value):
                return self._mapping(value, at) if isinstance(value, Mapping) else self._list(value, at)
        if isinstance(value, Tensor):
            return self._once(value, lambda: self._tensor(value, at))
        if isinstance(value, np.random.Generator):
            return self._once(value, lambda: self._generator(value, at))
        if isinstance(value, Module):
            return self._module(value, at) if self._inside else self._network(value, at)
        if isinstance(value, type):
            return {"$": "class", "class": self._class(value)}
        name = getattr(value, "__name__", None)
        if name in functional.__all__ and getattr(functional, name) is value:
            return {"$": "function", "name": name}
        has_state = callable(getattr(value, "state_dict", None))
        cure = "save its state_dict()" if has_state else "make numbers, strings, lists, dicts or arrays of it"
        expected = "arrays, Tensors, networks, numbers, strings, None, and lists, tuples, dicts of these"
        raise DtypeError(expected, describe(value), cure)

    @contextlib.contextmanager
    def _level(self, value: Any) -> Iterator[None]:
        if id(value) in self._open or len(self._open) == DEPTH:
            got = "something that holds itself" if id(value) in self._open else "more of them"
            raise DataError(f"up to {DEPTH} things inside of each other", got, "save its parts")
        self._open.append(id(value))
        try:
            yield
        finally:
            self._open.pop()

    def _list(self, value: Sequence[Any], at: tuple[str, ...]) -> Any:
        items = [self.encode(item, (*at, str(i))) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$": "tuple", "items": items}

    def _mapping(self, value: Mapping[Any, Any], at: tuple[str, ...]) -> Any:
        items = {key: self.encode(item, (*at, str(key))) for key, item in value.items()}
        if all(type(key) is str for key in items) and "$" not in items:
            return items
        return {"$": "dict", "items": [[self.encode(key, at), item] for key, item in items.items()]}

    # ------------------------------------------------------------------ arrays

    def _inline(self, value: Any) -> Any:
        """A few numbers that are no array of their own in the file."""
        dtype, array = _expect_dtype(value), plain(np.asarray(value))
        return {"$": "numbers", "dtype": dtype, "shape": list(array.shape), "hex": array.tobytes().hex()}

    def _name(self, array: Any, at: tuple[str, ...]) -> str:
        """The name of the array in the file, of which there is one copy."""
        if id(array) not in self._names:
            _expect_dtype(array)
            name = first = ".".join(at).encode("utf-8", "backslashreplace").decode()
            number = 1
            while name in self.arrays or name == "__metadata__":
                number += 1
                name = f"{first} ({number})"
            self.arrays[name] = plain(array)
            self._names[id(array)] = name
            self._kept.append(array)
        return self._names[id(array)]

    # ------------------------------------------------------------------ what may be met again

    def _once(self, value: Any, encode: Callable[[], dict[str, Any]]) -> Any:
        """What ``encode`` makes of ``value``; the next time, that it is the same."""
        if id(value) in self._numbers:
            return {"$": "same", "number": self._numbers[id(value)]}
        encoded = encode()
        self._numbers[id(value)] = number = len(self._numbers)
        self._kept.append(value)
        return {**encoded, "number": number}

    def _tensor(self, value: Tensor, at: tuple[str, ...]) -> dict[str, Any]:
        kind = "parameter" if isinstance(value, Parameter) else "tensor"
        wanted = value.requires_grad and value.is_leaf
        return {"$": kind, "name": self._name(value.array, at), "requires_grad": wanted}

    def _generator(self, value: np.random.Generator, at: tuple[str, ...]) -> dict[str, Any]:
        state = value.bit_generator.state
        if state["bit_generator"] not in GENERATORS:
            raise DtypeError(f"a generator on {', '.join(GENERATORS)}", describe(value), "np.random.default_rng(seed)")
        return {"$": "generator", "state": self._numbers_inline(state)}

    def _numbers_inline(self, state: Any) -> Any:
        if isinstance(state, dict):
            return {key: self._numbers_inline(value) for key, value in state.items()}
        return self._inline(state) if is_array(state) else self.encode(state)

    # ------------------------------------------------------------------ modules

    def _network(self, module: Module, at: tuple[str, ...]) -> Any:
        """A module with all that is in it: first its state, whose names are those of a state dict, then the making."""
        if any(module is network for network in self.networks):
            return self._module(module, at)
        state, evaluating = state_of(module)
        encoded = {path: self.encode(value, (*at, *path.split("."))) for path, value in state.items()}
        made = self._module(module, at)
        self.networks.append(module)
        return {"$": "network", "module": made, "state": list(encoded.items()), "evaluating": evaluating}

    def _module(self, module: Module, at: tuple[str, ...]) -> Any:
        """A module as its class and arguments make it, without its state."""
        return self._once(module, lambda: self._making(module, at))

    def _making(self, module: Module, at: tuple[str, ...]) -> dict[str, Any]:
        kind = type(module).__name__
        arguments, options = construction(module)
        self._inside += 1
        try:
            with self._level(module):
                return {
                    "$": "module",
                    "class": self._class(type(module)),
                    "arguments": [self.encode(value, (*at, f"{kind}({i})")) for i, value in enumerate(arguments)],
                    "options": {name: self.encode(value, (*at, f"{kind}({name})")) for name, value in options.items()},
                }
        except DtypeError as error:
            error.cure = STATE_DICT
            raise
        finally:
            self._inside -= 1

    def _class(self, cls: type) -> str:
        name = class_name(cls)
        if "." not in name and self.classes.setdefault(name, cls) is not cls:
            raise DataError("classes with names of their own", f"two that are called {name}", "rename one of them")
        return name


class Decoder:
    """Values on their way out of a file.

    Args:
        arrays: the arrays of the file.
        handed: the classes that the caller hands over, by name.

    Attributes:
        networks: the outermost modules met so far, in the order of :class:`Encoder`.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], handed: Mapping[str, type[Module]]) -> None:
        self.networks: list[Module] = []
        self._arrays = arrays
        self._handed = handed
        self._same: dict[int, Any] = {}
        self._drawn: list[tuple[np.random.Generator, Any]] = []  # generators, and the states to leave them in
        self._kinds: dict[str, Callable[[dict[str, Any]], Any]] = {
            "array": lambda node: self._arrays[node["name"]],
            "class": lambda node: find_class(node["class"], self._handed),
            "dict": lambda node: {self._decode(key): self._decode(value) for key, value in node["items"]},
            "float": lambda node: float(node["text"]),
            "function": _function,
            "generator": self._generator,
            "int": lambda node: int(node["hex"], 16),
            "module": self._module,
            "network": self._network,
            "numbers": _numbers,
            "parameter": lambda node: Parameter(self._arrays[node["name"]], node["requires_grad"]),
            "same": lambda node: self._same[node["number"]],
            "tensor": lambda node: Tensor(self._arrays[node["name"]], node["requires_grad"]),
            "tuple": lambda node: tuple([self._decode(item) for item in node["items"]]),
        }

    def decode(self, node: Any) -> Any:
        """The value that ``node`` stands for.

        Raises:
            DataError: it is not what :class:`Encoder` writes, or names a class that there is none of.
        """
        try:
            value = self._decode(node)
            for generator, state in self._drawn:  # constructors have drawn from them
                generator.bit_generator.state = state
        except DataError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            got = f"another one ({type(error).__name__}: {error})"
            cure = "take the file from where it came once more"
            raise DataError("a structure as numnet.save writes it", got, cure) from error
        return value

    def _decode(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$" not in node:
            return {key: self._decode(item) for key, item in node.items()}
        value = self._kinds[node["$"]](node)
        if "number" in node:
            self._same[node["number"]] = value
        return value

    def _generator(self, node: dict[str, Any]) -> np.random.Generator:
        state = self._decode(node["state"])
        generator = np.random.Generator(GENERATORS[state["bit_generator"]]())
        generator.bit_generator.state = state
        self._drawn.append((generator, state))
        return generator

    def _module(self, node: dict[str, Any]) -> Module:
        cls = find_class(node["class"], self._handed)
        arguments, options = self._decode(node["arguments"]), self._decode(node["options"])
        try:
            return cls(*arguments, **options)
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
            raise DataError(f"{cls.__name__} to be made from the arguments in the file", got, AS_SAVED) from error

    def _network(self, node: dict[str, Any]) -> Module:
        state = {path: self._decode(value) for path, value in node["state"]}
        module = self._decode(node["module"])
        restore(module, state, node["evaluating"])
        self.networks.append(module)
        return module


def _expect_dtype(value: Any) -> str:
    name = str(value.dtype.name)
    if name not in DTYPES.values():
        text = value.dtype.kind in "US"
        cure = (
            "strings are saved as a list: array.tolist()" if text else "array.astype(np.float64), where that is exact"
        )
        raise DtypeError(f"arrays of {', '.join(DTYPES.values())}", describe(value), cure)
    return name


def _numbers(node: dict[str, Any]) -> Any:
    if node["dtype"] not in DTYPES.values():
        raise ValueError(node["dtype"])
    array = np.frombuffer(bytes.fromhex(node["hex"]), np.dtype(node["dtype"]).newbyteorder("<"))
    return array.reshape(node["shape"]).astype(node["dtype"])[()]


def _function(node: dict[str, Any]) -> Any:
    function = getattr(functional, node["name"]) if node["name"] in functional.__all__ else None
    if not isinstance(function, types.FunctionType):
        raise ValueError(f"no function {node['name']!r} in numnet.nn.functional")
    return function
