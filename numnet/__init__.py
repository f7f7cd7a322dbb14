"""numnet: a neural-network engine in NumPy whose backward passes are written out by hand.

    from numnet import nn, optim

The five nouns: :class:`Parameter`, :class:`~numnet.nn.Layer`, ctx, :class:`~numnet.nn.Call`, :class:`Tensor`.
"""

from __future__ import annotations

from . import nn, optim
from ._config import show_config
from .call import no_grad, observe, set_grad_enabled
from .inspect.dialects import explain_difference
from .kernels.threads import get_num_threads, set_num_threads
from .random import manual_seed
from .tensor import Parameter, Tensor, Variable, cat, stack, tensor, where

__version__ = "0.1.0"

__all__ = [
    "Parameter",
    "Tensor",
    "Variable",
    "__version__",
    "cat",
    "explain_difference",
    "get_num_threads",
    "manual_seed",
    "nn",
    "no_grad",
    "observe",
    "optim",
    "set_grad_enabled",
    "set_num_threads",
    "show_config",
    "stack",
    "tensor",
    "where",
]
