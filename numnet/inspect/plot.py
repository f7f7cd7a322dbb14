"""The δ of every layer as images beside the samples that caused them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array
from ..errors import MissingExtraError, ShapeError
from ..nn import Flatten
from .record import CallRecord
from .trace import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_deltas"]

_COLOURS = "PuOr_r"  # two colours that colour-blind people tell apart


def plot_deltas(trace: Trace, x: Array, captions: Sequence[str], samples: int = 5) -> Figure:
    """A grid: one row for each sample, one column for each step that changes δ, ∂J/∂x in the first.

    Maps of several channels stand tiled in one image, units in a strip. Orange pushes J up, purple down; each column
    has its own scale, the same for all samples, written under its heading.

    Args:
        trace: what :func:`numnet.inspect.trace` recorded for ``x``.
        x: the batch of images, (N, C, H, W).
        captions: a few words for each sample.
        samples: how many rows.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.

    Raises:
        ShapeError: x is no batch of images. MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "demos") from error
    if x.ndim != 4:
        raise ShapeError("a batch of images (N, C, H, W)", f"shape {x.shape}")
    samples = min(samples, len(x))
    shown: list[tuple[str, Array]] = [("∂J/∂x", trace.input_delta)]
    columns = shown + [(_heading(s), s.delta) for s in trace if _is_shown(s, len(x))]
    width = 1 + len(columns)
    figure = Figure(figsize=(1.75 * width, 1.7 * samples + 1.2), layout="constrained")
    figure.suptitle("x goes forward to the right;  δ, arriving at each layer's output, comes back to the left")
    axes = figure.subplots(samples, width, squeeze=False)
    for row in range(samples):
        axes[row, 0].imshow(x[row, 0], cmap="gray_r")
        axes[row, 0].set_ylabel(captions[row], rotation=0, ha="right", va="center")
    axes[0, 0].set_title("x", fontsize=9)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
        for spine in axis.spines.values():
            spine.set_linewidth(0.4)
    for column, (heading, delta) in enumerate(columns, start=1):
        limit = float(np.abs(delta[:samples]).max()) or 1.0
        axes[0, column].set_title(f"{heading}\n±{limit:.1e}", fontsize=9)
        for row in range(samples):
            axis = axes[row, column]
            if delta.ndim == 4:
                axis.imshow(_tiles(delta[row]), cmap=_COLOURS, vmin=-limit, vmax=limit)
            else:  # one number a unit: a strip
                axis.imshow(delta[row][:, None], cmap=_COLOURS, vmin=-limit, vmax=limit, aspect="auto")
                if delta.shape[1] <= 16:
                    axis.set_yticks(range(delta.shape[1]), map(str, range(delta.shape[1])), fontsize=6)
    return figure


def _is_shown(step: CallRecord, batch: int) -> bool:
    """Steps whose δ has one entry a sample; a reshape shows nothing new."""
    delta = step.delta
    if delta is None or isinstance(step.layer, Flatten):
        return False
    return delta.ndim in (2, 4) and len(delta) == batch


def _heading(step: CallRecord) -> str:
    kind = type(step.layer).__name__
    return kind if step.path == kind else f"{step.path}\n{kind}"


def _tiles(delta: Array) -> Any:
    """(C, H, W) as one picture: the maps of the channels in a near-square grid, with gaps between."""
    channels, height, width = delta.shape
    across = int(np.ceil(np.sqrt(channels)))
    down = -(-channels // across)
    canvas = np.full((down * (height + 1) - 1, across * (width + 1) - 1), np.nan)
    for i, image in enumerate(delta):
        top, left = (i // across) * (height + 1), (i % across) * (width + 1)
        canvas[top : top + height, left : left + width] = image
    return canvas
