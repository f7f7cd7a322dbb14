"""The curves of a history as text, for terminals and log files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

from .history import History

__all__ = ["text_curves"]

MARKS = ("*o", "#=", "+x", "@%")  # of a column and its validation; plain, since others are two cells wide in places
HEIGHT = 8  # rows of a curve


def text_curves(history: History, width: int = 80) -> list[str]:
    """Lines of the losses over the epochs and, beside them, of the metrics; the last number of each on top.

    Args:
        history: with an epoch at least.
        width: how many characters a line may have.
    """
    parts = history.parts
    own = (width - 3 * (len(parts) - 1)) // len(parts)
    panels = [_panel(history, names, own) for names in parts]
    rows = zip_longest(*panels, fillvalue="")
    return ["   ".join(line[:own].ljust(own) for line in row).rstrip() for row in rows]


def _panel(history: History, names: Sequence[str], width: int) -> list[str]:
    """The columns ``names``: a legend, a grid of marks with the least and the largest number, the epochs."""
    bases = list(dict.fromkeys(name.removeprefix("validation_") for name in names))
    marks = {
        name: MARKS[bases.index(name.removeprefix("validation_")) % len(MARKS)][name.startswith("validation_")]
        for name in names
    }
    numbers = [value for name in names for value in history[name] if math.isfinite(value)]
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    ends = f"{high:.4g}", f"{low:.4g}"
    margin = max(map(len, ends))
    across = max(width - margin - 2, 10)
    rows = [[" "] * across for _ in range(HEIGHT)]
    for name in names:
        for k, value in enumerate(history[name]):
            if math.isfinite(value):
                column = round(k * (across - 1) / max(len(history) - 1, 1))
                row = round((high - value) / ((high - low) or 1.0) * (HEIGHT - 1))
                rows[row][column] = marks[name]
    labels = [ends[0], *[""] * (HEIGHT - 2), ends[1]]
    first, last = (f"{epoch:g}" for epoch in (history["epoch"][0], history["epoch"][-1]))
    return [
        *[f"{marks[name]} {name} {history[name][-1]:.4g}" for name in names],
        *[f"{label.rjust(margin)} |{''.join(row)}" for label, row in zip(labels, rows, strict=True)],
        f"{' ' * margin} +{'-' * across}",
        f"{' ' * margin}  {first}{f'epoch {last}'.rjust(across - len(first))}",
    ]
