"""Initial weights, with the names, arguments and bounds of ``torch.nn.init``.

Every function fills what it is given, a Parameter, a Tensor or a plain array, in place and returns it. Numbers are
drawn in float64 from ``rng`` (the default generator of :mod:`numnet.random` if it is left out) and then rounded, so
that one seed means the same network in float32 and in float64.
"""

from __future__ import annotations

from math import ceil, prod, sqrt
from typing import Any, TypeVar

import numpy as np

from ..arrays import Array, array_module, is_array
from ..errors import OptionError, ShapeError
from ..random import default_rng

__all__ = [
    "calculate_gain",
    "constant_",
    "default_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T")
Rng = np.random.Generator | None


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, *, rng: Rng = None) -> T:
    """Uniform numbers from ``a`` to ``b``."""
    return _fill(tensor, (rng or default_rng()).uniform(a, b, _shape(tensor)))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, *, rng: Rng = None) -> T:
    """Normal numbers."""
    return _fill(tensor, (rng or default_rng()).normal(mean, std, _shape(tensor)))


def trunc_normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, rng: Rng = None
) -> T:
    """Normal numbers, given that they lie between ``a`` and ``b``.

        x = mean + std Φ⁻¹(u)        u uniform from Φ((a - mean)/std) to Φ((b - mean)/std)

    As in PyTorch, ``a`` and ``b`` are bounds of x itself, not multiples of ``std``.
    """
    from scipy.special import ndtr, ndtri  # slow to import

    low, high = ndtr((a - mean) / std), ndtr((b - mean) / std)
    u = (rng or default_rng()).uniform(low, high, _shape(tensor))
    return _fill(tensor, np.clip(mean + std * ndtri(u), a, b))  # clip: Φ and Φ⁻¹ are rounded


def constant_(tensor: T, val: float) -> T:
    """The same number everywhere."""
    return _fill(tensor, val)


def ones_(tensor: T) -> T:
    """1 everywhere."""
    return _fill(tensor, 1.0)


def zeros_(tensor: T) -> T:
    """0 everywhere."""
    return _fill(tensor, 0.0)


def eye_(tensor: T) -> T:
    """The identity matrix, cut or filled with 0 to the shape (out, in): a linear layer that changes nothing.

    Raises:
        ShapeError: not a matrix.
    """
    return _fill(tensor, np.eye(*_matrix(tensor)))


