"""History: what training did, a row for each epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from ..errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["History", "Row", "table"]

Row = dict[str, float]
OF_THE_RUN = ("epoch", "lr", "clipped", "seconds")  # columns that say nothing about how good the network is


class History:
    """A row for each epoch, a list for each column; printed, it is a table.

    ``history["loss"]`` is a list, one number an epoch; ``history[-1]`` the row of the last epoch, a dictionary.

    Columns: ``epoch``, from 1; ``loss``, the mean over the samples of the epoch, each as it was before the step that
    learned from it; the metrics, over the same outputs; both again as ``validation_…``, of all validation samples with
    the weights at the end of the epoch; ``lr``, that of the first group of the optimiser; ``clipped``, how many steps
    had their gradient clipped; ``seconds``, of the epoch without validation.

    Attributes:
        rows: the rows.
        clips: (step, size of the gradient before) of every step whose gradient was clipped: its norm for
            ``clip_norm``, its largest number for ``clip_value``. Steps count from 1.
        best_epoch: with ``patience``, the epoch of the best weights so far.
        stopped: why training ended; empty before.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.clips: list[tuple[int, float]] = []
        self.best_epoch: int | None = None
        self.stopped = ""

    @overload
    def __getitem__(self, which: str) -> list[float]: ...
    @overload
    def __getitem__(self, which: int) -> Row: ...
    def __getitem__(self, which: str | int) -> list[float] | Row:
        """A column by its name, a row by its number.

        Raises:
            OptionError: no such column. IndexError: no such row.
        """
        if not isinstance(which, str):
            return self.rows[which]
        if which not in self.columns:
            known = ", ".join(self.columns) or "no epoch has come to its end yet"
            raise OptionError(f"a column among {known}", repr(which), "metrics={name: function} makes columns")
        return [row.get(which, math.nan) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def parts(self) -> list[list[str]]:
        """The columns that pictures show together: the losses; the metrics, if there are any."""
        shown = [name for name in self.columns if name not in OF_THE_RUN]
        losses = [name for name in shown if name.endswith("loss")]
        return [part for part in (losses, [name for name in shown if name not in losses]) if part]

    @property
    def kept(self) -> Row:
        """The row of the epoch whose weights the network has after training: the best with ``patience``, else the last.

        Raises:
            OptionError: no epoch has come to its end.
        """
        if not self.rows:
            raise OptionError("an epoch that has come to its end", "none", "epochs=1 or more")
        return self.rows[-1 if self.best_epoch is None else self.best_epoch - 1]

    def __repr__(self) -> str:
        if not self.rows:
            return "History without an epoch"
        remark = [self.stopped] if self.stopped else []
        return "\n".join([*table(self.columns, self.rows), *remark])

    def plot(self) -> Figure:
        """The curves over the epochs: the losses in one picture, the metrics in another; validation is dashed.

        Returns:
            The figure; ``figure.savefig(path)`` writes it.

        Raises:
            MissingExtraError: matplotlib is not installed. OptionError: no epoch has come to its end.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError("matplotlib", "demos") from error
        figure = Figure(layout="constrained")
        self.draw(figure)
        return figure

    def draw(self, figure: Figure) -> None:
        """What :meth:`plot` shows, into a figure that is there already, whose content it replaces."""
        epochs, parts = self["epoch"], self.parts
        if not figure.axes:  # the first time: whoever drags a window larger wants it so
            figure.set_size_inches(5 * len(parts), 3.5)
        figure.clear()
        for axes, names in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
            bases = list(dict.fromkeys(name.removeprefix("validation_") for name in names))
            for name in names:
                of_validation = name.startswith("validation_")
                colour = f"C{bases.index(name.removeprefix('validation_'))}"
                line, marker = "--" if of_validation else "-", "o" if len(self) < 20 else None
                axes.plot(epochs, self[name], line, marker=marker, markersize=3, color=colour, label=name)
            if self.best_epoch is not None:
                axes.axvline(self.best_epoch, color="0.6", linewidth=1, label=f"best epoch, {self.best_epoch}")
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
            axes.legend()

    def to_dict(self) -> dict[str, Any]:
        """Everything, as lists, numbers, strings and arrays: for a file."""
        return {
            "rows": [dict(row) for row in self.rows],
            "clipped_steps": np.array([step for step, _ in self.clips], np.int64),
            "clipped_sizes": np.array([size for _, size in self.clips], np.float64),
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The history that :meth:`to_dict` gave."""
        history = cls()
        history.rows = [dict(row) for row in saved["rows"]]
        sizes = np.asarray(saved["clipped_sizes"]).tolist()
        history.clips = list(zip(np.asarray(saved["clipped_steps"]).tolist(), sizes, strict=True))
        history.best_epoch = saved["best_epoch"]
        history.stopped = saved["stopped"]
        return history


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of a table with a head, columns flush right."""
    cells = [list(columns)]
    cells += [[_cell(row.get(name, math.nan)) for name in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
