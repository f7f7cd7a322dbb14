"""Three networks of the tutorials trained by numnet and by PyTorch: the same settings, the same batches, three seeds.

Each library draws its own initial weights. Fashion-MNIST as d2l has it: 784-256-10 with rate 0.1 and LeNet with rate
0.9, batches of 256, 10 epochs. MNIST: 784-256-128-64-10, Adam 0.003, batches of 64, 2 epochs.

python demos/figures/beside_pytorch.py [picture.png]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

import numnet
from numnet import nn, optim
from numnet.data import datasets

PROVES = ("C215", "C217", "C223")
DATA = ("mnist", "fashion-mnist")
MINUTES = 20


class Task(NamedTuple):
    """One network and its setting. ``build`` takes the ``nn`` and ``init`` of either library."""

    data: Callable
    build: Callable[[Any], Any]
    optimizer: Callable[[Any, Any], Any]
    batch: int
    epochs: int
    said: str


def mlp(nn: Any) -> Any:
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    for layer in (net[1], net[3]):
        nn.init.normal_(layer.weight, std=0.01)
    return net


def lenet(nn: Any) -> Any:
    net = nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, 10),
    )
    for layer in net:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(layer.weight)  # as d2l's train_ch6
    return net


def classifier(nn: Any) -> Any:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
        nn.LogSoftmax(dim=1),
    )


TASKS = {
    "Fashion-MNIST, 784-256-10": Task(
        datasets.FashionMNIST, mlp, lambda optim, p: optim.SGD(p, lr=0.1), 256, 10, "0.82 to 0.85"
    ),
    "Fashion-MNIST, LeNet": Task(
        datasets.FashionMNIST, lenet, lambda optim, p: optim.SGD(p, lr=0.9), 256, 10, "0.80 to 0.82"
    ),
    "MNIST, 784-256-128-64-10": Task(
        datasets.MNIST, classifier, lambda optim, p: optim.Adam(p, lr=0.003), 64, 2, "0.94 to 0.957"
    ),
}
SEEDS = (0, 1, 2)


def batches(task: Task, seed: int, n: int) -> list[np.ndarray]:
    """The rows of every batch of every epoch."""
    rng = np.random.default_rng(seed)
    return [rows for _ in range(task.epochs) for rows in np.split(rng.permutation(n), range(task.batch, n, task.batch))]


def ours(task: Task, seed: int, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> float:
    numnet.manual_seed(seed)
    net = task.build(nn)
    loss: nn.Loss = nn.NLLLoss() if isinstance(net[-1], nn.LogSoftmax) else nn.CrossEntropyLoss()
    optimizer = task.optimizer(optim, net.parameters())
    for rows in batches(task, seed, len(x)):
        loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    with numnet.no_grad():
        return float((net(x_test).argmax(axis=1) == y_test).mean())


def theirs(task: Task, seed: int, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> float:
    torch.manual_seed(seed)
    net = task.build(torch.nn)
    loss = torch.nn.NLLLoss() if isinstance(net[-1], torch.nn.LogSoftmax) else torch.nn.CrossEntropyLoss()
    optimizer = task.optimizer(torch.optim, net.parameters())
    images, labels = torch.from_numpy(x), torch.from_numpy(y)
    for rows in map(torch.from_numpy, batches(task, seed, len(x))):
        J = loss(net(images[rows]), labels[rows])
        optimizer.zero_grad()
        J.backward()
        optimizer.step()
    with torch.no_grad():
        return float((net(torch.from_numpy(x_test)).argmax(dim=1).numpy() == y_test).mean())


print("accuracy on the 10,000 test images, seeds 0, 1, 2")
medians, points = {}, {}
for name, task in TASKS.items():
    data = (*task.data(train=True).arrays(), *task.data(train=False).arrays())
    if name.startswith("MNIST"):
        data = (2 * data[0] - 1, data[1], 2 * data[2] - 1, data[3])  # Normalize((0.5,), (0.5,))
    print(f"{name}   (PyTorch was measured before at {task.said})")
    for library, run in (("numnet", ours), ("PyTorch", theirs)):
        began = time.perf_counter()
        points[name, library] = runs = [run(task, seed, *data) for seed in SEEDS]
        medians[name, library] = float(np.median(runs))
        print(f"   {library:<9}" + "  ".join(f"{a:.4f}" for a in runs) + f"   median {medians[name, library]:.4f}")
        print(f"   {library}: {time.perf_counter() - began:.0f} s", file=sys.stderr)

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axis = figure.subplots()
    for k, name in enumerate(TASKS):
        for library, shift, marker in (("numnet", -0.08, "o"), ("PyTorch", 0.08, "s")):
            axis.plot([k + shift] * 3, points[name, library], marker, color="C0" if library == "numnet" else "C1")
    axis.set_xticks(range(3), TASKS)
    axis.set(ylabel="test accuracy", title="numnet (circles) and PyTorch (squares), three seeds each")
    figure.savefig(sys.argv[1], dpi=110)

for name in TASKS:
    assert medians[name, "numnet"] >= medians[name, "PyTorch"] - 0.01, name
