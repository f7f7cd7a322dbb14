"""Losses with a margin: a score is right once it is on its side by far enough."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import kernels
from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DomainError, DtypeError, LabelError, NonFiniteError, OptionError, ShapeError, describe
from ..tensor import Tensor
from .expect import conversion, expect_floating, expect_same_shape
from .reduction import Elementwise, Reduced, Reduction, cure_for_weights, places_of, refuse, softplus, weighted

__all__ = [
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "expect_signs",
]


def expect_signs(y: Array, x: Array) -> Array:
    """y, which says 1 or -1, in the dtype of x.

    Raises:
        DtypeError: neither integers nor of the dtype of x. DomainError: another number. NonFiniteError: NaN.
    """
    if not is_array(y) or (y.dtype != x.dtype and y.dtype.kind != "i"):
        raise DtypeError(f"y of {x.dtype}, as x is, or of integers", describe(y), conversion("y", y, x.dtype))
    wrong = abs(y) != 1
    if bool(wrong.any()):
        refuse(NonFiniteError, "finite numbers in y", "y", y, y != y, "look for it in the data")
        cure = "2 * y - 1 makes 1 and -1 of 1 and 0" if bool((wrong == (y == 0)).all()) else "y says which of two it is"
        refuse(DomainError, "1 or -1 in y", "y", y, wrong, cure)
    return y.astype(x.dtype, copy=False)


class HingeEmbeddingLoss(Reduced):
    """Distances of pairs: alike ones (y = 1) are pulled together, others (y = -1) pushed to the margin.

        J = Σ l(x, y) / n        l(x, 1) = x        l(x, -1) = max(0, m - x)

        ∂J/∂x = δ / n for y = 1        ∂J/∂x = -δ [m - x ≥ 0] / n for y = -1

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        margin: m.
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: x is not floating-point, or y neither of its dtype nor of integers.
        DomainError: y is neither 1 nor -1.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Hadsell, Chopra and LeCun, Dimensionality reduction by learning an invariant mapping, 2006, equation 4,
    without the squares.
    """

    def __init__(self, margin: float = 1.0, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = float(margin)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        expect_floating(x)
        signs = expect_signs(y, x)
        expect_same_shape("y", x, y)
        xp = array_module(x)
        short = self.margin - x
        ctx.slope = xp.where(signs == 1, 1, -(short >= 0).astype(x.dtype))
        J = xp.where(signs == 1, x, xp.maximum(short, 0))
        return self._reduced(ctx, J, x.size, x=x)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, None]:
        return self._spread(ctx, delta, ctx.slope.shape) * ctx.slope, None


class MarginRankingLoss(Reduced):
    """Of two scores the right one is to be higher: the first where y = 1, the second where y = -1.

        J = Σ max(0, m - y (x₁ - x₂)) / n

        ∂J/∂x₁ = -δ y [m - y (x₁ - x₂) ≥ 0] / n        ∂J/∂x₂ = -∂J/∂x₁

    Shapes: x₁, x₂ and y any, but the same; J one number, or as x₁ with ``reduction="none"``; n is their
    number of elements.

    Args:
        margin: m.
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: x₁, x₂ and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: x₁ and x₂ differ in dtype or are not floating-point, or y is neither of their dtype nor of integers.
        DomainError: y is neither 1 nor -1.
        NonFiniteError: NaN in x₁, x₂ or y.
        OptionError: no such reduction.

    Source: Herbrich, Graepel and Obermayer, Large margin rank boundaries for ordinal regression, 2000, section 3.
    """

    differentiable_inputs = 2

    def __init__(self, margin: float = 0.0, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = float(margin)

    def forward(self, ctx: Ctx, x1: Array, x2: Array, y: Array) -> Array:
        expect_floating(x1)
        if not is_array(x2) or x2.dtype != x1.dtype:
            raise DtypeError(f"x2 of {x1.dtype}, as x1 is", describe(x2), conversion("x2", x2, x1.dtype))
        expect_same_shape("x2", x1, x2)
        signs = expect_signs(y, x1)
        expect_same_shape("y", x1, y)
        short = self.margin - signs * (x1 - x2)
        ctx.slope = -signs * (short >= 0)
        return self._reduced(ctx, array_module(x1).maximum(short, 0), x1.size, x1=x1, x2=x2)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None, None]:
        delta_x1 = self._spread(ctx, delta, ctx.slope.shape) * ctx.slope
        return delta_x1, -delta_x1 if ctx.needs_input_grad[1] else None, None


class SoftMarginLoss(Reduced):
    """Logistic loss of two classes, y = 1 and y = -1.

        J = Σ log (1 + exp(-y x)) / n

        ∂J/∂x = -δ y σ(-y x) / n

    The same as :class:`BCEWithLogitsLoss` with 1 and 0 for the classes.

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: x is not floating-point, or y neither of its dtype nor of integers.
        DomainError: y is neither 1 nor -1.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Hastie, Tibshirani and Friedman, The elements of statistical learning, 2009, equation 10.18.
    """

    def __init__(self, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        expect_floating(x)
        signs = ctx.y = expect_signs(y, x)
        expect_same_shape("y", x, y)
        wrong = ctx.wrong = -signs * x
        return self._reduced(ctx, softplus(wrong), x.size, x=x)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, None]:
        d = self._spread(ctx, delta, ctx.y.shape)
        return -d * ctx.y * kernels.sigmoid(ctx.wrong), None


class _Rows(Reduced):
    """Abstract: x has a row of C numbers, one per class, and J is one number for each row."""

    def _expect_rows(self, x: Array, weight: Array | None = None) -> None:
        expect_floating(x)
        _expect_classes(x, 2)
        if weight is not None and weight.shape != x.shape[-1:]:
            expected = f"weight of shape {x.shape[-1:]}, one for each class of x {x.shape}"
            raise ShapeError(expected, f"shape {weight.shape}", "give one weight per class")
        if weight is not None and weight.dtype != x.dtype:
            raise DtypeError(f"weight of {x.dtype}, as x is", describe(weight), cure_for_weights(x))


def _expect_classes(x: Array, most: int) -> None:
    """x has rows of at least one number, and no more axes than ``most``."""
    if not 1 <= x.ndim <= most or x.shape[-1] == 0:
        raise ShapeError("x of shape (N, C) or (C,)", f"shape {x.shape}", "give one row of C ≥ 1 numbers a sample")


def _expect_labels(y: Any, shape: tuple[int, ...], of: str) -> None:
    """y holds integers and is of ``shape``."""
    if not is_array(y) or (y.shape == shape and y.dtype.kind not in "iu"):
        raise DtypeError("integer class labels in y", describe(y), conversion("y", y, "int64"))
    if y.shape != shape:
        cure = f"y.reshape({shape})" if y.size == prod(shape) else f"give {of}"
        raise ShapeError(f"y of shape {shape}, {of}", f"shape {y.shape}", cure)


class MultiMarginLoss(_Rows):
    """Hinge loss of several classes: the score of the right one is to be above every other by the margin.

        J = Σₙ Σ_{c ≠ yₙ} w[yₙ] max(0, m - x[n, yₙ] + x[n, c])ᵖ / C N

        ∂J/∂x[n, c] = δ w[yₙ] p zᵖ⁻¹ [z > 0] / C N        z = m - x[n, yₙ] + x[n, c]
        ∂J/∂x[n, yₙ] = -Σ_{c ≠ yₙ} ∂J/∂x[n, c]

    Shapes: x (N, C) or (C,); y (N,) or (); w (C,); J one number, or as y with ``reduction="none"``.

    Args:
        p: 1 or 2.
        margin: m.
        weight: w, a constant; 1 if ``None``.
        reduction: ``"mean"``; ``"sum"``, without the division by N; ``"none"``, without the sum over n.

    Raises:
        LabelError: a label outside 0 … C - 1.
        ShapeError: y or w does not fit x, or an empty batch has no mean.
        DtypeError: labels that are not integers, x that is not floating-point, w of another dtype than x.
        NonFiniteError: NaN in x, of more than one class.
        OptionError: no such reduction, or p neither 1 nor 2.

    Source: Crammer and Singer, On the algorithmic implementation of multiclass kernel-based vector machines, 2001,
    section 3, with the sum over the classes in the place of the maximum (Weston and Watkins, 1999).
    """

    weight: Array | None

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Array | Tensor | None = None, *, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        if p not in (1, 2):
            raise OptionError("MultiMarginLoss with p=1 or p=2", f"p={p!r}", "1 is the hinge, 2 its square")
        self.p = p
        self.margin = float(margin)
        self._set_weight("weight", weight)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect_rows(x, self.weight)
        _expect_labels(y, x.shape[:-1], "one class label for each row of x")
        rows, labels = x.reshape(-1, x.shape[-1]), y.reshape(-1)  # (N, C), (N,)
        classes = x.shape[-1]
        cure = "count the classes from 0, and give the last layer one output per class"
        refuse(LabelError, f"class labels 0 … {classes - 1}", "y", y, (y < 0) | (y >= classes), cure)
        rows = kernels.contiguous(rows)  # for places in z, which lies as rows do
        places = ctx.places = places_of(labels, rows.shape)  # (N,)
        z = array_module(x).maximum((self.margin - rows.take(places))[:, None] + rows, 0)  # (N, C)
        z.put(places, 0)  # a NaN there is one in all of its row
        w = ctx.w = None if self.weight is None else self.weight[labels][:, None] / classes  # (N, 1)
        ctx.z, ctx.shape = z, x.shape
        J = weighted(z if self.p == 1 else z * z, w)  # (N, C)
        if self.reduction != "none":
            J = J.sum()
            return self._averaged(ctx, J if w is not None else J / classes, y.size, x=x)
        J = J.sum(axis=1).reshape(y.shape)
        return self._reduced(ctx, J if w is not None else J / classes, y.size, x=x)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, None]:
        z = ctx.z  # (N, C)
        d = self._spread(ctx, delta, (len(z),))[:, None]  # (N, 1)
        d = d / z.shape[1] if ctx.w is None else d * ctx.w
        slope = array_module(z).sign(z) if self.p == 1 else 2 * z  # (N, C); of z ≥ 0 the sign is [z > 0]
        delta_x = d * slope  # 0 at the right class
        delta_x.put(ctx.places, -delta_x.sum(axis=1))
        return delta_x.reshape(ctx.shape), None


class MultiLabelMarginLoss(_Rows):
    """Hinge loss with several right classes a row: each is to be above every wrong one by a margin of 1.

        J = Σₙ Σ_{i right} Σ_{j wrong} max(0, 1 - x[n, i] + x[n, j]) / C N

        ∂J/∂x[n, j] = δ Σ_{i right} [z > 0] / C N        z = 1 - x[n, i] + x[n, j]
        ∂J/∂x[n, i] = -δ Σ_{j wrong} [z > 0] / C N

    Shapes: x (N, C) or (C,); y as x: the right classes of a row first, then -1, and what follows it does not count; J
    one number, or (N,) or () with ``reduction="none"``.

    Args:
        reduction: ``"mean"``; ``"sum"``, without the division by N; ``"none"``, without the sum over n.

    Raises:
        LabelError: a class above C - 1.
        ShapeError: y is not of the shape of x, or an empty batch has no mean.
        DtypeError: labels that are not integers, x that is not floating-point.
        NonFiniteError: NaN in x.
        OptionError: no such reduction.

    Source: Weston, Bengio and Usunier, WSABIE: scaling up to large vocabulary image annotation, 2011, section 3,
    without weights of the ranks.
    """

    def __init__(self, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect_rows(x)
        _expect_labels(y, x.shape, "the right classes of each row of x, filled up with -1")
        xp = array_module(x)
        rows, labels = x.reshape(-1, x.shape[-1]), y.reshape(-1, x.shape[-1])  # (N, C) both
        counts = xp.cumsum(labels < 0, axis=1) == 0  # (N, C), up to the first -1
        cure = "count the classes from 0, and end the right classes of a row with -1"
        wrong = (counts & (labels >= rows.shape[1])).reshape(y.shape)
        refuse(LabelError, f"classes 0 … {rows.shape[1] - 1}, or -1", "y", y, wrong, cure)
        right = xp.zeros(rows.shape, x.dtype)  # (N, C): how often a class is named
        xp.add.at(right, (xp.arange(len(rows))[:, None], xp.where(counts, labels, 0)), counts.astype(x.dtype))
        pairs = right[:, :, None] * (right == 0)[:, None, :]  # (N, right, wrong)
        z = 1 - rows[:, :, None] + rows[:, None, :]  # (N, right, wrong)
        ctx.pairs = pairs * (z > 0) / x.dtype.type(rows.shape[1])
        ctx.shape = x.shape
        J = (pairs * xp.maximum(z, 0)).sum(axis=(1, 2)) / rows.shape[1]  # (N,)
        return self._reduced(ctx, J.reshape(x.shape[:-1]), len(rows), x=x)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, None]:
        pairs = ctx.pairs
        d = self._spread(ctx, delta, (len(pairs),))[:, None]  # (N, 1)
        return (d * (pairs.sum(axis=1) - pairs.sum(axis=2))).reshape(ctx.shape), None


class MultiLabelSoftMarginLoss(Elementwise):
    """A logistic loss for every class of a row, several of which may be right, averaged over the classes.

        J = Σₙ Σ_c w[c] ((1 - y) x + log (1 + e⁻ˣ)) / C N

        ∂J/∂x = δ w (σ(x) - y) / C N        ∂J/∂y = -δ w x / C N

    Shapes: x (N, C), (C,) or with more axes in front; y as x, 0 or 1 or between; w (C,); J one number, or x without its
    last axis with ``reduction="none"``; N is the number of rows.

    Args:
        weight: w, a constant; 1 if ``None``.
        reduction: ``"mean"``; ``"sum"``, without the division by N; ``"none"``, without the sum over n.

    Raises:
        ShapeError: x and y differ in shape, w does not fit, or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Bishop, Pattern recognition and machine learning, 2006, equation 5.22.
    """

    weight: Array | None

    def __init__(self, weight: Array | Tensor | None = None, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self._set_weight("weight", weight)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect(x, y, weight=self.weight)
        _expect_classes(x, x.ndim)
        ctx.x, ctx.y = x, y
        J = weighted((1 - y) * x + softplus(-x), self.weight).sum(axis=-1) / x.shape[-1]
        return self._reduced(ctx, J, x.size // x.shape[-1], x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        x, y = ctx.x, ctx.y
        d = self._spread(ctx, delta, x.shape[:-1])[..., None] / x.shape[-1]
        d = weighted(array_module(x).broadcast_to(d, x.shape), self.weight)
        return d * (kernels.sigmoid(x) - y), -d * x if ctx.needs_input_grad[1] else None
