"""Metrics of the scores of classes: how often the right one wins, is near the top, how much it surprises."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..call import no_grad
from ..errors import OptionError
from ..nn import functional
from .expect import as_array, labels_of, scores_of

__all__ = ["accuracy", "perplexity", "top_k_accuracy"]


def accuracy(output: Any, target: Any) -> float:
    """How many of the labels are right, from 0 to 1.

        accuracy = 1/N Σₙ [predictedₙ = targetₙ]

    Shapes: output (N, C, …) of floating-point scores, logits or probabilities, the largest of which counts (of equal
    ones the first); or labels, integers of target's shape. target (N, …), integers.

    Raises:
        ShapeError, DtypeError: they do not go together. LabelError: a label that has no score.
        NonFiniteError: NaN among the scores.
    """
    predicted, right = labels_of(output, target)
    return float((predicted == right).mean())


def top_k_accuracy(output: Any, target: Any, k: int = 5) -> float:
    """How often the right class is among the k with the largest scores; 1 less this is the top-k error.

        top-k = 1/N Σₙ [#{c: scoreₙ꜀ before scoreₙ,target} < k]

    One score comes before another if it is larger or, of two equal ones, that of the lower class: k = 1 is
    :func:`accuracy`. (scikit-learn puts the higher class first.)

    Shapes: output (N, C, …) of floating-point scores, target (N, …), integers.

    Raises:
        OptionError: k is not one of 1 … C. ShapeError, DtypeError, LabelError, NonFiniteError: as for accuracy.
    """
    s, t = scores_of(output, target)  # (N, C), (N,)
    C = s.shape[1]
    if not 1 <= k <= C:
        raise OptionError(f"k from 1 to the {C} classes", f"k={k!r}", f"k={min(C, max(1, k))}, or another metric")
    own = np.take_along_axis(s, t[:, None], axis=1)  # (N, 1)
    before = (s > own) | ((s == own) & (np.arange(C) < t[:, None]))  # (N, C)
    return float((before.sum(axis=1) < k).mean())


def perplexity(output: Any, target: Any, ignore_index: int = -100) -> float:
    """Among how many equally likely classes the network hesitates: 1 if it is sure and right, C if it knows nothing.

        perplexity = exp J        J = -1/N Σₙ log p(targetₙ), the cross-entropy

    It is infinite where J is beyond what exp can give. A mean over batches has to be one of J, and not of this.

    Shapes: output (N, C, …) of logits, target (N, …), integers; those equal to ``ignore_index`` do not count.

    Raises:
        ShapeError, DtypeError, LabelError: as for :class:`~numnet.nn.CrossEntropyLoss`. NonFiniteError: NaN among the
        logits.
    """
    z, t = as_array("output", output), as_array("target", target)
    with no_grad(), np.errstate(over="ignore"):
        J = functional.cross_entropy(z, t, ignore_index=ignore_index)
        return float(np.exp(np.float64(J)))
