"""Cross-entropy of logits with class labels."""

from __future__ import annotations

from ...arrays import Array, array_module
from ...errors import DtypeError, ShapeError, describe
from .checks import expect, expect_labels
from .softmax import log_softmax

__all__ = ["cross_entropy", "cross_entropy_backward"]


def cross_entropy(
    z: Array, labels: Array, weight: Array | None, ignore_index: int, label_smoothing: float
) -> tuple[Array, Array]:
    """The loss for every label, and the probabilities that its backward reads.

        p = softmax(z)        along axis 1
        J = -(1 - ε) w[y] log p[y] - ε/C Σ_c w[c] log p[c]        and 0 where y = ``ignore_index``

    Shapes: z and p (N, C) or (N, C, d₁, …), labels y and J without the axis of C; w (C,) or ``None`` for ones; ε is
    ``label_smoothing``.

    Raises:
        ShapeError: sizes that do not fit each other.
        DtypeError: labels that are not integers, or a weight of another dtype than z.
        LabelError: a label outside 0 … C - 1 that is not ``ignore_index``.

    Source of the smoothing: Szegedy et al., Rethinking the Inception architecture for computer vision, 2016, section 7.
    """
    xp, classes = array_module(z), _check(z, labels, weight)
    smoothing = float(label_smoothing)  # a NumPy scalar would turn float32 into float64
    kept = expect_labels(labels, classes, ignore_index)  # (N, …)
    y = xp.where(kept, labels, 0)
    w = _of_classes(weight, z)  # (C, 1, …)
    log_p = log_softmax(z, 1)  # (N, C, …)
    J = -w.reshape(classes)[y] * xp.take_along_axis(log_p, y[:, None], 1)[:, 0]
    if smoothing:  # without it, 0 · log 0 must not come in
        J = (1 - smoothing) * J - smoothing / classes * (w * log_p).sum(axis=1)
    return xp.where(kept, J, z.dtype.type(0)), xp.exp(log_p)


def cross_entropy_backward(
    p: Array, labels: Array, weight: Array | None, ignore_index: int, label_smoothing: float, delta: Array
) -> Array:
    """Gradient of :func:`cross_entropy` with respect to z, for δ = ∂J_total/∂(J of the label).

        ∂J/∂z[c] = δ ( (1 - ε) w[y] (p[c] - [c = y])  +  ε/C (p[c] Σ w - w[c]) )        and 0 where y is ignored

    Shapes: p and the result (N, C) or (N, C, d₁, …), labels y and δ without the axis of C, w (C,) or ``None``.

    Raises:
        ShapeError, DtypeError: as for :func:`cross_entropy`, or a ``delta`` that is not like J.
    """
    xp, classes = array_module(p), _check(p, labels, weight)
    expect("delta", delta, labels.shape, p.dtype, "delta has one number per label")
    smoothing = float(label_smoothing)
    kept = labels != ignore_index
    y = xp.where(kept, labels, 0)
    w = _of_classes(weight, p)  # (C, 1, …)
    one_hot = (_of_classes(xp.arange(classes), p) == y[:, None]).astype(p.dtype)  # (N, C, …)
    delta_z = (1 - smoothing) * w.reshape(classes)[y][:, None] * (p - one_hot)
    delta_z += smoothing / classes * (p * w.sum() - w)
    return xp.where(kept[:, None], delta[:, None] * delta_z, p.dtype.type(0))


def _of_classes(weight: Array | None, z: Array) -> Array:
    """A number for each class, 1 if ``None``, as (C, 1, …): along axis 1 of z."""
    classes = z.shape[1]
    w = array_module(z).ones(classes, z.dtype) if weight is None else weight
    return w.reshape(classes, *[1] * (z.ndim - 2))


def _check(z: Array, labels: Array, weight: Array | None) -> int:
    """The number of classes."""
    if z.ndim < 2:
        raise ShapeError("logits of shape (N, C) or (N, C, d₁, …)", describe(z), "reshape to one row per label")
    if labels.dtype.kind not in "iu":
        raise DtypeError("integer class labels", describe(labels), "convert them with labels.astype(np.int64)")
    expect("labels", labels, z.shape[:1] + z.shape[2:], labels.dtype, "one label per row of the logits")
    expect("weight", weight, z.shape[1:2], z.dtype, "one weight per class")
    return int(z.shape[1])
