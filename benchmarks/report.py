"""The tables of docs/performance.md, and the same tables on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import NamedTuple

from .avx2 import GOAL
from .reasons import reason_of
from .rows import Row

__all__ = ["COLUMNS", "avx2_note", "conditions_text", "filled", "table", "write"]


NBSP = "\N{NO-BREAK SPACE}"


class Columns(NamedTuple):
    """What the columns of a part's table are called; without ``work`` that stands in the name's column.

    ``beside``: rows are beside different things, which they name. ``rivals``: a row without a goal is about somebody
    else's work.
    """

    name: str
    work: str
    ours: str = "numnet"
    other: str = "other"
    beside: bool = True
    rivals: bool = True


COLUMNS = {
    "models": Columns("network", ""),
    "avx2": Columns("network", ""),
    "layers": Columns("layer", "input", other="PyTorch", beside=False),
    "kernels": Columns("kernel", "pass"),
    "memory": Columns("network", "pass", other="PyTorch"),
    "import": Columns("what", "when"),
    "loader": Columns("network", "part"),
    "scaling": Columns("what grows", "to", "step", "evenly", beside=False, rivals=False),
}


def table(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    """The rows of one part as Markdown tables, aligned so that they can be read as they are.

    Numbers of threads stand side by side. Why goals are missed is said below. The whole networks have three tables:
    training, inference, training in float64.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.work.partition(",")[0].capitalize() if row.part == "models" else "", []).append(row)
    titled = [f"### {title}\n\n{_table(group)}" if title else _table(group) for title, group in groups.items()]
    return "\n\n".join([*titled, _measured(rows, about)])


def _table(rows: Sequence[Row]) -> str:
    columns = COLUMNS[rows[0].part]
    counts = sorted({row.threads for row in rows})
    lines: dict[tuple[str, str, str], dict[int, Row]] = {}
    for row in rows:
        lines.setdefault((row.name, row.work, row.against), {})[row.threads] = row
    goals = {_goal(row) for row in rows}
    once = len(goals) == 1 and not columns.beside  # one goal for all, said above the table
    shown = True, bool(columns.work), columns.beside, goals != {""} and not once
    notes = _Notes()
    text = [[*compress((columns.name, columns.work, "beside", "goal"), shown)]]
    for n in counts:
        text[0] += ["1 thread" if n == 1 else f"{n} threads", f"{columns.ours} : {columns.other}"]
    above = ("", "")
    for (name, work, against), found in lines.items():
        goal = _goal(next(iter(found.values())))
        what = (name, work) if columns.work else (f"{name}, {work.rpartition(', ')[2]}", "")
        named = "" if what[0] == above[0] else what[0], "" if what == above else what[1]  # not again what stands above
        line, above = [*compress((*named, against, goal), shown)], what
        for n in counts:
            line += [_result(found[n], columns, notes), _amounts(found[n])] if n in found else ["", ""]
        text.append(line)
    aim = f"; the goal is {min(goals)}" if once else ""
    beside = [] if columns.beside else [f"Each beside {rows[0].against}{aim}."]
    summary = [] if goals == {""} else [_summary(rows)]
    return "\n\n".join([*beside, _aligned(text), *summary, *notes.text()])


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)


