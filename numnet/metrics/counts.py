"""Metrics that count: which class was taken for which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ..errors import DtypeError, OptionError, describe
from .expect import labels_of

__all__ = ["confusion_matrix", "f1", "precision", "recall"]

Average: TypeAlias = Literal["binary", "macro", "micro", "weighted"] | None
Labels: TypeAlias = Iterable[int] | None

AVERAGES = ("binary", "macro", "micro", "weighted", None)


def confusion_matrix(output: Any, target: Any, labels: Labels = None) -> np.ndarray:
    """Which class was taken for which.

        M[i, j] = #{n: targetₙ = labelᵢ, predictedₙ = labelⱼ}

    Shapes: output and target as for :func:`accuracy`; M (K, K) of integers, a row for each right class, a column for
    each predicted one.

    Args:
        output: scores of classes, or labels.
        target: the right labels.
        labels: which classes, in the order of the rows; those that occur, from the lowest, if ``None``. Give
            ``range(10)`` to have ten, whatever occurs. What is not among them is left out.

    Raises:
        OptionError: a label twice. ShapeError, DtypeError, LabelError, NonFiniteError: as for accuracy.
    """
    p, t = labels_of(output, target)
    found, position = _among(labels, p, t)
    row, column = position(t), position(p)
    kept = (row >= 0) & (column >= 0)
    K = len(found)
    return np.bincount(row[kept] * K + column[kept], minlength=K * K).reshape(K, K)


def precision(
    output: Any,
    target: Any,
    average: Average = "binary",
    *,
    labels: Labels = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """Of what was taken for a class, the part that is of it.

        precision = TP / (TP + FP)

    TP counts what was rightly taken for the class, FP what was wrongly taken for it, FN what was wrongly not.

    Shapes: output and target as for :func:`accuracy`.

    Args:
        output: scores of classes, or labels.
        target: the right labels.
        average: ``"binary"``, of two classes the one called ``pos_label``; ``None``, each class by itself, in an array
            (K,); ``"macro"``, the mean of these; ``"weighted"``, weighted by how often the class occurs in ``target``;
            ``"micro"``, from the counts of all classes added up, which of all classes is the accuracy.
        labels: which classes, in this order; those that occur, from the lowest, if ``None``.
        pos_label: the class of ``"binary"``.
        zero_division: the value where nothing was taken for the class, 0/0; with ``np.nan`` means leave it out.

    Returns:
        A number, or the array for ``None``: what scikit-learn's function of this name has, but for the order of the
        arguments, and the warning where 0/0 occurs.

    Raises:
        OptionError: another ``average``; ``"binary"`` with more than two classes or without ``pos_label``; a label
            twice. ShapeError, DtypeError, LabelError, NonFiniteError: as for accuracy.
    """
    counts = _count(output, target, average, labels, pos_label)
    return _averaged(counts.right, counts.predicted, counts.of_target, average, zero_division)


def recall(
    output: Any,
    target: Any,
    average: Average = "binary",
    *,
    labels: Labels = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """Of what is of a class, the part that was found.

        recall = TP / (TP + FN)

    Shapes, Args, Returns and Raises: those of :func:`precision`; 0/0 is where nothing is of the class.
    """
    counts = _count(output, target, average, labels, pos_label)
    return _averaged(counts.right, counts.of_target, counts.of_target, average, zero_division)


def f1(
    output: Any,
    target: Any,
    average: Average = "binary",
    *,
    labels: Labels = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """The harmonic mean of precision and recall.

        F₁ = 2 precision recall / (precision + recall) = 2 TP / (2 TP + FP + FN)

    Shapes, Args, Returns and Raises: those of :func:`precision`; 0/0 is where the class occurs nowhere.
    """
    counts = _count(output, target, average, labels, pos_label)
    return _averaged(2 * counts.right, counts.predicted + counts.of_target, counts.of_target, average, zero_division)


class _Counts(NamedTuple):
    """Of each class: TP, TP + FP, TP + FN."""

    right: np.ndarray  # (K,)
    predicted: np.ndarray  # (K,)
    of_target: np.ndarray  # (K,)


def _count(output: Any, target: Any, average: Average, labels: Labels, pos_label: int) -> _Counts:
    if average not in AVERAGES:
        known = ", ".join(map(repr, AVERAGES))
        raise OptionError(f"average among {known}", f"average={average!r}", 'average="macro" is usual')
    p, t = labels_of(output, target)
    if average == "binary":
        occurring = np.union1d(p, t)
        cure = 'average="macro", "micro" or "weighted"; None for each class by itself'
        if len(occurring) > 2:
            raise OptionError('two classes for average="binary"', f"{len(occurring)} that occur", cure)
        if len(occurring) == 2 and pos_label not in occurring:
            raise OptionError(
                f"pos_label among {occurring.tolist()}", f"pos_label={pos_label!r}", "choose one of these"
            )
        labels = [pos_label]
    found, position = _among(labels, p, t)
    of_p, of_t = position(p), position(t)
    K = len(found)
    counts = _Counts(*[np.bincount(n[n >= 0], minlength=K) for n in (of_t[of_p == of_t], of_p, of_t)])
    return _Counts(*[n.sum(keepdims=True) for n in counts]) if average == "micro" else counts


def _among(labels: Labels, p: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, Any]:
    """The classes that count, and the function that gives the place among them of each label; -1 if it has none."""
    occurring = np.union1d(p, t)
    found = occurring if labels is None else np.asarray(list(labels))
    if found.size and found.dtype.kind not in "iub":
        raise DtypeError("labels as integers", describe(found), "number the classes from 0")
    if len(np.unique(found)) < len(found):
        raise OptionError("each label once", f"labels={found.tolist()}", "leave out what is there twice")
    order = np.argsort(found)

    def position(values: np.ndarray) -> np.ndarray:
        if not len(found):
            return np.full(values.shape, -1)
        place = order[np.searchsorted(found, values, sorter=order).clip(max=len(found) - 1)]
        return np.where(found[place] == values, place, -1)

    return found, position


def _averaged(part: np.ndarray, whole: np.ndarray, weight: np.ndarray, average: Average, zero_division: float) -> Any:
    """part / whole of each class, or their mean."""
    values = np.divide(part, whole, out=np.full(len(whole), float(zero_division)), where=whole > 0)
    if average is None:
        return values
    defined = ~np.isnan(values)
    if not defined.any():
        return float("nan")
    if average == "weighted" and weight[defined].any():
        return float(np.average(values[defined], weights=weight[defined]))
    return float(values[defined].mean())
