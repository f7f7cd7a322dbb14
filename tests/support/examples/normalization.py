"""Normalisation."""

from __future__ import annotations

import numpy as np
from contract import Example, numbers

from numnet import nn


def trained_norm(norm: nn.Layer) -> nn.Layer:
    norm.running_mean[...] = np.linspace(-1, 1, norm.num_features)
    norm.running_var[...] = np.linspace(0.5, 2, norm.num_features)
    return norm.eval()


EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.BatchNorm1d: [
        Example(lambda: nn.BatchNorm1d(3), (numbers(5, 3),)),
        Example(lambda: nn.BatchNorm1d(2, momentum=None), (numbers(3, 2, 4),)),
        Example(lambda: trained_norm(nn.BatchNorm1d(3)), (numbers(4, 3),)),
    ],
    nn.BatchNorm2d: [
        Example(lambda: nn.BatchNorm2d(2), (numbers(3, 2, 2, 3),)),
        Example(lambda: nn.BatchNorm2d(2, affine=False, track_running_stats=False), (numbers(3, 2, 2, 3),)),
        Example(lambda: trained_norm(nn.BatchNorm2d(2)), (numbers(2, 2, 3, 2),)),
    ],
}
