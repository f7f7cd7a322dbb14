"""Degradation: plain networks train worse the deeper they are, residual networks better.

The same convolutions in both: ResNets of 8, 20 and 32 layers as for CIFAR-10, with and without the ways around their
blocks. It is the training error that rises, so it is not overfitting: the deeper plain network could do what the other
does, and does not find it. Around its blocks a residual network has the identity from the start.

python demos/figures/residual.py [picture.png]
"""

from __future__ import annotations

import sys
import time

import numnet
from numnet import nn, optim
from numnet.data import datasets
from numnet.models import BasicBlock, ResNet

PROVES = ("C205",)
DATA = ("cifar10-subset",)
MINUTES = 3

EPOCHS, BATCH, DEPTHS = 12, 100, (8, 20, 32)

x, y = datasets.CIFAR10(train=True).arrays()
x, y = x[:2000, :, ::2, ::2], y[:2000]  # every second pixel: 3 × 16 × 16
x = (x - x.mean((0, 2, 3), keepdims=True)) / x.std((0, 2, 3), keepdims=True)


def training_errors(depth: int, residual: bool) -> list[float]:
    """The share of the images that the network has wrong while it trains on them, epoch by epoch."""
    rng = numnet.manual_seed(0)
    blocks = (depth - 2) // 6
    net = ResNet(BasicBlock, (blocks,) * 3, 10, channels=8, small_images=True, shortcut="A", residual=residual)
    loss = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    began, errors = time.perf_counter(), []
    for _ in range(EPOCHS):
        wrong = 0
        for rows in rng.permutation(len(x)).reshape(-1, BATCH):
            z = net(x[rows])
            loss(z, y[rows])
            wrong += int((z.argmax(axis=1) != y[rows]).sum())
            optimizer.zero_grad()
            net.backward(loss.backward())
            optimizer.step()
        errors.append(wrong / len(x))
    print(f"{depth} layers: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return errors


print("training error after epoch" + "".join(f"{epoch:8}" for epoch in range(2, EPOCHS + 1, 2)))
errors = {}
for name, residual in (("plain", False), ("residual", True)):
    for depth in DEPTHS:
        errors[name, depth] = found = training_errors(depth, residual)
        print(f"   {name:<9} {depth:2} layers    " + "".join(f"{e:8.3f}" for e in found[1::2]))

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axis, name in zip(figure.subplots(1, 2, sharey=True), ("plain", "residual"), strict=True):
        for depth in DEPTHS:
            axis.plot(range(1, EPOCHS + 1), errors[name, depth], label=f"{depth} layers")
        axis.set(title=f"{name} networks", xlabel="epoch")
        axis.grid(alpha=0.3)
        axis.legend()
    figure.axes[0].set_ylabel("training error")
    figure.savefig(sys.argv[1], dpi=110)

plain, around = ([errors[name, depth][-1] for depth in DEPTHS] for name in ("plain", "residual"))
assert plain[0] + 0.03 < plain[1] < plain[2] - 0.03, "plain: deeper is worse"
assert min(around[1:]) < around[0], "residual: deeper is better"
assert all(r < p for r, p in zip(around, plain, strict=True))
