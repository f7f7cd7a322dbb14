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
    nn.BatchNorm3d: [Example(lambda: nn.BatchNorm3d(2), (numbers(3, 2, 2, 1, 2),))],
    nn.InstanceNorm1d: [
        Example(lambda: nn.InstanceNorm1d(2), (numbers(3, 2, 4),)),
        Example(lambda: trained_norm(nn.InstanceNorm1d(2, affine=True, track_running_stats=True)), (numbers(3, 2, 2),)),
    ],
    nn.InstanceNorm2d: [
        Example(lambda: nn.InstanceNorm2d(2, affine=True, track_running_stats=True), (numbers(3, 2, 2, 2),))
    ],
    nn.InstanceNorm3d: [Example(lambda: nn.InstanceNorm3d(2, affine=True, bias=False), (numbers(3, 2, 2, 1, 2),))],
    nn.LayerNorm: [
        Example(lambda: nn.LayerNorm(4), (numbers(3, 4),)),
        Example(lambda: nn.LayerNorm((2, 3), bias=False), (numbers(3, 2, 2, 3),)),
        Example(lambda: nn.LayerNorm(5, elementwise_affine=False), (numbers(4, 5),)),
    ],
    nn.GroupNorm: [
        Example(lambda: nn.GroupNorm(2, 4), (numbers(3, 4, 2),)),
        Example(lambda: nn.GroupNorm(1, 4, affine=False), (numbers(3, 4, 2),)),
    ],
    nn.RMSNorm: [
        Example(lambda: nn.RMSNorm(4), (numbers(3, 4),)),
        Example(lambda: nn.RMSNorm((2, 3), eps=0.1, elementwise_affine=False), (numbers(3, 2, 3),)),
    ],
    nn.LocalResponseNorm: [
        Example(lambda: nn.LocalResponseNorm(2, alpha=0.5), (numbers(3, 4, 2),)),
        Example(lambda: nn.LocalResponseNorm(3, 0.7, 1.2, 0.8), (numbers(2, 2, 1, 2),)),
    ],
}
