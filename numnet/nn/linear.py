"""Linear: the affine map."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..tensor import Parameter
from . import init
from .expect import expect_floating, expect_shape
from .layer import Layer

__all__ = ["Linear"]


class Linear(Layer):
    """Affine map of every row of a batch.

        z = x Wᵀ + b

        ∂J/∂W = δᵀ x        ∂J/∂b = Σₙ δₙ        ∂J/∂x = δ W

    Shapes: x (…, in), z and δ (…, out), W (out, in), b (out,). Leading axes count as one batch.

    Args:
        in_features: size of each row of x.
        out_features: size of each row of z.
        bias: whether there is a b.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: W and b uniform in ±1/√in (Kaiming uniform with a = √5), as PyTorch's.

    Raises:
        ShapeError: the last axis of x is not ``in_features``.
        DtypeError: x is not of the parameters' dtype.

    Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986, equations 1, 6
    and 7.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, rng: np.random.Generator | None = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(np.empty((out_features, in_features), np.float32))
        self.bias = Parameter(np.empty(out_features, np.float32)) if bias else None
        init.default_(self.weight, self.bias, rng=rng)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        W, b = self.weight.array, None if self.bias is None else self.bias.array
        expect_floating(x, W.dtype)
        if x.shape[-1:] != W.shape[1:]:
            expect_shape(x, "… in", {"in": self.in_features}, _cure(x, self.in_features))
        ctx.x = x
        return kernels.linear(x, W, b)

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        x, W, b = ctx.x, self.weight, self.bias
        needs = (ctx.needs_input_grad[0], W.requires_grad, b is not None and b.requires_grad)
        delta_x, dW, db = kernels.linear_backward(x, W.array, delta, needs)
        if dW is not None:
            W.accumulate(dW)
        if db is not None and b is not None:
            b.accumulate(db)
        return delta_x

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def _cure(x: Array, in_features: int) -> str:
    if x.ndim > 1 and int(np.prod(x.shape[1:])) == in_features:
        return "put nn.Flatten() before this layer"
    return "make in_features of this layer the size of x's last axis"
