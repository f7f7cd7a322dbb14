"""Losses of rows of numbers, one per class, with class labels: cross-entropy and its second half."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import kernels
from ..arrays import Array, array_module, is_array, is_floating
from ..call import Ctx
from ..errors import DomainError, DtypeError, OptionError, ShapeError, describe
from ..kernels.reference.checks import expect_labels
from ..tensor import Tensor
from .expect import conversion, expect_floating
from .reduction import Reduced, Reduction, cure_for_weights, refuse, weighted

__all__ = ["CrossEntropyLoss", "NLLLoss"]


class _Classes(Reduced):
    """Abstract: x has a row of C numbers, one per class, for every label in y."""

    weight: Array | None

    def __init__(self, weight: Array | Tensor | None, ignore_index: int, reduction: Reduction) -> None:
        super().__init__(reduction)
        self._set_weight("weight", weight)
        self.ignore_index = ignore_index

    def _rows(self, x: Array) -> Array:
        """x, checked, as (M, C)."""
        expect_floating(x)
        if x.ndim == 0:
            raise ShapeError("x of shape (N, C), (N, C, d₁, …) or (C,)", "shape ()", "give it one number per class")
        rows, w = _as_rows(x), self.weight
        if w is not None and w.shape != rows.shape[1:]:
            expected = f"weight of shape {rows.shape[1:]}, one for each class of x {tuple(x.shape)}"
            raise ShapeError(expected, f"shape {tuple(w.shape)}", "give one weight per class")
        if w is not None and w.dtype != x.dtype:
            raise DtypeError(f"weight of {x.dtype}, as x is", describe(w), cure_for_weights(x))
        return rows

    def _labels(self, x: Array, y: Array) -> Array:
        """y, which has one label for each row of x, as (M,)."""
        shape = _label_shape(x.shape)
        if not is_array(y) or (y.shape == shape and y.dtype.kind not in "iu"):
            raise DtypeError("integer class labels in y", describe(y), conversion("y", y, "int64"))
        if y.shape != shape:
            cure = "give one label for each row of x"
            if y.shape == x.shape:
                cure = "y.argmax(1) makes labels of one-hot rows"
            elif y.size == prod(shape):
                cure = f"y.reshape({shape})"
            expected = f"y of shape {shape}, one class label for each row of x {tuple(x.shape)}"
            raise ShapeError(expected, f"shape {tuple(y.shape)}", cure)
        return y if y.ndim == 1 else y.reshape(prod(shape))

    def _row_weights(self, labels: Array, dtype: Any) -> Array:
        """w[label] of each row, and 0 where the label is ``ignore_index``: (M,)."""
        kept = labels != self.ignore_index
        if self.weight is None:
            return kept.astype(dtype)
        return self.weight[array_module(labels).where(kept, labels, 0)] * kept

    def _total_weight(self, labels: Array, dtype: Any) -> float:
        """The sum of the weights of all rows."""
        if self.weight is None:
            return float(array_module(labels).count_nonzero(labels != self.ignore_index))
        return float(self._row_weights(labels, dtype).sum())


def _label_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the labels for x of ``shape``: all but the class axis."""
    return (*shape[:1], *shape[2:]) if len(shape) > 1 else ()


def _as_rows(x: Array) -> Array:
    """x of shape (C,), (N, C) or (N, C, d₁, …) as (M, C): the classes last, and all else a row."""
    if x.ndim == 2:
        return x
    classes = x.shape[min(1, x.ndim - 1)]
    last = x if x.ndim < 3 else array_module(x).moveaxis(x, 1, -1)
    return last.reshape(prod(_label_shape(x.shape)), classes)


def _from_rows(rows: Array, shape: tuple[int, ...]) -> Array:
    """The way back: (M, C) in the shape of x."""
    if len(shape) == 2:
        return rows
    if len(shape) < 2:
        return rows.reshape(shape)
    return array_module(rows).moveaxis(rows.reshape(*_label_shape(shape), rows.shape[1]), -1, 1)


