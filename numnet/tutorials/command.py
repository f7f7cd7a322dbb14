"""``numnet tutorials``: the rows as a table."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..errors import OptionError
from .check import Outcome, check
from .rows import OPEN, Proof, Row, proofs, rows

__all__ = ["tutorials"]


def tutorials(ids: Sequence[str] = (), run: bool = False, slow: bool = False, tree: Path | None = None) -> int:
    """Print the rows with their proofs; with ``run`` run these, and print how they came out.

    Args:
        ids: the rows, ``C009`` or ``F3``, or sections, ``A`` … ``O``; all of them if left out.
        run: run the proofs.
        slow: run those too that take minutes.
        tree: the source tree; where one is found at or above the working directory if left out.

    Returns:
        The exit status: 1 if a proof failed, or a row that is not open has none.

    Raises:
        OptionError: no such row or section. DataError: there is no source tree to run the proofs in.
    """
    chosen = _chosen(ids)
    found = proofs()
    outcomes = check(tree or _tree(), chosen, slow) if run else None
    section = ""
    for row in chosen:
        if row.section != section:
            section = row.section
            print(f"\n{section}")
        _print_row(row, found.get(row.id, []), outcomes[row.id] if outcomes else None)
    print()
    if outcomes is None:
        counts = Counter("open" if _why_open(row) else "proved" if row.id in found else "no proof" for row in chosen)
    else:
        counts = Counter(outcome.status for outcome in outcomes.values())
    print(f"{len(chosen)} rows: " + ", ".join(f"{n} {status}" for status, n in counts.items()))
    for why, open_ids in OPEN.items():
        if any(row.id in open_ids for row in chosen):
            print(f"open, belonging to later work, {why}: {', '.join(open_ids)}")
    return int(counts["failed"] > 0 or counts["no proof"] > 0)


def _chosen(ids: Sequence[str]) -> list[Row]:
    table = rows()
    if not ids:
        return table
    wanted = {id.upper() for id in ids}
    sections = {"FAULTS" if row.section == "Faults" else row.section[0] for row in table}
    unknown = wanted - {row.id for row in table} - sections
    if unknown:
        expected = "rows C001 to C283 or F1 to F14, sections A to O, or faults"
        raise OptionError(expected, ", ".join(sorted(unknown)), "numnet tutorials without arguments lists them all")
    return [row for row in table if {row.id, row.section.upper() if row.id[0] == "F" else row.section[0]} & wanted]


def _tree() -> Path:
    """The source tree that the working directory lies in, or the working directory."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "tests" / "test_demos.py").is_file()), here)


def _why_open(row: Row) -> str:
    return next((why for why, ids in OPEN.items() if row.id in ids), "")


def _print_row(row: Row, found: Sequence[Proof], outcome: Outcome | None) -> None:
    width = max(60, min(120, shutil.get_terminal_size().columns if sys.stdout.isatty() else 120))
    state = f"{outcome.status:<9}" if outcome else ""
    first = f"{row.id:<5}{state}"
    print(first + _cut(row.item, width - len(first)))
    places = list(dict.fromkeys(f"{proof.place}{' (minutes)' if proof.slow else ''}" for proof in found))
    text = ", ".join(places) or (f"open: {_why_open(row)}" if _why_open(row) else "NO PROOF")
    if outcome and outcome.reason:
        text += f"; {outcome.reason}"
    print(textwrap.fill(text, width, initial_indent="     ", subsequent_indent="     ", break_long_words=False))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2] + " …"
