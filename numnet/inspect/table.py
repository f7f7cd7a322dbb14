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
        from rich import box
        from rich.table import Table
        from rich.text import Text
    except ImportError as error:
        raise MissingExtraError("rich", "demos") from error
    title = f"δ of every layer; J = {trace.loss:.4f}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("layer", no_wrap=True)
    table.add_column("formula", overflow="fold")
    table.add_column("output\nshape", no_wrap=True)
    table.add_column("size\nof a", justify="right", no_wrap=True)
    table.add_column("size\nof δ", justify="right", no_wrap=True)
    table.add_column("norm of each\ngradient", no_wrap=True)
    for step in trace:
        kind = type(step.layer).__name__
        table.add_row(
            kind if step.path == kind else f"{step.path} {kind}",
            Text(step.formula),  # its brackets are no markup
            "×".join(map(str, step.output.shape)) or "1",
            _size(step.output),
            "" if step.delta is None else _size(step.delta),
            "\n".join(f"{name} {_norm(g):.1e}" for name, g in step.parameter_gradients.items()),
        )
    return table


def _size(a: Array) -> str:
    return f"{_norm(a) / max(a.size, 1) ** 0.5:.1e}"


def _norm(a: Array) -> float:
    return float(np.sqrt(np.sum(np.square(a, dtype=np.float64))))