class CrossEntropyLoss(_Classes):
    """Cross-entropy of scores with class labels, or with a probability for every class.

        p = softmax(x)        J = -Σₙ w[yₙ] log pₙ[yₙ] / Σₙ w[yₙ]        J = -Σₙ Σ_c w[c] yₙ[c] log pₙ[c] / N

        ∂J/∂x = δ w[y] (p - onehot(y)) / Σₙ w[yₙ]        ∂J/∂x = δ (p Σ_c w[c] y[c] - w ⊙ y) / N

    On the left y are labels, on the right probabilities; there ∂J/∂y = -δ w log p / N. With label smoothing, y (as
    onehot(y)) becomes (1 - ε) y + ε / C. Softmax and loss are one layer so that δ is as simple as p - y. That the
    probabilities of a row are positive and sum to 1 is taken on trust; the formulas hold for any numbers.

    Shapes: x (N, C), (N, C, d₁, …) or (C,); labels y (N,), (N, d₁, …) or (); probabilities y as x; w (C,); J one
    number, or one for each label with ``reduction="none"``.

    Args:
        weight: w, a constant; 1 if ``None``.
        ignore_index: rows with this label count nothing.
        reduction: ``"mean"``; ``"sum"``, without the division; ``"none"``, without the sum.
        label_smoothing: ε, 0 … 1.

    Raises:
        LabelError: a label outside 0 … C - 1.
        ShapeError: y or w does not fit x, or there is no row to take the mean of.
        DtypeError: labels that are not integers, x that is not floating-point, w or y of another dtype than x.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction, or a smoothing outside 0 … 1.

    Source: Bridle, Training stochastic model recognition algorithms as networks, 1989; smoothing: Szegedy et al.,
    Rethinking the Inception architecture for computer vision, 2016, section 7.
    """

    def __init__(
        self,
        weight: Array | Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, ignore_index, reduction)
        if not 0 <= label_smoothing <= 1:
            expected = "CrossEntropyLoss with label_smoothing from 0 to 1"
            raise OptionError(expected, f"label_smoothing={label_smoothing!r}", "0.1 is usual")
        self.label_smoothing = float(label_smoothing)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        rows, w, smoothing = self._rows(x), self.weight, self.label_smoothing  # (M, C), (C,)
        ctx.shape, ctx.labels = x.shape, None
        if is_array(y) and is_floating(y) and y.shape == x.shape:
            if y.dtype != x.dtype:
                expected = f"class probabilities y of {x.dtype}, as x is"
                raise DtypeError(expected, describe(y), conversion("y", y, x.dtype))
            t = ctx.t = (1 - smoothing) * _as_rows(y) + smoothing / rows.shape[1]  # (M, C)
            log_p = ctx.log_p = kernels.log_softmax(rows, 1)  # (M, C)
            J = -(weighted(t, w) * log_p).sum(axis=1)  # (M,)
            total = float(len(rows))
        else:
            labels = ctx.labels = self._labels(x, y)  # (M,)
            J, ctx.p = kernels.cross_entropy(rows, labels, w, self.ignore_index, smoothing)  # (M,), (M, C)
            total = self._total_weight(labels, x.dtype)
        return self._reduced(ctx, J if x.ndim == 2 else J.reshape(_label_shape(x.shape)), total, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        w, smoothing = self.weight, self.label_smoothing
        d = self._spread(ctx, delta, (prod(_label_shape(ctx.shape)),))  # (M,)
        if ctx.labels is not None:
            delta_x = kernels.cross_entropy_backward(ctx.p, ctx.labels, w, self.ignore_index, smoothing, d)
            return _from_rows(delta_x, ctx.shape), None
        wt = weighted(ctx.t, w)  # (M, C)
        delta_x = d[:, None] * (array_module(d).exp(ctx.log_p) * wt.sum(axis=1, keepdims=True) - wt)
        if not ctx.needs_input_grad[1]:
            return _from_rows(delta_x, ctx.shape), None
        delta_y = (smoothing - 1) * d[:, None] * weighted(ctx.log_p, w)
        return _from_rows(delta_x, ctx.shape), _from_rows(delta_y, ctx.shape)


class NLLLoss(_Classes):
    """Negative log-likelihood of class labels, from log-probabilities.

        J = -Σₙ w[yₙ] x[n, yₙ] / Σₙ w[yₙ]

        ∂J/∂x[n, c] = -δ w[yₙ] [c = yₙ] / Σₙ w[yₙ]

    With :class:`LogSoftmax` before it the same as :class:`CrossEntropyLoss`.

    Shapes: x (N, C), (N, C, d₁, …) or (C,); y (N,), (N, d₁, …) or (); w (C,); J one number, or as y with
    ``reduction="none"``.

    Args:
        weight: w, a constant; 1 if ``None``.
        ignore_index: rows with this label count nothing.
        reduction: ``"mean"``; ``"sum"``, without the division; ``"none"``, without the sum.

    Raises:
        LabelError: a label outside 0 … C - 1.
        DomainError: x[n, yₙ] above 0, which is the logarithm of no probability.
        ShapeError: y or w does not fit x, or there is no row to take the mean of.
        DtypeError: labels that are not integers, x that is not floating-point, w of another dtype than x.
        NonFiniteError: NaN in x.
        OptionError: no such reduction.

    Source: Bishop, Pattern recognition and machine learning, 2006, equation 4.108.
    """

    def __init__(
        self, weight: Array | Tensor | None = None, *, ignore_index: int = -100, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(weight, ignore_index, reduction)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        rows, labels = self._rows(x), self._labels(x, y)  # (M, C), (M,)
        kept = expect_labels(labels, rows.shape[1], self.ignore_index)  # (M,)
        xp = array_module(x)
        index = xp.arange(len(rows)), xp.where(kept, labels, 0)
        picked = xp.where(kept, rows[index], x.dtype.type(0))  # (M,)
        if bool((picked > _ROUNDING).any()):
            _refuse_scores(x)
        w = self._row_weights(labels, x.dtype)  # (M,)
        ctx.shape, ctx.index, ctx.w = x.shape, index, w
        return self._reduced(ctx, (-w * picked).reshape(y.shape), float(w.sum()), x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, None]:
        d = self._spread(ctx, delta, ctx.w.shape)  # (M,)
        delta_x = array_module(d).zeros((len(d), ctx.shape[min(1, len(ctx.shape) - 1)]), d.dtype)  # (M, C)
        delta_x[ctx.index] = -ctx.w * d
        return _from_rows(delta_x, ctx.shape), None


_ROUNDING = 1e-3  # so far above 0 the logarithm of a probability of 1 may come out


def _refuse_scores(x: Array) -> None:
    cure, remark = "put nn.LogSoftmax(dim=1) before this loss, or give the scores to nn.CrossEntropyLoss instead", ""
    if bool(((x >= 0) & (x <= 1)).all()):
        cure, remark = "use nn.LogSoftmax(dim=1) in the place of nn.Softmax(dim=1)", ": x looks like probabilities"
    refuse(DomainError, "log-probabilities in x, none above 0", "x", x, x > _ROUNDING, cure, remark)
