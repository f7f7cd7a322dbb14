"""Why a layer's numbers are not PyTorch's: the settings are tried out until one gives PyTorch's numbers."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import NumnetError
from ..nn import Loss, Module
from ..random import undisturbed
from .numbers import Key, Run, run_numnet

__all__ = ["explanation"]

ALTERNATIVES: dict[str, tuple[Any, ...]] = {  # what else people set these to, where PyTorch's module does not say
    "activation": ("relu", "gelu"),
    "affine": (True, False),
    "align_corners": (True, False),
    "alpha": (1.0, 0.1, 1e-4),
    "approximate": ("none", "tanh"),
    "batch_first": (True, False),
    "beta": (1.0, 0.75, 0.5),
    "bias": (True, False),
    "ceil_mode": (True, False),
    "correction": (0, 1),
    "count_include_pad": (True, False),
    "delta": (1.0, 0.5, 2.0),
    "dilation": (1, 2),
    "dim": (-1, 0, 1, 2),
    "elementwise_affine": (True, False),
    "eps": (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12, 0.0),
    "is_causal": (True, False),
    "label_smoothing": (0.0, 0.1),
    "mode": ("nearest", "bilinear", "bicubic"),
    "momentum": (0.1, 0.01, 0.9, 0.99, None),
    "negative_slope": (0.01, 0.1, 0.2, 0.3),
    "nonlinearity": ("tanh", "relu"),
    "norm_first": (True, False),
    "padding": (0, 1, 2, 3),
    "padding_mode": ("zeros", "reflect", "replicate", "circular"),
    "reduction": ("mean", "sum", "half_sum", "batchmean"),
    "stride": (1, 2),
    "track_running_stats": (True, False),
}


def explanation(
    key: Key, nets: tuple[Module, Any], loss: Loss | None, ours: Run, theirs: Run, y: Any
) -> tuple[str, Module | None]:
    """What makes PyTorch's numbers of numnet's at ``key``, in words, and the layer that speaks so; or nothing.

    Args:
        key: the first array that parts.
        nets: numnet's network and PyTorch's, before the run, in float64.
        loss: numnet's loss.
        ours, theirs: the runs in float64.
        y: what the loss compares with.
    """
    if key.what in nets[0].state_dict() or key.what in ("weight", "bias") or _is_weight(nets[0], key):
        return _of_weights(key, nets), None
    if loss is not None and (key.path == type(loss).__name__ or key == Key("", "δ")):
        return _tried(loss, None, lambda *variant: _loss_agrees(ours, theirs, y, type(loss).__name__, *variant))
    if key.what.startswith("input"):  # the module has yet to run: it is what holds it that parts
        above = key.path.rpartition(".")[0]
        key = Key(above, next(k.what for k in ours.numbers if k.path == above and k.what.startswith("output")))
    path = key.path.partition("#")[0]
    module, twin = nets[0].get_submodule(path), nets[1].get_submodule(path)
    if key.what.startswith("δ") or not type(module).__module__.startswith("numnet."):
        return "", None
    return _tried(module, twin, lambda *variant: _agrees(key, ours, theirs, *variant))


def _is_weight(net: Module, key: Key) -> bool:
    return f"{key.path}.{key.what}".lstrip(".") in dict(net.named_parameters())


def _of_weights(key: Key, nets: tuple[Module, Any]) -> str:
    name = f"{key.path}.{key.what}".lstrip(".")
    a, b = nets[0].state_dict()[name], nets[1].state_dict()[name].numpy()
    if a.ndim == 2 and a.shape == b.T.shape and np.array_equal(a, b.T):
        return f"PyTorch's {name} is the transpose of numnet's"
    return f"the two networks have other numbers in {name}; weights='torch' gives both PyTorch's"


# ---------------------------------------------------------------------- trying out


def _tried(module: Module, twin: Any, agrees: Callable[..., bool]) -> tuple[str, Module | None]:
    settings = _settings(module)
    differing = {k: _setting(twin, k, v) for k, v in settings.items() if not _same(v, _setting(twin, k, v))}
    seen: list[dict[str, Any]] = [{name: value} for name, value in differing.items()]
    seen += [differing] if len(differing) > 1 else []
    for changes in seen:
        if (variant := _rebuilt(module, changes)) is not None and agrees(variant):
            there = ", ".join(f"{name}={value!r}" for name, value in changes.items())
            here = ", ".join(f"{name}={settings[name]!r}" for name in changes)
            return f"{there} in PyTorch, {here} here; with PyTorch's, numnet gives its numbers", variant
    for words, variant in _alternatives(module, settings):
        if variant is not None and agrees(variant):
            return f"with {words}, numnet gives PyTorch's numbers", variant
    for name, variant in _transposed(module):
        if agrees(variant, name):
            return f"with {name} transposed, numnet gives PyTorch's numbers", variant
    if differing:
        there = ", ".join(f"{k}={v!r}, {settings[k]!r} here" for k, v in differing.items())
        return f"in PyTorch {there}; but this alone does not give its numbers", None
    return "", None


def _alternatives(module: Module, settings: dict[str, Any]) -> Iterator[tuple[str, Module | None]]:
    """Variants of ``module``, each with one thing otherwise, and that thing in words."""
    mode = "evaluation" if module.training else "training"
    yield f"{type(module).__name__} in {mode} mode", copy.deepcopy(module).train(not module.training)
    for name, value in settings.items():
        others = [*ALTERNATIVES.get(name, ())]
        if name == "momentum" and isinstance(value, float):
            others.insert(0, 1 - value)
        for other in others:
            if not _same(value, other):
                yield f"{name}={other!r} in the place of {value!r}", _rebuilt(module, {name: other})


def _transposed(module: Module) -> Iterator[tuple[str, Module]]:
    """The name of each square matrix among the parameters, and ``module`` with its transpose."""
    for name, parameter in module.named_parameters(recurse=False):
        if parameter.ndim == 2 and parameter.shape[0] == parameter.shape[1]:
            variant = copy.deepcopy(module)
            getattr(variant, name).array = np.ascontiguousarray(parameter.array.T)
            yield name, variant


def _settings(module: Module) -> dict[str, Any]:
    """The constructor's arguments that are numbers, words and switches, as ``module`` has them."""
    if module._arguments is None:
        return {}
    args, options = module._arguments
    try:
        bound = inspect.signature(type(module)).bind(*args, **options)
    except TypeError:
        return {}
    bound.apply_defaults()
    return {k: v for k, v in bound.arguments.items() if v is None or isinstance(v, bool | int | float | str | tuple)}


