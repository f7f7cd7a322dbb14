"""The kernels: every hot operation by one name, whichever twin runs it.

    z = kernels.linear(x, weight, bias)

The type of the first array decides, here and nowhere else: a NumPy array goes to the compiled twin where there is one,
a CuPy array to the GPU twin where there is one, and everything else to the reference twin, which specifies what the
others have to compute and whose signature and docstring each kernel bears. Arguments go by position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, cast

import numpy as np

from ..errors import OptionError
from . import gpu, native, reference

P = ParamSpec("P")
R = TypeVar("R")
Twin = Literal["native", "reference"]

_reference_only: ContextVar[bool] = ContextVar("numnet_reference_only", default=False)


def _dispatched(specification: Callable[P, R]) -> Callable[P, R]:
    name = specification.__name__
    reference_twin: Callable[..., R] = specification
    native_twin: Callable[..., Any] = getattr(native, name, _none)
    gpu_twin: Callable[..., R] = getattr(gpu, name, reference_twin)

    @wraps(reference_twin)
    def kernel(*arguments: Any) -> R:  # positional alone: a tuple passed on whole costs half of what keywords cost
        if _reference_only.get():
            return reference_twin(*arguments)
        if not isinstance(arguments[0], np.ndarray):
            return gpu_twin(*arguments)
        result: R = native_twin(*arguments)
        return reference_twin(*arguments) if result is NotImplemented else result

    return cast(Callable[P, R], kernel)


def _none(*arguments: Any) -> Any:
    """The native twin of a kernel that has none."""
    return NotImplemented


adadelta_step = _dispatched(reference.adadelta_step)
adagrad_step = _dispatched(reference.adagrad_step)
adam_step = _dispatched(reference.adam_step)
adamax_step = _dispatched(reference.adamax_step)
add = _dispatched(reference.add)
asgd_step = _dispatched(reference.asgd_step)
avg_pool = _dispatched(reference.avg_pool)
avg_pool_backward = _dispatched(reference.avg_pool_backward)
batch_norm_eval = _dispatched(reference.batch_norm_eval)
batch_norm_eval_backward = _dispatched(reference.batch_norm_eval_backward)
batch_norm_train = _dispatched(reference.batch_norm_train)
batch_norm_train_backward = _dispatched(reference.batch_norm_train_backward)
binary_cross_entropy = _dispatched(reference.binary_cross_entropy)
binary_cross_entropy_backward = _dispatched(reference.binary_cross_entropy_backward)
binary_cross_entropy_with_logits = _dispatched(reference.binary_cross_entropy_with_logits)
binary_cross_entropy_with_logits_backward = _dispatched(reference.binary_cross_entropy_with_logits_backward)
contiguous = _dispatched(reference.contiguous)
conv = _dispatched(reference.conv)
conv_backward = _dispatched(reference.conv_backward)
cross_entropy = _dispatched(reference.cross_entropy)
cross_entropy_backward = _dispatched(reference.cross_entropy_backward)
elu = _dispatched(reference.elu)
elu_backward = _dispatched(reference.elu_backward)
fold = _dispatched(reference.fold)
gelu = _dispatched(reference.gelu)
gelu_backward = _dispatched(reference.gelu_backward)
group_norm = _dispatched(reference.group_norm)
group_norm_backward = _dispatched(reference.group_norm_backward)
hardswish = _dispatched(reference.hardswish)
hardswish_backward = _dispatched(reference.hardswish_backward)
hardtanh = _dispatched(reference.hardtanh)
hardtanh_backward = _dispatched(reference.hardtanh_backward)
leaky_relu = _dispatched(reference.leaky_relu)
leaky_relu_backward = _dispatched(reference.leaky_relu_backward)
linear = _dispatched(reference.linear)
linear_backward = _dispatched(reference.linear_backward)
log_softmax = _dispatched(reference.log_softmax)
log_softmax_backward = _dispatched(reference.log_softmax_backward)
masked_softmax = _dispatched(reference.masked_softmax)
matmul = _dispatched(reference.matmul)
max_pool = _dispatched(reference.max_pool)
max_pool_backward = _dispatched(reference.max_pool_backward)
max_regions = _dispatched(reference.max_regions)
mish = _dispatched(reference.mish)
mish_backward = _dispatched(reference.mish_backward)
nadam_step = _dispatched(reference.nadam_step)
radam_step = _dispatched(reference.radam_step)
recur = _dispatched(reference.recur)
recur_backward = _dispatched(reference.recur_backward)
recur_sums = _dispatched(reference.recur_sums)
relu = _dispatched(reference.relu)
relu_backward = _dispatched(reference.relu_backward)
resample = _dispatched(reference.resample)
rms_norm = _dispatched(reference.rms_norm)
rms_norm_backward = _dispatched(reference.rms_norm_backward)
rmsprop_step = _dispatched(reference.rmsprop_step)
rprop_step = _dispatched(reference.rprop_step)
scatter_rows = _dispatched(reference.scatter_rows)
sgd_step = _dispatched(reference.sgd_step)
sigmoid = _dispatched(reference.sigmoid)
sigmoid_backward = _dispatched(reference.sigmoid_backward)
silu = _dispatched(reference.silu)
silu_backward = _dispatched(reference.silu_backward)
softmax = _dispatched(reference.softmax)
softmax_backward = _dispatched(reference.softmax_backward)
softplus = _dispatched(reference.softplus)
softplus_backward = _dispatched(reference.softplus_backward)
square_sum = _dispatched(reference.square_sum)
tanh = _dispatched(reference.tanh)
tanh_backward = _dispatched(reference.tanh_backward)
unfold = _dispatched(reference.unfold)

__all__ = [*reference.__all__, "twin", "using"]


def twin(name: str) -> Twin:
    """Which twin of the kernel ``name`` runs on NumPy arrays.

    The native twins are made for float32 and float64, and give anything else to the reference themselves.

    Raises:
        OptionError: there is no kernel of that name.
    """
    if name not in reference.__all__:
        raise OptionError(f"a kernel among {', '.join(reference.__all__)}", repr(name), "choose one of these")
    return "reference" if _reference_only.get() or not hasattr(native, name) else "native"


@contextmanager
def using(choice: Twin) -> Iterator[None]:
    """Run every kernel called in this block by its reference twin, or again by its native one.

    The choice holds for the thread (or asynchronous task) that makes it and for no other.

        with kernels.using("reference"):
            z = kernels.linear(x, weight, bias)

    Raises:
        OptionError: neither ``"native"`` nor ``"reference"``.
    """
    if choice not in ("native", "reference"):
        raise OptionError('"native" or "reference"', repr(choice), "choose one of these")
    token = _reference_only.set(choice == "reference")
    try:
        yield
    finally:
        _reference_only.reset(token)
