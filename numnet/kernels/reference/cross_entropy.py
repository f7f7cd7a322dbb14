"""Cross-entropy of logits with class labels, row by row."""

from __future__ import annotations

from ...arrays import Array, array_module
from ...errors import DtypeError, ShapeError, describe
from .checks import expect, expect_labels
from .softmax import log_softmax

__all__ = ["cross_entropy", "cross_entropy_backward"]


def cross_entropy(
    z: Array, labels: Array, weight: Array | None, ignore_index: int, label_smoothing: float
) -> tuple[Array, Array]:
    """The loss of every row, and the probabilities that its backward reads.

        p = softmax(z)
        J = -(1 - ε) w[y] log p[y] - ε/C Σ_c w[c] log p[c]        and 0 in rows with y = ``ignore_index``

    Shapes: z (M, C), labels y (M,) integers, w (C,) or ``None`` for ones, J (M,), p (M, C); ε is ``label_smoothing``.

    Raises:
        ShapeError: sizes that do not fit each other.
        DtypeError: labels that are not integers, or a weight of another dtype than z.
        LabelError: a label outside 0 … C - 1 that is not ``ignore_index``.

    Source of the smoothing: Szegedy et al., Rethinking the Inception architecture for computer vision, 2016, section 7.
    """
    xp, (rows, classes) = array_module(z), _check(z, labels, weight)
    smoothing = float(label_smoothing)  # a NumPy scalar would turn float32 into float64
    kept = expect_labels(labels, classes, ignore_index)  # (M,)
    y = xp.where(kept, labels, 0)
    w = xp.ones(classes, z.dtype) if weight is None else weight  # (C,)
    log_p = log_softmax(z, 1)  # (M, C)
    J = -w[y] * log_p[xp.arange(rows), y]
    if smoothing:  # without it, 0 · log 0 must not come in
        J = (1 - smoothing) * J - smoothing / classes * (w * log_p).sum(axis=1)
    return xp.where(kept, J, z.dtype.type(0)), xp.exp(log_p)


def cross_entropy_backward(
    p: Array, labels: Array, weight: Array | None, ignore_index: int, label_smoothing: float, delta: Array
) -> Array:
    """Gradient of :func:`cross_entropy` with respect to z, for δ = ∂J_total/∂(J of the row).

        ∂J/∂z[c] = δ ( (1 - ε) w[y] (p[c] - [c = y])  +  ε/C (p[c] Σ w - w[c]) )        and 0 in ignored rows

    Shapes: p (M, C), labels y (M,), w (C,) or ``None``, δ (M,), result (M, C).

    Raises:
        ShapeError, DtypeError: as for :func:`cross_entropy`, or a ``delta`` that is not like J.
    """
    xp, (rows, classes) = array_module(p), _check(p, labels, weight)
    expect("delta", delta, (rows,), p.dtype, "delta has one number per row")
    smoothing = float(label_smoothing)
    kept = labels != ignore_index
    y = xp.where(kept, labels, 0)
    w = xp.ones(classes, p.dtype) if weight is None else weight
    one_hot = (xp.arange(classes) == y[:, None]).astype(p.dtype)  # (M, C)
    delta_z = (1 - smoothing) * w[y][:, None] * (p - one_hot)
    delta_z += smoothing / classes * (p * w.sum() - w)
    return xp.where(kept[:, None], delta[:, None] * delta_z, p.dtype.type(0))


def _check(z: Array, labels: Array, weight: Array | None) -> tuple[int, int]:
    if z.ndim != 2:
        raise ShapeError("logits of shape (rows, classes)", describe(z), "reshape to one row per label")
    if labels.dtype.kind not in "iu":
        raise DtypeError("integer class labels", describe(labels), "convert them with labels.astype(np.int64)")
    expect("labels", labels, z.shape[:1], labels.dtype, "one label per row of the logits")
    expect("weight", weight, z.shape[1:], z.dtype, "one weight per class")
    rows, classes = z.shape
    return rows, classes
