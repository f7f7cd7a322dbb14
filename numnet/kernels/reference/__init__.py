"""The reference twins: plain array code for NumPy and CuPy alike. It is the specification of every kernel.

Nothing here is fast, and nothing is clever: each function is its formula. The other twins are held against it.
"""

from __future__ import annotations

from .activation import relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
from .batch_norm import batch_norm_eval, batch_norm_eval_backward, batch_norm_train, batch_norm_train_backward
from .conv import conv, conv_backward
from .cross_entropy import cross_entropy, cross_entropy_backward
from .linear import linear, linear_backward, matmul
from .optimizer import adam_step, sgd_step
from .pad import pad, pad_backward
from .pool import avg_pool, avg_pool_backward, max_pool, max_pool_backward
from .softmax import log_softmax, log_softmax_backward, softmax, softmax_backward

__all__ = [
    "adam_step",
    "avg_pool",
    "avg_pool_backward",
    "batch_norm_eval",
    "batch_norm_eval_backward",
    "batch_norm_train",
    "batch_norm_train_backward",
    "conv",
    "conv_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "linear",
    "linear_backward",
    "log_softmax",
    "log_softmax_backward",
    "matmul",
    "max_pool",
    "max_pool_backward",
    "pad",
    "pad_backward",
    "relu",
    "relu_backward",
    "sgd_step",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "tanh",
    "tanh_backward",
]
