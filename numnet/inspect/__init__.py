"""Looking inside: the δ of every layer, formulas, gradient checks."""

from __future__ import annotations

from .budget import budget
from .compare import Comparison, Parting, compare_with_torch
from .delta_budget import Budget, BudgetRow, Finding, budget_of
from .dialects import explain_difference
from .explain import Explanation
from .formula import FormulaLines, equations, formulas
from .gradcheck import GradientCheck, GradientRow, gradcheck
from .ledger import Ledger, LedgerRow, ledger
from .mathml import mathml
from .multiply_adds import multiply_adds
from .plots import plot_decision_boundary, plot_deltas, plot_feature_maps, plot_filters, plot_path
from .record import ArrayRecord, CallRecord, Digest, ParameterRecord, UpdateRecord
from .recording import ParameterTotal
from .source import Source, SourceLine
from .step import Step
from .summary import Summary, SummaryRow, summary
from .table import delta_table
from .time_shares import TimeShares, time_shares
from .trace import Trace, trace

__all__ = [
    "ArrayRecord",
    "Budget",
    "BudgetRow",
    "CallRecord",
    "Comparison",
    "Digest",
    "Explanation",
    "Finding",
    "FormulaLines",
    "GradientCheck",
    "GradientRow",
    "Ledger",
    "LedgerRow",
    "ParameterRecord",
    "ParameterTotal",
    "Parting",
    "Source",
    "SourceLine",
    "Step",
    "Summary",
    "SummaryRow",
    "TimeShares",
    "Trace",
    "UpdateRecord",
    "budget",
    "budget_of",
    "compare_with_torch",
    "delta_table",
    "equations",
    "explain_difference",
    "formulas",
    "gradcheck",
    "ledger",
    "mathml",
    "multiply_adds",
    "plot_decision_boundary",
    "plot_deltas",
    "plot_feature_maps",
    "plot_filters",
    "plot_path",
    "summary",
    "time_shares",
    "trace",
]
