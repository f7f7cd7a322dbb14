"""VGG: a network made of blocks, each some convolutions of 3 × 3 and a pooling that halves the image."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..errors import OptionError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Linear, MaxPool2d, Module, ReLU, Sequential, init
from ..tensor import Tensor
from .sizes import expect_sizes
from .vision import he_normal, scaled

__all__ = ["VGG", "vgg11", "vgg13", "vgg16", "vgg19", "vgg_block"]

_CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # in each block
_CHANNELS = (64, 128, 256, 512, 512)


def vgg_block(
    num_convs: int,
    in_channels: int,
    out_channels: int,
    *,
    batch_norm: bool = False,
    rng: np.random.Generator | None = None,
) -> Sequential:
    """``num_convs`` times conv 3 × 3 (batch norm) and ReLU, then a max pooling that halves height and width.

    Raises:
        OptionError: a size below 1.
    """
    expect_sizes(num_convs=num_convs, in_channels=in_channels, out_channels=out_channels)
    layers: list[Module] = []
    for number in range(num_convs):
        layers.append(Conv2d(out_channels if number else in_channels, out_channels, 3, padding=1, rng=rng))
        if batch_norm:
            layers.append(BatchNorm2d(out_channels))
        layers.append(ReLU())
    return Sequential(*layers, MaxPool2d(2, stride=2))


class VGG(Module):
    """Five blocks of convolutions and three linear layers; names are torchvision's.

        features:    blocks of 64, 128, 256, 512, 512 channels: 224 → 112 → 56 → 28 → 14 → 7
                     each 1 to 4 times conv 3 × 3 (batch norm) ReLU, then pool 2; see vgg_block
        classifier:  linear → 4096   ReLU   dropout     linear → 4096   ReLU   dropout     linear → C
        y = classifier(flatten(avgpool(features(x))))

        ∂J/∂x = features.backward(avgpool.backward(unflatten(classifier.backward(δ))))

    For C = 1000, VGG-11 has 132,863,336 parameters, VGG-16 138,357,544.

    Shapes: x (N, ``in_channels``, 224, 224), y and δ (N, C). Images of other sizes, from 32 × 32, are averaged to
    7 × 7 before the linear layers.

    Args:
        depth: 11, 13, 16 or 19, the number of layers with weights, in which the input is not counted.
        num_classes: C.
        batch_norm: whether there is a batch norm between each convolution and its ReLU.
        dropout: the probability of dropping an activation in training.
        in_channels: 3 for coloured images, 1 for grey ones.
        width: a factor for the channels and units of every layer.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Initial values: convolutions normal for ReLUs, keeping the variance of δ; linear layers normal with σ = 0.01;
    biases 0.

    Raises:
        OptionError: another depth, or a size below 1. ShapeError, DtypeError: x does not fit.

    Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, 2015, table 1.
    """

    def __init__(
        self,
        depth: Literal[11, 13, 16, 19],
        num_classes: int = 1000,
        *,
        batch_norm: bool = False,
        dropout: float = 0.5,
        in_channels: int = 3,
        width: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if depth not in _CONVOLUTIONS:
            raise OptionError("a depth of 11, 13, 16 or 19", f"depth={depth!r}", "choose one of these")
        expect_sizes(width, num_classes=num_classes, in_channels=in_channels)
        self.depth = depth
        features: list[Module] = []
        channels = in_channels
        for num_convs, out_channels in zip(_CONVOLUTIONS[depth], _CHANNELS, strict=True):
            features += vgg_block(num_convs, channels, scaled(out_channels, width), batch_norm=batch_norm, rng=rng)
            channels = scaled(out_channels, width)
        self.features = Sequential(*features)
        self.avgpool = AdaptiveAvgPool2d((7, 7))
        units = scaled(4096, width)
        self.classifier = Sequential(
            Linear(channels * 7 * 7, units, rng=rng),
            ReLU(),
            Dropout(dropout, rng=rng),
            Linear(units, units, rng=rng),
            ReLU(),
            Dropout(dropout, rng=rng),
            Linear(units, num_classes, rng=rng),
        )
        he_normal(self, "fan_out", rng)
        for module in self.classifier:
            if isinstance(module, Linear):
                init.normal_(module.weight, std=0.01, rng=rng)
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def vgg11(num_classes: int = 1000, **options: Any) -> VGG:
    """VGG of 11 layers, configuration A; ``options`` are those of :class:`VGG`."""
    return VGG(11, num_classes, **options)


def vgg13(num_classes: int = 1000, **options: Any) -> VGG:
    """VGG of 13 layers, configuration B; ``options`` are those of :class:`VGG`."""
    return VGG(13, num_classes, **options)


def vgg16(num_classes: int = 1000, **options: Any) -> VGG:
    """VGG of 16 layers, configuration D; ``options`` are those of :class:`VGG`."""
    return VGG(16, num_classes, **options)


def vgg19(num_classes: int = 1000, **options: Any) -> VGG:
    """VGG of 19 layers, configuration E; ``options`` are those of :class:`VGG`."""
    return VGG(19, num_classes, **options)
