"""Metrics of numbers: how far off they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from .expect import as_array, expect_samples

__all__ = ["mean_absolute_error", "mean_squared_error", "r2"]


def mean_squared_error(output: Any, target: Any) -> float:
    """The mean of the squared differences.

        MSE = 1/n Σᵢ (outputᵢ - targetᵢ)²

    Shapes: output and target any, and the same.

    Raises:
        ShapeError: they differ, or are empty. DtypeError: no numbers. NonFiniteError: NaN.
    """
    y, t = _pair(output, target)
    return float(np.mean((y - t) ** 2))


def mean_absolute_error(output: Any, target: Any) -> float:
    """The mean of the differences without their sign.

        MAE = 1/n Σᵢ |outputᵢ - targetᵢ|

    Shapes and Raises: as for :func:`mean_squared_error`.
    """
    y, t = _pair(output, target)
    return float(np.mean(np.abs(y - t)))


def r2(output: Any, target: Any) -> float:
    """The part of the variance of the targets that the outputs explain: 1 if all, 0 for the mean of the targets.

        R² = 1 - Σₙ (outputₙ - targetₙ)² / Σₙ (targetₙ - mean target)²

    The mean over the columns, if there are several. A column of equal targets has 1 if it is met exactly, else 0.

    Shapes: output and target (N,) or (N, K), and the same; N at least 2.

    Raises:
        ShapeError: other shapes. DtypeError: no numbers. NonFiniteError: NaN.
    """
    y, t = _pair(output, target)
    if y.ndim not in (1, 2) or len(y) < 2:
        raise ShapeError("output (N,) or (N, K) with N ≥ 2", f"shape {y.shape}", "there is no variance of one number")
    left = ((y - t) ** 2).sum(axis=0)
    variance = ((t - t.mean(axis=0)) ** 2).sum(axis=0)
    constant = variance == 0
    return float(np.mean(np.where(constant, left == 0, 1 - left / np.where(constant, 1, variance))))


def _pair(output: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    y, t = as_array("output", output), as_array("target", target)
    if y.shape != t.shape:
        cure = "target.reshape(output.shape): else every output would be compared with every target"
        raise ShapeError(f"target of output's shape {y.shape}", f"shape {t.shape}", cure if y.size == t.size else "")
    expect_samples(y)
    return y.astype(np.float64), t.astype(np.float64)
