"""Three things to optimise: the network, the data, the run time. Each on its own, on the same digits.

The network: units and layers. The data: how many digits, and shifted copies of them. The run time: where a step goes.

python demos/claims/three_targets.py [picture.png]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim

PROVES = ("C271",)

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
x_test, y_test = images[1300:], labels[1300:]
loss: nn.Loss = nn.CrossEntropyLoss()


def dense(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def convolutional() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


def right(make: Callable[[], nn.Sequential], x: np.ndarray, y: np.ndarray) -> float:
    """Accuracy on the last 497 digits after 300 steps on batches of 64; the median of three starts."""
    return float(np.median([after_training(make, x, y, seed) for seed in range(3)]))


def after_training(make: Callable[[], nn.Sequential], x: np.ndarray, y: np.ndarray, seed: int) -> float:
    numnet.manual_seed(seed)
    net = make()
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    order = np.random.default_rng(0)
    for _ in range(300):
        rows = order.choice(len(x), min(64, len(x)), replace=False)
        loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    with numnet.no_grad():
        return float((net(x_test).argmax(axis=1) == y_test).mean())


def shifted(x: np.ndarray) -> np.ndarray:
    """The digits, and each of them moved by one pixel in four directions."""
    return np.concatenate([x, *(np.roll(x, s, axis) for axis in (2, 3) for s in (-1, 1))])


results = {}
print("the network, on 1,300 digits")
for name, make in (
    ("4 hidden units", lambda: dense(4)),
    ("64 hidden units", lambda: dense(64)),
    ("two convolutions", convolutional),
):
    results[name] = right(make, images[:1300], labels[:1300])
    print(f"   {name:<24}{results[name]:.1%}")
print("the data, for 64 hidden units")
for name, x, y in (
    ("100 digits", images[:100], labels[:100]),
    ("100 digits, shifted", shifted(images[:100]), np.tile(labels[:100], 5)),
    ("1,300 digits", images[:1300], labels[:1300]),
):
    results[name] = right(lambda: dense(64), x, y)
    print(f"   {name:<24}{results[name]:.1%}")


class Clock:
    """An observer that adds up the time of every layer, forward and back."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def forward(self, call: Any, inputs: Any, outputs: Any) -> None:
        self._add(call, "forward")

    def backward(self, call: Any, deltas: Any, input_deltas: Any) -> None:
        self._add(call, "backward")

    def _add(self, call: Any, direction: str) -> None:
        now = time.perf_counter()
        name = f"{call.path or 'loss'} {type(call.layer).__name__}, {direction}"
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
        self.last = now


print("the run time: where a step of the convolutional net goes (shares: stderr)")
net, clock = convolutional(), Clock()
with numnet.observe(clock):
    for _ in range(30):
        clock.last = time.perf_counter()
        loss(net(images[:256]), labels[:256])
        net.backward(loss.backward())
total = sum(clock.seconds.values())
shares = sorted(clock.seconds.items(), key=lambda item: -item[1])
for name, seconds in shares[:5]:
    print(f"   {name:<30}{seconds / total:6.1%}", file=sys.stderr)
convolution = sum(seconds for name, seconds in clock.seconds.items() if "Conv2d" in name) / total
print("   the two convolutions take more than half of it:", convolution > 0.5)

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right_ = figure.subplots(1, 2, width_ratios=(1, 1))
    left.barh(list(results), list(results.values()), color=["C0"] * 3 + ["C1"] * 3)
    left.set(xlim=(0.5, 1), title="accuracy: network (blue), data (orange)")
    left.invert_yaxis()
    right_.barh([name for name, _ in shares[:8]], [seconds / total for _, seconds in shares[:8]])
    right_.set(title="share of a training step")
    right_.invert_yaxis()
    figure.savefig(sys.argv[1], dpi=110)

assert results["4 hidden units"] < results["64 hidden units"] < results["two convolutions"]
assert results["100 digits"] < results["100 digits, shifted"] < results["1,300 digits"]
