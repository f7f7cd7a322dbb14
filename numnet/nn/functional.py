"""The layers as functions, as ``torch.nn.functional``: settings and parameters are arguments.

    import numnet.nn.functional as F

    a = F.relu(F.linear(x, W, b))

Nothing is computed here: each function makes the layer with these settings and runs its formulas. With Tensors it
returns Tensors, and ∂J/∂W reaches every parameter that was given as one; with arrays alone it returns arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..arrays import Array
from ..call import Call, Ctx, Formulas
from ..errors import OptionError, ShapeError, describe
from ..operations import Operation
from ..tensor import Parameter, Tensor, apply
from .activation import LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from .conv import Conv2d
from .cross_entropy import CrossEntropyLoss, NLLLoss
from .dropout import Dropout
from .layer import Layer
from .linear import Linear
from .loss import BCELoss, BCEWithLogitsLoss, MSELoss
from .normalization import BatchNorm1d, BatchNorm2d
from .pooling import AvgPool2d, MaxPool2d
from .reduction import Reduction

__all__ = [
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "dropout",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]

Input = Any  # an Array or a Tensor


class Functional(Operation):
    """The formulas of a layer with its parameters as inputs beside x: their gradients are returned, not kept.

    y = layer(x)        with the given parameters

    ∂J/∂x and every ∂J/∂parameter as the layer's backward makes them
    """

    def __init__(self, layer: Layer, names: Sequence[str]) -> None:
        self.layer = layer
        self.names = names

    def forward(self, ctx: Ctx, x: Array, *parameters: Array | None) -> Array:
        for name, array, needs in zip(self.names, parameters, ctx.needs_input_grad[1:], strict=True):
            setattr(self.layer, name, None if array is None else Parameter(array, requires_grad=needs))
        return self.layer.forward(ctx, x)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, ...]:
        parameters = [getattr(self.layer, name) for name in self.names]
        delta_x = self.layer.backward(ctx, delta)
        gradients = [None if p is None else p.grad for p in parameters]
        self.layer.zero_grad()  # a second backward, with retain_graph, starts from zero
        return delta_x, *gradients

    def __repr__(self) -> str:
        return repr(self.layer)


def _run(formulas: Formulas, *inputs: Input) -> Any:
    if any(isinstance(x, Tensor) for x in inputs):
        return apply(formulas, *inputs)
    return Call(formulas).forward(*inputs, recording=False)


def _run_with(layer: Layer, x: Input, **parameters: Input) -> Any:
    return _run(Functional(layer, tuple(parameters)), x, *parameters.values())


class _Undrawn:
    """Stands in for a random generator where the initial values are replaced at once."""

    def uniform(self, low: float, high: float, size: tuple[int, ...]) -> float:
        return 0.0


_undrawn: Any = _Undrawn()


# ---------------------------------------------------------------------- activations


def relu(input: Input, inplace: bool = False) -> Any:
    """max(x, 0): :class:`~numnet.nn.ReLU`."""
    return _run(ReLU(inplace), input)


def sigmoid(input: Input) -> Any:
    """1 / (1 + e⁻ˣ): :class:`~numnet.nn.Sigmoid`."""
    return _run(Sigmoid(), input)


def tanh(input: Input) -> Any:
    """Hyperbolic tangent: :class:`~numnet.nn.Tanh`."""
    return _run(Tanh(), input)


def softmax(input: Input, dim: int | None = None) -> Any:
    """Probabilities along ``dim``, which has to be given: :class:`~numnet.nn.Softmax`."""
    return _run(Softmax(dim), input)


def log_softmax(input: Input, dim: int | None = None) -> Any:
    """Logarithms of probabilities along ``dim``, which has to be given: :class:`~numnet.nn.LogSoftmax`."""
    return _run(LogSoftmax(dim), input)


def dropout(
    input: Input,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """Numbers dropped with probability ``p`` if ``training``: :class:`~numnet.nn.Dropout`."""
    return _run(Dropout(p, inplace, rng=rng).train(training), input)


# ---------------------------------------------------------------------- with parameters


def linear(input: Input, weight: Input, bias: Input | None = None) -> Any:
    """x Wᵀ + b: :class:`~numnet.nn.Linear`.

    Raises:
        ShapeError: ``weight`` is not (out, in), or as for the layer.
    """
    out_features, in_features = _shape(weight, "out in")
    layer = Linear(in_features, out_features, bias is not None, rng=_undrawn)
    return _run_with(layer, input, weight=weight, bias=bias)


def conv2d(
    input: Input,
    weight: Input,
    bias: Input | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | Literal["same", "valid"] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """Every filter slid over every image: :class:`~numnet.nn.Conv2d`.

    Raises:
        ShapeError: ``weight`` is not (F, C / groups, K, K), or as for the layer.
    """
    filters, channels, *kernel = _shape(weight, "F C K K")
    layer = Conv2d(
        channels * groups, filters, kernel, stride, padding, dilation, groups, bias is not None, rng=_undrawn
    )
    return _run_with(layer, input, weight=weight, bias=bias)


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
    layer.running_mean, layer.running_var = _array(running_mean), _array(running_var)
    return _run_with(layer, input, weight=weight, bias=bias)


# ---------------------------------------------------------------------- pooling


def max_pool2d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element under each window: :class:`~numnet.nn.MaxPool2d`, with its last two arguments swapped."""
    return _run(MaxPool2d(kernel_size, stride, padding, dilation, return_indices, ceil_mode), input)


def avg_pool2d(
    input: Input,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of the elements under each window: :class:`~numnet.nn.AvgPool2d`."""
    return _run(AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override), input)


# ---------------------------------------------------------------------- losses


def mse_loss(input: Input, target: Input, *, reduction: Reduction = "mean") -> Any:
    """Mean squared error: :class:`~numnet.nn.MSELoss`."""
    return _run(MSELoss(reduction=reduction), input, target)


def binary_cross_entropy(
    input: Input, target: Input, weight: Input | None = None, *, reduction: Reduction = "mean"
) -> Any:
    """Binary cross-entropy of probabilities: :class:`~numnet.nn.BCELoss`."""
    return _run(BCELoss(weight, reduction=reduction), input, target)


def binary_cross_entropy_with_logits(
    input: Input,
    target: Input,
    weight: Input | None = None,
    *,
    reduction: Reduction = "mean",
    pos_weight: Input | None = None,
) -> Any:
    """Binary cross-entropy of scores: :class:`~numnet.nn.BCEWithLogitsLoss`."""
    return _run(BCEWithLogitsLoss(weight, reduction=reduction, pos_weight=pos_weight), input, target)


def cross_entropy(
    input: Input,
    target: Input,
    weight: Input | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross-entropy of scores with labels or class probabilities: :class:`~numnet.nn.CrossEntropyLoss`."""
    loss = CrossEntropyLoss(weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)
    return _run(loss, input, target)


def nll_loss(
    input: Input,
    target: Input,
    weight: Input | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Any:
    """Negative log-likelihood from log-probabilities: :class:`~numnet.nn.NLLLoss`."""
    return _run(NLLLoss(weight, ignore_index=ignore_index, reduction=reduction), input, target)


def _array(x: Input | None) -> Array | None:
    return x.data if isinstance(x, Tensor) else x


def _shape(weight: Input, letters: str) -> tuple[int, ...]:
    names = letters.split()
    if weight.ndim != len(names):
        raise ShapeError(f"weight of shape ({', '.join(names)})", f"shape {tuple(weight.shape)}")
    return tuple(weight.shape)
