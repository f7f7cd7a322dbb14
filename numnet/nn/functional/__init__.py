"""The layers as functions, as ``torch.nn.functional``: settings and parameters are arguments.

    import numnet.nn.functional as F

    a = F.relu(F.linear(x, W, b))

Nothing is computed here: each function makes the layer with these settings and runs its formulas. With Tensors it
returns Tensors, and ∂J/∂W reaches every parameter that was given as one; with arrays alone it returns arrays.
"""

from __future__ import annotations

from .activation import log_softmax, relu, sigmoid, softmax, tanh
from .conv import conv2d
from .dropout import dropout
from .linear import linear
from .loss import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, mse_loss, nll_loss
from .normalization import batch_norm
from .pooling import avg_pool2d, max_pool2d

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
