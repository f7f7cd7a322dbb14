"""What the five tutorials describe, item by item, and what proves that each works here.

numnet tutorials            the rows with their proof
numnet tutorials --check    run the proofs
"""

from __future__ import annotations

from .check import Outcome, check
from .marks import collect
from .rows import OPEN, Proof, Row, proofs, rows

__all__ = ["OPEN", "Outcome", "Proof", "Row", "check", "collect", "proofs", "rows"]
