"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ...arrays import Array, array_module, is_array
from ...errors import DtypeError, ShapeError, describe
from ...functions import cat
from ...tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All numbers of all parameters one after the other, on the tape: ∂J/∂vector reaches each of them.

    Raises:
        ShapeError: no parameter.
    """
    listed = list(parameters)
    if not listed:
        raise ShapeError("at least one parameter", "none", "list them: list(net.parameters())")
    return cat([p.reshape(-1) for p in listed])


def vector_to_parameters(vec: Array | Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the numbers of ``vec`` into the parameters, in place, in the order of :func:`parameters_to_vector`.

    All of them or, on an error, none.

    Raises:
        ShapeError: not as many numbers as the parameters have. DtypeError: another dtype than theirs.
    """
    vector = vec.array if isinstance(vec, Tensor) else vec
    listed = list(parameters)
    count = sum(p.numel() for p in listed)
    if not is_array(vector):
        raise DtypeError("an array or a Tensor", describe(vector), "np.asarray(vec, dtype=np.float32)")
    if vector.shape != (count,):
        raise ShapeError(f"a vector of shape ({count},), one number for each of the parameters'", describe(vector))
    for p in listed:
        if p.dtype != vector.dtype:
            raise DtypeError(
                f"a vector of {p.dtype}, as the parameters are", describe(vector), f"vec.astype(np.{p.dtype})"
            )
    start = 0
    for p in listed:
        part = vector[start : start + p.numel()]
        p.array[...] = array_module(p.array).asarray(part).reshape(p.shape)
        start += p.numel()
