"""The place that PyTorch's programs know of recording by: ``numnet.autograd.Variable(x)``."""

from __future__ import annotations

from .call import no_grad, set_grad_enabled
from .tensor import Variable

__all__ = ["Variable", "no_grad", "set_grad_enabled"]
