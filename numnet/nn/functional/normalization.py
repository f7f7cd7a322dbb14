"""Normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import OptionError, ShapeError, describe
from ..layer_norm import GroupNorm, LayerNorm, RMSNorm
from ..local_response_norm import LocalResponseNorm
from ..normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from .run import Input, array_of, run, run_with

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


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
    """Every channel normalised: :class:`~numnet.nn.BatchNorm1d`, :class:`~numnet.nn.BatchNorm2d`, …

    ``training`` takes the batch's own statistics and moves the running ones, if there are any, in place.

    Raises:
        OptionError: no running statistics where ``training`` is False. ShapeError, DtypeError: as for the layer.
    """
    _expect_statistics(training, "training", running_mean, running_var)
    norm = {2: BatchNorm1d, 3: BatchNorm1d, 4: BatchNorm2d, 5: BatchNorm3d}.get(input.ndim)
    if norm is None:
        raise ShapeError("x of shape (N, C, …) with up to five axes", describe(input), "x[None] makes a batch of one")
    layer = norm(input.shape[1], eps, momentum, affine=False, track_running_stats=False).train(training)
    layer.running_mean, layer.running_var = array_of(running_mean), array_of(running_var)
    return run_with(layer, input, weight=weight, bias=bias)


def instance_norm(
    input: Input,
    running_mean: Input | None = None,
    running_var: Input | None = None,
    weight: Input | None = None,
    bias: Input | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Every channel of every sample normalised: :class:`~numnet.nn.InstanceNorm1d`, :class:`~numnet.nn.InstanceNorm2d`…

    ``use_input_stats`` takes each sample's own statistics and moves the running ones, if there are any, in place.

    Raises:
        OptionError: no running statistics where ``use_input_stats`` is False. ShapeError: x is not (N, C, …) with three
        to five axes; ShapeError, DtypeError: as for the layer.
    """
    _expect_statistics(use_input_stats, "use_input_stats", running_mean, running_var)
    norm = {3: InstanceNorm1d, 4: InstanceNorm2d, 5: InstanceNorm3d}.get(input.ndim)
    if norm is None:
        expected = "x of shape (N, C, …) with three to five axes"
        raise ShapeError(expected, describe(input), "x[None] makes a batch of one")
    layer = norm(input.shape[1], eps, momentum).train(use_input_stats)
    layer.running_mean, layer.running_var = array_of(running_mean), array_of(running_var)
    return run_with(layer, input, weight=weight, bias=bias)


def layer_norm(
    input: Input,
    normalized_shape: Sequence[int],
    weight: Input | None = None,
    bias: Input | None = None,
    eps: float = 1e-5,
) -> Any:
    """The last axes of every sample normalised: :class:`~numnet.nn.LayerNorm`."""
    layer = LayerNorm(normalized_shape, eps, elementwise_affine=False)
    _expect_parameters(layer.normalized_shape, weight, bias)
    return run_with(layer, input, weight=weight, bias=bias)


def group_norm(
    input: Input, num_groups: int, weight: Input | None = None, bias: Input | None = None, eps: float = 1e-5
) -> Any:
    """Every group of channels of every sample normalised: :class:`~numnet.nn.GroupNorm`."""
    if input.ndim < 2:
        raise ShapeError("x of shape (N, C, …)", describe(input), "x[None] makes a batch of one")
    layer = GroupNorm(num_groups, input.shape[1], eps, affine=False)
    _expect_parameters((layer.num_channels,), weight, bias)
    return run_with(layer, input, weight=weight, bias=bias)


def rms_norm(
    input: Input, normalized_shape: Sequence[int], weight: Input | None = None, eps: float | None = None
) -> Any:
    """The last axes of every sample divided by their root mean square: :class:`~numnet.nn.RMSNorm`."""
    layer = RMSNorm(normalized_shape, eps, elementwise_affine=False)
    _expect_parameters(layer.normalized_shape, weight, None)
    return run_with(layer, input, weight=weight)


def local_response_norm(input: Input, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Every number divided by the size of its neighbours in other channels: :class:`~numnet.nn.LocalResponseNorm`."""
    return run(LocalResponseNorm(size, alpha, beta, k), input)


def _expect_statistics(measured: bool, name: str, mean: Input | None, var: Input | None) -> None:
    if not measured and (mean is None or var is None):
        expected = f"running_mean and running_var, where {name} is False"
        raise OptionError(expected, "None", f"pass both, or {name}=True")


def _expect_parameters(shape: tuple[int, ...], weight: Input | None, bias: Input | None) -> None:
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and tuple(parameter.shape) != shape:
            cure = f"one number of {name} for each that is normalised"
            raise ShapeError(f"{name} of shape {shape}", f"shape {tuple(parameter.shape)}", cure)
