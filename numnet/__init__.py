"""numnet: a neural-network engine in NumPy whose backward passes are written out by hand.

    from numnet import nn, optim

The five nouns: :class:`Parameter`, :class:`~numnet.nn.Layer`, ctx, :class:`~numnet.nn.Call`, :class:`Tensor`.
"""

from __future__ import annotations

from . import nn
from .call import no_grad, observe, set_grad_enabled
from .random import manual_seed
from .tensor import Parameter, Tensor, Variable, tensor

__version__ = "0.1.0"

__all__ = [
    "Parameter",
    "Tensor",
    "Variable",
    "__version__",
    "manual_seed",
    "nn",
    "no_grad",
    "observe",
    "set_grad_enabled",
    "tensor",
]
