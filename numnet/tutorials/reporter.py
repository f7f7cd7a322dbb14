"""A plugin of pytest's that keeps the tests that are named in the file NUMNET_NODES, a line each, of all that it found,
and writes what became of each into the file NUMNET_REPORTS.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["pytest_collection_modifyitems", "pytest_collectreport", "pytest_configure", "pytest_runtest_logreport"]


def pytest_configure() -> None:
    """Called by pytest first: there will be a report."""
    Path(os.environ["NUMNET_REPORTS"]).touch()


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Called by pytest with all the tests of the files."""
    wanted = set(Path(os.environ["NUMNET_NODES"]).read_text(encoding="utf-8").splitlines())
    kept: list[Any] = []
    left: list[Any] = []
    for item in items:
        (kept if {item.nodeid, item.nodeid.partition("[")[0]} & wanted else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def pytest_collectreport(report: Any) -> None:
    """Called by pytest after it has read a file, which may have failed, or skipped itself."""
    if report.outcome != "passed":
        _write(report)


def pytest_runtest_logreport(report: Any) -> None:
    """Called by pytest after the set-up, the call and the clean-up of a test."""
    if report.when == "call" or report.outcome != "passed":
        _write(report)


def _write(report: Any) -> None:
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    line = json.dumps([report.nodeid, report.outcome, reason.removeprefix("Skipped: ")])
    with Path(os.environ["NUMNET_REPORTS"]).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
