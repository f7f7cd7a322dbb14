"""The column form: the formulas and arrays of a linear layer as a derivation has them, one column a sample."""

from __future__ import annotations

from collections.abc import Iterator

from ...nn import Linear
from ..maps import Map
from ..record import ArrayRecord
from ..step import Step

__all__ = ["both_forms", "is_column"]


def both_forms(step: Step) -> Iterator[tuple[str, str, str]]:
    """(form, formula, its shapes) of a linear layer on a batch (N, in): with samples as rows, and as columns."""
    call = step.call
    if call is None or not isinstance(call.formulas_of, Linear):
        return
    x = next(iter(call.inputs.values()))
    if x is None or len(x.shape) != 2:
        return
    (n, i), o = x.shape, call.formulas_of.out_features
    bias = "bias" in call.parameters or "b" in call.inputs
    if step.stage != "backward":
        yield "rows", "z = x Wᵀ" + " + b" * bias, f"({n}, {o}) = ({n}, {i})({i}, {o})" + f" + ({o},)" * bias
        yield "columns", "zˡ = Wˡ aˡ⁻¹" + " + bˡ" * bias, f"({o}, {n}) = ({o}, {i})({i}, {n})" + f" + ({o}, 1)" * bias
        return
    shapes = f"({o}, {i}) = ({o}, {n})({n}, {i})", f"({o},)", f"({n}, {i}) = ({n}, {o})({o}, {i})"
    rows = zip(("rows", "", ""), ("∂J/∂W = δᵀ x", "∂J/∂b = Σₙ δₙ", "∂J/∂x = δ W"), shapes, strict=True)
    yield from (row for k, row in enumerate(rows) if k != 1 or bias)
    shapes = shapes[0], f"({o}, 1)", f"({i}, {n}) = ({i}, {o})({o}, {n})"
    formulas = "∂J/∂Wˡ = δˡ (aˡ⁻¹)ᵀ", "∂J/∂bˡ = Σₙ δˡₙ", "∂J/∂aˡ⁻¹ = (Wˡ)ᵀ δˡ"
    columns = zip(("columns", "", ""), formulas, shapes, strict=True)
    yield from (row for k, row in enumerate(columns) if k != 1 or bias)


def is_column(shown: Map, record: ArrayRecord, batch: int) -> bool:
    """Whether the column form has this array transposed: rows of samples, and the bias as a column."""
    if len(record.shape) == 2:
        return shown.role in ("input", "output", "saved", "δ in", "δ out") and record.shape[0] == batch
    return len(record.shape) == 1 and shown.letter in ("b", "∂J/∂b")
