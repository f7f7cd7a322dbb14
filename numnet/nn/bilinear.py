"""Bilinear: a product of two inputs."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..arrays import Array, is_array
from ..call import Ctx
from ..errors import DtypeError, ShapeError, describe
from ..tensor import Parameter
from . import init
from .expect import expect_floating, expect_shape
from .layer import Layer

__all__ = ["Bilinear"]


class Bilinear(Layer):
    """A weighted sum of all products of a number of x₁ with a number of x₂.

        z[n, o] = Σᵢⱼ x₁[n, i] W[o, i, j] x₂[n, j] + b[o]

        ∂J/∂W[o, i, j] = Σₙ δ[n, o] x₁[n, i] x₂[n, j]        ∂J/∂b = Σₙ δₙ

        ∂J/∂x₁[n, i] = Σ_oj δ[n, o] W[o, i, j] x₂[n, j]        ∂J/∂x₂[n, j] = Σ_oi δ[n, o] x₁[n, i] W[o, i, j]

    Shapes: x₁ (…, in1), x₂ (…, in2), z and δ (…, out), W (out, in1, in2), b (out,). Leading axes, the same in both,
    count as one batch.

    Args:
        in1_features: size of each row of x₁.
        in2_features: size of each row of x₂.
        out_features: size of each row of z.
        bias: whether there is a b.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: W and b uniform in ±1/√in1, as PyTorch's.

    Raises:
        ShapeError: the last axes of x₁ and x₂ are not ``in1_features`` and ``in2_features``, or the others differ.
        DtypeError: x₁ or x₂ is not of the parameters' dtype.

    Source: Tenenbaum and Freeman, Separating style and content with bilinear models, 2000, equation 1.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), np.float32))
        self.bias = Parameter(np.empty(out_features, np.float32)) if bias else None
        bound = 1 / max(1, in1_features) ** 0.5
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                init.uniform_(parameter, -bound, bound, rng=rng)

    def forward(self, ctx: Ctx, x1: Array, x2: Array) -> Array:
        self._expect(x1, x2)
        ctx.x1, ctx.x2 = x1, x2
        t, rows2 = self._first_product(x1), x2.reshape(-1, self.in2_features)
        z = (t * rows2[:, None]).sum(axis=2)  # (N, out)
        if self.bias is not None:
            z += self.bias.array
        return z.reshape(*x1.shape[:-1], self.out_features)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        x1, x2, W, b = ctx.x1, ctx.x2, self.weight, self.bias
        d = delta.reshape(-1, self.out_features)
        if b is not None and b.requires_grad:
            b.accumulate(d.sum(axis=0))
        d_t = d[:, :, None] * x2.reshape(-1, 1, self.in2_features)  # (N, out, in2), ∂J/∂t
        needs_x1, needs_x2 = ctx.needs_input_grad[:2]
        rows1, rows_t = x1.reshape(-1, self.in1_features), d_t.reshape(len(d), self.out_features * self.in2_features)
        needs = (needs_x1, W.requires_grad, False)
        delta_1, dV, _ = kernels.linear_backward(rows1, self._matrix(), rows_t, needs)
        if dV is not None:  # (out · in2, in1)
            W.accumulate(dV.reshape(self.out_features, self.in2_features, self.in1_features).transpose(0, 2, 1).copy())
        delta_2 = (self._first_product(x1) * d[:, :, None]).sum(axis=1).reshape(x2.shape) if needs_x2 else None
        return None if delta_1 is None else delta_1.reshape(x1.shape), delta_2

    def _matrix(self) -> Array:
        """W as the matrix (out · in2, in1) of a linear map of x₁."""
        return self.weight.array.transpose(0, 2, 1).reshape(self.out_features * self.in2_features, self.in1_features)

    def _first_product(self, x1: Array) -> Array:
        """t[n, o, j] = Σᵢ x₁[n, i] W[o, i, j]."""
        t = kernels.linear(x1.reshape(-1, self.in1_features), self._matrix(), None)
        return t.reshape(len(t), self.out_features, self.in2_features)  # (N, out, in2)

    def _expect(self, x1: Array, x2: Array) -> None:
        W = self.weight.array
        expect_floating(x1, W.dtype)
        expect_shape(x1, "… in1", {"in1": self.in1_features}, "make in1_features the size of x1's last axis")
        if not is_array(x2) or x2.dtype != W.dtype:
            cure = f"x2.astype(np.{W.dtype})"
            raise DtypeError(f"x2 of {W.dtype}, as the parameters are", describe(x2), cure)
        expected = (*x1.shape[:-1], self.in2_features)
        if x2.shape != expected:
            cure = "give x1 and x2 the same number of rows, and in2_features the size of x2's last axis"
            raise ShapeError(f"x2 of shape {expected}", f"shape {tuple(x2.shape)}", cure)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
