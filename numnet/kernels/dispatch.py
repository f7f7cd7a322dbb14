"""Which twin of a kernel runs: decided here and nowhere else. Cython compiles this file as it stands."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from numpy import ndarray

from . import gpu, native

__all__ = ["dispatched", "reference_only"]

P = ParamSpec("P")
R = TypeVar("R")

reference_only: ContextVar[bool] = ContextVar("numnet_reference_only", default=False)
_is_reference_only = reference_only.get  # found once: finding it costs as much as asking it


def dispatched(specification: Callable[P, R]) -> Callable[P, R]:
    """The kernel that the reference twin ``specification`` specifies."""
    name = specification.__name__
    reference_twin: Callable[..., R] = specification
    native_twin: Callable[..., Any] = getattr(native, name, _none)
    gpu_twin: Callable[..., R] = getattr(gpu, name, reference_twin)

    @wraps(reference_twin)
    def kernel(*arguments: Any) -> R:  # positional alone: a tuple passed on whole costs half of what keywords cost
        if _is_reference_only():
            return reference_twin(*arguments)
        if not isinstance(arguments[0], ndarray):
            return gpu_twin(*arguments)
        result: R = native_twin(*arguments)
        return reference_twin(*arguments) if result is NotImplemented else result

    return cast(Callable[P, R], kernel)


def _none(*arguments: Any) -> Any:
    """The native twin of a kernel that has none."""
    return NotImplemented
