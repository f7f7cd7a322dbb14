"""The rows of the tutorials, and their proofs as they were when the package was built."""

from __future__ import annotations

import csv
import json
from importlib.resources import files
from typing import NamedTuple

__all__ = ["OPEN", "Proof", "Row", "proofs", "rows"]

OPEN = {
    "the estimators in scikit-learn's style": ("C258", "C259", "C260", "C261"),
    "the GPU": ("C240", "C273", "C274", "C275", "C278"),
}
"""Rows that belong to later work: why, and which."""


class Row(NamedTuple):
    """One item of the tutorials.

    Attributes:
        id: C001 … C283 for what they describe, F1 … F14 for what they get wrong.
        section: of the table.
        item: what they describe.
        tutorial: the numbers of those that do.
        kind: class, function, claim, figure, …
        works: what has to hold here.
    """

    id: str
    section: str
    item: str
    tutorial: str
    kind: str
    works: str


class Proof(NamedTuple):
    """What proves a row.

    Attributes:
        node: the test to run, as pytest names it.
        place: the file to read: a test, a demo or a page.
        slow: whether it takes minutes.
    """

    node: str
    place: str
    slow: bool = False


def rows() -> list[Row]:
    """Every row, in order."""
    text = (files(__package__) / "rows.csv").read_text(encoding="utf-8")
    return [Row(**row) for row in csv.DictReader(text.splitlines())]


def proofs() -> dict[str, list[Proof]]:
    """The proofs of each row that has any, as ``tools/tutorials`` found them in the source tree."""
    text = (files(__package__) / "proofs.json").read_text(encoding="utf-8")
    return {id: [Proof(*proof) for proof in found] for id, found in json.loads(text).items()}
