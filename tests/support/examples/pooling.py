"""Pooling."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

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
}
