"""A convolutional network reads handwritten digits: after three epochs of MNIST 99 of 100 that it has never seen.

The picture shows those that it got most wrong.

python demos/figures/mnist_cnn.py [picture.png]
"""

from __future__ import annotations

import sys
import time

import numpy as np

import numnet
from numnet import nn, optim
from numnet.data import datasets

DATA = ("mnist",)
MINUTES = 1

EPOCHS, BATCH = 3, 64
(x, y), (x_test, y_test) = (datasets.MNIST(train=train).arrays() for train in (True, False))
x, x_test = ((images - 0.1307) / 0.3081 for images in (x, x_test))  # MNIST's mean and standard deviation

rng = numnet.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 16, 3),  # (N, 16, 26, 26)
    nn.ReLU(),
    nn.MaxPool2d(2),  # (N, 16, 13, 13)
    nn.Conv2d(16, 32, 3),  # (N, 32, 11, 11)
    nn.ReLU(),
    nn.MaxPool2d(2),  # (N, 32, 5, 5)
    nn.Flatten(),
    nn.Linear(32 * 5 * 5, 128),
    nn.ReLU(),
    nn.Linear(128, 10),
)
print(f"{sum(p.data.size for p in net.parameters()):,} parameters")
loss, optimizer = nn.CrossEntropyLoss(), optim.Adam(net.parameters())
steps = len(x) // BATCH
schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=EPOCHS * steps)


def probabilities(images: np.ndarray) -> np.ndarray:
    """p (N, 10)."""
    with numnet.no_grad():
        return np.concatenate([nn.functional.softmax(net(part), dim=1) for part in np.split(images, 20)])


began = time.perf_counter()
for epoch in range(1, EPOCHS + 1):
    total = 0.0
    for rows in rng.permutation(len(x))[: steps * BATCH].reshape(steps, BATCH):
        total += float(loss(net(x[rows]), y[rows]))
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
        schedule.step()
    p = probabilities(x_test)
    accuracy = float((p.argmax(axis=1) == y_test).mean())
    print(f"epoch {epoch}: training loss {total / steps:.4f}, test accuracy {accuracy:.4f}")
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    worst = np.argsort(p[np.arange(len(p)), y_test])[:16]
    figure = Figure(figsize=(6, 6.4), layout="constrained")
    for axis, i in zip(figure.subplots(4, 4).flat, worst, strict=True):
        axis.imshow(x_test[i, 0], cmap="gray_r")
        axis.set_title(f"{y_test[i]}, read as {p[i].argmax()}", fontsize=9)
        axis.axis("off")
    figure.savefig(sys.argv[1], dpi=110)

assert accuracy >= 0.99
