"""Explain: the arithmetic of any one number of a trace, and the walk from it back to the loss."""

from __future__ import annotations

from .explain import explain, pattern_of, walk
from .explanation import Explanation, Rule
from .expression import Expression, Operand, Term
from .page import Rules
from .pattern import Pattern, to_plain
from .table import RULES

__all__ = [
    "RULES",
    "Explanation",
    "Expression",
    "Operand",
    "Pattern",
    "Rule",
    "Rules",
    "Term",
    "explain",
    "pattern_of",
    "to_plain",
    "walk",
]
