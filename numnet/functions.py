"""The functions of the package: what a Tensor has as a method, and what puts several together or takes one apart.

Given Tensors they return Tensors; given arrays and no Tensor, arrays.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import operations as ops
from .arrays import array_module, is_array
from .tape import apply
from .tensor import Tensor, operand

__all__ = [
    "abs",
    "add",
    "all",
    "allclose",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "cat",
    "chunk",
    "clamp",
    "clone",
    "cos",
    "cumsum",
    "detach",
    "div",
    "dot",
    "equal",
    "exp",
    "flatten",
    "is_tensor",
    "log",
    "masked_fill",
    "matmul",
    "max",
    "mean",
    "min",
    "mm",
    "mul",
    "neg",
    "norm",
    "numel",
    "permute",
    "pow",
    "prod",
    "relu",
    "repeat",
    "reshape",
    "sigmoid",
    "sin",
    "sort",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "sub",
    "sum",
    "t",
    "tanh",
    "topk",
    "transpose",
    "unsqueeze",
    "var",
    "where",
]


def _function(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method as a function of its own."""

    @functools.wraps(method)
    def function(input: Any, *args: Any, **options: Any) -> Any:
        result = method(input if isinstance(input, Tensor) else Tensor(input), *args, **options)
        if not is_array(input) or builtins.any(isinstance(x, Tensor) for x in (*args, *options.values())):
            return result
        if isinstance(result, tuple):
            return type(result)(*[y.array for y in result])
        return result.array if isinstance(result, Tensor) else result

    return function


abs = _function(Tensor.abs)
add = _function(Tensor.add)
all = _function(Tensor.all)
any = _function(Tensor.any)
argmax = _function(Tensor.argmax)
argmin = _function(Tensor.argmin)
argsort = _function(Tensor.argsort)
clamp = _function(Tensor.clamp)
clone = _function(Tensor.clone)
cos = _function(Tensor.cos)
cumsum = _function(Tensor.cumsum)
detach = _function(Tensor.detach)
div = _function(Tensor.div)
dot = _function(Tensor.dot)
exp = _function(Tensor.exp)
flatten = _function(Tensor.flatten)
log = _function(Tensor.log)
masked_fill = _function(Tensor.masked_fill)
matmul = _function(Tensor.matmul)
max = _function(Tensor.max)
mean = _function(Tensor.mean)
min = _function(Tensor.min)
mm = _function(Tensor.mm)
mul = _function(Tensor.mul)
neg = _function(Tensor.neg)
norm = _function(Tensor.norm)
numel = _function(Tensor.numel)
permute = _function(Tensor.permute)
pow = _function(Tensor.pow)
prod = _function(Tensor.prod)
relu = _function(Tensor.relu)
repeat = _function(Tensor.repeat)
reshape = _function(Tensor.reshape)
sigmoid = _function(Tensor.sigmoid)
sin = _function(Tensor.sin)
sort = _function(Tensor.sort)
sqrt = _function(Tensor.sqrt)
squeeze = _function(Tensor.squeeze)
std = _function(Tensor.std)
sub = _function(Tensor.sub)
sum = _function(Tensor.sum)
t = _function(Tensor.t)
tanh = _function(Tensor.tanh)
topk = _function(Tensor.topk)
transpose = _function(Tensor.transpose)
unsqueeze = _function(Tensor.unsqueeze)
var = _function(Tensor.var)


# ---------------------------------------------------------------------- several, put together or taken apart


def cat(tensors: Iterable[Any], dim: int = 0) -> Tensor:
    """The tensors one after the other along the axis ``dim``. Raises ShapeError if they differ along another one."""
    return apply(ops.Concatenate(dim), *_operands(tensors))


def stack(tensors: Iterable[Any], dim: int = 0) -> Tensor:
    """The tensors, all of one shape, side by side along a new axis ``dim``."""
    return cat([x.unsqueeze(dim) for x in _operands(tensors)], dim)


def split(x: Any, sizes: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces along ``dim``: of one size, the last one perhaps smaller, or of the sizes that are listed.

    Raises:
        ShapeError: the sizes listed do not add up to the size of the axis.
    """
    x = x if isinstance(x, Tensor) else Tensor(x)
    (axis,) = ops.normalised_axes(dim, x.ndim)
    n = x.shape[axis]
    if isinstance(sizes, int):
        sizes = [builtins.min(sizes, n - i) for i in range(0, builtins.max(n, 1), sizes)]
    parts: tuple[Tensor, ...] = apply(ops.Split(tuple(sizes), axis), x)
    return parts


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` pieces of equal size along ``dim``, of which the last may be smaller."""
    x = x if isinstance(x, Tensor) else Tensor(x)
    (axis,) = ops.normalised_axes(dim, x.ndim)
    return split(x, builtins.max(1, -(-x.shape[axis] // chunks)), dim)


def where(condition: Any, a: Any, b: Any) -> Tensor:
    """``a`` where the condition holds, ``b`` elsewhere: tensors, arrays or numbers that broadcast."""
    a, b = _operands([a, b])
    return apply(ops.Where(), condition if isinstance(condition, Tensor) else ops.as_array(condition), a, b)


# ---------------------------------------------------------------------- questions


def is_tensor(x: object) -> bool:
    """Whether ``x`` is a Tensor."""
    return isinstance(x, Tensor)


def equal(a: Any, b: Any) -> bool:
    """Whether two tensors have one shape and the same numbers."""
    a, b = (Tensor(x).array for x in (a, b))
    return bool(a.shape == b.shape and (a == b).all())


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether |a - b| ≤ atol + rtol |b| for every two numbers."""
    a, b = (Tensor(x).array for x in (a, b))
    return bool(array_module(a).allclose(a, b, rtol, atol, equal_nan))


def _operands(values: Iterable[Any]) -> list[Tensor]:
    """Tensors, where a number takes the dtype of the first that has one."""
    values = [v if isinstance(v, (bool, int, float)) else Tensor(v) if not isinstance(v, Tensor) else v for v in values]
    like = next((v for v in values if isinstance(v, Tensor)), Tensor(0.0))
    return [v if isinstance(v, Tensor) else Tensor(operand(v, like)) for v in values]
