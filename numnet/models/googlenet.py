"""GoogLeNet: Inception blocks, which look at the same image through kernels of several sizes."""

from __future__ import annotations

import numpy as np

from ..nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Branches,
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
from .vision import scaled

__all__ = ["GoogLeNet", "inception"]

Rng = np.random.Generator | None

_INCEPTIONS = {  # channels: 1 × 1; 1 × 1 and then 3 × 3; 1 × 1 and then the third; behind the pooling
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def inception(
    in_channels: int,
    ch1x1: int,
    ch3x3red: int,
    ch3x3: int,
    ch5x5red: int,
    ch5x5: int,
    pool_proj: int,
    *,
    rng: Rng = None,
) -> Branches:
    """An Inception block: four branches over the same image, their channels put beside each other.

        1 × 1 → ch1x1        1 × 1 → ch3x3red, 3 × 3 → ch3x3        1 × 1 → ch5x5red, 3 × 3 → ch5x5
        pool 3, 1 × 1 → pool_proj

    The third branch has a kernel of 3 × 3 where the paper has 5 × 5, since torchvision's has: so weights go both ways.

    Raises:
        OptionError: a size below 1.
    """
    expect_sizes(in_channels=in_channels, ch1x1=ch1x1, ch3x3red=ch3x3red, ch3x3=ch3x3)
    expect_sizes(ch5x5red=ch5x5red, ch5x5=ch5x5, pool_proj=pool_proj)

    def one(channels: int) -> Sequential:
        return _conv(in_channels, channels, 1, rng=rng)

    def three(red: int, channels: int) -> Sequential:
        return _conv(red, channels, 3, padding=1, rng=rng)

    return Branches(
        {
            "branch1": one(ch1x1),
            "branch2": Sequential(one(ch3x3red), three(ch3x3red, ch3x3)),
            "branch3": Sequential(one(ch5x5red), three(ch5x5red, ch5x5)),
            "branch4": Sequential(MaxPool2d(3, stride=1, padding=1, ceil_mode=True), one(pool_proj)),
        }
    )


def _conv(in_channels: int, channels: int, kernel: int, stride: int = 1, padding: int = 0, *, rng: Rng) -> Sequential:
    conv = Conv2d(in_channels, channels, kernel, stride, padding, bias=False, rng=rng)
    return Sequential({"conv": conv, "bn": BatchNorm2d(channels, eps=0.001), "relu": ReLU()})


class GoogLeNet(Module):
    """Three convolutions, nine Inception blocks, one linear layer; names are torchvision's.

        conv1 7 × 7, stride 2 → 64   maxpool1 → 56 × 56     conv2 1 × 1 → 64   conv3 3 × 3 → 192   maxpool2 → 28 × 28
        inception3a → 256, 3b → 480   maxpool3 → 14 × 14    inception4a … 4e → 832   maxpool4 → 7 × 7
        inception5a → 832, 5b → 1024     avgpool → 1 × 1    dropout   fc → C

        δˡ⁻¹ = layerˡ.backward(δˡ), from fc to conv1; in an Inception block the sum over its branches

    Behind every convolution stand batch norm and ReLU. It is torchvision's network without the two auxiliary
    classifiers, which take part in training only: 6,624,904 parameters for C = 1000.

    Shapes: x (N, ``in_channels``, 224, 224), y and δ (N, C). Images of other sizes, from 15 × 15, do as well.

    Args:
        num_classes: C.
        dropout: the probability of dropping a number before ``fc`` in training.
        in_channels: 3 for coloured images, 1 for grey ones.
        width: a factor for the channels of every layer.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Initial values: weights normal with σ = 0.01, cut off at ±2.

    Raises:
        OptionError: a size below 1. ShapeError, DtypeError: x does not fit.

    Source: Szegedy et al., Going deeper with convolutions, 2015, table 1; batch norm from Ioffe and Szegedy, 2015.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        dropout: float = 0.2,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_sizes(width, num_classes=num_classes, in_channels=in_channels)
        c1, c3 = scaled(64, width), scaled(192, width)
        self.conv1 = _conv(in_channels, c1, 7, stride=2, padding=3, rng=rng)
        self.maxpool1 = MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = _conv(c1, c1, 1, rng=rng)
        self.conv3 = _conv(c1, c3, 3, padding=1, rng=rng)
        self.maxpool2 = MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool3 = MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool4 = MaxPool2d(2, stride=2, ceil_mode=True)
        channels = c3
        for name, full in _INCEPTIONS.items():
            parts = [scaled(n, width) for n in full]
            setattr(self, f"inception{name}", inception(channels, *parts, rng=rng))
            channels = parts[0] + parts[2] + parts[4] + parts[5]
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.dropout = Dropout(dropout, rng=rng)
        self.fc = Linear(channels, num_classes, rng=rng)
        for module in self.modules():
            if isinstance(module, Conv2d | Linear):
                init.trunc_normal_(module.weight, std=0.01, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        a = self.maxpool1(self.conv1(x))
        a = self.maxpool2(self.conv3(self.conv2(a)))
        for name in _INCEPTIONS:
            a = getattr(self, f"inception{name}")(a)
            if name == "3b":
                a = self.maxpool3(a)
            if name == "4e":
                a = self.maxpool4(a)
        return self.fc(self.dropout(self.avgpool(a).flatten(1)))
