"""The numbers of one forward and backward by name, from a network of numnet's or of PyTorch's, for comparison."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array
from ..call import observe
from ..errors import MissingExtraError
from ..nested import flatten, unflatten
from ..nn import Loss, Module
from ..random import default_rng, undisturbed
from ..tensor import Parameter, Tensor
from .visits import Visit, Visits

__all__ = ["Key", "Run", "import_torch", "run_numnet", "run_torch"]


class Key(NamedTuple):
    """Which array: of what module, and what of it."""

    path: str
    what: str


@dataclass(slots=True)
class Run:
    """What came of one forward and backward.

    Attributes:
        numbers: the arrays by name, those of numnet's network in the order of their computation. Of each module its
            ``input``, ``output``, ``δ`` at the output, ``∂J/∂input``, ``∂J/∂`` of parameters, buffers; of the loss J.
        kinds: the class of each module that ran, by path.
        inputs, options: what each module of numnet's got, arrays, by path.
        drew: whether random numbers were drawn.
        failed: the error that ended the run, if one did; what was computed before is there.
    """

    numbers: dict[Key, Array] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    drew: bool = False
    failed: Exception | None = None


def import_torch() -> ModuleType:
    """PyTorch.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "test") from error
    return torch


# ---------------------------------------------------------------------- numnet


def run_numnet(
    net: Module,
    x: tuple[Any, ...],
    y: Any = None,
    loss: Loss | None = None,
    delta: Any = None,
    options: dict[str, Any] | None = None,
) -> Run:
    """Forward and backward of a copy of ``net``; without a loss from ``delta``, without that from δ = 1."""
    copied = copy.deepcopy(net)
    copied.zero_grad()
    visits = Visits(copied, marked=True)
    run = Run()
    with undisturbed(), observe(visits):
        before = _draws(copied)
        J = None
        try:
            z = copied(*x, **(options or {}))
            if loss is not None:
                loss = copy.deepcopy(loss)
                J = np.asarray(loss(z, y))
                delta = loss.backward()
            elif delta is None:
                delta = tuple(np.ones_like(part) for part in flatten(z) if part is not None)
                delta = delta if isinstance(z, tuple) else delta[0]
            copied.backward(delta)
        except Exception as error:
            run.failed = error
        run.drew = _draws(copied) != before
    modules = {id(module): path for path, module in copied.named_modules()}
    for visit in visits.visits:
        run.kinds[visit.path] = type(visit.module).__name__
        run.inputs[visit.path] = unflatten(visit.inputs, map(_plain, flatten(visit.inputs)))
        run.options[visit.path] = {name: _plain(value) for name, value in visit.options.items()}
    for _, begins, visit in sorted(_events(visits.visits), key=lambda event: event[0]):
        if begins:
            _put(run, visit.path, "input", [t.array if isinstance(t, Tensor) else None for t in flatten(visit.inputs)])
            continue
        _put(run, visit.path, "output", [t.array for t in visit.outputs])
        if visit.path == modules[id(visit.module)]:
            for name in visit.module._buffers:
                if (buffer := getattr(visit.module, name, None)) is not None:
                    run.numbers[Key(visit.path, name)] = np.asarray(buffer)
    if J is not None:
        run.numbers[Key(type(loss).__name__, "J")] = J
        run.kinds[type(loss).__name__] = ""
    for _, begins, visit in sorted(_events(visits.visits), key=lambda event: -event[0]):
        if not begins:
            _put(run, visit.path, "δ", [visits.delta(t) for t in visit.outputs])
            continue
        if visit.path == modules[id(visit.module)]:  # the first call of several is the last on the way back
            for name, parameter in vars(visit.module).items():
                if isinstance(parameter, Parameter) and parameter.grad_array is not None:
                    run.numbers[Key(visit.path, f"∂J/∂{name}")] = parameter.grad_array
        _put(run, visit.path, "∂J/∂input", [visits.delta(t) for t in flatten(visit.inputs)])
    return run


