"""Looking inside: the δ of every layer, formulas, gradient checks."""

from __future__ import annotations

from .dialects import explain_difference
from .formula import FormulaLines, equations, formulas
from .gradcheck import GradientCheck, GradientRow, gradcheck
from .multiply_adds import multiply_adds
from .plot import plot_deltas
from .summary import Summary, SummaryRow, summary
from .table import delta_table
from .time_shares import TimeShares, time_shares
from .trace import Step, Trace, trace

__all__ = [
    "FormulaLines",
    "GradientCheck",
    "GradientRow",
    "Step",
    "Summary",
    "SummaryRow",
    "TimeShares",
    "Trace",
    "delta_table",
    "equations",
    "explain_difference",
    "formulas",
    "gradcheck",
    "multiply_adds",
    "plot_deltas",
    "summary",
    "time_shares",
    "trace",
]
