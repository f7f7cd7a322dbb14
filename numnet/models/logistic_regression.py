"""Logistic regression: the network of one layer."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from ..errors import ShapeError
from ..functions import cat
from ..nn import Linear, Module, Sigmoid
from ..tensor import Tensor
from .sizes import expect_sizes

__all__ = ["LogisticRegression"]


class LogisticRegression(Module):
    """The probability of class 1: a linear layer and a sigmoid.

        φ = x₁, …, x_D, and with them all products of up to ``degree`` of them: x₁², x₁ x₂, …
        z = lr(φ) = φ wᵀ + b        p = sm(z) = σ(z)

        δz = sm.backward(δ) = δ p (1 - p)        ∂J/∂w = δzᵀ φ        ∂J/∂b = Σₙ δzₙ

    The boundary between the classes, where p = ½, is w φ + b = 0: straight for degree 1, for degree 2 a conic. With
    :class:`~numnet.nn.BCELoss`, training is maximum likelihood.

    Shapes: x (N, D), p and δ (N, 1); labels of the loss are (N, 1) too, 0 or 1.

    Args:
        in_features: D.
        degree: how many inputs a product has at most. There are C(D + degree, degree) - 1 products φ.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1. ShapeError, DtypeError: x does not fit.

    Source: Cox, The regression analysis of binary sequences, 1958.
    """

    depth = 1
    """How many layers it has: the input is not counted."""

    def __init__(self, in_features: int, degree: int = 1, *, rng: np.random.Generator | None = None) -> None:
        super().__init__()
        expect_sizes(in_features=in_features, degree=degree)
        self.in_features = in_features
        self.degree = degree
        self.lr = Linear(math.comb(in_features + degree, degree) - 1, 1, rng=rng)
        self.sm = Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != self.in_features:
            cure = "x[None] makes a batch of one" if x.ndim == 1 else "make in_features the size of x's last axis"
            error = ShapeError(f"x of shape (N, {self.in_features})", f"shape {x.shape}", cure)
            error.where = "LogisticRegression, forward"
            raise error
        if self.degree > 1:
            products = _products(self.in_features, self.degree)
            x = cat([x[:, factors].prod(dim=2) for factors in products], 1)  # (N, C(D + degree, degree) - 1)
        return self.sm(self.lr(x))

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, degree={self.degree}"


@functools.cache
def _products(inputs: int, degree: int) -> list[list[list[int]]]:
    """For 1, 2, … ``degree`` factors, the numbers of the inputs in every product."""
    return [
        [list(product) for product in itertools.combinations_with_replacement(range(inputs), factors)]
        for factors in range(1, degree + 1)
    ]