class _Notes:
    """Reasons, numbered in the order in which they are first needed."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, reason: str) -> int:
        return self.numbers.setdefault(reason, len(self.numbers) + 1)

    def text(self) -> list[str]:
        """Nothing, or the list."""
        lines = [f"{number}. {reason}" for reason, number in self.numbers.items()]
        return ["Why goals are missed:\n\n" + "\n".join(lines)] if lines else []


def conditions_text(conditions: Mapping[str, str]) -> str:
    """What the numbers were measured on, as a list."""
    return "\n".join(f"- {name}: {value}" for name, value in conditions.items())


def avx2_note(rows: Sequence[Row]) -> str:
    """What stands in the place of the table where there is no more than AVX2; ``rows`` are of all parts."""
    text = "Neither library uses more than AVX2 here: the training steps above are this comparison."
    steps = [row for row in rows if row.part == "models" and row.work.startswith("training, ") and row.goal is not None]
    if not steps:
        return text
    behind = [row for row in steps if row.ratio.median > GOAL]
    text += f" {len(steps) - len(behind)} of its {len(steps)} rows are ≤ {GOAL:.2f}."
    named = [f"{row.name}, {row.against}, {row.threads} thr. ({row.ratio.median:.2f})" for row in behind]
    return f"{text} The others: {'; '.join(named)}." if named else text


def write(page: Path, blocks: Mapping[str, str]) -> None:
    """Put each block between the page's marks, all at once: whoever reads finds the old page or the new one.

    Raises:
        ValueError: the page has no such marks.
    """
    text = filled(page.read_text(encoding="utf-8"), blocks)
    aside = page.with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    aside.replace(page)


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """``text`` with each block between its marks ``<!-- benchmarks: name -->`` and ``<!-- end -->``.

    Raises:
        ValueError: it has no such marks.
    """
    for name, block in blocks.items():
        marks = re.compile(rf"(<!-- benchmarks: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        parts = marks.split(text)
        if len(parts) != 4:
            raise ValueError(f"the page has {len(parts) // 3} places for {name}, where one is expected")
        text = f"{parts[0]}{parts[1]}{block}\n{parts[2]}{parts[3]}"
    return text


def _amounts(row: Row) -> str:
    """Both sides, and the unit, once if it is the same."""
    ours, other = (_amount(value, row.unit).split(" ") for value in (row.ours, row.other))
    text = f"{ours[0]} : {' '.join(other)}" if ours[1] == other[1] else f"{' '.join(ours)} : {' '.join(other)}"
    return text.replace(" ", NBSP).replace(f":{NBSP}", ": ")  # where it is narrow, a line for each


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    if unit != "s":
        return f"{value:.0f} {unit}"
    for factor, short in ((1e6, "µs"), (1e3, "ms")):
        if value * factor < 1000:
            return f"{value * factor:.3g} {short}"
    return f"{value:.2f} s"


def _result(row: Row, columns: Columns, notes: _Notes) -> str:
    """The ratio and half of what lies between its quartiles; bold, with the number of a reason, where it misses."""
    missed = row.met is False
    ratio, half = f"{row.ratio.median:.2f}", f"± {(row.ratio.high - row.ratio.low) / 2:.2f}"
    text = (f"**{ratio}** {half} [{notes.number(reason_of(row))}]" if missed else f"{ratio} {half}").replace(" ", NBSP)
    if row.goal is None and columns.rivals and row.ratio.median > 1:
        text += " ahead of us"
    return f"{text} noisy" if row.noisy else text


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    return f"{'≥' if row.at_least else '≤'}{NBSP}{row.goal:.2f}"


def _measured(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    """When, how, and how much was thrown away."""
    contests = {(row.name, row.work, row.threads): (row.rounds, 0 if row.noisy else row.disturbed) for row in rows}
    kept, disturbed = (sum(numbers) for numbers in zip(*contests.values(), strict=True))
    noisy = sum(row.noisy for row in rows)
    effort = about["effort"].partition(":")[0]
    text = f"Measured on {about['date']}, {effort}: rounds {kept}, others thrown away as disturbed {disturbed}"
    return f"*{text}; noisy rows {noisy}.*" if noisy else f"*{text}.*"


def _summary(rows: Iterable[Row]) -> str:
    """How many goals are met, and which are not, the farthest first."""
    aimed = [row for row in rows if row.goal is not None]
    missed = sorted((row for row in aimed if not row.met), key=_distance, reverse=True)
    text = f"{len(aimed) - len(missed)} of {len(aimed)} goals are met."
    if not missed:
        return text
    worst = {(row.name, row.work): f"{row.ratio.median:.2f}, goal {_goal(row)}" for row in reversed(missed)}
    named = [f"{name}, {work} ({off})" for (name, work), off in reversed(worst.items())]
    return f"{text} Farthest off: {'; '.join(named[:5])}."


def _distance(row: Row) -> float:
    """How many times the goal is missed by."""
    assert row.goal is not None
    return row.goal / row.ratio.median if row.at_least else row.ratio.median / row.goal
