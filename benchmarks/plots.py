"""The pictures of docs/performance.md. They need matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .rows import Row

__all__ = ["draw"]

TRAINING = "training, batch"


def draw(rows: Sequence[Row], page: Path) -> list[Path]:
    """The pictures of ``page``, of the parts that have one, each in the place of the former once it is whole."""
    from matplotlib.figure import Figure

    pictures: list[Path] = []
    for part, plot in (("models", _models), ("layers", _layers), ("scaling", _scaling)):
        of_part = [row for row in rows if row.part == part]
        if of_part:
            figure = Figure(layout="constrained")
            plot(figure, of_part)
            pictures.append(page.parent / "images" / f"{page.stem}_{part}.png")
            aside = pictures[-1].with_suffix(".new.png")
            figure.savefig(aside, dpi=110)
            aside.replace(pictures[-1])
    return pictures


def _threads(n: int) -> str:
    return "1 thread" if n == 1 else f"{n} threads"


def _models(figure: Any, rows: Sequence[Row]) -> None:
    """A panel for each number of threads: bars beside PyTorch, marks for goals, points for the other engines.

    What lies far to the right, beyond the edge, stands there as a number.
    """
    rows = [row for row in rows if row.work.startswith(TRAINING)]
    names = list(dict.fromkeys(row.name for row in rows))
    counts = sorted({row.threads for row in rows})
    edge = max(1.1, min(2, 1.05 * max(row.ratio.median for row in rows)))
    figure.set_size_inches(5 + 3.5 * len(counts), 1.2 + 0.45 * len(names))
    for axis, n in zip(figure.subplots(1, len(counts), sharey=True, squeeze=False)[0], counts, strict=True):
        for kind, shift, colour in (("default", -0.18, "C0"), ("best", 0.18, "C1")):
            chosen = {row.name: row for row in rows if row.threads == n and row.against.startswith(f"{kind}:")}
            places = [names.index(name) + shift for name in chosen]
            ratios = [row.ratio.median for row in chosen.values()]
            axis.barh(places, ratios, 0.34, color=colour, label=f"PyTorch, {kind}")
            goals = [row.goal for row in chosen.values()]
            axis.plot(goals, places, "k|", ms=11, mew=1.5, zorder=3, label="goal" if kind == "best" else None)
        for engine, mark in (("torch.compile", "D"), ("JAX (jit)", "o")):
            chosen = {row.name: row for row in rows if row.threads == n and row.against.startswith(f"{engine}:")}
            if chosen:
                places, ratios = [names.index(name) for name in chosen], [r.ratio.median for r in chosen.values()]
                axis.plot(ratios, places, mark, color="w", mec="k", ms=5, label=engine)
        for row in rows:
            if row.threads == n and row.ratio.median > edge:
                text = f"{row.against.partition(':')[0]} {row.ratio.median:.1f} →"
                axis.text(edge, names.index(row.name), text, ha="right", va="center", size="x-small")
        axis.axvline(1, color="0.5", lw=1, zorder=1.5)
        axis.set(
            title=_threads(n),
            xlabel="time of numnet / time of the other",
            xlim=(0, edge),
        )
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    figure.suptitle("A training step in float32: left of 1, numnet is quicker")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=5)


def _layers(figure: Any, rows: Sequence[Row]) -> None:
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    figure.set_size_inches(8, 4)
    axis = figure.subplots()
    for n in sorted({row.threads for row in rows}):
        ratios = sorted(row.ratio.median for row in rows if row.threads == n)
        axis.plot(range(1, len(ratios) + 1), ratios, ".", label=_threads(n))
    axis.axhline(1, color="0.5", lw=1)
    axis.axhline(rows[0].goal, color="k", lw=1, ls="--", label="goal")
    axis.set(yscale="log", yticks=[0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5])
    axis.yaxis.set_major_formatter(ScalarFormatter())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set(ylabel="time of numnet / time of PyTorch", xlabel="layers, sorted", ylim=_limits(rows))
    axis.set_title("Layers of sizes that nobody tuned for, forward and backward")
    axis.legend()


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    ratios = [row.ratio.median for row in rows]
    return min(0.45, *ratios) / 1.1, max(1.5, *ratios) * 1.1


def _scaling(figure: Any, rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(row.name for row in rows))
    figure.set_size_inches(3.6 * len(names), 3.6)
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for n in sorted({row.threads for row in rows}):
            chosen = [row for row in rows if row.name == name and row.threads == n]
            sizes = [int(row.work) for row in chosen]
            (line,) = axis.loglog(sizes, [row.ours for row in chosen], ".-", label=_threads(n))
            axis.loglog(sizes, [row.other for row in chosen], "--", color=line.get_color(), lw=1)
        axis.set(xlabel=name)
        axis.legend()
    figure.supylabel("seconds for a step", fontsize="medium")
