"""The tables and pictures of docs/performance.md, and the same tables on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from .reasons import reason_of
from .rows import Row
from .timing import Ratio

__all__ = ["PARTS", "conditions_text", "draw", "table", "write"]


def table(rows: Sequence[Row]) -> str:
    """The rows of one part as Markdown tables, aligned so that they can be read as they are.

    The whole networks have three: training, training in float64, inference.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.work.partition(",")[0].capitalize() if row.part == "models" else "", []).append(row)
    titled = [f"### {title}\n\n{_table(group)}" if title else _table(group) for title, group in groups.items()]
    return "\n\n".join(titled)


def _table(rows: Sequence[Row]) -> str:
    name, work, against, other = PARTS[rows[0].part]
    head = [name, work, "threads", "numnet", against, other, "ratio (quartiles)", "goal", "met", "rounds", "reason"]
    lines = [head, *[_cells(row) for row in rows]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    text = "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)
    return f"{text}\n\n{_summary(rows)}"


def conditions_text(conditions: dict[str, str]) -> str:
    """What the numbers were measured on, as a list."""
    return "\n".join(f"- {name}: {value}" for name, value in conditions.items())


def write(page: Path, blocks: dict[str, str]) -> None:
    """Put each block between the page's marks ``<!-- benchmarks: name -->`` and ``<!-- end -->``.

    Raises:
        ValueError: the page has no such marks.
    """
    text = page.read_text(encoding="utf-8")
    for name, block in blocks.items():
        marks = re.compile(rf"(<!-- benchmarks: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        parts = marks.split(text)
        if len(parts) != 4:
            raise ValueError(f"{page} has {len(parts) // 3} places for {name}, where one is expected")
        text = f"{parts[0]}{parts[1]}{block}\n{parts[2]}{parts[3]}"
    page.write_text(text, encoding="utf-8")


PARTS = {
    "models": ("network", "pass", "beside", "it takes"),
    "layers": ("layer", "input", "beside", "it takes"),
    "kernels": ("kernel", "pass", "peak", "that is"),
    "memory": ("network", "pass", "beside", "it takes"),
    "import": ("what", "when", "beside", "it takes"),
    "loader": ("network", "part", "beside", "it takes"),
    "scaling": ("what grows", "to", "beside", "that is"),
}
"""What the columns of a part's table are called."""


def _cells(row: Row) -> list[str]:
    first = [row.name, row.work, str(row.threads), _amount(row.ours, row.unit), row.against]
    last = [_goal(row), _met(row), _rounds(row), _reason(row)]
    return [*first, _amount(row.other, row.unit), _ratio(row.ratio), *last]


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    if unit != "s":
        return f"{value:.0f} {unit}"
    for factor, short in ((1e6, "µs"), (1e3, "ms")):
        if value * factor < 1000:
            return f"{value * factor:.3g} {short}"
    return f"{value:.2f} s"


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    return f"{'≥' if row.at_least else '≤'} {row.goal:.2f}"


def _met(row: Row) -> str:
    return {None: "", True: "yes", False: "**no**"}[row.met]


def _reason(row: Row) -> str:
    said = [reason_of(row)] if row.met is False else []
    if row.noisy:
        said.append("noisy: too few undisturbed rounds")
    return "; ".join(said)


def _rounds(row: Row) -> str:
    return f"{row.rounds} + {row.disturbed}" if row.disturbed else str(row.rounds)


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


# ------------------------------------------------------------------------------------------------ pictures


def draw(rows: Sequence[Row], folder: Path) -> list[Path]:
    """The pictures of the parts that have one, into ``folder``. Needs matplotlib."""
    from matplotlib.figure import Figure

    pictures: list[Path] = []
    for part, plot in (("models", _plot_models), ("layers", _plot_layers), ("scaling", _plot_scaling)):
        of_part = [row for row in rows if row.part == part]
        if of_part:
            figure = Figure(layout="constrained")
            plot(figure, of_part)
            pictures.append(folder / f"performance_{part}.png")
            figure.savefig(pictures[-1], dpi=110)
    return pictures


def _plot_models(figure: object, rows: Sequence[Row]) -> None:
    rows = [row for row in rows if row.work.startswith("training, ")]
    fewest = min(row.threads for row in rows)
    rows = [row for row in rows if row.threads == fewest]
    names = list(dict.fromkeys(row.name for row in rows))
    figure.set_size_inches(8, 1 + 0.45 * len(names))  # type: ignore[attr-defined]
    axis = figure.subplots()  # type: ignore[attr-defined]
    for kind, shift, colour in (("default", -0.18, "C0"), ("best", 0.18, "C1")):
        chosen = {row.name: row for row in rows if row.against.startswith(f"{kind}:")}
        places = [names.index(name) + shift for name in chosen]
        axis.barh(places, [row.ratio.median for row in chosen.values()], 0.34, color=colour, label=f"PyTorch, {kind}")
        goals = [row.goal for row in chosen.values()]
        axis.plot(goals, places, "k|", markersize=11, label="goal" if kind == "best" else None)
    axis.axvline(1, color="0.5", lw=1)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    threads = "1 thread" if fewest == 1 else f"{fewest} threads"
    axis.set(xlabel="time of numnet / time of PyTorch", title=f"A training step, float32, {threads}")
    figure.legend(loc="outside lower center", ncols=3)  # type: ignore[attr-defined]


def _plot_layers(figure: object, rows: Sequence[Row]) -> None:
    figure.set_size_inches(8, 4)  # type: ignore[attr-defined]
    axis = figure.subplots()  # type: ignore[attr-defined]
    for threads in sorted({row.threads for row in rows}):
        ratios = sorted(row.ratio.median for row in rows if row.threads == threads)
        axis.plot(range(1, len(ratios) + 1), ratios, ".", label="1 thread" if threads == 1 else f"{threads} threads")
    axis.axhline(1, color="0.5", lw=1)
    axis.axhline(rows[0].goal, color="k", lw=1, ls="--", label="goal")
    axis.set(yscale="log", ylabel="time of numnet / time of PyTorch", xlabel="layers, sorted")
    axis.set_title("Layers of sizes that nobody tuned for, forward and backward")
    axis.legend()


def _plot_scaling(figure: object, rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(row.name for row in rows))
    figure.set_size_inches(4 * len(names), 4)  # type: ignore[attr-defined]
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):  # type: ignore[attr-defined]
        for threads in sorted({row.threads for row in rows}):
            chosen = [row for row in rows if row.name == name and row.threads == threads]
            sizes = [int(row.work) for row in chosen]
            label = "1 thread" if threads == 1 else f"{threads} threads"
            (line,) = axis.loglog(sizes, [row.ours * 1e3 for row in chosen], "o-", label=label)
            axis.loglog(sizes, [row.other * 1e3 for row in chosen], "--", color=line.get_color(), lw=1)
        axis.set(xlabel=name, ylabel="ms for a step", xticks=sizes)
        axis.set_xticklabels([str(size) for size in sizes])
        axis.minorticks_off()
        axis.legend()
