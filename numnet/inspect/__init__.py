"""Looking inside: the δ of every layer, formulas, gradient checks."""

from __future__ import annotations

from .formula import FormulaLines, equations, formulas
from .gradcheck import GradientCheck, GradientRow, gradcheck
from .plot import plot_deltas
from .table import delta_table
from .trace import Step, Trace, trace

__all__ = [
    "FormulaLines",
    "GradientCheck",
    "GradientRow",
    "Step",
    "Trace",
    "delta_table",
    "equations",
    "formulas",
    "gradcheck",
    "plot_deltas",
    "trace",
]
