"""ResNet: blocks that learn the difference from what goes past them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from ..errors import OptionError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Identity, Linear, MaxPool2d, Module, ReLU, Sequential, init
from ..nn import functional as F  # noqa: N812
from ..tensor import Tensor
from .sizes import expect_sizes
from .vision import he_normal

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNet",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet34",
    "resnet44",
    "resnet50",
    "resnet56",
    "resnet101",
    "resnet110",
]

Rng = np.random.Generator | None
Shortcut = Literal["A", "B"]


class _Block(Module):
    """Abstract: convolutions, and a way around them. A subclass says which convolutions.

    Where the block changes the shape, the way around has to as well: with shortcut ``"A"`` it takes every second pixel
    and adds channels of zeros, with ``"B"`` it is a convolution of 1 × 1 and a batch norm.
    """

    expansion: ClassVar[int]
    """How many times ``channels`` come out."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        shortcut: Shortcut = "B",
        residual: bool = True,
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__()
        if shortcut not in ("A", "B"):
            raise OptionError('shortcut "A" or "B"', f"shortcut={shortcut!r}", "choose one of these")
        expect_sizes(in_channels=in_channels, channels=channels, stride=stride)
        out_channels = channels * self.expansion
        if shortcut == "A" and out_channels < in_channels:
            got = f"shortcut='A' from {in_channels} channels to {out_channels}"
            raise OptionError("at least as many channels behind a block as before it", got, "shortcut='B'")
        self._make_body(in_channels, channels, stride, rng)
        self.relu = ReLU()
        self.residual = residual
        self.downsample: Module | None = None
        if residual and (stride > 1 or in_channels != out_channels):
            if shortcut == "A":
                self.downsample = _Subsample(stride, out_channels - in_channels)
            else:
                conv = Conv2d(in_channels, out_channels, 1, stride, bias=False, rng=rng)
                self.downsample = Sequential(conv, BatchNorm2d(out_channels))

    def _make_body(self, in_channels: int, channels: int, stride: int, rng: Rng) -> None:
        raise NotImplementedError

    def _body(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def last_norm(self) -> BatchNorm2d:
        """The batch norm at the end of the convolutions."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        z = self._body(x)
        if self.residual:
            z = z + (x if self.downsample is None else self.downsample(x))
        return self.relu(z)


class _Subsample(Module):
    """Every ``stride``-th pixel in both directions, and behind the channels as many more of zeros: option A."""

    def __init__(self, stride: int, more: int) -> None:
        super().__init__()
        self.stride = stride
        self.more = more

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))


class BasicBlock(_Block):
    """Two convolutions of 3 × 3, and a way around both.

        f = bn2(conv2(relu(bn1(conv1(x)))))        y = relu(f + s(x)), s the way around: x itself or downsample(x)

        δᵣ = relu.backward(δ)        ∂J/∂x = conv1.backward(… bn2.backward(δᵣ)) + s.backward(δᵣ)

    δᵣ reaches x through no weights at all where s is the identity: that is why depth does not wear it down. If the γ of
    ``bn2`` is 0, then f = 0, and for x ≥ 0, as it comes out of a ReLU, the block is the identity.

    Shapes: x (N, ``in_channels``, H, W), y and δ (N, ``channels``, ⌈H / stride⌉, ⌈W / stride⌉).

    Args:
        in_channels: of x.
        channels: of y.
        stride: of the first convolution; 2 halves the image.
        shortcut: the way around where shapes differ: ``"B"`` a convolution of 1 × 1 and batch norm, ``"A"`` every
            ``stride``-th pixel and channels of zeros, without parameters.
        residual: whether there is a way around.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Raises:
        OptionError: another shortcut, shortcut "A" to fewer channels, a size below 1.
        ShapeError, DtypeError: x does not fit.

    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, equations 1 and 2.
    """

    expansion = 1

    def _make_body(self, in_channels: int, channels: int, stride: int, rng: Rng) -> None:
        self.conv1 = Conv2d(in_channels, channels, 3, stride, padding=1, bias=False, rng=rng)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False, rng=rng)
        self.bn2 = BatchNorm2d(channels)

    def _body(self, x: Tensor) -> Tensor:
        a = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(a))

    @property
    def last_norm(self) -> BatchNorm2d:
        return self.bn2


class Bottleneck(_Block):
    """A convolution of 1 × 1 to fewer channels, one of 3 × 3, one of 1 × 1 to four times as many, and a way around.

        f = bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))))        y = relu(f + s(x)), s as in BasicBlock

        δᵣ = relu.backward(δ)        ∂J/∂x = conv1.backward(… bn3.backward(δᵣ)) + s.backward(δᵣ)

    Shapes: x (N, ``in_channels``, H, W), y and δ (N, 4 ``channels``, ⌈H / stride⌉, ⌈W / stride⌉).

    Args:
        in_channels: of x.
        channels: between the convolutions.
        stride: of the convolution of 3 × 3, as torchvision's; the paper has it in the first.
        shortcut, residual, rng: as for :class:`BasicBlock`.

    Raises:
        OptionError: another shortcut, shortcut "A" to fewer channels, a size below 1.
        ShapeError, DtypeError: x does not fit.

    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, figure 5.
    """

    expansion = 4

    def _make_body(self, in_channels: int, channels: int, stride: int, rng: Rng) -> None:
        self.conv1 = Conv2d(in_channels, channels, 1, bias=False, rng=rng)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = Conv2d(channels, channels, 3, stride, padding=1, bias=False, rng=rng)
        self.bn2 = BatchNorm2d(channels)
        self.conv3 = Conv2d(channels, 4 * channels, 1, bias=False, rng=rng)
        self.bn3 = BatchNorm2d(4 * channels)

    def _body(self, x: Tensor) -> Tensor:
        a = self.relu(self.bn1(self.conv1(x)))
        a = self.relu(self.bn2(self.conv2(a)))
        return self.bn3(self.conv3(a))

    @property
    def last_norm(self) -> BatchNorm2d:
        return self.bn3


class ResNet(Module):
    """A first convolution, stages of blocks, one linear layer; names are torchvision's.

        conv1 7 × 7, stride 2 → 64   bn1   relu   maxpool → 56 × 56
        layer1 → 64, 56 × 56     layer2 → 128, 28 × 28     layer3 → 256, 14 × 14     layer4 → 512, 7 × 7
        avgpool → 1 × 1     fc → C

        δˡ⁻¹ = layerˡ.backward(δˡ), from fc to conv1; in a block the sum of both ways

    Each stage but the first starts with stride 2 and twice the channels. With ``small_images`` the network starts with
    a convolution of 3 × 3 alone, which keeps the size: that of CIFAR-10 in the paper, with three stages of 16, 32 and
    64 channels, is ``resnet20()`` … ``resnet110()``.

    Shapes: x (N, ``in_channels``, H, W), y and δ (N, C).

    Args:
        block: :class:`BasicBlock` or :class:`Bottleneck`.
        layers: how many blocks each stage has.
        num_classes: C.
        in_channels: 3 for coloured images, 1 for grey ones.
        channels: of the first stage.
        small_images: whether to start without halving the image twice.
        shortcut: the way around a block where shapes differ, ``"A"`` or ``"B"``; see :class:`BasicBlock`.
        residual: ``False`` leaves out every way around: the plain network that the paper compares with.
        zero_init_residual: whether the last γ of every block starts at 0, and so every block without ``downsample`` as
            the identity.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: convolutions normal for ReLUs, keeping the variance of δ.

    Raises:
        OptionError: a size below 1, no stages, another shortcut. ShapeError, DtypeError: x does not fit.

    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, table 1 and section 4.2; for
    γ = 0 Goyal et al., Accurate, large minibatch SGD, 2017, section 5.1.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        *,
        in_channels: int = 3,
        channels: int = 64,
        small_images: bool = False,
        shortcut: Shortcut = "B",
        residual: bool = True,
        zero_init_residual: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        expect_sizes(num_classes=num_classes, in_channels=in_channels, channels=channels)
        if not layers or min(layers) < 1:
            raise OptionError("layers, the number of blocks in each stage", f"layers={layers!r}", "layers=(2, 2, 2, 2)")
        if zero_init_residual and not residual:
            got = "zero_init_residual=True without a way around, and so blocks that let nothing through"
            raise OptionError("residual=True", got, "leave zero_init_residual out")
        self.stages = len(layers)
        kernel, stride = (3, 1) if small_images else (7, 2)
        self.conv1 = Conv2d(in_channels, channels, kernel, stride, padding=kernel // 2, bias=False, rng=rng)
        self.bn1 = BatchNorm2d(channels)
        self.relu = ReLU()
        self.maxpool = Identity() if small_images else MaxPool2d(3, stride=2, padding=1)
        coming = channels
        for stage, number in enumerate(layers):
            width = channels * 2**stage
            blocks = []
            for i in range(number):
                blocks.append(block(coming, width, 2 if stage and not i else 1, shortcut, residual, rng=rng))
                coming = width * block.expansion
            setattr(self, f"layer{stage + 1}", Sequential(*blocks))
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.fc = Linear(coming, num_classes, rng=rng)
        he_normal(self, "fan_out", rng)
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, BasicBlock | Bottleneck):
                    init.zeros_(module.last_norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        a = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, self.stages + 1):
            a = getattr(self, f"layer{stage}")(a)
        return self.fc(self.avgpool(a).flatten(1))


