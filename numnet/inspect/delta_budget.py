"""The δ budget of recorded calls: what each makes of the size of δ on its way back, by which factor, and why."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .. import nn
from .. import operations as ops
from ..arrays import Array
from ..call import Call
from ..errors import MissingExtraError, OptionError
from .record import CallRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Budget", "BudgetRow", "Finding", "budget_of"]

WIDTH = 80  # of the text
FLAT = 1e-3  # |σ′| below which a unit counts as saturated
SATURATED, DEAD, LOCKED = 0.1, 0.25, 0.9  # shares from which these are named
FALL = 1e-2  # of the whole of δ, from which what took part in it is named
SMALLEST = float(np.finfo(np.float32).tiny)
NEAR = 1e-30  # a size of δ that a few layers more bring below it
NEAR_ZERO = 1e-20  # a size from which δ = 0 in the next layer is an underflow, and no dead unit

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_WEIGHTS = (nn.Linear, nn.Bilinear, nn.Maxout, ops.MatMul, *_CONVOLUTIONS)
_RECTIFIERS = (nn.ReLU, ops.Relu)
_ACTIVATIONS = (
    *_RECTIFIERS,
    *(nn.Sigmoid, nn.Tanh, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Softsign),
    *(nn.ReLU6, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.Hardshrink, nn.Softshrink, nn.Tanhshrink, nn.Threshold),
    *(nn.LogSigmoid, nn.PReLU, ops.Sigmoid, ops.Tanh),
)


_MEANINGS = {
    "saturated": f"the share of units with |σ′| < {FLAT}",
    "small σ′": "what σ′ leaves of ‖δ‖",
    "dead ReLU": "the share of units, in images of channels, that are 0 for the whole batch",
    "small W": "what the product with Wᵀ leaves of ‖δ‖",
    "large W": "what the product with Wᵀ makes of ‖δ‖",
    "sign-locked": "the share of samples with inputs of one sign, so that all ∂J/∂w of a neuron have one sign",
    "underflow": f"the size of δ, where float32 ends at {SMALLEST:.1e}",
    "not finite": "the share of NaN and infinity in δ",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, with its number.

    Attributes:
        cause: ``"saturated"``, ``"small σ′"``, ``"dead ReLU"``, ``"small W"``, ``"large W"``, ``"sign-locked"``,
            ``"underflow"`` or ``"not finite"``.
        value: the share of units or samples, the factor, or the size of δ that it rests on.
    """

    cause: str
    value: float

    @property
    def meaning(self) -> str:
        """What ``value`` is."""
        return _MEANINGS[self.cause]

    def __str__(self) -> str:
        share = self.meaning.startswith("the share")
        return f"{self.value:.0%}" if share else f"{self.value:.1e}" if self.value < 1e-3 else f"{self.value:.2g}"


