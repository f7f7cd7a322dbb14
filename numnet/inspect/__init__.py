"""Looking inside: the δ of every layer, formulas, gradient checks."""

from __future__ import annotations

from .dialects import explain_difference
from .formula import FormulaLines, equations, formulas
from .gradcheck import GradientCheck, GradientRow, gradcheck
from .plot import plot_deltas
from .table import delta_table
from .time_shares import TimeShares, time_shares
from .trace import Step, Trace, trace

__all__ = [
    "FormulaLines",
    "GradientCheck",
    "GradientRow",
    "Step",
    "TimeShares",
    "Trace",
    "delta_table",
    "equations",
    "explain_difference",
    "formulas",
    "gradcheck",
    "plot_deltas",
    "time_shares",
    "trace",
]
