"""The models of images once more, written by hand in PyTorch: independent twins with the same names of parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LeNet(nn.Module):
    def __init__(self, act: type[nn.Module], pool: type[nn.Module]) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 6, kernel_size=5, padding=2), act(), pool(kernel_size=2, stride=2)),
            *(nn.Conv2d(6, 16, kernel_size=5), act(), pool(kernel_size=2, stride=2)),
        )
        self.classifier = nn.Sequential(
            *(nn.Flatten(), nn.Linear(16 * 5 * 5, 120), act(), nn.Linear(120, 84), act(), nn.Linear(84, 10)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


class AlexNet(nn.Module):
    def __init__(self, c: tuple[int, int, int, int], units: int, classes: int, in_channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(in_channels, c[0], 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(c[0], c[1], 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(c[1], c[2], 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(c[2], c[3], 3, 1, 1), nn.ReLU()),
            *(nn.Conv2d(c[3], c[3], 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        )
        self.classifier = nn.Sequential(
            *(nn.Dropout(0.0), nn.Linear(36 * c[3], units), nn.ReLU()),
            *(nn.Dropout(0.0), nn.Linear(units, units), nn.ReLU()),
            nn.Linear(units, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), 6).flatten(1))


class VGG(nn.Module):
    def __init__(self, plan: list[int | str], units: int, classes: int, batch_norm: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for step in plan:
            if step == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers.append(nn.Conv2d(channels, int(step), 3, padding=1))
                channels = int(step)
                layers += [nn.BatchNorm2d(channels), nn.ReLU()] if batch_norm else [nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            *(nn.Linear(49 * channels, units), nn.ReLU(), nn.Dropout(0.0)),
            *(nn.Linear(units, units), nn.ReLU(), nn.Dropout(0.0)),
            nn.Linear(units, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), 7).flatten(1))


class NiN(nn.Module):
    def __init__(self, c: tuple[int, int, int], classes: int, in_channels: int) -> None:
        super().__init__()

        def block(i: int, o: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
            ones = [nn.Conv2d(o, o, 1), nn.ReLU(), nn.Conv2d(o, o, 1), nn.ReLU()]
            return nn.Sequential(nn.Conv2d(i, o, kernel, stride, padding), nn.ReLU(), *ones)

        self.net = nn.Sequential(
            *(block(in_channels, c[0], 11, 4, 0), nn.MaxPool2d(3, 2)),
            *(block(c[0], c[1], 5, 1, 2), nn.MaxPool2d(3, 2)),
            *(block(c[1], c[2], 3, 1, 1), nn.MaxPool2d(3, 2)),
            nn.Dropout(0.0),
            block(c[2], classes, 3, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).mean((2, 3))


class _Conv(nn.Module):
    def __init__(self, i: int, o: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(i, o, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(o, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class _Inception(nn.Module):
    def __init__(self, i: int, a: int, b: int, c: int, d: int, e: int, f: int) -> None:
        super().__init__()
        self.branch1 = _Conv(i, a, 1)
        self.branch2 = nn.Sequential(_Conv(i, b, 1), _Conv(b, c, 3, padding=1))
        self.branch3 = nn.Sequential(_Conv(i, d, 1), _Conv(d, e, 3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), _Conv(i, f, 1))
        self.channels = a + c + e + f

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class GoogLeNet(nn.Module):
    """With every number of channels divided by ``by``."""

    def __init__(self, by: int, classes: int) -> None:
        super().__init__()
        self.conv1 = _Conv(3, 64 // by, 7, 2, 3)
        self.conv2 = _Conv(64 // by, 64 // by, 1)
        self.conv3 = _Conv(64 // by, 192 // by, 3, 1, 1)
        channels = 192 // by

        def block(*sizes: int) -> _Inception:
            nonlocal channels
            made = _Inception(channels, *[size // by for size in sizes])
            channels = made.channels
            return made

        self.inception3a = block(64, 96, 128, 16, 32, 32)
        self.inception3b = block(128, 128, 192, 32, 96, 64)
        self.inception4a = block(192, 96, 208, 16, 48, 64)
        self.inception4b = block(160, 112, 224, 24, 64, 64)
        self.inception4c = block(128, 128, 256, 24, 64, 64)
        self.inception4d = block(112, 144, 288, 32, 64, 64)
        self.inception4e = block(256, 160, 320, 32, 128, 128)
        self.inception5a = block(256, 160, 320, 32, 128, 128)
        self.inception5b = block(384, 192, 384, 48, 128, 128)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        pool = nn.functional.max_pool2d
        x = pool(self.conv1(x), 3, 2, ceil_mode=True)
        x = pool(self.conv3(self.conv2(x)), 3, 2, ceil_mode=True)
        x = pool(self.inception3b(self.inception3a(x)), 3, 2, ceil_mode=True)
        x = self.inception4c(self.inception4b(self.inception4a(x)))
        x = pool(self.inception4e(self.inception4d(x)), 2, 2, ceil_mode=True)
        return self.fc(self.inception5b(self.inception5a(x)).mean((2, 3)))


class _Block(nn.Module):
    def __init__(self, i: int, c: int, stride: int, bottleneck: bool, option: str, residual: bool) -> None:
        super().__init__()
        self.bottleneck, self.option, self.stride, self.residual = bottleneck, option, stride, residual
        self.o = o = 4 * c if bottleneck else c
        if bottleneck:
            self.conv1 = nn.Conv2d(i, c, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(c)
            self.conv2 = nn.Conv2d(c, c, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(c)
            self.conv3 = nn.Conv2d(c, o, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(o)
        else:
            self.conv1 = nn.Conv2d(i, c, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(c)
            self.conv2 = nn.Conv2d(c, c, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(c)
        self.changes = i != o or stride > 1
        if self.changes and residual and option == "B":
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x: Tensor) -> Tensor:
        z = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        if self.bottleneck:
            z = self.bn3(self.conv3(z.relu()))
        if not self.residual:
            return z.relu()
        if self.changes and self.option == "A":
            x = x[:, :, :: self.stride, :: self.stride]
            x = torch.cat([x, x.new_zeros(len(x), self.o - x.shape[1], *x.shape[2:])], 1)
        elif self.changes:
            x = self.downsample(x)
        return (z + x).relu()


class ResNet(nn.Module):
    def __init__(
        self, layers: tuple[int, ...], c: int, classes: int, bottleneck: bool, small: bool, option: str, residual: bool
    ) -> None:
        super().__init__()
        self.small, self.stages = small, len(layers)
        self.conv1 = nn.Conv2d(3, c, 3, 1, 1, bias=False) if small else nn.Conv2d(3, c, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        i = c
        for stage, number in enumerate(layers):
            blocks = []
            for k in range(number):
                stride = 2 if stage > 0 and k == 0 else 1
                blocks.append(_Block(i, c << stage, stride, bottleneck, option, residual))
                i = blocks[-1].o
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(i, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x)).relu()
        if not self.small:
            x = nn.functional.max_pool2d(x, 3, 2, 1)
        for stage in range(self.stages):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


class _DenseLayer(nn.Module):
    def __init__(self, i: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(i)
        self.conv1 = nn.Conv2d(i, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, seen: list[Tensor]) -> Tensor:
        x = self.conv1(self.norm1(torch.cat(seen, 1)).relu())
        return self.conv2(self.norm2(x).relu())


class _DenseBlock(nn.Module):
    def __init__(self, i: int, number: int, growth: int) -> None:
        super().__init__()
        for k in range(number):
            self.add_module(f"denselayer{k + 1}", _DenseLayer(i + k * growth, growth))

    def forward(self, x: Tensor) -> Tensor:
        seen = [x]
        for layer in self.children():
            seen.append(layer(seen))
        return torch.cat(seen, 1)


class DenseNet(nn.Module):
    def __init__(self, growth: int, blocks: tuple[int, ...], c: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, c, 7, 2, 3, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(c))
        self.features.add_module("relu0", nn.ReLU())
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        for k, number in enumerate(blocks):
            self.features.add_module(f"denseblock{k + 1}", _DenseBlock(c, number, growth))
            c += number * growth
            if k + 1 < len(blocks):
                transition = nn.Sequential()
                transition.add_module("norm", nn.BatchNorm2d(c))
                transition.add_module("relu", nn.ReLU())
                transition.add_module("conv", nn.Conv2d(c, c // 2, 1, bias=False))
                transition.add_module("pool", nn.AvgPool2d(2))
                self.features.add_module(f"transition{k + 1}", transition)
                c //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(c))
        self.classifier = nn.Linear(c, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).relu().mean((2, 3)))
