"""numnet: a neural-network engine in NumPy whose backward passes are written out by hand.

    from numnet import nn, optim

The five nouns: :class:`Parameter`, :class:`~numnet.nn.Layer`, ctx, :class:`~numnet.nn.Call`, :class:`Tensor`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _ext, nn, optim  # _ext first: it says from which files the rest comes
from ._config import show_config
from .call import no_grad, observe, set_grad_enabled
from .creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from .dtypes import (
    BoolTensor,
    ByteTensor,
    DoubleTensor,
    FloatTensor,
    IntTensor,
    LongTensor,
    double,
    float32,
    float64,
    int32,
    int64,
    long,
    uint8,
)
from .errors import UnknownNameError
from .functions import (
    abs,
    add,
    all,
    allclose,
    any,
    argmax,
    argmin,
    argsort,
    cat,
    chunk,
    clamp,
    clone,
    cos,
    cumsum,
    detach,
    div,
    dot,
    equal,
    exp,
    flatten,
    is_tensor,
    log,
    masked_fill,
    matmul,
    max,
    mean,
    min,
    mm,
    mul,
    neg,
    norm,
    numel,
    permute,
    pow,
    prod,
    relu,
    repeat,
    reshape,
    sigmoid,
    sin,
    sort,
    split,
    sqrt,
    squeeze,
    stack,
    std,
    sub,
    sum,
    t,
    tanh,
    topk,
    transpose,
    unsqueeze,
    var,
    where,
)
from .kernels.memory import empty_cache
from .kernels.threads import get_num_threads, set_num_threads
from .kernels.winograd import get_winograd, set_winograd
from .nn.functional import log_softmax, softmax
from .random import manual_seed
from .tensor import Parameter, Tensor, Variable

if TYPE_CHECKING:
    from . import autograd, cuda, data, inspect, io, metrics, models, train, tutorials, utils
    from .inspect.compare import compare_with_torch
    from .inspect.dialects import explain_difference
    from .inspect.summary import summary
    from .inspect.trace import trace
    from .io import load, save

__version__ = "0.1.0"

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "DoubleTensor",
    "FloatTensor",
    "IntTensor",
    "LongTensor",
    "Parameter",
    "Tensor",
    "Variable",
    "__version__",
    "add",
    "allclose",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "as_tensor",
    "autograd",
    "cat",
    "chunk",
    "clamp",
    "clone",
    "compare_with_torch",
    "cos",
    "cuda",
    "cumsum",
    "data",
    "detach",
    "div",
    "dot",
    "double",
    "empty",
    "empty_cache",
    "empty_like",
    "equal",
    "exp",
    "explain_difference",
    "eye",
    "flatten",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "full_like",
    "get_num_threads",
    "get_winograd",
    "inspect",
    "int32",
    "int64",
    "io",
    "is_tensor",
    "linspace",
    "load",
    "log",
    "log_softmax",
    "long",
    "manual_seed",
    "masked_fill",
    "matmul",
    "mean",
    "metrics",
    "mm",
    "models",
    "mul",
    "neg",
    "nn",
    "no_grad",
    "norm",
    "numel",
    "observe",
    "ones",
    "ones_like",
    "optim",
    "permute",
    "prod",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "relu",
    "repeat",
    "reshape",
    "save",
    "set_grad_enabled",
    "set_num_threads",
    "set_winograd",
    "show_config",
    "sigmoid",
    "sin",
    "softmax",
    "sort",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "sub",
    "summary",
    "t",
    "tanh",
    "tensor",
    "topk",
    "trace",
    "train",
    "transpose",
    "tutorials",
    "uint8",
    "unsqueeze",
    "utils",
    "var",
    "where",
    "zeros",
    "zeros_like",
]

_LATER = {  # loaded when first asked for, so that `import numnet` stays quick: the module, and what of it
    **{
        name: (name, "")
        for name in ("autograd", "cuda", "data", "inspect", "io", "metrics", "models", "train", "tutorials", "utils")
    },
    "compare_with_torch": ("inspect", "compare_with_torch"),
    "explain_difference": ("inspect", "explain_difference"),
    "load": ("io", "load"),
    "save": ("io", "save"),
    "summary": ("inspect", "summary"),
    "trace": ("inspect", "trace"),
}
_PYTHONS = {"bool": "bool", "float": "float32", "int": "int32"}  # PyTorch's names, which here would hide Python's own


def __getattr__(name: str) -> Any:
    if name in _LATER:
        module, attribute = _LATER[name]
        found = importlib.import_module(f".{module}", __name__)
        return getattr(found, attribute) if attribute else found
    if name in _PYTHONS:
        return np.dtype(_PYTHONS[name])
    raise UnknownNameError(importlib.import_module(__name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
