"""A classifier of two inputs in the plane: which class it says where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...arrays import Array, is_array, is_floating
from ...errors import DtypeError, LabelError, NonFiniteError, OptionError, ShapeError, describe
from ...nn import Module
from ...tensor import Tensor
from ...train import predict
from .canvas import KINDS, MARKERS, figure_of, host, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_decision_boundary"]


def plot_decision_boundary(
    classifier: Module | Callable[[Array], Any],
    x: Array,
    y: Array,
    *,
    level: float = 0.0,
    points: int = 200,
    names: Sequence[str] | None = None,
    axes: Axes | None = None,
) -> Figure:
    """What a classifier of two inputs says everywhere in the plane, and the samples.

    Regions are tinted by class and divided by black lines; samples have the colour and the marker of their class, and a
    ring where the classifier is wrong. With one output z the line is z = ``level``; with C scores it is where the
    largest two are equal.

    Args:
        classifier: a module, which is asked in evaluation mode, or a function of rows (M, 2). It gives scores (M, C),
            one number z, (M,) or (M, 1), that is above ``level`` for class 1, or class numbers: integers, (M,).
        x: samples, (N, 2).
        y: their classes, integers 0, 1, …, or the 0.0 and 1.0 that BCE losses take; (N,) or (N, 1).
        level: of z: 0 for what goes into BCEWithLogitsLoss, 0.5 for probabilities, as they come out of a Sigmoid.
        points: for how many numbers along each axis it is asked.
        names: of the classes, for the legend.
        axes: where to draw; a figure of its own if left out.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.

    Raises:
        ShapeError: x, y or the output of another shape. DtypeError: y is numbers, no classes (regression), or x is not
            floating. LabelError: a class without a score. NonFiniteError: x or an output is NaN or infinite.
        OptionError: too few points or names. MissingExtraError: matplotlib is not installed.
    """
    x, labels = _expect(x, y)
    if points < 2:
        raise OptionError("at least 2 points along each axis", f"points={points}", "points=200")
    low, high = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)
    margin = 0.1 * np.where(high > low, high - low, 10.0)
    u, v = (np.linspace(a, b, points) for a, b in zip(low - margin, high + margin, strict=True))
    grid = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2).astype(x.dtype)  # (points², 2)
    plane, here = _asked(classifier, grid, level), _asked(classifier, x, level)
    if plane.outputs is not None and labels.max() >= plane.outputs:
        expected = f"classes from 0 to {plane.outputs - 1}, as there are outputs"
        raise LabelError(expected, f"a class {labels.max()} in y", "a network with an output for each class")
    count = 1 + max(int(classes.max()) for classes in (plane.classes, here.classes, labels))
    if names is not None and len(names) < count:
        raise OptionError(f"a name for each of {count} classes", f"{len(names)}", "more names, or none")
    if axes is None:
        axes = new_figure(6.2, 4.8).subplots()
    _draw_regions(axes, u, v, plane)
    wrong = here.classes != labels
    for k in range(count):
        if (labels == k).any():
            label = f"class {k}" if names is None else names[k]
            marker, colour = MARKERS[(k + k // 8) % 8], KINDS[k % 8]
            own = x[labels == k].T
            axes.plot(*own, marker, color=colour, markeredgecolor="white", markeredgewidth=0.6, label=label)
    if wrong.any():
        label = f"wrong: {wrong.sum()} of {len(x)}"
        axes.plot(*x[wrong].T, "o", markersize=11, markerfacecolor="none", markeredgecolor="black", label=label)
    axes.set(xlabel="x₁", ylabel="x₂", xlim=(u[0], u[-1]), ylim=(v[0], v[-1]))
    axes.legend()
    return figure_of(axes)


class _Answer(NamedTuple):
    """What the classifier says of rows."""

    classes: Array  # (M,)
    leads: list[Array]  # of each class over the best other one, (M,)
    outputs: int | None  # how many classes it can tell apart; unknown if it says them straight away


def _asked(classifier: Module | Callable[[Array], Any], rows: Array, level: float) -> _Answer:
    z = predict(classifier, rows, batch_size=4096) if isinstance(classifier, Module) else classifier(rows)
    z = z.array if isinstance(z, Tensor) else z
    if not is_array(z) or z.ndim not in (1, 2) or len(z) != len(rows) or z.size == 0:
        got = describe(z)
        raise ShapeError(f"scores (M, C), one number (M,), or class numbers (M,), for M = {len(rows)} rows", got)
    z = host(z)
    if not is_floating(z):
        if z.ndim == 2 or z.min() < 0:
            raise ShapeError("class numbers 0, 1, … of shape (M,)", describe(z), "scores are floating-point numbers")
        return _Answer(z, [np.where(z == k, 0.5, -0.5) for k in range(int(z.max()) + 1)], None)
    if not np.isfinite(z).all():
        raise NonFiniteError("finite outputs", f"{np.mean(~np.isfinite(z)):.0%} NaN or infinite", "look at the network")
    if z.ndim == 1 or z.shape[1] == 1:
        lead = z.reshape(-1) - level
        return _Answer((lead > 0).astype(int), [-lead, lead], 2)
    leads = [z[:, k] - np.delete(z, k, axis=1).max(axis=1) for k in range(z.shape[1])]
    return _Answer(z.argmax(axis=1), leads, z.shape[1])


def _draw_regions(axes: Axes, u: Array, v: Array, plane: _Answer) -> None:
    from matplotlib.colors import ListedColormap

    shape = (len(v), len(u))
    axes.imshow(
        plane.classes.reshape(shape) % 8, cmap=ListedColormap(KINDS), vmin=-0.5, vmax=7.5, alpha=0.25,
        extent=(u[0], u[-1], v[0], v[-1]), origin="lower", aspect="auto", interpolation="nearest",
    )  # fmt: skip
    for lead in plane.leads[:1] if len(plane.leads) == 2 else plane.leads:  # of two classes one line is the other
        if lead.min() < 0 < lead.max():
            axes.contour(u, v, lead.reshape(shape), levels=[0.0], colors="black", linewidths=1.2)


def _expect(x: Array, y: Array) -> tuple[Array, Array]:
    """x (N, 2), floating, and the classes, (N,)."""
    x, y = (part.array if isinstance(part, Tensor) else part for part in (x, y))
    for name, part in (("x", x), ("y", y)):
        if not is_array(part):
            raise DtypeError(f"{name} as an array", describe(part), f"np.asarray({name})")
    if not is_floating(x):
        raise DtypeError("x of floating-point numbers", describe(x), "x.astype(np.float32)")
    if x.ndim != 2 or x.shape[1] != 2 or not len(x):
        cure = "samples to draw"
        if x.ndim == 2 and x.shape[1] > 2:
            cure = "train on two columns; or hand over a function of two inputs that sets the others"
        raise ShapeError("x of shape (N, 2): the picture has two axes", f"shape {x.shape}", cure)
    x, y = host(x), host(y)
    if not np.isfinite(x).all():
        row = int(np.argmax(~np.isfinite(x).all(axis=1)))
        raise NonFiniteError("finite numbers in x", f"{x[row]} in row {row}", "leave such samples out")
    if y.shape not in ((len(x),), (len(x), 1)):
        raise ShapeError(f"a class for each of {len(x)} samples, shape ({len(x)},)", f"shape {y.shape}")
    y = y.reshape(-1)
    if is_floating(y) and not np.isin(y, (0, 1)).all():
        cure = "classes are integers 0, 1, …; for regression draw y over x, or its surface by plot_path"
        raise DtypeError("classes as y", f"{describe(y)} with numbers such as {y[~np.isin(y, (0, 1))][0]:g}", cure)
    labels = y.astype(np.int64)
    if labels.min() < 0:
        raise LabelError("classes from 0", f"a class {labels.min()} in y", "number the classes 0, 1, …")
    return x, labels
