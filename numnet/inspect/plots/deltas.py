"""The δ of every layer as images, and their norms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ... import nn
from ... import operations as ops
from ...arrays import Array
from ...errors import OptionError, ShapeError
from ...nn.recurrent.sequence import Recurrent
from ..record import ArrayRecord, CallRecord
from ..recorder import output_name
from ..recording import Recording
from .canvas import KINDS, host, largest, new_figure, show_numbers, show_signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_deltas", "plot_trace"]

ACROSS = 8  # images beside each other in plot_trace
MOST = 48  # images in it, unless layers are named
WIDTH = 18  # characters of a heading
_RESHAPES = (nn.Flatten, nn.Unflatten, ops.Reshape)  # which show nothing new
_MAP, _SEQUENCE = ("channel", "position"), ("time", "unit")
_ALONG_CHANNELS = (nn.Conv1d, nn.ConvTranspose1d)
_ALONG_FEATURES = (nn.Linear, nn.Embedding, Recurrent)


class _Column(NamedTuple):
    """δ at one place of the network, for all samples."""

    heading: str
    record: ArrayRecord
    axis: int  # of the samples
    names: tuple[str, str]  # of what lies down and across, where a sample's δ has two axes

    @property
    def samples(self) -> int:
        """How many there are; −1 without such an axis."""
        return self.record.shape[self.axis] if len(self.record.shape) > self.axis else -1


# ---------------------------------------------------------------------- a grid of samples


def plot_deltas(trace: Recording, x: Array, captions: Sequence[str], samples: int = 5) -> Figure:
    """A grid: one row for each sample, one column for each step that changes δ, ∂J/∂x in the first.

    Maps of several channels stand tiled in one image, units in a strip. Orange pushes J up, purple down; each column
    has its own scale, the same for all samples, written under its heading. ``trace.plot()`` shows one sample of any
    shape, and norms.

    Args:
        trace: what :func:`numnet.inspect.trace` recorded for ``x``.
        x: the batch of images, (N, C, H, W).
        captions: a few words for each sample.
        samples: how many rows.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.

    Raises:
        ShapeError: x is no batch of images. OptionError: fewer captions than rows.
        MissingExtraError: matplotlib is not installed.
    """
    if x.ndim != 4 or not len(x):
        raise ShapeError("a batch of images (N, C, H, W)", f"shape {x.shape}", "trace.plot() takes any shape")
    samples = min(samples, len(x))
    if len(captions) < samples:
        raise OptionError(f"a caption for each of {samples} samples", f"{len(captions)}", f"samples={len(captions)}")
    every = _columns(trace, _shown(trace), time_first=False)
    columns = [column for column in every if len(column.record.shape) in (2, 4) and column.samples == len(x)]
    width = 1 + len(columns)
    figure = new_figure(1.75 * width, 1.7 * samples + 1.2)
    figure.suptitle("x goes forward to the right;  δ, arriving at each layer's output, comes back to the left")
    axes = figure.subplots(samples, width, squeeze=False)
    for row in range(samples):
        show_numbers(axes[row, 0], host(x)[row])
        axes[row, 0].set_ylabel(captions[row], rotation=0, ha="right", va="center")
    axes[0, 0].set_title("x", fontsize=9)
    for number, column in enumerate(columns, start=1):
        for row in range(samples):
            _show(axes[row, number], column, range(samples), row, heading=row == 0)
    return figure


# ---------------------------------------------------------------------- one sample, and norms


def plot_trace(
    trace: Recording, sample: int | None = 0, layers: Sequence[str] | None = None, batch_first: bool | None = None
) -> Figure:
    """What :meth:`numnet.inspect.Trace.plot` draws; its arguments and errors.

    A norm of exactly 0, which has no place on a logarithmic axis, is an open mark at its lower end.
    """
    calls = _shown(trace) if layers is None else _named(trace, layers)
    time_first = _time_first(trace) if batch_first is None else not batch_first
    x = next(iter(trace.given.values()))
    x_axis = int(time_first and len(x.shape) in (2, 3))  # (T, N) words, or (T, N, F)
    columns = _columns(trace, calls, time_first)
    if sample is not None:
        samples = x.shape[x_axis] if len(x.shape) > x_axis else 0
        if not 0 <= sample < samples:
            cure = "sample=None, if there is no batch axis"
            raise OptionError(f"a sample from 0 to {samples - 1}", f"sample={sample}", cure)
        columns = [column for column in columns if column.samples == samples]
    if not columns:
        raise OptionError("δ at some layer, for each sample", repr(trace), "layers with parameters, and a batch")
    whole = len(columns)
    if layers is None and whole > MOST:
        columns = columns[:: -(-whole // MOST)]
    x_shown = np.dtype(x.dtype).kind == "f"
    pictures = len(columns) + x_shown
    rows = -(-pictures // ACROSS)
    across = -(-pictures // rows)
    figure = new_figure(max(1.6 * across + 0.5, 7.0), 2.3 * rows + 4.0)
    parts: Any = figure.subfigures(2, 1, height_ratios=[2.3 * rows + 0.3, 3.7])
    above, below = parts
    of = "" if sample is None else f" of sample {sample}"
    of += "" if len(columns) == whole else f" ({len(columns)} of {whole} images)"
    above.suptitle(f"δ{of}, arriving at each layer's output: it comes from the right;  J = {trace.loss:.4g}")
    grid = list(above.subplots(rows, across, squeeze=False).flat)
    if x_shown:
        _show_x(grid.pop(0), x, sample, x_axis)
    for axes, column in zip(grid, columns, strict=False):
        _show(axes, column, slice(None) if sample is None else [sample], sample)
    for axes in grid[len(columns) :]:
        axes.remove()
    _norms(below.subplots(), calls)
    return figure


def _norms(axes: Axes, calls: Sequence[CallRecord]) -> None:
    lines = {
        "‖a‖, output": [_norm(call.outputs) for call in calls],
        "‖δ‖, at the output": [_norm(call.deltas) for call in calls],
        "‖∂J/∂W‖, all parameters": [_norm(p.share for p in call.parameters.values()) for call in calls],
    }
    for (label, norms), colour, marker in zip(lines.items(), (KINDS[0], KINDS[1], KINDS[2]), "os^", strict=True):
        places = [i for i, norm in enumerate(norms) if norm is not None and norm > 0]
        joined = "-" if marker != "^" else ":"  # layers without parameters have no point
        axes.semilogy(places, [norms[i] for i in places], joined, marker=marker, color=colour, label=label)
        none = [i for i, norm in enumerate(norms) if norm == 0]
        axes.plot(
            none, [0.03] * len(none), marker, transform=axes.get_xaxis_transform(), linestyle="", color=colour,
            markerfacecolor="none", markersize=9, label=f"{label}: 0" if none else "_",
        )  # fmt: skip
    named = range(len(calls))[:: -(-len(calls) // 40) or 1]  # as many as there is room for
    slanted = len(calls) > ACROSS
    axes.set_xticks(
        list(named), [_tick(calls[i], slanted) for i in named],
        rotation=40 if slanted else 0, ha="right" if slanted else "center", rotation_mode="anchor",
    )  # fmt: skip
    axes.set_xlim(-0.5, len(calls) - 0.5)
    axes.set(ylabel="norm, of the batch")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _norm(records: Iterable[ArrayRecord | None]) -> float | None:
    """√(Σ a²) over all of them; ``None`` if there are none."""
    found = [record.digest.norm for record in records if record is not None]
    return math.hypot(*found) if found else None


# ---------------------------------------------------------------------- which δ, and how it lies


def _shown(trace: Recording) -> list[CallRecord]:
    """The calls that change δ on its way to what the network was given; not those that made weights of weights."""
    found, weights = [], set(trace.parameters)
    for call in trace.calls:
        origins = set(call.origins.values()) - {""}  # of constants
        if origins and origins <= weights:
            weights |= {output_name(call, i) for i in range(len(call.outputs))}
            continue
        reshapes = isinstance(call.formulas_of, _RESHAPES)
        if not call.is_loss and not reshapes and any(d is not None for d in call.deltas):
            found.append(call)
    return found


def _named(trace: Recording, names: Sequence[str]) -> list[CallRecord]:
    found = []
    for name in names:
        try:
            found.append(trace[name])
        except KeyError:
            raise OptionError(f"calls among {[call.name for call in trace.calls]}", repr(name)) from None
    return found


def _columns(trace: Recording, calls: Sequence[CallRecord], time_first: bool) -> list[_Column]:
    """∂J/∂x, and δ at the output of each call that has one."""
    names = _axes_names(trace)
    found = [
        _Column("∂J/∂x", record, _batch_axis(record, names.get(name), time_first), names.get(name, ("", "")))
        for name, record in list(trace.input_deltas.items())[:1]
    ]
    for call in calls:
        for number, record in enumerate(call.deltas):
            if record is not None:
                own = names[output_name(call, 0)]
                axis = _batch_axis(record, own, time_first)
                if number and isinstance(call.formulas_of, Recurrent):  # h or c: (layers, N, H)
                    axis, own = 1, ("layer", "unit")
                found.append(_Column(_heading(call), record, axis, own))
                break
    return found


def _batch_axis(record: ArrayRecord, names: tuple[str, str] | None, time_first: bool) -> int:
    """1 for (T, N, F), 0 for everything else: also for (N, C, L) in a network with time first elsewhere."""
    return int(time_first and len(record.shape) == 3 and names != _MAP)


def _time_first(trace: Recording) -> bool:
    layers = [call.formulas_of for call in trace.calls]
    return any(isinstance(layer, Recurrent) and not layer.batch_first for layer in layers)


def _axes_names(trace: Recording) -> dict[str, tuple[str, str]]:
    """What the two axes of one sample are, by the name of the array, if that has three."""
    found: dict[str, tuple[str, str]] = {}
    for call in trace.calls:
        origin = next(iter(call.origins.values()), "")
        layer = call.formulas_of
        if isinstance(layer, _ALONG_CHANNELS):
            found.setdefault(origin, _MAP)
            names = _MAP
        elif isinstance(layer, _ALONG_FEATURES):
            found.setdefault(origin, _SEQUENCE)
            names = _SEQUENCE
        else:
            names = found.get(origin, ("", ""))
            names = names[::-1] if isinstance(layer, ops.Permute) else names
        found[output_name(call, 0)] = names
    return found


def _heading(call: CallRecord) -> str:
    kind = call.kind if len(call.kind) <= WIDTH else f"{call.kind[: WIDTH - 1]}…"
    return _end(call.name) if call.path == call.kind else f"{_end(call.name)}\n{kind}"


def _tick(call: CallRecord, slanted: bool) -> str:
    heading = _heading(call).replace("\n", " " if slanted else "\n")
    return heading if not slanted or len(heading) <= WIDTH else _end(call.name)


def _end(path: str) -> str:
    """The path; of a long one its end, which says most."""
    return path if len(path) <= WIDTH else f"…{path[1 - WIDTH :]}"


# ---------------------------------------------------------------------- drawing


def _show(axes: Axes, column: _Column, scaled: slice | Sequence[int], sample: int | None, heading: bool = True) -> None:
    """The δ of one sample, on the scale of those that ``scaled`` picks."""
    if column.record.array is None:
        _not_kept(axes)
        axes.set_title(column.heading if heading else "", fontsize=9)
        return
    delta = host(column.record.array)
    seen = delta if isinstance(scaled, slice) else np.take(delta, list(scaled), axis=column.axis)
    one = _sample(delta, sample, column.axis)
    limit = largest(seen)
    show_signed(axes, one, limit)
    if one.ndim == 2:
        axes.set_ylabel(column.names[0], fontsize=8)
        axes.set_xlabel(column.names[1], fontsize=8)
    if heading:
        wrong = int((~np.isfinite(seen)).sum())
        scale = f"{wrong} NaN or inf" if wrong else f"±{limit:.1e}" if seen.any() else "all 0"
        axes.set_title(f"{column.heading}\n{scale}", fontsize=9)


def _show_x(axes: Axes, x: ArrayRecord, sample: int | None, axis: int) -> None:
    axes.set_title("x", fontsize=9)
    if x.array is None:
        _not_kept(axes)
    else:
        show_numbers(axes, _sample(host(x.array), sample, axis))


def _sample(a: Array, sample: int | None, axis: int) -> Array:
    return a if sample is None else np.take(a, sample, axis=axis)


def _not_kept(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "not kept", ha="center", va="center", transform=axes.transAxes, fontsize=9)