def dirac_(tensor: T, groups: int = 1) -> T:
    """The identity of convolution, group by group: each output channel is the input channel of its number.

        W[f, c, k] = 1 where c = f mod (F / groups) and k is the centre, else 0

    Shapes: (F, C / groups, *kernel) with 1 to 3 kernel axes.

    Raises:
        ShapeError: another number of axes.
        OptionError: ``groups`` does not divide the filters.
    """
    shape = _shape(tensor)
    if not 3 <= len(shape) <= 5:
        raise ShapeError("a convolution's weight, with 3 to 5 axes", f"shape {shape}", "use eye_ for a matrix")
    filters, channels, *kernel = shape
    if groups < 1 or filters % groups:
        got = f"groups={groups} with {filters} filters"
        raise OptionError("groups that divide the filters", got, "choose a divisor")
    W = np.zeros(shape)
    centre = tuple(k // 2 for k in kernel)
    for f in range(filters):
        c = f % (filters // groups)
        if c < channels:
            W[(f, c, *centre)] = 1
    return _fill(tensor, W)


def xavier_uniform_(tensor: T, gain: float = 1.0, *, rng: Rng = None) -> T:
    """Uniform numbers whose variance keeps that of activations and deltas: for linear, sigmoid and tanh layers.

        -b ≤ x ≤ b        b = gain √(6 / (fan_in + fan_out))

    Raises:
        ShapeError: fewer than two axes.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010,
    equation 16.
    """
    bound = gain * sqrt(6 / max(1, sum(_fans(tensor))))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(tensor: T, gain: float = 1.0, *, rng: Rng = None) -> T:
    """Normal numbers with std = gain √(2 / (fan_in + fan_out)).

    Raises:
        ShapeError: fewer than two axes.

    Source: Glorot and Bengio, 2010, equation 12.
    """
    return normal_(tensor, 0.0, gain * sqrt(2 / max(1, sum(_fans(tensor)))), rng=rng)


def kaiming_uniform_(
    tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Rng = None
) -> T:
    """Uniform numbers whose variance keeps that of the activations (``fan_in``) or deltas (``fan_out``) through ReLU.

        -b ≤ x ≤ b        b = gain √(3 / fan)        gain = calculate_gain(nonlinearity, a)

    Raises:
        ShapeError: fewer than two axes.
        OptionError: no such ``mode`` or ``nonlinearity``.

    Source: He et al., Delving deep into rectifiers, 2015, equations 10 and 14.
    """
    bound = sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Rng = None
) -> T:
    """Normal numbers with std = gain / √fan; arguments and errors as for :func:`kaiming_uniform_`.

    Source: He et al., 2015, equations 10 and 14.
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), rng=rng)


def default_(weight: Any, bias: Any | None, *, rng: Rng = None) -> None:
    """PyTorch's initial values of linear and convolution layers: W and b uniform in ±1/√fan_in.

    W is Kaiming uniform with a = √5, whose bound is √(6 / ((1 + a²) · fan_in)) = 1/√fan_in.
    """
    bound = 1 / sqrt(max(1, _fans(weight)[0]))
    for parameter in (weight, bias):
        if parameter is not None:
            uniform_(parameter, -bound, bound, rng=rng)


def orthogonal_(tensor: T, gain: float = 1.0, *, rng: Rng = None) -> T:
    """``gain`` times a matrix drawn evenly from those whose rows (or columns, if they are fewer) are orthonormal.

    Axes after the first are taken as one. The matrix is the Q of a QR decomposition of normal numbers, each column with
    the sign that makes the diagonal of R positive, without which the draw is not even.

    Raises:
        ShapeError: fewer than two axes.

    Source: Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks, 2014; Mezzadri, How to generate random matrices from the classical compact groups, 2007, section 5.
    """
    _fans(tensor)
    shape = _shape(tensor)
    rows, columns = shape[0], prod(shape[1:])
    normal = (rng or default_rng()).standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(normal)
    Q *= np.where(np.diag(R) < 0, -1.0, 1.0)
    return _fill(tensor, gain * (Q if rows >= columns else Q.T).reshape(shape))


def sparse_(tensor: T, sparsity: float, std: float = 0.01, *, rng: Rng = None) -> T:
    """Normal numbers, of which in every column ⌈sparsity · rows⌉ are 0.

    Raises:
        ShapeError: not a matrix.
        OptionError: ``sparsity`` is not between 0 and 1.

    Source: Martens, Deep learning via Hessian-free optimization, 2010, section 5.
    """
    rows, columns = _matrix(tensor)
    if not 0 <= sparsity <= 1:
        raise OptionError("a sparsity from 0 to 1", f"sparsity={sparsity}", "give the share of zeros in a column")
    rng = rng or default_rng()
    W = rng.normal(0.0, std, (rows, columns))
    zero = np.arange(rows) < ceil(sparsity * rows)
    W[rng.permuted(np.repeat(zero[:, None], columns, axis=1), axis=0)] = 0
    return _fill(tensor, W)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights make up for what a nonlinearity takes from the variance.

        linear, sigmoid, conv1d … conv_transpose3d: 1        tanh: 5/3        relu: √2        selu: 3/4
        leaky_relu: √(2 / (1 + param²)), with ``param`` the slope for negative numbers, 0.01 if left out

    Raises:
        OptionError: another nonlinearity.
    """
    if nonlinearity == "leaky_relu":
        return sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        known = ", ".join(["leaky_relu", *_GAINS])
        raise OptionError(f"a nonlinearity among {known}", repr(nonlinearity), "choose one of these")
    return _GAINS[nonlinearity]


_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2), "selu": 3 / 4} | {
    f"conv{transposed}{axes}d": 1.0 for transposed in ("", "_transpose") for axes in (1, 2, 3)
}


def _array(tensor: Any) -> Array:
    return tensor if is_array(tensor) else tensor.array  # in this order: an array of NumPy's has a .data of its own


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(_array(tensor).shape)


def _fill(tensor: T, numbers: np.ndarray | float | None) -> T:
    if numbers is None:  # functional forms replace the parameters at once, and have nothing drawn
        return tensor
    array = _array(tensor)
    array[...] = array_module(array).asarray(numbers)
    return tensor


def _matrix(tensor: Any) -> tuple[int, int]:
    shape = _shape(tensor)
    if len(shape) != 2:
        raise ShapeError("a matrix", f"shape {shape}", "use an initialisation made for this number of axes")
    return shape[0], shape[1]


def _fans(tensor: Any) -> tuple[int, int]:
    """How many numbers each output is a sum of, and how many outputs each input goes into."""
    shape = _shape(tensor)
    if len(shape) < 2:
        raise ShapeError("a weight (out, in, *kernel)", f"shape {shape}", "use zeros_, uniform_ or normal_ for a bias")
    return prod(shape[1:]), shape[0] * prod(shape[2:])


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise OptionError('mode "fan_in" or "fan_out"', f"mode={mode!r}", "choose one of these")
    fan = _fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / sqrt(max(1, fan))
