"""The learning rate: too small crawls, too large diverges; and a rate that falls with time ends lower than a fixed one.

And the rate is not all: the same net from ten random starts, narrow and wide. Wide nets end close to each other.

python demos/claims/learning_rate.py [picture.png]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim
from numnet.optim import lr_scheduler

PROVES = ("C163", "C164", "C174")

x, y = load_digits(return_X_y=True)
x = ((x - 8) / 8).astype(np.float32)
loss: nn.Loss = nn.CrossEntropyLoss()


def train(
    lr: float, steps: int = 300, width: int = 32, seed: int = 0, schedule: Callable | None = None, batch: int = 32
) -> list[float]:
    """J of every step, on mini-batches in an order that does not depend on the seed."""
    numnet.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, 10))
    optimizer = optim.SGD(net.parameters(), lr=lr)
    scheduler = schedule(optimizer) if schedule else None
    order = np.random.default_rng(0)
    J = []
    for _ in range(steps):
        rows = order.choice(len(x), batch, replace=False)
        J.append(float(loss(net(x[rows]), y[rows])))
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
        if scheduler:
            scheduler.step()
    return J


print("learning rate      mean J of the last 50 of 300 steps")
rates = (0.0003, 0.003, 0.03, 0.3, 1.0, 3.0, 10.0, 30.0)
sweep = {lr: train(lr) for lr in rates}
ends = {lr: float(np.mean(J[-50:])) for lr, J in sweep.items()}
for lr, J in ends.items():
    print(f"{lr:13}{J:14.3f}  {'#' * round(min(J, 5) * 10)}{'…' if J > 5 else ''}")

print()
print("a fixed rate against one that falls: mean J of the last 200 of 1000 steps, five seeds;")
print("batches of 4 and a narrow net, so that the gradients stay noisy")
schedules = {
    "fixed at 0.3": None,
    "a tenth of it after 500": lambda o: lr_scheduler.StepLR(o, 500, 0.1),
    "to 0 along a cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, 1000),
}
fixed_or_not = {}
for name, schedule in schedules.items():
    runs = [float(np.mean(train(0.3, 1000, width=4, seed=s, schedule=schedule, batch=4)[-200:])) for s in range(5)]
    fixed_or_not[name] = float(np.mean(runs))
    print(f"   {name:<28}{fixed_or_not[name]:.4f}   ({', '.join(f'{J:.4f}' for J in runs)})")

print()
print("ten random starts of a small and of larger nets, 300 steps at 0.3: J over the last 50")
print("   hidden units      mean     standard deviation    best     worst")
spread = {}
for width in (4, 16, 64, 256):
    runs = [float(np.mean(train(0.3, width=width, seed=s)[-50:])) for s in range(10)]
    spread[width] = float(np.std(runs))
    print(f"{width:15}{np.mean(runs):10.3f}{spread[width]:18.4f}{min(runs):12.3f}{max(runs):10.3f}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for lr in (0.003, 0.03, 0.3, 3.0, 30.0):
        left.semilogy(np.convolve(sweep[lr], np.ones(10) / 10, "valid"), label=f"{lr:g}")
    left.set(xlabel="step", ylabel="J", ylim=(0.05, 1000), title="one net, five learning rates")
    left.legend(fontsize=8)
    right.loglog(list(ends), list(ends.values()), "o-")
    right.set(xlabel="learning rate", ylabel="J at the end", title="too small, right, too large")
    figure.savefig(sys.argv[1], dpi=110)

best = min(ends, key=ends.__getitem__)
assert 0.03 < best < 10, "the best rate lies inside"
assert ends[rates[0]] > 2, "too small: nearly where it began"
assert not ends[rates[-1]] < 2, "too large: it diverges"
assert fixed_or_not["to 0 along a cosine"] < fixed_or_not["fixed at 0.3"]
assert spread[256] < 0.3 * spread[4], "in larger nets the runs differ less"
