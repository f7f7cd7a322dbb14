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
from .reduction import Reduced, Reduction, cure_for_weights, places_of, refuse, weighted

__all__ = ["CrossEntropyLoss", "NLLLoss"]


class _Classes(Reduced):
    """Abstract: x has C numbers, one per class, along axis 1 (or its only one) for every label in y."""

    weight: Array | None

    def __init__(self, weight: Array | Tensor | None, ignore_index: int, reduction: Reduction) -> None:
        super().__init__(reduction)
        self._set_weight("weight", weight)
        self.ignore_index = ignore_index

    def _batch(self, x: Array) -> Array:
        """x, checked, as (N, C, …)."""
        expect_floating(x)
        if x.ndim == 0:
            raise ShapeError("x of shape (N, C), (N, C, d₁, …) or (C,)", "shape ()", "give it one number per class")
        batch, w = x if x.ndim > 1 else x[None], self.weight
        if w is not None and w.shape != batch.shape[1:2]:
            expected = f"weight of shape {batch.shape[1:2]}, one for each class of x {tuple(x.shape)}"
            raise ShapeError(expected, f"shape {tuple(w.shape)}", "give one weight per class")
        if w is not None and w.dtype != x.dtype:
            raise DtypeError(f"weight of {x.dtype}, as x is", describe(w), cure_for_weights(x))
        return batch

    def _labels(self, x: Array, y: Array) -> Array:
        """y, which has one label for each C numbers of x, as (N, …)."""
        shape = (*x.shape[:1], *x.shape[2:]) if x.ndim > 1 else ()
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
        return y if shape else y.reshape(1)

    def _label_weights(self, labels: Array, dtype: Any) -> Array:
        """w[label] of each, and 0 where the label is ``ignore_index``: (N, …)."""
        kept = labels != self.ignore_index
        if self.weight is None:
            return kept.astype(dtype)
        return self.weight[array_module(labels).where(kept, labels, 0)] * kept

    def _total_weight(self, labels: Array, dtype: Any) -> float:
        """The sum of the weights of all labels."""
        if self.weight is None:
            return float(array_module(labels).count_nonzero(labels != self.ignore_index))
        return float(self._label_weights(labels, dtype).sum())


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
        z, w, smoothing = self._batch(x), self.weight, self.label_smoothing  # (N, C, …), (C,)
        ctx.shape, ctx.labels = x.shape, None
        if is_array(y) and is_floating(y) and y.shape == x.shape:
            if y.dtype != x.dtype:
                expected = f"class probabilities y of {x.dtype}, as x is"
                raise DtypeError(expected, describe(y), conversion("y", y, x.dtype))
            t = ctx.t = (1 - smoothing) * y.reshape(z.shape) + smoothing / z.shape[1]  # (N, C, …)
            log_p = ctx.log_p = kernels.log_softmax(z, 1)  # (N, C, …)
            J = -(weighted(t, _along_classes(w, t)) * log_p).sum(axis=1)  # (N, …)
            total = float(J.size)
        else:
            labels = ctx.labels = self._labels(x, y)  # (N, …)
            J, ctx.p = kernels.cross_entropy(z, labels, w, self.ignore_index, smoothing)  # (N, …), (N, C, …)
            total = self._total_weight(labels, x.dtype)
        return self._reduced(ctx, J if x.ndim > 1 else J.reshape(()), total, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        w, smoothing = self.weight, self.label_smoothing
        if ctx.labels is not None:
            d = self._spread(ctx, delta, ctx.labels.shape)  # (N, …)
            delta_x = kernels.cross_entropy_backward(ctx.p, ctx.labels, w, self.ignore_index, smoothing, d)
            return _unbatched(delta_x, ctx.shape), None
        log_p, w = ctx.log_p, _along_classes(w, ctx.log_p)
        d = self._spread(ctx, delta, (len(log_p), 1, *log_p.shape[2:]))  # (N, 1, …)
        wt = weighted(ctx.t, w)  # (N, C, …)
        delta_x = d * (array_module(d).exp(log_p) * wt.sum(axis=1, keepdims=True) - wt)
        if not ctx.needs_input_grad[1]:
            return _unbatched(delta_x, ctx.shape), None
        delta_y = (smoothing - 1) * d * weighted(log_p, w)
        return _unbatched(delta_x, ctx.shape), _unbatched(delta_y, ctx.shape)


def _unbatched(z: Array, shape: tuple[int, ...]) -> Array:
    """z of (N, C, …) in the shape that x had."""
    return z if len(shape) > 1 else z[0]


def _along_classes(w: Array | None, z: Array) -> Array | None:
    """w (C,) as (C, 1, …), for z of (N, C, …)."""
    return None if w is None else w.reshape(len(w), *[1] * (z.ndim - 2))


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
        z, labels = self._batch(x), self._labels(x, y)  # (N, C, …), (N, …)
        kept = expect_labels(labels, z.shape[1], self.ignore_index)  # (N, …)
        xp = array_module(x)
        places = places_of(xp.where(kept, labels, 0), z.shape)  # (N, …)
        picked = xp.where(kept, z.take(places), x.dtype.type(0))  # (N, …)
        if bool((picked > _ROUNDING).any()):
            _refuse_scores(x)
        w = self._label_weights(labels, x.dtype)  # (N, …)
        ctx.shape, ctx.batch, ctx.places, ctx.w = x.shape, z.shape, places, w
        total = float(xp.count_nonzero(kept) if self.weight is None else w.sum())
        return self._reduced(ctx, (-w * picked).reshape(y.shape), total, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, None]:
        d = self._spread(ctx, delta, ctx.w.shape)  # (N, …)
        delta_x = array_module(d).zeros(prod(ctx.batch), d.dtype)
        delta_x[ctx.places] = -ctx.w * d
        return _unbatched(delta_x.reshape(ctx.batch), ctx.shape), None


_ROUNDING = 1e-3  # so far above 0 the logarithm of a probability of 1 may come out


def _refuse_scores(x: Array) -> None:
    cure, remark = "put nn.LogSoftmax(dim=1) before this loss, or give the scores to nn.CrossEntropyLoss instead", ""
    if bool(((x >= 0) & (x <= 1)).all()):
        cure, remark = "use nn.LogSoftmax(dim=1) in the place of nn.Softmax(dim=1)", ": x looks like probabilities"
    refuse(DomainError, "log-probabilities in x, none above 0", "x", x, x > _ROUNDING, cure, remark)
