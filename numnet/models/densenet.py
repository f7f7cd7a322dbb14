"""DenseNet: every layer sees what all layers before it have made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import OptionError
from ..functions import cat
from ..nn import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)
from ..tensor import Tensor
from .sizes import expect_sizes
from .vision import he_normal

__all__ = ["DenseNet", "densenet121", "densenet161", "densenet169", "densenet201"]

Rng = np.random.Generator | None


class _DenseLayer(Module):
    """x, and behind its channels ``growth_rate`` new ones: what a block of DenseNet is made of.

    f = drop(conv2(relu2(norm2(conv1(relu1(norm1(x)))))))        y = [x, f]

    δ = [δₓ, δ_f]        ∂J/∂x = δₓ + norm1.backward(… conv2.backward(drop.backward(δ_f)))
    """

    def __init__(self, in_channels: int, growth_rate: int, bn_size: int, drop_rate: float, rng: Rng) -> None:
        super().__init__()
        self.norm1 = BatchNorm2d(in_channels)
        self.relu1 = ReLU()
        self.conv1 = Conv2d(in_channels, bn_size * growth_rate, 1, bias=False, rng=rng)
        self.norm2 = BatchNorm2d(bn_size * growth_rate)
        self.relu2 = ReLU()
        self.conv2 = Conv2d(bn_size * growth_rate, growth_rate, 3, padding=1, bias=False, rng=rng)
        self.drop = Dropout(drop_rate, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        a = self.conv1(self.relu1(self.norm1(x)))
        f = self.drop(self.conv2(self.relu2(self.norm2(a))))
        return cat([x, f], 1)


def _transition(in_channels: int, out_channels: int, rng: Rng) -> Sequential:
    return Sequential(
        {
            "norm": BatchNorm2d(in_channels),
            "relu": ReLU(),
            "conv": Conv2d(in_channels, out_channels, 1, bias=False, rng=rng),
            "pool": AvgPool2d(2, stride=2),
        }
    )


class DenseNet(Module):
    """Blocks of layers that each add some channels to those that came in, with transitions that halve them between.

        features:    conv0 7 × 7, stride 2   norm0   relu0   pool0 → 56 × 56
                     denseblock1   transition1 → 28 × 28   denseblock2   transition2 → 14 × 14
                     denseblock3   transition3 → 7 × 7     denseblock4   norm5
        a dense layer:  f = drop(conv2(relu2(norm2(conv1(relu1(norm1(x)))))))        y = [x, f]
        y = classifier(mean over the image of relu(features(x)))

        ∂J/∂x = features.backward(relu.backward(… classifier.backward(δ)))
        a dense layer:  δ = [δₓ, δ_f]        ∂J/∂x = δₓ + norm1.backward(… conv2.backward(drop.backward(δ_f)))

    Names are torchvision's. ``densenet121()`` has 7,978,856 parameters.

    Shapes: x (N, ``in_channels``, 224, 224), y and δ (N, C). Images of other sizes do as well, with four
    blocks from 29 × 29.

    Args:
        growth_rate: the channels that each layer adds.
        block_config: how many layers each block has.
        num_init_features: channels of the first convolution.
        bn_size: a layer's convolution of 1 × 1 has ``bn_size · growth_rate`` channels.
        drop_rate: the probability of dropping a new number in training.
        num_classes: C.
        in_channels: 3 for coloured images, 1 for grey ones.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Initial values: convolutions normal for ReLUs, keeping the variance of the activations; the last bias 0.

    Raises:
        OptionError: a size below 1, no blocks. ShapeError, DtypeError: x does not fit.

    Source: Huang, Liu, van der Maaten and Weinberger, Densely connected convolutional networks, 2017, table 1.
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0.0,
        num_classes: int = 1000,
        *,
        in_channels: int = 3,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_sizes(growth_rate=growth_rate, num_init_features=num_init_features, bn_size=bn_size)
        expect_sizes(num_classes=num_classes, in_channels=in_channels)
        if not block_config or min(block_config) < 1:
            expected = "block_config, the number of layers in each block"
            raise OptionError(expected, f"block_config={block_config!r}", "block_config=(6, 12, 24, 16)")
        features: dict[str, Module] = {
            "conv0": Conv2d(in_channels, num_init_features, 7, stride=2, padding=3, bias=False, rng=rng),
            "norm0": BatchNorm2d(num_init_features),
            "relu0": ReLU(),
            "pool0": MaxPool2d(3, stride=2, padding=1),
        }
        channels = num_init_features
        for block, number in enumerate(block_config, 1):
            layers = {}
            for layer in range(1, number + 1):
                layers[f"denselayer{layer}"] = _DenseLayer(channels, growth_rate, bn_size, drop_rate, rng)
                channels += growth_rate
            features[f"denseblock{block}"] = Sequential(layers)
            if block < len(block_config):
                features[f"transition{block}"] = _transition(channels, channels // 2, rng)
                channels //= 2
        features["norm5"] = BatchNorm2d(channels)
        self.features = Sequential(features)
        self.relu = ReLU()
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.classifier = Linear(channels, num_classes, rng=rng)
        he_normal(self.features, "fan_in", rng)
        init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        a = self.relu(self.features(x))
        return self.classifier(self.avgpool(a).flatten(1))


def densenet121(num_classes: int = 1000, **options: Any) -> DenseNet:
    """DenseNet of 121 layers; ``options`` are those of :class:`DenseNet`."""
    return DenseNet(32, (6, 12, 24, 16), 64, num_classes=num_classes, **options)


def densenet161(num_classes: int = 1000, **options: Any) -> DenseNet:
    """DenseNet of 161 layers; ``options`` are those of :class:`DenseNet`."""
    return DenseNet(48, (6, 12, 36, 24), 96, num_classes=num_classes, **options)


def densenet169(num_classes: int = 1000, **options: Any) -> DenseNet:
    """DenseNet of 169 layers; ``options`` are those of :class:`DenseNet`."""
    return DenseNet(32, (6, 12, 32, 32), 64, num_classes=num_classes, **options)


def densenet201(num_classes: int = 1000, **options: Any) -> DenseNet:
    """DenseNet of 201 layers; ``options`` are those of :class:`DenseNet`."""
    return DenseNet(32, (6, 12, 48, 32), 64, num_classes=num_classes, **options)
