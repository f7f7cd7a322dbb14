"""AlexNet: LeNet, deeper and wider, with ReLU, max pooling and dropout."""

from __future__ import annotations

import numpy as np

from ..nn import AdaptiveAvgPool2d, Conv2d, Dropout, Linear, MaxPool2d, Module, ReLU, Sequential
from ..tensor import Tensor
from .sizes import expect_sizes
from .vision import scaled

__all__ = ["AlexNet"]


class AlexNet(Module):
    """Five convolutions and three linear layers, in torchvision's form, whose names it has.

        features:    conv 11 × 11, stride 4 → 64   ReLU   pool 3 → 27 × 27
                     conv 5 × 5 → 192   ReLU   pool 3 → 13 × 13
                     conv 3 × 3 → 384   ReLU     conv 3 × 3 → 256   ReLU     conv 3 × 3 → 256   ReLU   pool 3 → 6 × 6
        classifier:  dropout   linear → 4096   ReLU     dropout   linear → 4096   ReLU     linear → C
        y = classifier(flatten(avgpool(features(x))))

        ∂J/∂x = features.backward(avgpool.backward(unflatten(classifier.backward(δ))))

    61,100,840 parameters for C = 1000.

    Shapes: x (N, ``in_channels``, 224, 224), y and δ (N, C). Images of other sizes, from 63 × 63, are averaged to
    6 × 6 before the linear layers.

    Args:
        num_classes: C.
        dropout: the probability of dropping an activation in training.
        in_channels: 3 for coloured images, 1 for grey ones.
        width: a factor for the channels and units of every layer.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1. ShapeError, DtypeError: x does not fit.

    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012; in
    the form of Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        dropout: float = 0.5,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_sizes(width, num_classes=num_classes, in_channels=in_channels)
        c1, c2, c3, c4, units = (scaled(n, width) for n in (64, 192, 384, 256, 4096))
        self.features = Sequential(
            Conv2d(in_channels, c1, 11, stride=4, padding=2, rng=rng),
            ReLU(),
            MaxPool2d(3, stride=2),
            Conv2d(c1, c2, 5, padding=2, rng=rng),
            ReLU(),
            MaxPool2d(3, stride=2),
            Conv2d(c2, c3, 3, padding=1, rng=rng),
            ReLU(),
            Conv2d(c3, c4, 3, padding=1, rng=rng),
            ReLU(),
            Conv2d(c4, c4, 3, padding=1, rng=rng),
            ReLU(),
            MaxPool2d(3, stride=2),
        )
        self.avgpool = AdaptiveAvgPool2d((6, 6))
        self.classifier = Sequential(
            Dropout(dropout, rng=rng),
            Linear(c4 * 6 * 6, units, rng=rng),
            ReLU(),
            Dropout(dropout, rng=rng),
            Linear(units, units, rng=rng),
            ReLU(),
            Linear(units, num_classes, rng=rng),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
