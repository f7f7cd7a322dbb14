"""What a metric is given: scores or labels, and the labels that are right."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import is_array
from ..errors import DtypeError, LabelError, NonFiniteError, ShapeError, describe
from ..kernels import gpu
from ..tensor import Tensor

__all__ = ["as_array", "expect_labels_of", "expect_samples", "labels_of", "scores_of"]


def as_array(name: str, value: Any) -> np.ndarray:
    """The array of an array or a Tensor, on the CPU.

    Raises:
        DtypeError: it is neither, or does not hold numbers.
    """
    array = value.array if isinstance(value, Tensor) else value
    if not is_array(array) or array.dtype.kind not in "fiub":
        raise DtypeError(f"{name} as an array of numbers, or a Tensor", describe(value), f"np.asarray({name})")
    array = gpu.to_cpu(array)
    if array.dtype.kind == "f" and np.isnan(array).any():
        cure = "look for the step in which the loss became NaN; a smaller learning rate is the usual cure"
        raise NonFiniteError(f"{name} without NaN", f"{int(np.isnan(array).sum())} of {array.size}", cure)
    return array


def expect_samples(array: np.ndarray) -> None:
    """There is something to take a mean of. Raises ShapeError."""
    if array.size == 0:
        raise ShapeError(
            "at least one sample", f"shape {array.shape}", "look at what the loader gave: an empty subset?"
        )


def labels_of(output: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """The predicted and the right label of every sample, in one row each.

    ``output`` holds labels if its numbers are integers, and else the scores of C classes along axis 1, the largest of
    which counts; of equal ones, the first.

    Raises:
        ShapeError, DtypeError, LabelError, NonFiniteError: they do not go together.
    """
    p = as_array("output", output)
    if p.dtype.kind == "f":
        p, t = scores_of(output, target)
        return p.argmax(axis=1), t
    t = _integers(target)
    if p.shape != t.shape:
        cure = "target.reshape(output.shape), if they stand in the same order" if p.size == t.size else ""
        raise ShapeError(f"target of output's shape {p.shape}, one label each", f"shape {t.shape}", cure)
    expect_samples(t)
    return p.reshape(-1).astype(np.int64), t.reshape(-1)


def scores_of(output: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scores (N, C) and right labels (N,), from scores (N, C, …) and labels (N, …).

    Raises:
        ShapeError, DtypeError, LabelError, NonFiniteError: they do not go together.
    """
    s, t = as_array("output", output), _integers(target)
    if s.dtype.kind != "f":
        raise DtypeError("output as floating-point scores (N, C)", describe(output), "pass what the network returned")
    if s.ndim < 2 or s.shape[:1] + s.shape[2:] != t.shape:
        raise ShapeError("output (N, C, …) and target (N, …)", f"shapes {s.shape} and {t.shape}", _cure(s, t))
    C = s.shape[1]
    if C == 1:
        cure = "labels of two classes: (p > 0.5).astype(np.int64), or z > 0 for logits; with target.reshape(-1, 1)"
        raise ShapeError("scores of two classes or more", f"shape {s.shape}: one column", cure)
    s, t = np.moveaxis(s, 1, -1).reshape(-1, C), t.reshape(-1)
    expect_samples(t)
    expect_labels_of(C, t)
    return s, t


def expect_labels_of(C: int, t: np.ndarray) -> None:
    """Every label is among 0 … C - 1. Raises LabelError."""
    wrong = (t < 0) | (t >= C)
    if wrong.any():
        cure = f"count the classes from 0; or give the last layer {int(t.max()) + 1} outputs"
        raise LabelError(f"labels 0 … {C - 1}, since there are scores of {C} classes", f"{t[wrong.argmax()]}", cure)


def _integers(target: Any) -> np.ndarray:
    t = as_array("target", target)
    if t.dtype.kind == "f":
        swapped = "the order is (output, target), and not scikit-learn's (y_true, y_pred); labels are integers: "
        cure = swapped + ("target.argmax(axis=1)" if t.ndim > 1 else "target.astype(np.int64)")
        raise DtypeError("target as labels, integers", describe(target), cure)
    return t.astype(np.int64)


def _cure(s: np.ndarray, t: np.ndarray) -> str:
    if s.shape == t.shape:
        two = "(p > 0.5).astype(np.int64), or z > 0 for logits"
        return f"make labels of the scores of two classes: {two}; of more: output.argmax(axis=1)"
    if t.shape == (len(s), 1):
        return "target.reshape(-1)"
    return "give a row of scores for each label"
