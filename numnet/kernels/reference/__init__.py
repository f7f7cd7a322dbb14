"""The reference twins: plain array code for NumPy and CuPy alike. It is the specification of every kernel.

Nothing here is fast, and nothing is clever: each function is its formula. The other twins are held against it.
"""

from __future__ import annotations

from .activation import relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
from .arithmetic import absolute_sum, add, contiguous, empty_like, scaled, sign, square_sum, subtract
from .batch_norm import batch_norm_eval, batch_norm_eval_backward, batch_norm_train, batch_norm_train_backward
from .binary_cross_entropy import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_backward,
)
from .conv import conv, conv_backward
from .cross_entropy import cross_entropy, cross_entropy_backward
from .linear import linear, linear_backward, matmul
from .optimizer import asgd_step, rprop_step, sgd_step
from .optimizer_adam import adam_step, adamax_step, nadam_step, radam_step
from .optimizer_rms import adadelta_step, adagrad_step, rmsprop_step
from .piecewise import (
    cut_out,
    cut_out_backward,
    elu,
    elu_backward,
    hardsigmoid,
    hardsigmoid_backward,
    hardswish,
    hardswish_backward,
    hardtanh,
    hardtanh_backward,
    huber,
    huber_backward,
    huber_sum,
    leaky_relu,
    leaky_relu_backward,
)
from .pool import avg_pool, avg_pool_backward, max_pool, max_pool_backward
from .pool_regions import max_regions
from .recurrent import recur, recur_backward, recur_sums
from .resample import resample
from .row_norm import group_norm, group_norm_backward, rms_norm, rms_norm_backward
from .rows import gather_rows, scatter_rows
from .smooth import gelu, gelu_backward, mish, mish_backward, silu, silu_backward, softplus, softplus_backward
from .softmax import log_softmax, log_softmax_backward, masked_softmax, softmax, softmax_backward
from .windows import fold, unfold

__all__ = [
    "absolute_sum",
    "adadelta_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "add",
    "asgd_step",
    "avg_pool",
    "avg_pool_backward",
    "batch_norm_eval",
    "batch_norm_eval_backward",
    "batch_norm_train",
    "batch_norm_train_backward",
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_backward",
    "contiguous",
    "conv",
    "conv_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "cut_out",
    "cut_out_backward",
    "elu",
    "elu_backward",
    "empty_like",
    "fold",
    "gather_rows",
    "gelu",
    "gelu_backward",
    "group_norm",
    "group_norm_backward",
    "hardsigmoid",
    "hardsigmoid_backward",
    "hardswish",
    "hardswish_backward",
    "hardtanh",
    "hardtanh_backward",
    "huber",
    "huber_backward",
    "huber_sum",
    "leaky_relu",
    "leaky_relu_backward",
    "linear",
    "linear_backward",
    "log_softmax",
    "log_softmax_backward",
    "masked_softmax",
    "matmul",
    "max_pool",
    "max_pool_backward",
    "max_regions",
    "mish",
    "mish_backward",
    "nadam_step",
    "radam_step",
    "recur",
    "recur_backward",
    "recur_sums",
    "relu",
    "relu_backward",
    "resample",
    "rms_norm",
    "rms_norm_backward",
    "rmsprop_step",
    "rprop_step",
    "scaled",
    "scatter_rows",
    "sgd_step",
    "sigmoid",
    "sigmoid_backward",
    "sign",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "softplus",
    "softplus_backward",
    "square_sum",
    "subtract",
    "tanh",
    "tanh_backward",
    "unfold",
]
