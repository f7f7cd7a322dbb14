"""Dropout: noise in training that no unit can rely on another through."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError
from ..random import default_rng
from .expect import expect_floating, refuse_inplace
from .layer import Layer

__all__ = ["Dropout"]


class Dropout(Layer):
    """Every number is set to 0 with probability p, and the rest scaled up so that the expectation stays.

        y = m ⊙ x        m = [kept] / (1 - p), drawn anew in every call;  1 in evaluation mode

        ∂J/∂x = m ⊙ δ

    Shapes: any. The same seed drops the same numbers in float32 and in float64.

    Args:
        p: the probability of dropping a number, 0 … 1.
        inplace: taken for PyTorch's sake; only False is possible.
        rng: where m is drawn from; the default generator if ``None``.

    Raises:
        OptionError: p outside 0 … 1, or ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, 2014, section 10.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: np.random.Generator | None = None) -> None:
        super().__init__()
        refuse_inplace(self, inplace)
        if not 0 <= p <= 1:
            raise OptionError("Dropout with a probability p from 0 to 1", f"p={p!r}", "Dropout(0.5) drops every second")
        self.p = float(p)
        self.rng = rng

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        ctx.mask = None
        if not self.training or self.p == 0:
            return x
        draws = (self.rng or default_rng()).random(x.shape, np.float32)  # in [0, 1)
        kept = array_module(x).asarray(draws >= self.p)
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        ctx.mask = kept.astype(x.dtype) * scale
        return x * ctx.mask

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta if ctx.mask is None else delta * ctx.mask

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace=False"
