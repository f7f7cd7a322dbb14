"""Pooling."""

from __future__ import annotations

import numpy as np
from contract import Example, numbers

from numnet import nn

INDEX = np.array([[[0, 3, 5], [6, 1, 2]], [[4, 0, 2], [1, 3, 6]]])  # into planes of 7 and more elements, none twice
SAMPLES = np.array([[[0.1, 0.9], [0.6, 0.3]], [[0.7, 0.2], [0.4, 0.5]]])

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.MaxPool2d: [
        Example(lambda: nn.MaxPool2d(2), (numbers(2, 2, 5, 4),)),
        Example(lambda: nn.MaxPool2d(3, stride=1, padding=1), (numbers(2, 1, 4, 5),)),
        Example(lambda: nn.MaxPool2d(2, dilation=2, ceil_mode=True, stride=2), (numbers(1, 2, 6, 5),)),
    ],
    nn.AvgPool2d: [
        Example(lambda: nn.AvgPool2d(2), (numbers(2, 2, 5, 4),)),
        Example(lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (numbers(2, 1, 4, 6),)),
        Example(lambda: nn.AvgPool2d(2, padding=1, count_include_pad=False), (numbers(2, 1, 4, 5),)),
        Example(lambda: nn.AvgPool2d(2, stride=1, divisor_override=3), (numbers(2, 1, 3, 3),)),
    ],
    nn.MaxPool1d: [
        Example(lambda: nn.MaxPool1d(2), (numbers(2, 2, 5),)),
        Example(lambda: nn.MaxPool1d(3, stride=2, padding=1, return_indices=True), (numbers(2, 1, 5),)),
    ],
    nn.MaxPool3d: [Example(lambda: nn.MaxPool3d((1, 2, 2), stride=1, padding=(0, 1, 0)), (numbers(2, 1, 2, 2, 3),))],
    nn.AvgPool1d: [
        Example(lambda: nn.AvgPool1d(2), (numbers(2, 2, 5),)),
        Example(lambda: nn.AvgPool1d(3, 2, 1, ceil_mode=True, count_include_pad=False), (numbers(2, 1, 6),)),
    ],
    nn.AvgPool3d: [Example(lambda: nn.AvgPool3d((1, 2, 2), stride=1, padding=(0, 1, 0)), (numbers(2, 1, 2, 2, 3),))],
    nn.LPPool1d: [
        Example(lambda: nn.LPPool1d(2, 2), (numbers(2, 2, 5),)),
        Example(lambda: nn.LPPool1d(1.5, 3, stride=2, ceil_mode=True), (np.abs(numbers(2, 2, 6)),)),
    ],
    nn.LPPool2d: [Example(lambda: nn.LPPool2d(2, (2, 3), stride=1), (numbers(2, 1, 3, 4),))],
    nn.LPPool3d: [Example(lambda: nn.LPPool3d(4, 2), (numbers(2, 1, 2, 3, 2),))],
    nn.AdaptiveAvgPool1d: [Example(lambda: nn.AdaptiveAvgPool1d(2), (numbers(2, 2, 5),))],
    nn.AdaptiveAvgPool2d: [
        Example(lambda: nn.AdaptiveAvgPool2d((2, 3)), (numbers(2, 2, 3, 4),)),
        Example(lambda: nn.AdaptiveAvgPool2d((3, None)), (numbers(2, 1, 2, 3),)),
    ],
    nn.AdaptiveAvgPool3d: [Example(lambda: nn.AdaptiveAvgPool3d((1, 2, None)), (numbers(2, 1, 2, 3, 2),))],
    nn.AdaptiveMaxPool1d: [Example(lambda: nn.AdaptiveMaxPool1d(2), (numbers(2, 2, 5),))],
    nn.AdaptiveMaxPool2d: [
        Example(lambda: nn.AdaptiveMaxPool2d((2, 3)), (numbers(2, 2, 3, 4),)),
        Example(lambda: nn.AdaptiveMaxPool2d((3, None), return_indices=True), (numbers(2, 1, 2, 3),)),
    ],
    nn.AdaptiveMaxPool3d: [Example(lambda: nn.AdaptiveMaxPool3d((1, 2, None)), (numbers(2, 1, 2, 3, 2),))],
    nn.MaxUnpool1d: [Example(lambda: nn.MaxUnpool1d(3, stride=2), (numbers(2, 2, 3), INDEX))],
    nn.MaxUnpool2d: [Example(lambda: nn.MaxUnpool2d((2, 3)), (numbers(2, 2, 1, 3), INDEX[:, :, None]))],
    nn.MaxUnpool3d: [Example(lambda: nn.MaxUnpool3d((1, 2, 3)), (numbers(2, 2, 1, 1, 3), INDEX[:, :, None, None]))],
    nn.FractionalMaxPool2d: [
        Example(lambda: nn.FractionalMaxPool2d(2, output_ratio=(0.7, 0.6)), (numbers(2, 2, 3, 5),)),
        Example(lambda: nn.FractionalMaxPool2d((1, 2), (2, 3), _random_samples=SAMPLES), (numbers(2, 2, 4, 5),)),
        Example(lambda: nn.FractionalMaxPool2d(2, 2, return_indices=True), (numbers(2, 1, 4, 3),)),
    ],
    nn.FractionalMaxPool3d: [Example(lambda: nn.FractionalMaxPool3d((1, 2, 2), 2), (numbers(2, 1, 2, 3, 4),))],
}
