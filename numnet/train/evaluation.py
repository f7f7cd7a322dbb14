"""Evaluation and prediction: without dropout, without recording, and without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..arrays import Array, array_module, is_array
from ..call import no_grad
from ..errors import DtypeError, OptionError, ShapeError, describe
from ..nn.module import Module
from ..nn.reduction import Reduced
from ..random import undisturbed
from ..tensor import Tensor
from .batches import loader_of, scaled, unpacked, with_scaler
from .history import OF_THE_RUN

__all__ = ["Metric", "Totals", "evaluate", "expect_metrics", "in_mode", "mean_of", "predict"]

Metric = Callable[[Array, Array], float]


def evaluate(
    net: Module,
    loss: Module,
    data: Any,
    *,
    metrics: Mapping[str, Metric] | None = None,
    batch_size: int | None = 256,
    scaler: Any = None,
) -> dict[str, float]:
    """The mean loss over all samples, and metrics of all outputs together.

        J = Σ over batches (n J of the batch) / Σ n        n: its samples

    The network is put into evaluation mode, whatever mode it is in, and put back; nothing is recorded; the default
    generator stays where it was. So it may be called in the middle of a training and changes none of its numbers.

    Args:
        net: called with the inputs of each batch.
        loss: ``loss(output, target)``, a single number or, with ``reduction="none"``, one a sample.
        data: ``(x, y)``, a Dataset or a DataLoader.
        metrics: functions of (output, target) by the names that they get in the result, such as
            ``{"accuracy": metrics.accuracy}``. They see the outputs of all batches as one array.
        batch_size: how many samples at once, where ``data`` is no DataLoader; ``None`` for all.
        scaler: the transformer that :func:`fit` was given.

    Returns:
        ``{"loss": …}`` and the metrics.

    Raises:
        DtypeError, DataError: no data. NumnetError: what the network, the loss and the metrics refuse.
    """
    metrics = expect_metrics(metrics)
    totals = Totals(keep=bool(metrics))
    loader = loader_of("data", data, batch_size)
    if scaler is not None:
        loader = with_scaler("data", loader, scaler)
    with in_mode(False, net, loss), no_grad(), undisturbed():
        for batch in loader:
            inputs, y = unpacked(batch)
            z = net(*inputs)
            totals.add(mean_of(loss, loss(z, y), len(y)), z, y)
    return totals.row(metrics)


def predict(net: Module, x: Any, *, batch_size: int | None = 256, scaler: Any = None) -> Array:
    """What the network makes of every row of x, in evaluation mode and without recording; modes are put back.

    ``net(x)`` in training mode would drop units, and normalise by the batch at hand. Here neither can happen.

    Args:
        net: the network.
        x: rows to predict for, an array or a Tensor; several inputs as a tuple.
        batch_size: how many rows at once; ``None`` for all.
        scaler: the transformer that :func:`fit` was given.

    Returns:
        The outputs of all rows, an array (N, …).

    Raises:
        DtypeError: x is no array. ShapeError: inputs of different lengths. NumnetError: what the network refuses.
    """
    inputs = [part.array if isinstance(part, Tensor) else part for part in (x if isinstance(x, tuple) else (x,))]
    for part in inputs:
        if not is_array(part) or part.ndim == 0:
            raise DtypeError("rows x as an array", describe(part), "np.asarray(x, np.float32)")
        if len(part) != len(inputs[0]):
            raise ShapeError(f"{len(inputs[0])} rows in every input", f"{len(part)}")
    if scaler is not None:
        inputs[0] = scaled(scaler, inputs[0])
    n = len(inputs[0])
    size = max(n if batch_size is None else batch_size, 1)
    with in_mode(False, net), no_grad(), undisturbed():
        parts = [net(*[part[i : i + size] for part in inputs]) for i in range(0, max(n, 1), size)]
    return array_module(parts[0]).concatenate(parts) if len(parts) > 1 else parts[0]


@contextmanager
def in_mode(training: bool, *modules: Module) -> Iterator[None]:
    """These modules in training or evaluation mode; then each part of them in the mode that it was in."""
    modes = [(part, part.training) for module in modules for part in module.modules()]
    try:
        for module in modules:
            module.train(training)
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def mean_of(loss: Module, J: Array, samples: int) -> float:
    """The loss of a batch per sample, whatever its reduction."""
    if isinstance(loss, Reduced) and "sum" in loss.reduction:
        return float(J) / samples
    return float(J.mean() if J.ndim else J)


def expect_metrics(metrics: Mapping[str, Metric] | None) -> dict[str, Metric]:
    """The metrics as a dictionary. Raises OptionError for what cannot be one, or for a name that is taken."""
    if metrics is not None and not isinstance(metrics, Mapping):
        raise OptionError("metrics by name", describe(metrics), 'metrics={"accuracy": metrics.accuracy}')
    for name, metric in (metrics or {}).items():
        if not callable(metric):
            raise OptionError(f"a function of (output, target) as {name!r}", describe(metric))
        if name in ("loss", *OF_THE_RUN) or name.startswith("validation_"):
            raise OptionError("a name of its own for each metric", f"{name!r}, which fit uses itself", "another name")
    return dict(metrics or {})


class Totals:
    """What the batches of an epoch add up to: starts at 0, and weighs each batch by its samples.

    Args:
        keep: whether outputs and targets are kept, for metrics.
    """

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        self.total = 0.0  # Σ n J
        self.samples = 0
        self.outputs: list[Array] = []
        self.targets: list[Array] = []

    def add(self, J: float, z: Array, y: Array) -> None:
        """One batch with the mean loss J."""
        self.total += J * len(y)
        self.samples += len(y)
        if self.keep:
            self.outputs.append(z)
            self.targets.append(y)

    def row(self, metrics: Mapping[str, Metric]) -> dict[str, float]:
        """Mean loss and metrics."""
        row = {"loss": self.total / self.samples}
        if metrics:
            xp = array_module(self.outputs[0])
            z, y = xp.concatenate(self.outputs), xp.concatenate(self.targets)
            for name, metric in metrics.items():
                try:
                    row[name] = float(metric(z, y))
                except TypeError as error:
                    error.add_note(f"in the metric {name!r}, which gets (output, target) and returns one number")
                    raise
        return row

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint in the middle of an epoch."""
        return {
            "total": self.total,
            "samples": self.samples,
            "outputs": list(self.outputs),
            "targets": list(self.targets),
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.total, self.samples = saved["total"], saved["samples"]
        self.outputs, self.targets = list(saved["outputs"]), list(saved["targets"])
