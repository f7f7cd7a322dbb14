"""ReLU learns in fewer steps than sigmoid; but with too large a learning rate its units die, and stay dead for ever.

On scikit-learn's digits, 64-64-64-10. A unit is dead if it gives 0 for every digit: then its δ is 0 too, and no
gradient ever reaches its weights again. A smaller learning rate keeps units alive; a leaky slope brings them back.

python demos/claims/dead_relu.py [picture.png]
"""

from __future__ import annotations

import copy
import sys

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim

PROVES = ("C091", "C092")

x, y = load_digits(return_X_y=True)
x = ((x - 8) / 8).astype(np.float32)
loss: nn.Loss = nn.CrossEntropyLoss()


def network(activation: nn.Module) -> nn.Sequential:
    numnet.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 64), activation, nn.Linear(64, 64), activation, nn.Linear(64, 10))


def train(net: nn.Sequential, lr: float, steps: int, goal: float = 0.0) -> list[float]:
    """Gradient descent on mini-batches of 128; stops when the mean of the last ten losses is below ``goal``."""
    optimizer = optim.SGD(net.parameters(), lr=lr)
    order = np.random.default_rng(0)
    J: list[float] = []
    while len(J) < steps and not (len(J) >= 10 and np.mean(J[-10:]) < goal):
        rows = order.choice(len(x), 128, replace=False)
        J.append(float(loss(net(x[rows]), y[rows])))
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    return J


def dead(net: nn.Sequential) -> int:
    """Units of the two hidden layers whose ReLU gives 0 for every digit."""
    z1 = net[0](x)
    z2 = net[2](np.maximum(z1, 0))
    return int((z1 <= 0).all(axis=0).sum() + (z2 <= 0).all(axis=0).sum())


print("steps to a loss of 0.3, learning rate 0.1")
curves = {}
for name, activation in (("sigmoid", nn.Sigmoid()), ("tanh", nn.Tanh()), ("ReLU", nn.ReLU())):
    curves[name] = train(network(activation), 0.1, 5000, goal=0.3)
    print(f"   {name:<8}{len(curves[name]):6}")

print("dead units of 128: before training, and after 300 steps of ReLU")
deaths = {0.0: dead(network(nn.ReLU()))}
print(f"   before            {deaths[0.0]:5}")
for lr in (0.05, 0.2, 2.0):
    net = network(nn.ReLU())
    train(net, lr, 300)
    deaths[lr] = dead(net)
    print(f"   learning rate {lr:<4}{deaths[lr]:5}")

print("1000 more steps at 0.05, from there:")
leaky = copy.deepcopy(nn.Sequential(*[nn.LeakyReLU(0.2) if isinstance(layer, nn.ReLU) else layer for layer in net]))
moved, first, final = {}, {}, {}
for name, continued in (("ReLU", net), ("LeakyReLU(0.2) in its place", leaky)):
    before = continued[2].weight.data.copy()
    J = train(continued, 0.05, 1000)
    moved[name] = int((abs(continued[2].weight.data - before).max(axis=1) > 0).sum())
    first[name], final[name] = J[0], float(np.mean(J[-10:]))
    print(f"   {name:<28} loss {first[name]:.2f} → {final[name]:.2f}; {moved[name]:2} of the 64 units of layer 2 moved")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axis = figure.subplots()
    for name, J in curves.items():
        axis.semilogx(np.arange(1, len(J) + 1), J, label=f"{name}: {len(J)} steps")
    axis.axhline(0.3, color="0.6", linestyle=":")
    axis.set(xlabel="step", ylabel="J", title="the same net, three activations")
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert len(curves["ReLU"]) * 3 < len(curves["sigmoid"])
assert deaths[0.05] <= deaths[0.0] + 5, "a small learning rate keeps them alive"
assert deaths[2.0] > 100, "a large one kills"
assert moved["ReLU"] <= 2, "dead units stay dead: no δ, no step"
assert final["ReLU"] > max(1, first["ReLU"] - 0.5), "and this net hardly learns again"
assert moved["LeakyReLU(0.2) in its place"] == 64, "a leak lets δ through"
assert final["LeakyReLU(0.2) in its place"] < 0.3 < final["ReLU"]
