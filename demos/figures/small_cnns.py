"""Five networks for photographs, each with a fraction of its channels, on 500 photographs of ten kinds of things.

Ten times through them: the loss falls in each. There are no test images here: it shows that they train, not what they
are worth.

python demos/figures/small_cnns.py [picture.png]
"""

from __future__ import annotations

import sys
import time

import numpy as np

import numnet
from numnet import models, nn, optim
from numnet.data import datasets

PROVES = ("C218", "C219", "C222")
DATA = ("cifar10-subset",)
MINUTES = 1

EPOCHS, BATCH = 10, 50
x, y = datasets.CIFAR10(train=True).arrays()
x, y = x[:500], y[:500]  # (N, 3, 32, 32)
x = (x - x.mean((0, 2, 3), keepdims=True)) / x.std((0, 2, 3), keepdims=True)
large = x.repeat(2, axis=2).repeat(2, axis=3)  # (N, 3, 64, 64), for AlexNet, which takes no smaller ones


NETWORKS = {
    "AlexNet": (lambda: models.AlexNet(10, width=1 / 8), large),
    "VGG-11": (lambda: models.vgg11(10, width=1 / 8), x),
    "GoogLeNet": (lambda: models.GoogLeNet(10, width=1 / 8), x),
    "ResNet-18": (lambda: models.resnet18(10, channels=8, small_images=True), x),
    "DenseNet": (lambda: models.DenseNet(8, (2, 2, 2, 2), 16, num_classes=10), x),
}


def losses(net: nn.Module, images: np.ndarray) -> list[float]:
    """The mean loss of every epoch."""
    loss, optimizer = nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=1e-3)
    rng, means = np.random.default_rng(0), []
    for _ in range(EPOCHS):
        total = 0.0
        for rows in rng.permutation(len(images)).reshape(-1, BATCH):
            total += float(loss(net(images[rows]), y[rows]))
            optimizer.zero_grad()
            net.backward(loss.backward())
            optimizer.step()
        means.append(total * BATCH / len(images))
    return means


print("                 parameters    loss in epoch 1       2       4       6       8      10")
curves = {}
for name, (build, images) in NETWORKS.items():
    numnet.manual_seed(0)
    net = build()
    began = time.perf_counter()
    curves[name] = found = losses(net, images)
    print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    parameters = sum(p.data.size for p in net.parameters())
    print(f"   {name:<10} {parameters:13,}           " + "".join(f"{found[e - 1]:8.3f}" for e in (1, 2, 4, 6, 8, 10)))
print(f"   guessing one of ten: ln 10 = {np.log(10):.3f}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    for name, found in curves.items():
        axis.plot(range(1, EPOCHS + 1), found, label=name)
    axis.axhline(np.log(10), color="0.6", linestyle=":", label="guessing")
    axis.set(xlabel="epoch", ylabel="loss on 500 photographs", title="each with a fraction of its channels")
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

for name, found in curves.items():
    assert found[-1] < min(found[0], np.log(10)) - 0.2, f"{name} learns"
