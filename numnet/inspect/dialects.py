"""Dialects: two settings of one thing side by side, both formulas and the first numbers that part."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..call import no_grad
from ..errors import DtypeError, NumnetError, OptionError, describe
from ..nested import flatten
from ..nn import Layer
from ..optim import Optimizer
from ..random import default_rng
from ..tensor import Parameter
from .formula import formulas

__all__ = ["explain_difference"]

STEPS = 10  # of two optimisers, before they count as the same


def explain_difference(a: Layer | Optimizer, b: Layer | Optimizer, *inputs: Any) -> None:
    """Print the formulas of ``a`` and ``b``, and the first numbers in which they part.

    Two layers or losses run on the same inputs, in float64, with the parameters of ``a`` and the same draws: their
    output in training, ∂J/∂input for δ = 1, ∂J/∂parameter, their buffers, and the output in evaluation mode, in this
    order. Two optimisers make ten steps down J = ½ (w₁² + 4 w₂²) from w = (1, -2). Neither ``a`` nor ``b`` changes.

    Args:
        a: a layer, loss or optimiser.
        b: another one, for instance the same with another convention.
        inputs: for layers, what to run them on; small arrays that fit if left out.

    Raises:
        DtypeError: neither two layers nor two optimisers.
        OptionError: no array made up here fits the layers; give ``inputs``.

    >>> import numpy as np
    >>> from numnet import nn
    >>> x, y = np.array([1.0, 2.0, 3.0]), np.zeros(3)
    >>> explain_difference(nn.MSELoss(), nn.MSELoss(reduction="half_sum"), x, y)
    a: MSELoss, reduction='mean'
    b: MSELoss, reduction='half_sum'
      J = Σ (x - y)² / n
      ∂J/∂x = 2 δ (x - y) / n        ∂J/∂y = -∂J/∂x
    they part in
      output: 4.666666667 and 7
    """
    if isinstance(a, Layer) and isinstance(b, Layer):
        inputs = inputs or _fitting(a, b)
        numbers = zip(_of_layer(a, a, inputs), _of_layer(b, a, inputs), strict=False)
    elif isinstance(a, Optimizer) and isinstance(b, Optimizer):
        numbers = zip(_of_optimizer(a), _of_optimizer(b), strict=False)
    else:
        raise DtypeError("two layers or two optimisers", f"{describe(a)} and {describe(b)}", "compare like with like")
    print(_heading(a, b))
    same = []
    for (what, left), (_, right) in numbers:
        if left.shape != right.shape:
            print(f"they part in\n  {what}: shapes {left.shape} and {right.shape}")
            break
        if not np.allclose(left, right, rtol=1e-9, atol=1e-12):
            index = tuple(int(i) for i in np.argwhere(~np.isclose(left, right, rtol=1e-9, atol=1e-12))[0])
            print(f"they part in\n  {what}{list(index) if index else ''}: {left[index]:.10g} and {right[index]:.10g}")
            break
        same.append(what)
    else:
        print(f"they do not part in {', '.join(same)}")
        return
    if same:
        print(f"the same before: {', '.join(same)}")


def _heading(a: Any, b: Any) -> str:
    (left, right), lines = (_settings(a), _settings(b)), []
    shown = [k for k in {**left, **right} if k not in left or k not in right or left[k] != right[k]]
    for name, thing, settings in (("a", a, left), ("b", b, right)):
        lines += [
            ", ".join([f"{name}: {type(thing).__name__}", *(f"{k}={settings[k]!r}" for k in shown if k in settings)])
        ]
        if thing is b or type(a) is not type(b):
            lines += [f"  {line}" for block in formulas(thing) for line in block]
    return "\n".join(lines)


def _settings(thing: Any) -> dict[str, Any]:
    """The settings by name: numbers, words and switches."""
    values = thing.param_groups[0] if isinstance(thing, Optimizer) else vars(thing)
    return {
        k: v for k, v in values.items() if isinstance(v, bool | int | float | str | tuple) and not k.startswith("_")
    }


Numbers = Iterator[tuple[str, np.ndarray]]


def _of_layer(layer: Layer, a: Layer, inputs: tuple[Any, ...]) -> Numbers:
    """What ``layer`` computes, by name, with the parameters of ``a``."""
    generator = default_rng().bit_generator
    before = generator.state
    own, shared = (copy.deepcopy(x).double() for x in (layer, a))
    if own is not shared and [n for n, _ in own.named_parameters()] == [n for n, _ in shared.named_parameters()]:
        for p, q in zip(own.parameters(), shared.parameters(), strict=True):
            if p.shape == q.shape:
                p.array[...] = q.array
    for module in own.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, np.random.Generator):
                setattr(module, name, np.random.Generator(np.random.Philox(0)))
    found = []
    try:
        generator.state = np.random.Philox(0).state
        outputs = tuple(flatten(own.train()(*inputs)))
        found += [("output", np.asarray(y)) for y in outputs]
        deltas = tuple(np.ones_like(y) for y in outputs)
        result = own.backward(deltas if len(deltas) > 1 else deltas[0])
        given = result if isinstance(result, tuple) else (result,)
        found += [(f"∂J/∂input {i}", d) for i, d in enumerate(given) if d is not None]
        found += [(f"∂J/∂{n}", p.grad_array) for n, p in own.named_parameters() if p.grad_array is not None]
        found += [(n, np.asarray(buffer)) for n, buffer in own.named_buffers()]
        with no_grad():
            found += [("output in evaluation mode", np.asarray(y)) for y in flatten(own.eval()(*inputs))]
    finally:
        generator.state = before
    yield from found


def _fitting(a: Layer, b: Layer) -> tuple[np.ndarray, ...]:
    """Inputs that both take: a batch of 2, with as many channels as they have."""
    rng = np.random.default_rng(0)
    count = len(inspect.signature(a.forward).parameters) - 1  # all but ctx
    channels = next((n for k in ("num_features", "in_features", "in_channels") if (n := vars(a).get(k))), 3)
    for shape in ((2, channels), (2, channels, 6), (2, channels, 6, 6), (2, channels, 6, 6, 6)):
        inputs = tuple(rng.uniform(-2, 2, shape) for _ in range(count))
        try:
            with no_grad():
                for layer in (a, b):
                    copy.deepcopy(layer).double().eval()(*inputs)
        except NumnetError:
            continue
        return inputs
    cure = "explain_difference(a, b, x) runs them on your x"
    raise OptionError(f"layers that take a batch of {channels} numbers or channels", f"{a!r} and {b!r}", cure)


def _of_optimizer(optimizer: Optimizer) -> Numbers:
    """Where w stands after each step."""
    w = Parameter(np.array([1.0, -2.0]))
    options = {k: v for k, v in optimizer.param_groups[0].items() if k in optimizer.defaults}
    own = type(optimizer)([w], **options)

    def closure() -> float:
        w.grad_array = w.array * [1.0, 4.0]
        return float(0.5 * (w.array * w.grad_array).sum())

    for step in range(1, STEPS + 1):
        own.step(closure)
        yield f"w after step {step}", w.array.copy()
