"""How good the outputs of a network are: functions of all outputs and all targets, as scikit-learn has them."""

from __future__ import annotations

from .counts import confusion_matrix, f1, precision, recall
from .regression import mean_absolute_error, mean_squared_error, r2
from .scores import accuracy, perplexity, top_k_accuracy

__all__ = [
    "accuracy",
    "confusion_matrix",
    "f1",
    "mean_absolute_error",
    "mean_squared_error",
    "perplexity",
    "precision",
    "r2",
    "recall",
    "top_k_accuracy",
]
