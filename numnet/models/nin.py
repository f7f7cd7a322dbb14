"""NiN, network in network: after every convolution a small dense network for each pixel, and none at the end."""

from __future__ import annotations

import numpy as np

from ..nn import AdaptiveAvgPool2d, Conv2d, Dropout, Flatten, MaxPool2d, Module, ReLU, Sequential
from ..tensor import Tensor
from .sizes import expect_sizes
from .vision import scaled

__all__ = ["NiN", "nin_block"]


def nin_block(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    strides: int,
    padding: int,
    *,
    rng: np.random.Generator | None = None,
) -> Sequential:
    """A convolution and two of 1 × 1, which are the same two dense layers at every pixel; each with its ReLU.

    Raises:
        OptionError: a size below 1.
    """
    expect_sizes(in_channels=in_channels, out_channels=out_channels, kernel_size=kernel_size, strides=strides)
    return Sequential(
        Conv2d(in_channels, out_channels, kernel_size, strides, padding, rng=rng),
        ReLU(),
        Conv2d(out_channels, out_channels, kernel_size=1, rng=rng),
        ReLU(),
        Conv2d(out_channels, out_channels, kernel_size=1, rng=rng),
        ReLU(),
    )


class NiN(Module):
    """Four blocks with pooling between them; the last has a channel for each class, whose mean is its score.

        block 11 × 11, stride 4 → 96   pool 3 → 26 × 26        block 5 × 5 → 256   pool 3 → 12 × 12
        block 3 × 3 → 384   pool 3 → 5 × 5        dropout      block 3 × 3 → C     mean over the image
        y = net(x)

        ∂J/∂x = net.backward(δ)

    1,992,166 parameters for C = 10: most of those of AlexNet were in the linear layers that are not here.

    Shapes: x (N, ``in_channels``, 224, 224), y and δ (N, C). Images of other sizes, from 67 × 67, do as well.

    Args:
        num_classes: C.
        in_channels: 1 for grey images, 3 for coloured ones.
        dropout: the probability of dropping an activation in training.
        width: a factor for the channels of every block but the last.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1. ShapeError, DtypeError: x does not fit.

    Source: Lin, Chen and Yan, Network in network, 2014; in the form of Zhang, Lipton, Li and Smola, Dive into deep
    learning, 2023, section 8.3.
    """

    def __init__(
        self,
        num_classes: int = 10,
        in_channels: int = 1,
        dropout: float = 0.5,
        *,
        width: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_sizes(width, num_classes=num_classes, in_channels=in_channels)
        c1, c2, c3 = (scaled(n, width) for n in (96, 256, 384))
        self.net = Sequential(
            nin_block(in_channels, c1, kernel_size=11, strides=4, padding=0, rng=rng),
            MaxPool2d(3, stride=2),
            nin_block(c1, c2, kernel_size=5, strides=1, padding=2, rng=rng),
            MaxPool2d(3, stride=2),
            nin_block(c2, c3, kernel_size=3, strides=1, padding=1, rng=rng),
            MaxPool2d(3, stride=2),
            Dropout(dropout, rng=rng),
            nin_block(c3, num_classes, kernel_size=3, strides=1, padding=1, rng=rng),
            AdaptiveAvgPool2d((1, 1)),
            Flatten(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)
