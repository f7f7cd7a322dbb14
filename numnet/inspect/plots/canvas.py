"""What the pictures have in common: the figure, the colours, an array as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Array
from ...errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = [
    "KINDS",
    "MARKERS",
    "SIGNED",
    "figure_of",
    "host",
    "largest",
    "new_figure",
    "picture",
    "show_numbers",
    "show_signed",
]

SIGNED = "PuOr_r"  # of numbers with signs: two colours that colour-blind people tell apart, and white for 0
KINDS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#B8A900")
"""Colours of things of different kinds, which colour-blind people tell apart (M. Okabe and K. Ito, 2002; the last is
their yellow, darkened)."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "demos") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.06, h_pad=0.08)
    return figure


def figure_of(axes: Axes) -> Figure:
    """The whole figure that ``axes`` stands in, if it is in a part of one too."""
    figure: Any = axes.figure
    return figure.figure


def host(a: Array) -> np.ndarray[Any, Any]:
    """The array where matplotlib can read it."""
    return a if isinstance(a, np.ndarray) else a.get()


def largest(a: Array) -> float:
    """The largest finite |a|; 1 if there is none, or only zeros: the end of a scale."""
    sizes = np.abs(a[np.isfinite(a)])
    return float(sizes.max(initial=0.0)) or 1.0


def picture(a: Array) -> Any:
    """The numbers of one sample in two dimensions: units as a strip, maps (C, …, H, W) tiled with gaps between."""
    if a.ndim < 2:
        return a.reshape(-1, 1)
    return a if a.ndim == 2 else _tiles(a.reshape(-1, *a.shape[-2:]))


def _tiles(maps: Array) -> Any:
    """(C, H, W) as one picture: the maps in a near-square grid; what lies between is NaN."""
    count, height, width = maps.shape
    across = max(int(np.ceil(np.sqrt(count))), 1)
    down = -(-count // across)
    canvas = np.full((max(down * (height + 1) - 1, 0), across * (width + 1) - 1), np.nan)
    for i, image in enumerate(maps):
        top, left = (i // across) * (height + 1), (i % across) * (width + 1)
        canvas[top : top + height, left : left + width] = image
    return canvas


def show_signed(axes: Axes, a: Array, limit: float) -> AxesImage:
    """The numbers of one sample by :func:`picture`, −limit … limit in the colours of signs; no ticks."""
    image = axes.imshow(picture(a), cmap=SIGNED, vmin=-limit, vmax=limit, aspect="equal" if a.ndim > 2 else "auto")
    axes.set_facecolor("0.8")  # of the gaps between maps
    _bare(axes)
    if a.ndim == 1 and 1 < len(a) <= 12:
        axes.set_yticks(range(len(a)), map(str, range(len(a))), fontsize=7)
        axes.tick_params(length=0)
    return image


def show_numbers(axes: Axes, a: Array) -> None:
    """Data of one sample: an image (3, H, W) in its colours, anything else in grey, large numbers dark."""
    low, high = (float(a.min()), float(a.max())) if a.size else (0.0, 1.0)
    if a.ndim == 3 and len(a) == 3:
        axes.imshow((np.moveaxis(a, 0, -1).astype(np.float64) - low) / ((high - low) or 1.0))
    else:
        axes.imshow(picture(a), cmap="gray_r", aspect="equal" if a.ndim > 2 else "auto")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