def _setting(twin: Any, name: str, ours: Any) -> Any:
    """PyTorch's value of a setting; ours, if its module does not tell."""
    value = getattr(twin, name, ours)
    if isinstance(ours, bool) and not isinstance(value, bool | int):
        return value is not None  # a bias, or none
    return value if value is None or isinstance(value, bool | int | float | str | tuple) else ours


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) != isinstance(b, tuple):
        each, whole = (a, b) if isinstance(b, tuple) else (b, a)
        return all(part == each for part in whole)
    return bool(a == b) or (a is None and b is None)


def _rebuilt(module: Module, changes: dict[str, Any]) -> Module | None:
    """A module as ``module`` is, but for ``changes``; ``None`` where there is none."""
    args, options = module._arguments or ((), {})
    try:
        bound = inspect.signature(type(module)).bind(*args, **options)
        bound.arguments.update(changes)
        with undisturbed():
            variant = type(module)(*bound.args, **bound.kwargs).double().train(module.training)
        variant.load_state_dict(module.state_dict(), strict=False)
    except (NumnetError, TypeError, ValueError):
        return None
    return variant


# ---------------------------------------------------------------------- agreement


def _agrees(key: Key, ours: Run, theirs: Run, variant: Module, transposed: str = "") -> bool:
    """Whether ``variant``, on the inputs of the first module that parts and PyTorch's δ, gives PyTorch's numbers."""
    right = {k.what: a for k, a in theirs.numbers.items() if k.path == key.path}
    deltas = [a for what, a in right.items() if what.startswith("δ")]
    outputs = [a for what, a in right.items() if what.startswith("output")]
    whole = len(deltas) == len(outputs)
    delta = None if not whole else deltas[0] if len(deltas) == 1 else tuple(deltas)
    run = run_numnet(variant, ours.inputs[key.path], delta=delta, options=ours.options[key.path])
    repeated = Key(f"{key.path}#2", "output") in theirs.numbers or "#" in key.path
    compared = 0
    for (path, what), a in run.numbers.items():
        backward = what.startswith(("δ", "∂"))
        if path or what not in right or (backward and not whole) or (repeated and not what.startswith("output")):
            continue
        a = a.T if what == f"∂J/∂{transposed}" else a
        if not _close(a, right[what], 0.0 if what == key.what else 1.0):  # terms of the others may cancel
            return False
        compared += 1
    return compared > 0 and key.what in {what for _, what in run.numbers}


def _loss_agrees(ours: Run, theirs: Run, y: Any, name: str, variant: Module, transposed: str = "") -> bool:
    z = ours.numbers[Key("", "output")]
    right = theirs.numbers.get(Key(name, "J")), theirs.numbers.get(Key("", "δ"))
    try:
        J = np.asarray(variant(z, y))
        delta = variant.backward()
    except NumnetError:
        return False
    return all(b is None or _close(a, b) for a, b in zip((J, delta), right, strict=True))


def _close(a: Array, b: Array, terms: float = 0.0) -> bool:
    if a.shape != b.shape:
        return False
    scale = float(np.max(np.abs(b), initial=terms, where=np.isfinite(b)))
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9 * scale + 1e-13, equal_nan=True))
