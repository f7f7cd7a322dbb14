"""Inputs that are all positive lock the signs of a neuron's gradients: ∂J/∂wᵢ = δ aᵢ has the sign of δ for every i.

For one sample the n weights of a neuron can then only rise together or fall together: 2 of the 2ⁿ directions of sign.

python demos/claims/sign_lock.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

import numnet
from numnet import nn

PROVES = ("C089",)

numnet.manual_seed(0)
rng = np.random.default_rng(0)
x = rng.standard_normal((200, 10))
y = rng.integers(0, 4, 200)
loss: nn.Loss = nn.CrossEntropyLoss()


def locked(activation: nn.Module) -> tuple[float, float]:
    """Mean of the activations, and the share of (sample, neuron) pairs whose weight gradients all have one sign."""
    net = nn.Sequential(nn.Linear(10, 16), activation, nn.Linear(16, 4)).double()
    pairs = []
    for i in range(len(x)):
        loss(net(x[i : i + 1]), y[i : i + 1])
        net.zero_grad()
        net.backward(loss.backward())
        signs = np.sign(net[2].weight.grad)  # (4, 16): one row a neuron
        pairs.extend(abs(signs.sum(axis=1)) == 16)
    return float(activation(net[0](x)).mean()), float(np.mean(pairs))


print("activation before the neuron    mean of a    neurons whose 16 gradients share one sign")
rows = {}
for activation in (nn.Sigmoid(), nn.Tanh(), nn.LeakyReLU(0.1)):
    rows[type(activation).__name__] = mean, share = locked(activation)
    print(f"{type(activation).__name__:<30}{mean:11.3f}{share:20.1%}")

# Two weights with inputs (0.9, 0.4), all positive, and the best move (+1, −1): only a zigzag gets there.
target, a, lr = np.array([1.0, -1.0]), np.array([[0.9, 0.4], [0.4, 0.9]]), 0.9


def path(inputs: np.ndarray) -> np.ndarray:
    """Single-sample steps of a neuron w·a with squared loss, alternately on two samples."""
    w, points = np.zeros(2), [np.zeros(2)]
    for step in range(60):
        sample = inputs[step % 2]
        w = w - lr * (w @ sample - target @ sample) * sample  # δ a
        points.append(w)
    return np.array(points)


positive, centred = path(a), path(a - a.mean(axis=0))
steps = {}
for name, points in (("all positive", positive), ("centred", np.array([*centred]))):
    along = np.diff(points, axis=0)
    same = float(np.mean(np.sign(along[:, 0]) == np.sign(along[:, 1])))
    steps[name] = same
    print(f"two weights, inputs {name:<13} steps in which both move the same way: {same:.0%}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axis = figure.subplots()
    axis.plot(*positive.T, ".-", label="inputs all positive: only ↗ and ↙")
    axis.plot(*centred.T, ".-", label="inputs centred: ↘ is open")
    axis.plot(*target, "k*", markersize=12, label="target")
    axis.set(xlabel="w₁", ylabel="w₂", title="steps of one neuron, sample by sample")
    axis.legend(loc="lower left", fontsize=8)
    figure.savefig(sys.argv[1], dpi=110)

assert rows["Sigmoid"][1] == 1.0, "behind a sigmoid every neuron's gradients share a sign, always"
assert rows["Tanh"][1] < 0.01
assert steps["all positive"] == 1.0
assert steps["centred"] == 0.0
