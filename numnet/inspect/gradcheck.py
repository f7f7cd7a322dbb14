"""Gradient check: every element of every gradient against differences of the forward pass, with a diagnosis."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..call import no_grad
from ..errors import DtypeError, TrainingModeWarning, describe
from ..nested import flatten
from ..nn import Module
from ..random import default_rng

__all__ = ["GradientCheck", "GradientRow", "gradcheck"]


@dataclass(frozen=True, slots=True)
class GradientRow:
    """The worst element of one gradient.

    Attributes:
        name: ``"∂J/∂input"``, ``"∂J/∂input[1]"`` or ``"∂J/∂weight"``.
        shape: the gradient's shape.
        error: |analytic - numeric| / max(|analytic|, |numeric|), over the part that differences can resolve.
        index: where the error is largest.
        analytic: what backward gave there.
        numeric: what the differences say.
        kinks: how many elements stand on a kink of the function (as ReLU at 0), where any slope between the left and
            the right one is right.
        hint: the likely mistake, if the whole gradient fits one.
        ok: whether every element agrees.
    """

    name: str
    shape: tuple[int, ...]
    error: float
    index: tuple[int, ...]
    analytic: float
    numeric: float
    kinks: int
    hint: str
    ok: bool


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """What :func:`gradcheck` found: one row for each input and each parameter; ``print`` it."""

    layer: str
    rows: tuple[GradientRow, ...]

    @property
    def ok(self) -> bool:
        """Whether every element of every gradient agrees."""
        return all(row.ok for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = [f"gradient check of {self.layer}"]
        width = max((len(row.name) for row in self.rows), default=0)
        for row in self.rows:
            line = f"  {row.name:<{width}}  {row.shape!s:<14} {'ok   ' if row.ok else 'WRONG'}  error {row.error:.1e}"
            if row.kinks:
                line += f"  ({row.kinks} on a kink)"
            if not row.ok:
                place = f" at {list(row.index)}" if row.index else ""
                line += f"{place}: backward {row.analytic:.6g}, differences {row.numeric:.6g}"
            lines.append(line)
            if row.hint:
                lines.append(f"  {'':<{width}}  {row.hint}")
        return "\n".join(lines)


def gradcheck(layer: Module, *inputs: Any, tolerance: float = 1e-6, seed: int = 0) -> GradientCheck:
    """Check a layer's, or any module's, backward in every element against its own forward.

        J(x) = Σ v ⊙ layer(x)        v drawn once

        ∂J/∂xᵢ ≈ (8 [J(xᵢ + h) - J(xᵢ - h)] - [J(xᵢ + 2h) - J(xᵢ - 2h)]) / 12h

    It works on a copy in float64: the layer and its gradients stay as they are. Random layers draw the same numbers in
    every evaluation. Elements that disagree are looked at again with smaller steps, and on both sides, before
    they are called wrong: correct code is not.

    Args:
        layer: a Layer, Loss or Module; training mode as it stands.
        inputs: arrays; those with integers (labels, indices) are handed on and not differentiated.
        tolerance: the relative error up to which an element agrees.
        seed: of v.

    Returns:
        A report with ``ok`` and one row for each gradient. Errors that the layer raises pass through.

    Source: Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, 1988, table 1.
    """
    if not isinstance(layer, Module):
        raise DtypeError("a Layer, Loss or Module", describe(layer), "gradcheck(layer, *inputs)")
    objective = _Objective(copy.deepcopy(layer).double(), inputs, seed)
    rows = [_row(name, x, gradient, objective, tolerance) for name, x, gradient in objective.gradients()]
    text = repr(layer)
    title = type(layer).__name__ if "\n" in text else text
    return GradientCheck(title, (*rows, *objective.overwritten()))


class _Objective:
    """J = Σ v ⊙ layer(x) as a function of arrays that are changed in place between evaluations."""

    def __init__(self, layer: Module, inputs: tuple[Any, ...], seed: int) -> None:
        self.layer = layer
        self.inputs = tuple(np.array(x, np.float64 if np.asarray(x).dtype.kind == "f" else None) for x in inputs)
        generators = [default_rng(), *(v for m in layer.modules() for v in vars(m).values() if _draws(v))]
        self.draws = [(generator, generator.bit_generator.state) for generator in generators]
        rng = np.random.default_rng(seed)
        outputs = self.outputs()
        self.v = tuple(rng.uniform(0.5, 1.5, y.shape) if y.dtype.kind == "f" else None for y in outputs)
        size = sum(float(np.abs(v * y).sum()) for v, y in zip(self.v, outputs, strict=True) if v is not None)
        self.rounding = 10 * float(np.finfo(np.float64).eps) * (size + 1e-30)

    def outputs(self) -> tuple[Any, ...]:
        for generator, start in self.draws:
            generator.bit_generator.state = start  # the same draws in every evaluation
        return tuple(flatten(self.layer(*self.inputs)))

    def __call__(self) -> float:
        with no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingModeWarning)  # the mode is that of the gradient, and rightly so
            outputs = self.outputs()
        return sum(float((v * y).sum()) for v, y in zip(self.v, outputs, strict=True) if v is not None)

    def gradients(self) -> list[tuple[str, Any, Any]]:
        """Name, array and analytic gradient of every input and parameter that is differentiated."""
        self.layer.zero_grad()
        result = self.backward()
        named = []
        for i, (x, delta) in enumerate(zip(self.inputs, result, strict=True)):
            if delta is not None:
                named.append((f"∂J/∂input[{i}]" if len(self.inputs) > 1 else "∂J/∂input", x, delta))
        for name, p in self.layer.named_parameters():
            if p.requires_grad:
                named.append(
                    (f"∂J/∂{name}", p.array, np.zeros(p.shape) if p.grad_array is None else p.grad_array.copy())
                )
        return named

    def backward(self) -> tuple[Any, ...]:
        self.outputs()
        result = self.layer.backward(self.v if len(self.v) > 1 else self.v[0])
        if isinstance(result, tuple):
            return result
        asked = [x.dtype.kind == "f" and self.layer._differentiates(i) for i, x in enumerate(self.inputs)]
        return tuple(result if a else None for a in asked)

    def overwritten(self) -> list[GradientRow]:
        """A row for each parameter whose ``grad`` a second backward overwrites instead of adding to it."""
        before = {n: p.grad_array.copy() for n, p in self.layer.named_parameters() if p.grad_array is not None}
        self.backward()
        after: dict[str, Any] = {n: p.grad_array for n, p in self.layer.named_parameters()}
        hint = "a second backward must add to grad: use parameter.accumulate(…)"
        return [
            GradientRow(f"∂J/∂{n}", g.shape, 1.0, (), float(after[n].sum()), float(2 * g.sum()), 0, hint, False)
            for n, g in before.items()
            if not np.allclose(after[n], g + g, rtol=0, atol=1e-9 * np.abs(g).max(initial=0))  # shared: several sums
        ]


def _draws(value: object) -> bool:
    return isinstance(value, np.random.Generator)


def _row(name: str, x: Any, analytic: Any, objective: _Objective, tolerance: float) -> GradientRow:
    elements = [_element(x, i, float(analytic[i]), objective, tolerance) for i in np.ndindex(x.shape)]
    if not elements:
        return GradientRow(name, x.shape, 0.0, (), 0.0, 0.0, 0, "", True)
    numeric = np.array([e.numeric for e in elements]).reshape(x.shape)
    error = np.array([e.error for e in elements]).reshape(x.shape)
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(error)), x.shape))
    ok = bool(error[worst] <= tolerance)
    hint = "" if ok else _hint(np.asarray(analytic), numeric)
    kinks = sum(e.kink for e in elements)
    return GradientRow(
        name, x.shape, float(error[worst]), worst, float(analytic[worst]), float(numeric[worst]), kinks, hint, ok
    )


class _Element(NamedTuple):
    numeric: float
    error: float
    kink: bool


def _element(x: Any, index: tuple[int, ...], analytic: float, J: _Objective, tolerance: float) -> _Element:
    """One element against differences at steps that shrink until they agree, or a kink explains why none does."""
    at = float(x[index])
    scale = max(1.0, abs(at))

    def moved(by: float) -> float:
        x[index] = at + by
        try:
            return J()
        finally:
            x[index] = at

    best = _Element(np.nan, np.inf, False)
    for h in (1e-3 * scale, 1e-4 * scale, 1e-5 * scale, 1e-6 * scale):
        numeric = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
        resolved = J.rounding / (h * tolerance)  # below this size, rounding of J hides a relative error
        error = abs(analytic - numeric) / max(abs(analytic), abs(numeric), resolved)
        if not error >= best.error:
            best = _Element(numeric, error, False)
        if error <= tolerance:
            return best
    h = 1e-6 * scale
    left, right = (J() - moved(-h)) / h, (moved(h) - J()) / h
    slack = tolerance * max(abs(left), abs(right)) + J.rounding / h
    if abs(left - right) > 1e-3 * max(abs(left), abs(right)) + slack:
        between = min(left, right) - slack <= analytic <= max(left, right) + slack
        return _Element(analytic, 0.0, True) if between else best
    return best


def _hint(analytic: Any, numeric: Any) -> str:
    """The mistake that would explain the whole gradient, if there is a simple one."""

    def fits(a: Any, b: Any) -> bool:
        return bool(np.allclose(a, b, rtol=1e-4, atol=1e-7 * float(np.abs(numeric).max() + 1e-30)))

    if not analytic.any():
        return "it is zero everywhere: a term is missing, or accumulate is not called"
    if fits(analytic, -numeric):
        return "the sign is turned"
    if analytic.ndim == 2 and analytic.shape[0] == analytic.shape[1] and fits(analytic, numeric.T):
        return "it is transposed"
    ratio = float((analytic * numeric).sum() / max(float((numeric * numeric).sum()), 1e-300))
    if fits(analytic, ratio * numeric):
        return f"it is {ratio:.4g} times what it should be: a factor, or a mean in place of a sum"
    wrong = np.abs(analytic - numeric) > 1e-5 * (np.abs(numeric) + np.abs(numeric).max())
    return f"{int(wrong.sum())} of {wrong.size} elements differ"
