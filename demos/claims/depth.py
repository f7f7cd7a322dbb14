"""Deeper dense networks gain little; deeper convolutional networks gain.

5000 photographs of CIFAR-10 to learn from, 1000 others to be judged by, 6 epochs of Adam, batch norm everywhere. Dense:
256 units in every hidden layer. Convolutional: kernels of 3 × 3 over 16, 32 and 64 channels, with poolings between, and
one linear layer.

python demos/claims/depth.py [picture.png]
"""

from __future__ import annotations

import sys
import time

import numpy as np

import numnet
from numnet import models, nn, optim
from numnet.data import datasets

PROVES = ("C269",)
DATA = ("cifar10-subset",)
MINUTES = 2

EPOCHS, BATCH = 6, 50
x, y = datasets.CIFAR10(train=True).arrays()
x_test, y_test = datasets.CIFAR10(train=False).arrays()
x, y, x_test, y_test = x[:5000], y[:5000], x_test[:1000], y_test[:1000]
mean, std = x.mean((0, 2, 3), keepdims=True), x.std((0, 2, 3), keepdims=True)
x, x_test = (x - mean) / std, (x_test - mean) / std  # (N, 3, 32, 32); the others' mean for the test images, too

POOL = 0
PLANS = {
    1: (16, POOL, POOL),
    2: (16, POOL, 32, POOL),
    4: (16, 16, POOL, 32, 32, POOL),
    6: (16, 16, POOL, 32, 32, POOL, 64, 64, POOL),
}


def convolutional(depth: int) -> nn.Sequential:
    """``depth`` times convolution, batch norm and ReLU, and a linear layer on 4 × 4 means."""
    layers: list[nn.Module] = []
    channels = 3
    for out_channels in PLANS[depth]:
        if out_channels == POOL:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU()]
            channels = out_channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d((4, 4)), nn.Flatten(), nn.Linear(16 * channels, 10))


def dense(depth: int) -> nn.Module:
    """``depth`` hidden layers."""
    return models.MLP([3 * 32 * 32] + [256] * depth + [10], batch_norm=True)


def accuracies(net: nn.Module) -> tuple[float, float]:
    """Trains, and returns the shares of images it has right: of those it learned from, and of the others."""
    rng, loss = np.random.default_rng(0), nn.CrossEntropyLoss()
    optimizer = optim.Adam(net.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=EPOCHS * len(x) // BATCH)
    for _ in range(EPOCHS):
        for rows in rng.permutation(len(x)).reshape(-1, BATCH):
            loss(net(x[rows]), y[rows])
            optimizer.zero_grad()
            net.backward(loss.backward())
            optimizer.step()
            schedule.step()
    net.eval()

    def right(images: np.ndarray, labels: np.ndarray) -> float:
        parts = zip(np.split(images, len(images) // 250), np.split(labels, len(labels) // 250), strict=True)
        with numnet.no_grad():
            return float(np.mean([net(part).argmax(axis=1) == wanted for part, wanted in parts]))

    return right(x, y), right(x_test, y_test)


found: dict[str, dict[int, float]] = {}
print("                            parameters   training     test")
for name, build, depths in (("dense", dense, (1, 2, 4, 8)), ("convolutional", convolutional, (1, 2, 4, 6))):
    found[name] = {}
    for depth in depths:
        numnet.manual_seed(0)
        net = build(depth)
        began = time.perf_counter()
        training, found[name][depth] = accuracies(net)
        print(f"{name}, {depth}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        layers = f"{depth} {'hidden' if name == 'dense' else name} layer{'s' if depth > 1 else ''}"
        parameters = sum(p.data.size for p in net.parameters())
        print(f"   {layers:<23}{parameters:12,}{training:11.3f}{found[name][depth]:9.3f}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    for (name, by_depth), marker in zip(found.items(), "os", strict=True):
        axis.plot(list(by_depth), list(by_depth.values()), marker + "-", label=name)
    axis.set(xlabel="hidden layers", ylabel="test accuracy", title="what depth is good for", ylim=(0.3, 0.75))
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

gain = {name: max(by_depth.values()) - by_depth[1] for name, by_depth in found.items()}
print(
    f"the best depth gains over one hidden layer: dense {gain['dense']:.3f}, convolutional {gain['convolutional']:.3f}"
)
assert gain["dense"] < 0.06 < 0.1 < gain["convolutional"]
assert found["convolutional"][6] > found["convolutional"][2] > found["convolutional"][1]
