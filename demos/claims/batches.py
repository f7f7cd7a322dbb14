"""Batch, mini-batch, stochastic: one rule, W ← W − α · mean of the gradients, over all, some, or one of the samples.

24 points, an outer loop over 4 batches and an inner loop over the 6 points of each, written out; then the layer's own
backward, which sums over a batch at once; then what a step costs as the batch grows.

python demos/claims/batches.py [picture.png]
"""

from __future__ import annotations

import sys
import time

import numpy as np

import numnet
from numnet import nn, optim

PROVES = ("C144", "C146", "C270")

numnet.manual_seed(0)
rng = np.random.default_rng(0)
x = rng.standard_normal((24, 3))
y = x @ np.array([[1.0], [-2.0], [0.5]]) + 0.1 * rng.standard_normal((24, 1))
ALPHA = 0.1


def start() -> nn.Linear:
    net = nn.Linear(3, 1, bias=False).double()
    nn.init.zeros_(net.weight)
    return net


print("4 batches of 6 points, W after each; counter: points seen")
W = np.zeros((1, 3))
counter = 0
by_hand = []
for batch in range(4):  # outer loop
    total = np.zeros_like(W)
    for point in range(6):  # inner loop
        i = 6 * batch + point
        a = W @ x[i]
        total += np.outer(2 * (a - y[i]), x[i])  # ∂(a − y)² / ∂W of one point
        counter += 1
    W = W - ALPHA * total / 6  # the mean of six gradients
    by_hand.append(W)
    print(f"   batch {batch + 1}: {counter:2} points, W = {np.array2string(W[0], precision=6)}")

net, loss = start(), nn.MSELoss()
optimizer = optim.SGD(net.parameters(), lr=ALPHA)
by_layer = []
for batch in range(4):
    rows = slice(6 * batch, 6 * batch + 6)
    loss(net(x[rows]), y[rows])
    optimizer.zero_grad()
    net.backward(loss.backward())
    optimizer.step()
    by_layer.append(net.weight.data.copy())
same = max(abs(one - other).max() for one, other in zip(by_hand, by_layer, strict=True))
print(f"   with nn.Linear, nn.MSELoss and optim.SGD: largest difference {same:.0e}")

net = start()
gradients = []
for i in range(24):
    loss(net(x[i : i + 1]), y[i : i + 1])
    net.zero_grad()
    net.backward(loss.backward())
    gradients.append(net.weight.grad)
loss(net(x), y)
net.zero_grad()
net.backward(loss.backward())
difference = abs(np.mean(gradients, axis=0) - net.weight.grad).max()
print(f"mean of 24 single gradients against the gradient of the whole batch: largest difference {difference:.0e}")

print("training steps of 784-256-10: the time for each sample falls as the batch grows (times: stderr)")
digits = rng.standard_normal((1024, 784)).astype(np.float32)
labels = rng.integers(0, 10, 1024)
sizes = (1, 4, 16, 64, 256, 1024)
nets = {size: nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)) for size in sizes}
criterion = nn.CrossEntropyLoss()


def seconds(size: int) -> float:
    """What one training step takes with the first so many digits."""
    net = nets[size]
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    began = time.perf_counter()
    criterion(net(digits[:size]), labels[:size])
    optimizer.zero_grad()
    net.backward(criterion.backward())
    optimizer.step()
    return time.perf_counter() - began


rounds = [[seconds(size) for size in sizes] for _ in range(20)]  # in turns: a busy minute slows every size alike
micros = [1e6 * min(runs) / size for size, runs in zip(sizes, zip(*rounds, strict=True), strict=True)]
for size, micro in zip(sizes, micros, strict=True):
    print(f"   batch of {size:4}: {micro:8.1f} µs a sample", file=sys.stderr)

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.loglog(sizes, micros, "o-")
    axis.set(xlabel="batch size", ylabel="µs a sample", title="one training step of 784-256-10")
    figure.savefig(sys.argv[1], dpi=110)

assert counter == 24
assert same < 1e-12
assert difference < 1e-12
assert micros[0] > 5 * micros[4], "sample by sample costs many times what batches of 256 do"
