"""The kernels: every hot operation by one name, whichever twin runs it.

    z = kernels.linear(x, weight, bias)

The type of the first array decides, in :mod:`numnet.kernels.dispatch` and nowhere else: a NumPy array goes to the
compiled twin where there is one, a CuPy array to the GPU twin where there is one, and everything else to the reference
twin, which specifies what the others have to compute and whose signature and docstring each kernel bears. Arguments go
by position.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ..errors import OptionError
from . import native, reference
from .dispatch import dispatched, reference_only

Twin = Literal["native", "reference"]

absolute_sum = dispatched(reference.absolute_sum)
adadelta_step = dispatched(reference.adadelta_step)
adagrad_step = dispatched(reference.adagrad_step)
adam_step = dispatched(reference.adam_step)
adamax_step = dispatched(reference.adamax_step)
add = dispatched(reference.add)
asgd_step = dispatched(reference.asgd_step)
avg_pool = dispatched(reference.avg_pool)
avg_pool_backward = dispatched(reference.avg_pool_backward)
batch_norm_eval = dispatched(reference.batch_norm_eval)
batch_norm_eval_backward = dispatched(reference.batch_norm_eval_backward)
batch_norm_train = dispatched(reference.batch_norm_train)
batch_norm_train_backward = dispatched(reference.batch_norm_train_backward)
binary_cross_entropy = dispatched(reference.binary_cross_entropy)
binary_cross_entropy_backward = dispatched(reference.binary_cross_entropy_backward)
binary_cross_entropy_with_logits = dispatched(reference.binary_cross_entropy_with_logits)
binary_cross_entropy_with_logits_backward = dispatched(reference.binary_cross_entropy_with_logits_backward)
contiguous = dispatched(reference.contiguous)
conv = dispatched(reference.conv)
conv_backward = dispatched(reference.conv_backward)
cross_entropy = dispatched(reference.cross_entropy)
cross_entropy_backward = dispatched(reference.cross_entropy_backward)
cut_out = dispatched(reference.cut_out)
cut_out_backward = dispatched(reference.cut_out_backward)
elu = dispatched(reference.elu)
elu_backward = dispatched(reference.elu_backward)
empty_like = dispatched(reference.empty_like)
fold = dispatched(reference.fold)
gather_rows = dispatched(reference.gather_rows)
gelu = dispatched(reference.gelu)
gelu_backward = dispatched(reference.gelu_backward)
group_norm = dispatched(reference.group_norm)
group_norm_backward = dispatched(reference.group_norm_backward)
hardsigmoid = dispatched(reference.hardsigmoid)
hardsigmoid_backward = dispatched(reference.hardsigmoid_backward)
hardswish = dispatched(reference.hardswish)
hardswish_backward = dispatched(reference.hardswish_backward)
hardtanh = dispatched(reference.hardtanh)
hardtanh_backward = dispatched(reference.hardtanh_backward)
huber = dispatched(reference.huber)
huber_backward = dispatched(reference.huber_backward)
huber_sum = dispatched(reference.huber_sum)
leaky_relu = dispatched(reference.leaky_relu)
leaky_relu_backward = dispatched(reference.leaky_relu_backward)
linear = dispatched(reference.linear)
linear_backward = dispatched(reference.linear_backward)
log_softmax = dispatched(reference.log_softmax)
log_softmax_backward = dispatched(reference.log_softmax_backward)
masked_softmax = dispatched(reference.masked_softmax)
matmul = dispatched(reference.matmul)
max_pool = dispatched(reference.max_pool)
max_pool_backward = dispatched(reference.max_pool_backward)
max_regions = dispatched(reference.max_regions)
mish = dispatched(reference.mish)
mish_backward = dispatched(reference.mish_backward)
nadam_step = dispatched(reference.nadam_step)
radam_step = dispatched(reference.radam_step)
recur = dispatched(reference.recur)
recur_backward = dispatched(reference.recur_backward)
recur_sums = dispatched(reference.recur_sums)
relu = dispatched(reference.relu)
relu_backward = dispatched(reference.relu_backward)
resample = dispatched(reference.resample)
rms_norm = dispatched(reference.rms_norm)
rms_norm_backward = dispatched(reference.rms_norm_backward)
rmsprop_step = dispatched(reference.rmsprop_step)
rprop_step = dispatched(reference.rprop_step)
scaled = dispatched(reference.scaled)
scatter_rows = dispatched(reference.scatter_rows)
sgd_step = dispatched(reference.sgd_step)
sigmoid = dispatched(reference.sigmoid)
sigmoid_backward = dispatched(reference.sigmoid_backward)
sign = dispatched(reference.sign)
silu = dispatched(reference.silu)
silu_backward = dispatched(reference.silu_backward)
softmax = dispatched(reference.softmax)
softmax_backward = dispatched(reference.softmax_backward)
softplus = dispatched(reference.softplus)
softplus_backward = dispatched(reference.softplus_backward)
square_sum = dispatched(reference.square_sum)
subtract = dispatched(reference.subtract)
tanh = dispatched(reference.tanh)
tanh_backward = dispatched(reference.tanh_backward)
unfold = dispatched(reference.unfold)

__all__ = [*reference.__all__, "twin", "using"]


def twin(name: str) -> Twin:
    """Which twin of the kernel ``name`` runs on NumPy arrays.

    The native twins are made for float32 and float64, and give anything else to the reference themselves.

    Raises:
        OptionError: there is no kernel of that name.
    """
    if name not in reference.__all__:
        raise OptionError(f"a kernel among {', '.join(reference.__all__)}", repr(name), "choose one of these")
    return "reference" if reference_only.get() or not hasattr(native, name) else "native"


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
    token = reference_only.set(choice == "reference")
    try:
        yield
    finally:
        reference_only.reset(token)
