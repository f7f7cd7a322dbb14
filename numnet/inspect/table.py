"""The δ of every layer as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Array
from ..errors import MissingExtraError
from .trace import Trace

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["delta_table"]


def delta_table(trace: Trace) -> Table:
    """One row for each step: layer, formula, output shape, size of a and of δ, norm of each parameter's gradient.

    The size of an array is its root mean square, √(Σ a² / n), so that layers of different width compare; the norm of a
    gradient is √(Σ g²). Print it with ``rich.print``.

    Raises:
        MissingExtraError: rich is not installed.
    """
    try:
        from rich.table import Table
    except ImportError as error:
        raise MissingExtraError("rich", "demos") from error
    table = Table(title=f"δ of every layer, J = {trace.loss:.4f}", title_justify="left", pad_edge=False)
    for heading in ("layer", "formula", "output shape"):
        table.add_column(heading, overflow="fold")
    for heading in ("size of a", "size of δ"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("gradient norms", overflow="fold")
    for step in trace:
        kind = type(step.layer).__name__
        table.add_row(
            kind if step.path == kind else f"{step.path} {kind}",
            step.formula,
            " × ".join(map(str, step.output.shape)) or "1",
            _size(step.output),
            "" if step.delta is None else _size(step.delta),
            "  ".join(f"{name} {_norm(g):.2e}" for name, g in step.parameter_gradients.items()),
        )
    return table


def _size(a: Array) -> str:
    return f"{_norm(a) / max(a.size, 1) ** 0.5:.2e}"


def _norm(a: Array) -> float:
    return float(np.sqrt(np.sum(np.square(a, dtype=np.float64))))
