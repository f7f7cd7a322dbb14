"""Penalties on parameters, as terms of the loss.

A penalty is a layer whose inputs are the parameters themselves, so the one line does in every way of use::

    R = penalty(*net.parameters())

    (loss(net(x), y) + R).backward()                                    # imperative
    net.backward(loss.backward());  R.backward()                        # explicit: R is a Tensor on the parameters
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from .expect import expect_floating
from .layer import Layer

__all__ = ["ElasticPenalty", "L1Penalty", "L2Penalty"]


class _Penalty(Layer):
    """Abstract: J = λ₁ Σ |w| + λ₂ Σ w² / 2 over every number of every input."""

    def _set(self, l1: float, l2: float) -> None:
        for name, strength in (("l1", l1), ("l2", l2)):
            if not 0 <= strength < np.inf:
                expected = f"{type(self).__name__} with a strength of 0 or more"
                raise OptionError(expected, f"{name}={strength!r}", "1e-4 is usual")
        self.l1, self.l2 = float(l1), float(l2)

    def forward(self, ctx: Ctx, *weights: Array) -> Array:
        if not weights:
            raise ShapeError("at least one parameter", "none", "penalty(*net.parameters())")
        for w in weights:
            expect_floating(w, weights[0].dtype if w is not weights[0] and w.dtype.kind == "f" else None)
        ctx.weights = weights
        xp = array_module(weights[0])
        J = weights[0].dtype.type(0)
        for w in weights:
            if self.l1:
                J = J + self.l1 * abs(w).sum()
            if self.l2:
                J = J + 0.5 * self.l2 * (w * w).sum()
        return xp.asarray(J)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, ...]:
        return tuple([delta * self._slope(w) for w in ctx.weights])

    def _slope(self, w: Array) -> Array:
        if not self.l1:
            return self.l2 * w
        slope = self.l1 * array_module(w).sign(w)
        return slope + self.l2 * w if self.l2 else slope

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in (("l1", self.l1), ("l2", self.l2)) if value)


class L1Penalty(_Penalty):
    """Sum of absolute values of parameters: it draws small ones to 0, and leaves few.

        J = λ Σ |w|

        ∂J/∂w = δ λ sign(w)        0 for w = 0

    Shapes: any number of arrays, of any shape; J one number.

    Args:
        l1: λ ≥ 0.

    Raises:
        OptionError: λ below 0. ShapeError: no array given. DtypeError: arrays of several dtypes, or not floating-point.

    Source: Tibshirani, Regression shrinkage and selection via the lasso, 1996, equation 1.
    """

    def __init__(self, l1: float) -> None:
        super().__init__()
        self._set(l1, 0.0)


class L2Penalty(_Penalty):
    """Half the sum of squares of parameters: it draws all of them towards 0.

        J = λ Σ w² / 2

        ∂J/∂w = δ λ w

    With the half, λ is the ``weight_decay`` of :class:`numnet.optim.SGD`: both give the same step. Where a book has
    λ Σ w², without the half, its λ is half of this one.

    Shapes: any number of arrays, of any shape; J one number.

    Args:
        l2: λ ≥ 0.

    Raises:
        OptionError: λ below 0. ShapeError: no array given. DtypeError: arrays of several dtypes, or not floating-point.

    Source: Bishop, Pattern recognition and machine learning, 2006, equation 5.112.
    """

    def __init__(self, l2: float) -> None:
        super().__init__()
        self._set(0.0, l2)


class ElasticPenalty(_Penalty):
    """:class:`L1Penalty` and :class:`L2Penalty` together.

        J = λ₁ Σ |w| + λ₂ Σ w² / 2

        ∂J/∂w = δ (λ₁ sign(w) + λ₂ w)

    Shapes: any number of arrays, of any shape; J one number.

    Args:
        l1: λ₁ ≥ 0.
        l2: λ₂ ≥ 0.

    Raises:
        OptionError: λ₁ or λ₂ below 0. ShapeError: no array given. DtypeError: arrays of several dtypes, or not
            floating-point.

    Source: Zou and Hastie, Regularization and variable selection via the elastic net, 2005, equation 3.
    """

    def __init__(self, l1: float, l2: float) -> None:
        super().__init__()
        self._set(l1, l2)
