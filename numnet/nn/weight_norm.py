"""A weight written another way: by its length and direction, or divided by its largest singular value.

The layers here compute a weight from what is trained in its place; :mod:`numnet.nn.utils` puts them before a layer.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DtypeError, OptionError, ShapeError, describe
from ..random import default_rng
from .expect import conversion, expect_floating
from .layer import Layer

__all__ = ["SpectralNorm", "WeightNorm", "norm_except"]


def norm_except(v: Array, dim: int | None) -> Array:
    """‖v‖ of each slice along the axis ``dim``, with all other axes of size 1; of the whole, without axes, if None."""
    xp = array_module(v)
    if dim is None:
        return xp.asarray(xp.sqrt((v * v).sum()))
    axes = tuple(axis for axis in range(v.ndim) if axis != dim % v.ndim)
    return xp.sqrt((v * v).sum(axis=axes, keepdims=True))


class WeightNorm(Layer):
    """A weight from its lengths g and directions v.

        W = g v / ‖v‖

        ∂J/∂g = Σ δ ⊙ v / ‖v‖        ∂J/∂v = g / ‖v‖ (δ - v (Σ δ ⊙ v) / ‖v‖²)

    Lengths and sums are those of each slice along the axis ``dim``.

    Shapes: v, W and δ any; g with the axis ``dim`` of v, all others of size 1; without axes if ``dim`` is ``None``.

    Args:
        dim: the axis that keeps a length for each of its slices; one length for the whole if ``None`` (or -1, which is
            PyTorch's word for it).

    Raises:
        ShapeError: g does not fit v, or v has no such axis.
        DtypeError: they differ in dtype, or are not floating-point.

    Source: Salimans and Kingma, Weight normalization, 2016, equations 2 and 3.
    """

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = None if dim == -1 else dim

    def forward(self, ctx: Ctx, g: Array, v: Array) -> Array:
        expect_floating(g)
        if not is_array(v) or v.dtype != g.dtype:
            raise DtypeError(f"v of {g.dtype}, as g is", describe(v), conversion("v", v, g.dtype))
        if self.dim is not None and not -v.ndim <= self.dim < v.ndim:
            raise ShapeError(f"v with an axis {self.dim}", f"shape {v.shape}", "dim=0 is the axis of the units")
        n = norm_except(v, self.dim)
        if g.shape != n.shape:
            raise ShapeError(
                f"g of shape {n.shape}, a length for each slice", f"shape {g.shape}", f"g.reshape({n.shape})"
            )
        ctx.g, ctx.v, ctx.n = g, v, n
        return v * (g / n)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array]:
        g, v, n = ctx.g, ctx.v, ctx.n
        axes = tuple(axis for axis in range(v.ndim) if self.dim is None or axis != self.dim % v.ndim)
        s = (delta * v).sum(axis=axes, keepdims=True).reshape(n.shape)
        return s / n, (g / n) * (delta - v * (s / (n * n)))

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class SpectralNorm(Layer):
    """A weight divided by its largest singular value, so that no vector comes out longer than it went in.

        y = W / σ        σ = uᵀ W v

        ∂J/∂W = (δ - (Σ δ ⊙ y) u vᵀ) / σ

    W counts as a matrix with the slices along the axis ``dim`` for rows. u and v come close to its singular vectors by
    steps u = W v / ‖W v‖, v = Wᵀ u / ‖Wᵀ u‖: fifteen for the first W, and in training mode some more in every call.
    They are buffers, as running statistics are, and constants to the gradient.

    Shapes: W, y and δ as the first W; u as many numbers as W has slices, v as many as one slice has.

    Args:
        weight: the first W.
        n_power_iterations: how many steps a call makes.
        eps: the least length that is divided by in a step.
        dim: the axis of the rows.
        rng: where the first u and v are drawn from; the default generator if ``None``.

    Raises:
        ShapeError: W is not of the shape of the first one, has less than two axes, or not the axis ``dim``.
        DtypeError: W is not of the dtype of u and v.
        OptionError: less than one step.

    Source: Miyato et al., Spectral normalization for generative adversarial networks, 2018, algorithm 1
    and equation 12.
    """

    _u: Array
    _v: Array

    def __init__(
        self,
        weight: Array,
        n_power_iterations: int = 1,
        eps: float = 1e-12,
        dim: int = 0,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_floating(weight)
        if weight.ndim < 2 or not -weight.ndim <= dim < weight.ndim:
            expected = f"a weight with two axes or more, and an axis {dim}"
            raise ShapeError(expected, f"shape {weight.shape}", "weight_norm(layer, dim=None) keeps a vector's length")
        if n_power_iterations < 1:
            got = f"n_power_iterations={n_power_iterations!r}"
            raise OptionError("SpectralNorm with n_power_iterations ≥ 1", got, "1 is usual")
        self.n_power_iterations = n_power_iterations
        self.eps = float(eps)
        self.dim = dim
        self.shape = tuple(weight.shape)
        matrix = self._matrix(weight)
        xp = array_module(weight)
        for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
            draws = xp.asarray((rng or default_rng()).standard_normal(size), weight.dtype)
            self.register_buffer(name, self._unit(draws))
        self._step(matrix, 15)

    def forward(self, ctx: Ctx, weight: Array) -> Array:
        expect_floating(weight, self._u.dtype)
        if weight.shape != self.shape:
            raise ShapeError(f"a weight of shape {self.shape}, as the first", f"shape {weight.shape}", "make a new one")
        matrix = self._matrix(weight)
        if self.training:
            self._step(matrix, self.n_power_iterations)
        u, v = ctx.u, ctx.v = self._u.copy(), self._v.copy()  # the next call moves them on
        sigma = ctx.sigma = u @ (matrix @ v)
        y = ctx.y = weight / sigma
        return y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        xp = array_module(delta)
        outer = ctx.u[:, None] * ctx.v
        first = (self.shape[self.dim], *[n for axis, n in enumerate(self.shape) if axis != self.dim % len(self.shape)])
        return (delta - (delta * ctx.y).sum() * xp.moveaxis(outer.reshape(first), 0, self.dim)) / ctx.sigma

    def _matrix(self, weight: Array) -> Array:
        return array_module(weight).moveaxis(weight, self.dim, 0).reshape(weight.shape[self.dim], -1)

    def _unit(self, x: Array) -> Array:
        xp = array_module(x)
        return x / xp.maximum(xp.sqrt((x * x).sum()), self.eps)

    def _step(self, matrix: Array, count: int) -> None:
        for _ in range(count):
            self._u[...] = self._unit(matrix @ self._v)
            self._v[...] = self._unit(matrix.T @ self._u)

    def extra_repr(self) -> str:
        return f"n_power_iterations={self.n_power_iterations}, dim={self.dim}"
