"""Losses."""

from __future__ import annotations

import numpy as np
from contract import RNG, Example, numbers

from numnet import nn


def probabilities(*shape: int) -> np.ndarray:
    return 0.05 + 0.9 * RNG.random(shape)


def labels(*shape: int, classes: int) -> np.ndarray:
    return RNG.integers(0, classes, shape)


def one_hot_mix(n: int, classes: int) -> np.ndarray:
    p = RNG.random((n, classes))
    return p / p.sum(1, keepdims=True)


def log_probabilities(*shape: int) -> np.ndarray:
    z = numbers(*shape)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.MSELoss: [
        Example(nn.MSELoss, (numbers(4, 3), numbers(4, 3))),
        Example(lambda: nn.MSELoss(reduction="none"), (numbers(4), numbers(4))),
    ],
    nn.CrossEntropyLoss: [
        Example(nn.CrossEntropyLoss, (numbers(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.CrossEntropyLoss(weight=np.array([1.0, 2.0, 0.5]), label_smoothing=0.2, ignore_index=1),
            (numbers(4, 3), np.array([0, 2, 1, 2])),
        ),
        Example(lambda: nn.CrossEntropyLoss(reduction="sum"), (numbers(4, 3), one_hot_mix(4, 3))),
        Example(nn.CrossEntropyLoss, (numbers(2, 3, 2, 2), labels(2, 2, 2, classes=3))),
    ],
    nn.NLLLoss: [
        Example(nn.NLLLoss, (log_probabilities(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.NLLLoss(np.array([1.0, 2.0, 0.5]), reduction="none"),
            (log_probabilities(4, 3), labels(4, classes=3)),
        ),
    ],
    nn.BCELoss: [
        Example(nn.BCELoss, (probabilities(4, 2), probabilities(4, 2))),
        Example(lambda: nn.BCELoss(reduction="sum"), (probabilities(5), RNG.integers(0, 2, 5).astype(float))),
    ],
    nn.BCEWithLogitsLoss: [
        Example(nn.BCEWithLogitsLoss, (numbers(4, 2), probabilities(4, 2))),
        Example(
            lambda: nn.BCEWithLogitsLoss(weight=np.array([1.0, 0.5]), pos_weight=np.array([3.0, 2.0])),
            (numbers(4, 2), probabilities(4, 2)),
        ),
    ],
}
