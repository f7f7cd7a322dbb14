"""Normalisation."""

from __future__ import annotations

from typing import Any

from ...errors import OptionError, ShapeError, describe
from ..normalization import BatchNorm1d, BatchNorm2d
from .run import Input, array_of, run_with

__all__ = ["batch_norm"]


def batch_norm(
    input: Input,
    running_mean: Input | None,
    running_var: Input | None,
    weight: Input | None = None,
    bias: Input | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Every channel normalised: :class:`~numnet.nn.BatchNorm1d`, :class:`~numnet.nn.BatchNorm2d`.

    ``training`` takes the batch's own statistics and moves the running ones, if there are any, in place.

    Raises:
        OptionError: no running statistics where ``training`` is False. ShapeError, DtypeError: as for the layer.
    """
    if not training and (running_mean is None or running_var is None):
        cure = "pass both, or training=True"
        raise OptionError("running_mean and running_var, where training is False", "None", cure)
    if input.ndim < 2:
        raise ShapeError("x of shape (N, C, …)", describe(input), "x[None] makes a batch of one")
    norm = BatchNorm1d if input.ndim < 4 else BatchNorm2d
    layer = norm(input.shape[1], eps, momentum, affine=False, track_running_stats=False).train(training)
    layer.running_mean, layer.running_var = array_of(running_mean), array_of(running_var)
    return run_with(layer, input, weight=weight, bias=bias)
