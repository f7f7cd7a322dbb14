"""The ways of optimisers over a surface of two parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Array
from ...errors import NonFiniteError, OptionError, ShapeError, describe
from .canvas import KINDS, MARKERS, figure_of, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_path"]


def plot_path(
    function: Callable[[Array, Array], Any],
    paths: Mapping[str, Array],
    *,
    window: tuple[float, float, float, float] | None = None,
    levels: int | Sequence[float] = 24,
    names: tuple[str, str] = ("w₁", "w₂"),
    axes: Axes | None = None,
) -> Figure:
    """The ways of optimisers over J(u, v), with its level lines.

        lowest + (highest − lowest) · 10^(−4 (1 − k / n))  and  lowest + (highest − lowest) · k / n,   k = 0 … n

    Half of the lines are spaced logarithmically, which shows the floor of a ravine, half evenly, which shows saddles
    and dips high above it. A star marks the start; at its end each way has a marker of its own, with which the legend
    shows it.

    Args:
        function: J of two arrays of one shape, number by number: ``lambda u, v: u * u + 10 * v * v``.
        paths: points (steps + 1, 2) by the name of the optimiser, the start first.
        window: what is shown, (left, right, bottom, top); around all points if left out.
        levels: how many lines, about, at least 2; or where they are, in ascending order.
        names: of the two parameters.
        axes: where to draw; a figure of its own if left out.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.

    Raises:
        ShapeError: points or J of another shape. OptionError: no paths, a window or levels that cannot be.
        NonFiniteError: J is finite nowhere, or a path has no finite point. MissingExtraError: matplotlib is not
            installed.
    """
    points = _expect(paths)
    left, right, bottom, top = _window(points) if window is None else window
    if not (left < right and bottom < top):
        raise OptionError("window=(left, right, bottom, top) with left < right and bottom < top", f"{window}")
    u, v = np.linspace(left, right, 201), np.linspace(bottom, top, 201)
    with np.errstate(all="ignore"):  # a way that went to infinity takes the window with it
        J = np.asarray(function(*np.meshgrid(u, v)))
    if J.shape != (201, 201):
        cure = "a function that works number by number, such as lambda u, v: u * u + v * v"
        raise ShapeError("J of shape (201, 201), for u and v of that shape", describe(J), cure)
    J = np.ma.masked_invalid(J)
    if J.mask.all():
        raise NonFiniteError(
            "J that is finite somewhere in the window",
            "NaN or infinity everywhere",
            "window=(left, right, bottom, top) around the start",
        )
    if axes is None:
        axes = new_figure(6.2, 4.8).subplots()
    _draw_surface(axes, u, v, J, _levels(levels, float(J.min()), float(J.max())))
    for k, (name, way) in enumerate(points.items()):
        colour, marker = KINDS[k % 8], MARKERS[(k + k // 8) % 8]
        axes.plot(*way.T, ".-", markersize=3, linewidth=1.2, color=colour)
        end = way[np.isfinite(way).all(axis=1)][-1:]
        axes.plot(
            *end.T, marker, linestyle="-", linewidth=1.2, color=colour, label=name,
            markerfacecolor="none", markeredgewidth=2, markersize=10,
        )  # fmt: skip
    starts = np.unique([way[0] for way in points.values()], axis=0)
    axes.plot(*starts.T, "*", linestyle="", color="black", markeredgecolor="white", markersize=15, label="start")
    axes.set(xlim=(left, right), ylim=(bottom, top), xlabel=names[0], ylabel=names[1])
    axes.legend(fontsize=9)
    return figure_of(axes)


def _draw_surface(axes: Axes, u: Array, v: Array, J: Array, levels: Array) -> None:
    """Level lines, and between them greys, darker the lower."""
    from matplotlib.colors import BoundaryNorm

    norm = BoundaryNorm(levels, 256, extend="both")
    axes.contourf(u, v, J, levels, cmap="Greys_r", norm=norm, alpha=0.55, extend="both")
    axes.contour(u, v, J, levels, colors="0.35", linewidths=0.5, linestyles="solid")


def _levels(levels: int | Sequence[float], low: float, high: float) -> Array:
    if not isinstance(levels, int):
        found = np.asarray(levels, np.float64)
        if found.ndim != 1 or len(found) < 2 or not (np.diff(found) > 0).all():
            raise OptionError("at least 2 levels in ascending order", f"levels={levels}", "levels=24 finds them")
        return found
    if levels < 2:
        raise OptionError("at least 2 levels", f"levels={levels}", "levels=24")
    if not high > low:  # flat: one line would be everywhere
        return np.array([low - 1.0, low + 1.0])
    half = levels // 2 + 1
    return low + (high - low) * np.union1d(np.geomspace(1e-4, 1.0, half), np.linspace(0.0, 1.0, half)[1:])


def _window(paths: Mapping[str, Array]) -> tuple[float, float, float, float]:
    """Around all finite points."""
    points = np.concatenate(list(paths.values()))
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.where(high > low, 0.15 * (high - low), 1.0)
    (left, bottom), (right, top) = low - margin, high + margin
    return float(left), float(right), float(bottom), float(top)


def _expect(paths: Mapping[str, Array]) -> dict[str, Array]:
    if not paths:
        raise OptionError("a path at least", "none", '{"SGD": points}, points of shape (steps + 1, 2)')
    found = {name: np.asarray(points, np.float64) for name, points in paths.items()}
    for name, points in found.items():
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            cure = "copy both parameters after each step: points.append(w.array.copy())"
            raise ShapeError(f"the points of {name!r} of shape (steps + 1, 2)", f"shape {points.shape}", cure)
        if not np.isfinite(points[0]).all():
            raise NonFiniteError(f"a start of {name!r} that is finite", f"{points[0]}")
    return found