def resnet18(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet of 18 layers for ImageNet, of basic blocks; ``options`` are those of :class:`ResNet`."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes, **options)


def resnet34(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet of 34 layers for ImageNet, of basic blocks; ``options`` are those of :class:`ResNet`."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes, **options)


def resnet50(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet of 50 layers for ImageNet, of bottlenecks; ``options`` are those of :class:`ResNet`."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, **options)


def resnet101(num_classes: int = 1000, **options: Any) -> ResNet:
    """ResNet of 101 layers for ImageNet, of bottlenecks; ``options`` are those of :class:`ResNet`."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, **options)


def _for_cifar(blocks: int, num_classes: int, options: dict[str, Any]) -> ResNet:
    form = {"channels": 16, "small_images": True, "shortcut": "A"}
    return ResNet(BasicBlock, (blocks,) * 3, num_classes, **{**form, **options})


def resnet20(num_classes: int = 10, **options: Any) -> ResNet:
    """ResNet of 20 layers for CIFAR-10, with shortcut A; ``options`` are those of :class:`ResNet`."""
    return _for_cifar(3, num_classes, options)


def resnet32(num_classes: int = 10, **options: Any) -> ResNet:
    """ResNet of 32 layers for CIFAR-10, with shortcut A; ``options`` are those of :class:`ResNet`."""
    return _for_cifar(5, num_classes, options)


def resnet44(num_classes: int = 10, **options: Any) -> ResNet:
    """ResNet of 44 layers for CIFAR-10, with shortcut A; ``options`` are those of :class:`ResNet`."""
    return _for_cifar(7, num_classes, options)


def resnet56(num_classes: int = 10, **options: Any) -> ResNet:
    """ResNet of 56 layers for CIFAR-10, with shortcut A; ``options`` are those of :class:`ResNet`."""
    return _for_cifar(9, num_classes, options)


def resnet110(num_classes: int = 10, **options: Any) -> ResNet:
    """ResNet of 110 layers for CIFAR-10, with shortcut A; ``options`` are those of :class:`ResNet`."""
    return _for_cifar(18, num_classes, options)
