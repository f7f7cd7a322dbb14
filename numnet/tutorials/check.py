"""Running the proofs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ..errors import DataError
from .marks import collect
from .rows import OPEN, Proof, Row

__all__ = ["Outcome", "check"]

Status = Literal["passed", "failed", "no data", "not run", "no proof", "open"]


class Outcome(NamedTuple):
    """How the proofs of one row came out.

    Attributes:
        status: ``"passed"``: some ran, and all that ran passed; ``"failed"``: one failed; ``"no data"``: all were
            skipped; ``"not run"``: all are slow, and slow ones were not asked for; ``"no proof"``: there is none;
            ``"open"``: the row belongs to later work.
        reason: which test failed, or why it was skipped.
    """

    status: Status
    reason: str = ""


def check(tree: Path, rows: Sequence[Row], slow: bool = False) -> dict[str, Outcome]:
    """Run the proofs of some rows in one run of pytest, whose progress goes to stderr.

    Args:
        tree: the source tree, whose tests, demos and pages are the proofs.
        rows: which rows.
        slow: run those too that take minutes.

    Returns:
        For each row how it came out.

    Raises:
        DataError: there is no source tree at ``tree``, or pytest did not come to its end.
    """
    if not (tree / "tests" / "test_demos.py").is_file():
        cure = "run it in a clone of the repository, or pass --tree PATH"
        raise DataError("a source tree of numnet, with tests, demos and docs", f"none in {tree}", cure)
    proofs = collect(tree)
    asked = {proof for row in rows for proof in proofs.get(row.id, []) if slow or not proof.slow}
    reports = _run(tree, sorted(proof.node for proof in asked)) if asked else {}
    return {row.id: _outcome(row, proofs.get(row.id, []), reports, asked) for row in rows}


def _outcome(row: Row, proofs: list[Proof], reports: Mapping[str, tuple[str, str]], asked: set[Proof]) -> Outcome:
    if any(row.id in ids for ids in OPEN.values()):
        return Outcome("open")
    if not proofs:
        return Outcome("no proof")
    ran = [proof.node for proof in proofs if proof in asked]
    if not ran:
        return Outcome("not run", "takes minutes: --slow")
    found = {node: report for node, report in reports.items() if any(_concerns(node, proof) for proof in ran)}
    for node, (status, _) in found.items():
        if status == "failed":
            return Outcome("failed", node)
    if any(status == "passed" for status, _ in found.values()):
        return Outcome("passed")
    if not found:
        return Outcome("failed", f"{ran[0]}: not found")
    return Outcome("no data", next(iter(found.values()))[1])


def _concerns(node: str, proof: str) -> bool:
    """Whether a report is on a proof: on that test, on one of its parametrised cases, or on the whole file."""
    return node == proof or node.startswith(f"{proof}[") or proof.startswith(f"{node}::")


def _run(tree: Path, nodes: list[str]) -> dict[str, tuple[str, str]]:
    """What became of each test: passed, failed or skipped, and why."""
    with tempfile.TemporaryDirectory() as folder:
        reports, wanted = Path(folder) / "reports", Path(folder) / "nodes"
        wanted.write_text("\n".join(nodes), encoding="utf-8")
        # Whole files, of which the plugin keeps what is wanted: pytest stops at once where a test is named of a file
        # that skips itself, for want of a package.
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pytest", "-q", "-p", "numnet.tutorials.reporter", "-p", "no:cacheprovider",
             "-o", "addopts=--import-mode=importlib", "--no-header", "--continue-on-collection-errors",
             *dict.fromkeys(node.partition("::")[0] for node in nodes)],
            cwd=tree,
            env={**os.environ, "NUMNET_REPORTS": str(reports), "NUMNET_NODES": str(wanted)},
            stdout=sys.stderr,
        )  # fmt: skip
        if done.returncode not in (0, 1, 5) or not reports.exists():  # 5: not one test was left to run
            raise DataError("a run of pytest to its end", f"exit status {done.returncode}", 'pip install ".[test]"')
        lines = reports.read_text(encoding="utf-8").splitlines()
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        node, status, reason = json.loads(line)
        if found.get(node, ("passed", ""))[0] == "passed":  # set-up, call and clean-up report one after the other
            found[node] = status, reason
    return found
