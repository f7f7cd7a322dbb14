"""Capacity has to match the data: the error on what was learned keeps falling with width, the error on new data turns.

Thirty noisy points of a sine, nets of two hidden layers, 1 to 64 units wide. Too narrow: both errors are
large (under-fitting). Too wide, trained long: the training error goes below the noise, the validation error rises
(over-fitting). Watching the validation error shows it, and stopping where it is least costs nothing.

python demos/claims/capacity.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

import numnet
from numnet import nn, optim

PROVES = ("C265", "C266", "C267", "C268")

NOISE = 0.3
rng = np.random.default_rng(1)


def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-1, 1, (n, 1))
    return x, np.sin(5 * x) + NOISE * rng.standard_normal((n, 1))


x_train, y_train = sample(30)
x_valid, y_valid = sample(300)
loss: nn.Loss = nn.MSELoss()


def train(width: int, steps: int = 3000) -> tuple[nn.Sequential, list[float], list[float]]:
    """A net of that width, and its training and validation error every 20 steps."""
    numnet.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    ).double()
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    training, validation = [], []
    for step in range(steps):
        J = float(loss(net(x_train), y_train))
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
        if step % 20 == 0:
            training.append(J)
            with numnet.no_grad():
                validation.append(float(((net(x_valid) - y_valid) ** 2).mean()))
    return net, training, validation


print(f"the noise alone has a mean squared error of {NOISE**2:.3f}")
print("width   parameters   training error   validation error   least validation error (early stopping)")
widths = (1, 2, 4, 16, 64)
rows = {}
for width in widths:
    net, training, validation = train(width)
    rows[width] = net, training, validation
    count = sum(p.data.size for p in net.parameters())
    print(f"{width:5}{count:12}{training[-1]:16.3f}{validation[-1]:18.3f}{min(validation):18.3f}", end="")
    print(f" at step {20 * int(np.argmin(validation))}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.loglog(widths, [rows[w][1][-1] for w in widths], "o-", label="training")
    left.loglog(widths, [rows[w][2][-1] for w in widths], "s-", label="validation")
    left.loglog(widths, [min(rows[w][2]) for w in widths], "^:", label="validation, stopped early")
    left.axhline(NOISE**2, color="0.6", linestyle=":", label="noise")
    left.set(xlabel="width", ylabel="mean squared error", title="model complexity")
    left.legend(fontsize=8)
    _, training, validation = rows[widths[-1]]
    middle.semilogy(range(0, 3000, 20), training, label="training")
    middle.semilogy(range(0, 3000, 20), validation, label="validation")
    middle.set(xlabel="step", title=f"width {widths[-1]}, over time")
    middle.legend(fontsize=8)
    u = np.linspace(-1, 1, 300)[:, None]
    right.scatter(x_train, y_train, s=10, color="k")
    for width in (1, 4, 64):
        right.plot(u, rows[width][0](u), label=f"width {width}")
    right.set(title="too little, enough, too much", ylim=(-2, 2))
    right.legend(fontsize=8)
    figure.savefig(sys.argv[1], dpi=110)

training = [rows[w][1][-1] for w in widths]
validation = [rows[w][2][-1] for w in widths]
best = int(np.argmin(validation))
assert training == sorted(training, reverse=True), "more capacity, less training error"
assert 0 < best < len(widths) - 1, "the validation error is least in between"
assert training[-1] < NOISE**2 / 2 < 2 * NOISE**2 < validation[-1], "the widest has learned the noise"
assert min(rows[widths[-1]][2]) < 0.6 * validation[-1], "and would have been better stopped early"