@dataclass(slots=True)
class BudgetRow:
    """One application of one layer.

    Attributes:
        name: the path of the layer; ``path#2`` for its second application.
        kind: its class.
        role: ``"W"`` for a product with weights, ``"σ′"`` for an activation, ``"other"``.
        norm: ‖δ‖ as it arrives at the output.
        size: √(Σ δ² / n) of the same.
        factors: ‖∂J/∂input‖ / ‖δ‖, by the input's name.
        ratio: for a layer with weights ‖δˡ‖ / ‖δˡ⁺¹‖, where l + 1 is the next layer with weights; ``None`` for the
            last, and where δ comes from several sides.
        parts: the factors of ``ratio``: of Wᵀ, of σ′ and of everything else on the way.
        findings: the causes.
    """

    name: str
    kind: str
    role: str
    norm: float
    size: float
    factors: dict[str, float] = field(default_factory=dict)
    ratio: float | None = None
    parts: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def factor(self) -> float:
        """‖∂J/∂input‖ / ‖δ‖, of the input that gets most; NaN if none gets any, or δ is 0."""
        return max(self.factors.values(), default=float("nan"))

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes by name."""
        return tuple(finding.cause for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Budget:
    """What :func:`numnet.inspect.budget` found; printed, it is a table, from the loss back to the first layer.

    Attributes:
        rows: one for each application of a layer, in the order of forward.
        fall: ‖δ‖ at the first layer with weights, divided by ‖δ‖ at the last.
    """

    rows: tuple[BudgetRow, ...]
    fall: float

    def __getitem__(self, name: str) -> BudgetRow:
        """The row of a layer. Raises OptionError if there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise OptionError(f"a layer among {[row.name for row in self.rows]}", repr(name))

    @property
    def layers(self) -> list[BudgetRow]:
        """The rows of the layers with weights, in the order of forward."""
        return [row for row in self.rows if row.role == "W"]

    @property
    def findings(self) -> list[tuple[str, Finding]]:
        """Every cause with the name of its layer, from the last layer to the first."""
        return [(row.name, finding) for row in reversed(self.rows) for finding in row.findings]

    def __str__(self) -> str:
        lines: list[tuple[str, ...]] = [("layer", "‖δ‖", "Wᵀ", "σ′", "other", "δˡ/δˡ⁺¹", "cause")]
        for row in reversed(self.rows):
            if row.name.partition("#")[0] == row.kind and row.role == "other" and abs(row.factor - 1) < 1e-6:
                continue  # an addition or a reshape hands δ on as it is
            columns = [_factor(row.factor) if row.role == role else "" for role in ("W", "σ′", "other")]
            ratio = "" if row.ratio is None else _factor(row.ratio)
            label = row.name if row.name.partition("#")[0] == row.kind else f"{row.name} {row.kind}"
            lines.append((label, f"{row.norm:.1e}", *columns, ratio, ", ".join(row.causes)))
        widths = [max(len(line[i]) for line in lines) for i in range(7)]
        widths[0] = max(12, min(widths[0], WIDTH - sum(widths[1:]) - 12))
        text = []
        for first, *middle, cause in lines:
            first = first if len(first) <= widths[0] else first[: widths[0] - 1] + "…"
            cells = [cell.rjust(width) for cell, width in zip(middle, widths[1:6], strict=True)]
            text.append("  ".join([first.ljust(widths[0]), *cells, cause]).rstrip())
        if self.fall == self.fall:
            text.append(f"from the last weights back to the first, ‖δ‖ is multiplied by {self.fall:.1e}")
        for cause in dict.fromkeys(finding.cause for _, finding in self.findings):
            where = ", ".join(f"{name} ({finding})" for name, finding in self.findings if finding.cause == cause)
            text.append(textwrap.fill(f"{cause} ({_MEANINGS[cause]}): {where}", WIDTH, subsequent_indent="  "))
        return "\n".join(text)

    __repr__ = __str__

    def plot(self) -> Figure:
        """‖δ‖ at every layer on a logarithmic axis, from the loss on the left to the first layer on the right.

        Returns:
            The figure; ``figure.savefig(path)`` writes it.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError("matplotlib", "demos") from error
        rows = [row for row in reversed(self.rows) if row.norm > 0]
        figure = Figure(figsize=(min(12, max(5, 0.4 * len(rows) + 2)), 4), layout="constrained")
        axes = figure.subplots()
        places = range(len(rows))
        axes.semilogy(places, [row.norm for row in rows], color="0.7", zorder=1)
        for role, marker, label in (("W", "s", "weights"), ("σ′", "o", "activation"), ("other", ".", "other")):
            shown = [i for i in places if rows[i].role == role]
            axes.plot(shown, [rows[i].norm for i in shown], marker, linestyle="", label=label)
        if min((row.norm for row in rows), default=1.0) < 1e-25:
            axes.axhline(SMALLEST, color="0.4", linestyle=":", label="smallest normal float32")
        named = places[:: -(-len(rows) // 40) or 1]  # as many names as there is room for
        axes.set_xticks(list(named), [rows[i].name for i in named], rotation=90, fontsize=8)
        axes.set(ylabel="‖δ‖ at the output", title="δ on its way back")
        axes.grid(axis="y", alpha=0.3)
        axes.legend(fontsize=8)
        return figure


def budget_of(calls: Sequence[CallRecord]) -> Budget:
    """The budget of recorded calls, ``trace.calls``, in the order of forward.

    Raises:
        OptionError: an array that is needed was not kept.
    """
    found = [call for call in calls if any(d is not None for d in call.deltas)]
    rows = {call.name: _row(call) for call in found}
    consumers: dict[str, list[tuple[CallRecord, str]]] = {}
    for call in calls:
        for name, origin in call.origins.items():
            consumers.setdefault(origin, []).append((call, name))
    for call in found:
        if rows[call.name].role == "W":
            _trace_back(call, rows, consumers)
    layers = [row for row in rows.values() if row.role == "W"]
    fall = layers[0].norm / layers[-1].norm if len(layers) > 1 and layers[-1].norm else float("nan")
    by_name = {call.name: call for call in calls}
    for call in found:
        rows[call.name].findings += _findings(call, rows[call.name], fall, by_name)
    _underflow(list(rows.values()))
    return Budget(tuple(rows.values()), fall)


def _output_name(call: CallRecord, number: int) -> str:
    return f"{call.name}.output" + (f".{number}" if number else "")


# ---------------------------------------------------------------------- sizes


def _row(call: CallRecord) -> BudgetRow:
    layer = call.formulas_of
    role = "W" if isinstance(layer, _WEIGHTS) else "σ′" if isinstance(layer, _ACTIVATIONS) else "other"
    deltas = [d.numbers for d in call.deltas if d is not None]
    norm = _norm(deltas)
    size = norm / max(sum(d.size for d in deltas), 1) ** 0.5
    row = BudgetRow(call.name, call.kind, role, norm, size)
    for name, delta in call.input_deltas.items():
        if delta is not None:
            row.factors[name] = _norm([delta.numbers]) / norm if norm else float("nan")
    if role == "W":  # with weights among the inputs, δ goes on through x
        row.factors = dict(list(row.factors.items())[:1])
    return row


def _trace_back(
    call: CallRecord, rows: Mapping[str, BudgetRow], consumers: Mapping[str, list[tuple[CallRecord, str]]]
) -> None:
    """Where δ at ``call`` came from: the way to the next layer with weights, if there is one way only."""
    parts = {"W": 1.0, "σ′": 1.0, "other": 1.0}
    place = _output_name(call, 0)
    while len(consumers.get(place, ())) == 1:
        (following, name), *_ = consumers[place]
        row = rows.get(following.name)
        if row is None or following.is_loss or name not in row.factors:
            return
        parts[row.role] *= row.factors[name]
        if row.role == "W":
            own = rows[call.name]
            own.ratio, own.parts = own.norm / row.norm if row.norm else float("nan"), parts
            return
        place = _output_name(following, 0)


def _norm(arrays: Iterable[Array]) -> float:
    """√(Σ a²), even where a² is below the smallest number."""
    flat = np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in arrays])
    largest = float(np.abs(flat).max(initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.square(flat / largest).sum()))


# ---------------------------------------------------------------------- causes


def _findings(call: CallRecord, row: BudgetRow, fall: float, calls: Mapping[str, CallRecord]) -> list[Finding]:
    found = []
    finite = [np.isfinite(d.numbers) for d in call.deltas if d is not None]
    if not all(ok.all() for ok in finite):
        found.append(Finding("not finite", 1 - float(np.mean([ok.mean() for ok in finite]))))
    if row.role == "W":
        found += [*_of_weights(row, fall), *_sign_lock(call)]
    elif isinstance(call.formulas_of, _RECTIFIERS):
        found += _of_rectifier(call, row, fall, calls)
    elif row.role == "σ′":
        found += _of_activation(call, row, fall)
    return found


def _of_weights(row: BudgetRow, fall: float) -> list[Finding]:
    factor = row.factor
    if factor < 0.1 or (factor < 0.75 and fall < FALL):
        return [Finding("small W", factor)]
    if factor > 10 or (factor > 1.33 and fall > 1 / FALL):
        return [Finding("large W", factor)]
    return []


def _sign_lock(call: CallRecord) -> list[Finding]:
    x = next(iter(call.inputs.values()))
    if not isinstance(call.formulas_of, nn.Linear) or x is None or len(x.shape) != 2 or x.shape[1] < 2:
        return []
    rows = x.numbers  # (N, in)
    share = float(((rows > 0).all(axis=1) | (rows < 0).all(axis=1)).mean()) if len(rows) else 0.0
    return [Finding("sign-locked", share)] if share >= LOCKED else []


def _of_activation(call: CallRecord, row: BudgetRow, fall: float) -> list[Finding]:
    slope = np.abs(_slope(call))
    share = float((slope < FLAT).mean()) if slope.size else 0.0
    if share >= SATURATED:
        return [Finding("saturated", share)]
    return _small_slope(row, fall)


def _of_rectifier(call: CallRecord, row: BudgetRow, fall: float, calls: Mapping[str, CallRecord]) -> list[Finding]:
    a = call.output
    if a.ndim > 1 and a.size:
        axis = _unit_axis(call, a.ndim, calls)
        share = float((a <= 0).all(axis=tuple(i for i in range(a.ndim) if i != axis)).mean())
        chance = 0.5 ** (a.size // a.shape[axis])  # of a unit that is as often on as off
        if share >= max(DEAD, 3 * chance):
            return [Finding("dead ReLU", share)]
    return _small_slope(row, fall)


def _small_slope(row: BudgetRow, fall: float) -> list[Finding]:
    return [Finding("small σ′", row.factor)] if row.factor < 0.5 and fall < FALL else []


def _unit_axis(call: CallRecord, ndim: int, calls: Mapping[str, CallRecord]) -> int:
    """The axis along which units are counted: the channels of images; of (N, L, …) what made it decides."""
    if ndim != 3:
        return 1
    maker = calls.get(next(iter(call.origins.values()), "").removesuffix(".output"))
    return 1 if maker is not None and isinstance(maker.layer, (*_CONVOLUTIONS, nn.BatchNorm1d)) else 2


def _slope(call: CallRecord) -> Array:
    """σ′(z): what the activation's own backward makes of δ = 1."""
    (x, *_) = [record.numbers for record in call.inputs.values() if record is not None]
    again = Call(copy.deepcopy(call.formulas_of))
    slope: Array = again.backward(np.ones_like(again.forward(x, recording=True)))
    return slope


def _underflow(rows: list[BudgetRow]) -> None:
    """Name the first layer on the way back whose δ is about to leave float32, or has left it."""
    behind = 1.0
    for row in reversed(rows):
        if 0 < row.size < NEAR or (row.norm == 0 and behind < NEAR_ZERO):
            row.findings.append(Finding("underflow", row.size))
            return
        behind = row.size


def _factor(value: float) -> str:
    if value != value:
        return "-"
    return f"{value:.3f}" if 1e-3 <= value < 100 else f"{value:.1e}"