def _events(visits: list[Visit]) -> list[tuple[int, bool, Visit]]:
    """The beginnings (True) and ends (False) of the visits, with their running numbers."""
    return [(n, n == v.begun, v) for v in visits for n in (v.begun, v.ended) if n]


def _put(run: Run, path: str, what: str, arrays: list[Array | None]) -> None:
    for i, array in enumerate(arrays):
        if array is not None:
            run.numbers[Key(path, f"{what} {i}" if i else what)] = array


def _plain(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x


def _draws(net: Module) -> list[str]:
    """The states of the random generators that ``net`` may draw from."""
    own = [v for m in net.modules() for v in vars(m).values() if isinstance(v, np.random.Generator)]
    return [str(generator.bit_generator.state) for generator in (default_rng(), *own)]


# ---------------------------------------------------------------------- PyTorch


def run_torch(net: Any, x: tuple[Array, ...], y: Any, loss: Any) -> Run:
    """Forward and backward of a copy of a network of PyTorch's; without a loss from δ = 1."""
    torch = import_torch()
    copied = copy.deepcopy(net)
    copied.zero_grad()
    run = Run()
    counts: Counter[str] = Counter()
    places: dict[int, list[str]] = {}
    for path, module in copied.named_modules():
        module.register_forward_pre_hook(_before(torch, run, path, counts, places))
        module.register_forward_hook(_after(torch, run, path, places))
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        before = torch.get_rng_state()
        try:
            given = [torch.from_numpy(np.array(a)) for a in x]
            z = copied(*[a.requires_grad_() if a.is_floating_point() else a for a in given])
            if loss is not None:
                J = loss(z, y if y is None else torch.from_numpy(np.array(y)))
                run.numbers[Key("", "J")] = J.detach().numpy()
            else:
                J = sum(part.sum() for part in _tensors(torch, z) if part.requires_grad)
            J.backward()
        except Exception as error:
            run.failed = error
        run.drew = not torch.equal(before, torch.get_rng_state())
    for path, module in copied.named_modules():
        if path in counts:
            for name, parameter in module.named_parameters(recurse=False):
                if parameter.grad is not None:
                    run.numbers[Key(path, f"∂J/∂{name}")] = parameter.grad.numpy()
            for name, buffer in module.named_buffers(recurse=False):
                run.numbers[Key(path, name)] = buffer.numpy()
    return run


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in _tensors(torch, part)]
    return [value] if isinstance(value, torch.Tensor) else [None]


def _own(torch: Any, run: Run, value: Any, path: str, what: str, count: list[int]) -> Any:
    """``value`` with a copy of each tensor in it, whose gradient is that of this one reader; it goes into ``run``."""
    if type(value) in (tuple, list):
        return type(value)(_own(torch, run, part, path, what, count) for part in value)
    i = count[0]
    count[0] += 1
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return value
    value = value.clone()  # a layer that works in place does so on this
    key = Key(path, f"{what} {i}" if i else what)
    value.register_hook(lambda delta: run.numbers.__setitem__(key, delta.detach().numpy().copy()))
    return value


def _before(torch: Any, run: Run, path: str, counts: Counter[str], places: dict[int, list[str]]) -> Any:
    def hook(module: Any, inputs: tuple[Any, ...]) -> Any:
        counts[path] += 1
        place = path if counts[path] == 1 else f"{path}#{counts[path]}"
        places.setdefault(id(module), []).append(place)
        run.kinds[place] = type(module).__name__
        _put(run, place, "input", [None if t is None else t.detach().numpy().copy() for t in _tensors(torch, inputs)])
        return _own(torch, run, inputs, place, "∂J/∂input", [0])

    return hook


def _after(torch: Any, run: Run, path: str, places: dict[int, list[str]]) -> Any:
    def hook(module: Any, inputs: Any, output: Any) -> Any:
        place = places[id(module)].pop()
        tensors = [t for t in _tensors(torch, output) if t is not None]
        _put(run, place, "output", [t.detach().numpy().copy() for t in tensors])
        return _own(torch, run, output, place, "δ", [0])

    return hook
