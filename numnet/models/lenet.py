"""LeNet: the convolutional network that read cheques."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..nn import AvgPool2d, Conv2d, Flatten, Linear, Module, Sequential, Sigmoid
from ..tensor import Tensor
from .sizes import expect_sizes

__all__ = ["LeNet"]


class LeNet(Module):
    """Two convolutions with pooling, and three linear layers: LeNet-5 in its plain form.

        features:    conv 5 × 5 → 6   act   pool 2 → 14 × 14     conv 5 × 5 → 16   act   pool 2 → 5 × 5
        classifier:  flatten → 400    linear → 120   act         linear → 84   act       linear → C
        y = classifier(features(x))

        ∂J/∂x = features.backward(classifier.backward(δ))

    As it stands, with sigmoid and average pooling, it is the LeNet of Dive into deep learning;
    ``LeNet(activation=nn.ReLU, pool=nn.MaxPool2d)`` is what became of it. 61,706 parameters for C = 10.

    Shapes: x (N, ``in_channels``, 28, 28), y and δ (N, C).

    Args:
        num_classes: C.
        in_channels: 1 for grey images, 3 for coloured ones.
        activation: what makes an activation: ``nn.Sigmoid``, ``nn.ReLU``, ….
        pool: what makes a pooling of this size: ``nn.AvgPool2d`` or ``nn.MaxPool2d``.
        padding: around the image; 2 for images of 28 × 28, 0 for 32 × 32.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Raises:
        OptionError: a size below 1. ShapeError, DtypeError: x does not fit.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998, section
    II.B; in the form of Zhang, Lipton, Li and Smola, Dive into deep learning, 2023, section 7.6.
    """

    def __init__(
        self,
        num_classes: int = 10,
        in_channels: int = 1,
        activation: Callable[[], Module] = Sigmoid,
        pool: Callable[[int], Module] = AvgPool2d,
        padding: int = 2,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_sizes(num_classes=num_classes, in_channels=in_channels)
        self.features = Sequential(
            Conv2d(in_channels, 6, 5, padding=padding, rng=rng),  # (N, 6, 28, 28)
            activation(),
            pool(2),  # (N, 6, 14, 14)
            Conv2d(6, 16, 5, rng=rng),  # (N, 16, 10, 10)
            activation(),
            pool(2),  # (N, 16, 5, 5)
        )
        self.classifier = Sequential(
            Flatten(),
            Linear(16 * 5 * 5, 120, rng=rng),
            activation(),
            Linear(120, 84, rng=rng),
            activation(),
            Linear(84, num_classes, rng=rng),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))
