"""Records: what a trace writes down of one application of formulas, and of one update of one parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import OptionError
from ..nn.functional.run import Functional
from .formula import FormulaLines, equations, formulas
from .source import Source

__all__ = ["ArrayRecord", "CallRecord", "Digest", "ParameterRecord", "UpdateRecord", "formulas_behind"]


@dataclass(frozen=True, slots=True)
class Digest:
    """An array in a few numbers.

    Attributes:
        least, largest, mean: of its finite numbers; NaN if there are none.
        norm: √(Σ a²) of its finite numbers.
        zeros, nans: shares of numbers that are 0, and that are NaN or infinite.
    """

    shape: tuple[int, ...]
    dtype: str
    least: float
    largest: float
    mean: float
    norm: float
    zeros: float
    nans: float

    @classmethod
    def of(cls, array: Array) -> Digest:
        """The digest of ``array``; its sums are made in float64."""
        host = array if isinstance(array, np.ndarray) else array.get()
        finite = np.isfinite(host)
        whole = bool(finite.all())
        numbers = (host if whole else host[finite]).astype(np.float64, copy=False)
        if numbers.size == 0:
            least = largest = mean = float("nan")
        else:
            least, largest, mean = float(numbers.min()), float(numbers.max()), float(numbers.mean())
        flat = numbers.reshape(-1)
        count = max(host.size, 1)
        zeros = float(host.size - np.count_nonzero(host)) / count
        nans = float(host.size - np.count_nonzero(finite)) / count
        norm = float(np.sqrt(flat @ flat))
        return cls(tuple(host.shape), str(host.dtype), least, largest, mean, norm, zeros, nans)


class ArrayRecord:
    """An array of a trace: the array itself, or its digest alone if the room ran out.

    Attributes:
        array: the array, by reference; ``None`` if it was not kept.
        why_not: why it was not kept; empty if it was.
        shape, dtype: of the array, kept or not.
    """

    __slots__ = ("_digest", "array", "dtype", "shape", "why_not")

    def __init__(self, array: Array, why_not: str = "") -> None:
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype = str(array.dtype)
        self.array: Array | None = None if why_not else array
        self.why_not = why_not
        self._digest = Digest.of(array) if why_not else None

    @property
    def digest(self) -> Digest:
        """Shape, dtype, least, largest, mean, norm, shares of zeros and of NaN; made when it is first asked for."""
        if self._digest is None:
            self._digest = Digest.of(self.array)
        return self._digest

    @property
    def numbers(self) -> Array:
        """The array.

        Raises:
            OptionError: it was not kept.
        """
        if self.array is None:
            expected = f"an array of shape {self.shape} that the trace kept"
            raise OptionError(expected, self.why_not, "trace(…, keep=2**32)")
        return self.array

    def forget(self, why_not: str) -> None:
        """Let go of the array, whose numbers are no longer what they were."""
        self.array, self.why_not = None, why_not
        self._digest = None

    def __repr__(self) -> str:
        return f"<{self.dtype} array of shape {self.shape}{f', not kept: {self.why_not}' if self.why_not else ''}>"


@dataclass(slots=True)
class ParameterRecord:
    """What one call did to the gradient of one of its parameters.

    Attributes:
        name: as in ``named_parameters`` of the network: a shared one has one name.
        value: W, as the call read it.
        before: ``grad`` before this call's backward; ``None`` if there was none.
        share: what this call added; ``None`` if it added nothing.
        after: ``grad`` after this call's backward.
    """

    name: str
    value: ArrayRecord
    before: ArrayRecord | None = None
    share: ArrayRecord | None = None
    after: ArrayRecord | None = None


@dataclass(slots=True)
class CallRecord:
    """One application of one layer or operation, forward and back.

    Attributes:
        number: its place in the order of forward, from 0.
        path: the layer's path in the network; the class name for a loss, an operation, or the network itself.
        use: 1 for the first call of what has this path, 2 for the second, …
        layer: what was called.
        inputs: by the names that ``forward`` gives them.
        origins: for each input the name of the array that it is: ``"1.output"``, ``"x"``; empty if unknown.
        saved: what ctx kept, by name: an :class:`ArrayRecord` for an array, anything else as it is.
        outputs: what forward returned.
        deltas: δ = ∂J/∂output of each output, as it arrived from behind; ``None`` where none came.
        input_deltas: ∂J/∂input by the input's name, as it was handed on; ``None`` where none was asked for.
        parameters: by their names in the layer.
        forward_source, backward_source: the lines of the two formulas, and which of them ran.
        is_loss: whether it belongs to the loss.
        training: whether the layer was in training mode; ``None`` for an operation, which has no mode.
        inner: of a recurrent layer, the arrays of its time steps; see :func:`numnet.inspect.time_steps.time_steps`.
    """

    number: int
    path: str
    use: int
    layer: Any
    inputs: dict[str, ArrayRecord | None] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    saved: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[ArrayRecord, ...] = ()
    deltas: tuple[ArrayRecord | None, ...] = ()
    input_deltas: dict[str, ArrayRecord | None] = field(default_factory=dict)
    parameters: dict[str, ParameterRecord] = field(default_factory=dict)
    forward_source: Source | None = None
    backward_source: Source | None = None
    is_loss: bool = False
    training: bool | None = None
    inner: dict[str, ArrayRecord] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``"rnn"``; ``"rnn#2"`` for the second call of it."""
        return self.path if self.use == 1 else f"{self.path}#{self.use}"

    @property
    def formulas_of(self) -> Any:
        """The layer whose formulas ran: for a function of ``nn.functional``, the layer behind it."""
        return formulas_behind(self.layer)

    @property
    def kind(self) -> str:
        """The class name of the layer or operation."""
        return type(self.formulas_of).__name__

    @property
    def formulas(self) -> FormulaLines:
        """Forward and gradient formulas, from the docstring."""
        return formulas(self.formulas_of)

    @property
    def formula(self) -> str:
        """The forward formulas, one a line, without what stands beside them."""
        return "\n".join(equations(self.formulas_of))

    @property
    def output(self) -> Array:
        """What forward returned; the first output, if there are several. Raises OptionError if it was not kept."""
        return self.outputs[0].numbers

    @property
    def delta(self) -> Array | None:
        """δ at the (first) output; ``None`` where none came. Raises OptionError if it was not kept."""
        first = self.deltas[0] if self.deltas else None
        return None if first is None else first.numbers

    @property
    def input_delta(self) -> Array | None:
        """∂J/∂(first input); ``None`` if nobody asked. Raises OptionError if it was not kept."""
        first = next(iter(self.input_deltas.values()), None)
        return None if first is None else first.numbers

    @property
    def parameter_gradients(self) -> dict[str, Array]:
        """What this call added to the gradient of each parameter, by the parameter's name in the layer."""
        return {name: p.share.numbers for name, p in self.parameters.items() if p.share is not None}

    def __repr__(self) -> str:
        return f"<call {self.number}: {self.name} ({self.kind})>"


def formulas_behind(layer: Any) -> Any:
    """The layer itself; for a function of ``nn.functional``, the layer behind it."""
    return layer.layer if isinstance(layer, Functional) else layer


@dataclass(slots=True)
class UpdateRecord:
    """What the optimiser did to one parameter.

    Attributes:
        name: as in ``named_parameters``.
        optimizer: the optimiser.
        options: those of the parameter's group at the step: ``lr``, ``momentum``, …
        before, gradient, after: W, ∂J/∂W as it was at the step, and the new W.
        memory_before, memory: the optimiser's memory of this parameter before and after the step, by name.
    """

    name: str
    optimizer: Any
    options: Mapping[str, Any]
    before: ArrayRecord
    gradient: ArrayRecord
    after: ArrayRecord
    memory_before: dict[str, Any]
    memory: dict[str, Any]
