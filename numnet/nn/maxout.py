"""Maxout: an activation that is learned."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError
from ..tensor import Parameter
from . import init
from .expect import expect_floating, expect_shape
from .layer import Layer

__all__ = ["Maxout"]


class Maxout(Layer):
    """The largest of k affine maps: a convex function of k straight pieces, which are learned.

        zₚ = x Wₚᵀ + bₚ        y = maxₚ zₚ, number by number, over the pieces p = 1 … k

        ∂J/∂zₚ = δ ⊙ [piece p is the largest]

        ∂J/∂Wₚ = (∂J/∂zₚ)ᵀ x        ∂J/∂bₚ = Σₙ (∂J/∂zₚ)ₙ        ∂J/∂x = Σₚ ∂J/∂zₚ Wₚ

    Of equals the first counts.

    Shapes: x (…, in), y and δ (…, out), W (k · out, in), piece after piece, b (k · out,). Leading axes count as one
    batch.

    Args:
        in_features: size of each row of x.
        out_features: size of each row of y.
        pieces: k.
        bias: whether there is a b.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: W and b uniform in ±1/√in, as for :class:`~numnet.nn.Linear`.

    Raises:
        OptionError: less than one piece.
        ShapeError: the last axis of x is not ``in_features``.
        DtypeError: x is not of the parameters' dtype.

    Source: Goodfellow, Warde-Farley, Mirza, Courville and Bengio, Maxout networks, 2013, section 3.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if pieces < 1:
            raise OptionError("Maxout of one piece or more", f"pieces={pieces}", "Maxout(in, out, pieces=2)")
        self.in_features = in_features
        self.out_features = out_features
        self.pieces = pieces
        self.weight = Parameter(np.empty((pieces * out_features, in_features), np.float32))
        self.bias = Parameter(np.empty(pieces * out_features, np.float32)) if bias else None
        init.default_(self.weight, self.bias, rng=rng)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        W, b = self.weight.array, None if self.bias is None else self.bias.array
        expect_floating(x, W.dtype)
        cure = "make in_features of this layer the size of x's last axis"
        expect_shape(x, "… in", {"in": self.in_features}, cure)
        ctx.x = x
        z = kernels.linear(x.reshape(-1, self.in_features), W, b)
        z = z.reshape(len(z), self.pieces, self.out_features)  # (N, k, out)
        ctx.largest = z.argmax(axis=1)[:, None]  # (N, 1, out)
        y = array_module(x).take_along_axis(z, ctx.largest, axis=1)
        return y.reshape(*x.shape[:-1], self.out_features)

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        x, W, b = ctx.x, self.weight, self.bias
        xp = array_module(delta)
        d = delta.reshape(-1, 1, self.out_features)
        pieces = xp.arange(self.pieces)[:, None]  # (k, 1)
        delta_z = xp.where(ctx.largest == pieces, d, delta.dtype.type(0))  # (N, k, out)
        delta_z = delta_z.reshape(len(d), self.pieces * self.out_features)
        needs = (ctx.needs_input_grad[0], W.requires_grad, b is not None and b.requires_grad)
        delta_x, dW, db = kernels.linear_backward(x.reshape(-1, self.in_features), W.array, delta_z, needs)
        if dW is not None:
            W.accumulate(dW)
        if db is not None and b is not None:
            b.accumulate(db)
        return None if delta_x is None else delta_x.reshape(x.shape)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, pieces={self.pieces}, "
            f"bias={self.bias is not None}"
        )
