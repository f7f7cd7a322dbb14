"""Eight optimisers on three tasks, and the rules of thumb: adaptive ones at their defaults on sparse data, SGD for a
clean finish; Adadelta jitters late; Adagrad's steps die away.

python demos/claims/choosing_an_optimiser.py [picture.png]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim

PROVES = ("C154", "C156", "C157", "C161")

OPTIMISERS: dict[str, Callable] = {
    "SGD 0.1": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01),
    "Adadelta": lambda p: optim.Adadelta(p, lr=1.0),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.001),
    "NAdam": lambda p: optim.NAdam(p, lr=0.002),
}  # all but SGD at PyTorch's defaults
rng = np.random.default_rng(0)
digits, labels = load_digits(return_X_y=True)
digits = (digits / 16).astype(np.float32)
words = (rng.random((600, 2000)) < 1 / (1 + np.arange(2000))).astype(np.float32)  # word k is in one text of k + 1
taste = np.where(words[:, 5:] @ rng.standard_normal(1995).astype(np.float32) > 0, 1, 0)


def logistic() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2000, 2))


def dense() -> nn.Sequential:
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def deep() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(64, 32), nn.Sigmoid()]
    for _ in range(2):
        layers += [nn.Linear(32, 32), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(32, 10))


TASKS = {
    "sparse words, 1 layer": (logistic, words, taste),
    "digits, 2 layers": (dense, digits, labels),
    "digits, 4 layers, sigmoid": (deep, digits, labels),
}


def steps(
    make_net: Callable, x: np.ndarray, y: np.ndarray, make: Callable, n: int
) -> Iterator[tuple[float, nn.Module]]:
    """Mini-batches of 64, the same for every optimiser."""
    numnet.manual_seed(0)
    net, loss = make_net(), nn.CrossEntropyLoss()
    optimizer = make(net.parameters())
    order = np.random.default_rng(1)
    for _ in range(n):
        rows = order.choice(len(x), 64, replace=False)
        J = float(loss(net(x[rows]), y[rows]))
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
        yield J, net


print("mean loss of the last 50 of 500 steps")
print(f"{'':<26}" + "".join(f"{name:>10}" for name in OPTIMISERS))
curves: dict[tuple[str, str], list[float]] = {}
last: dict[tuple[str, str], float] = {}
for task, (make_net, x, y) in TASKS.items():
    for name, make in OPTIMISERS.items():
        curves[task, name] = [J for J, _ in steps(make_net, x, y, make, 500)]
        last[task, name] = float(np.mean(curves[task, name][-50:]))
    print(f"{task:<26}" + "".join(f"{last[task, name]:10.3f}" for name in OPTIMISERS))

print()
print("late in training: one layer on 1,000 digits, 100 of them a step; change of the weights in a step, ‖ΔW‖")
print(f"{'':<12}{'step 10':>12}{'step 2000':>12}    standard deviation of J over the last 200 steps")
loss = nn.CrossEntropyLoss()
change, jitter = {}, {}
for name in ("SGD 0.1", "Adagrad", "Adadelta", "RMSprop", "Adam"):
    numnet.manual_seed(0)
    net = nn.Linear(64, 10)
    optimizer = OPTIMISERS[name](net.parameters())
    moved, J = [], []
    order = np.random.default_rng(1)
    for _ in range(2000):
        rows = order.choice(1000, 100, replace=False)
        J.append(float(loss(net(digits[rows]), labels[rows])))
        optimizer.zero_grad()
        net.backward(loss.backward())
        before = net.weight.data.copy()
        optimizer.step()
        moved.append(float(np.linalg.norm(net.weight.data - before)))
    change[name] = (moved[9], float(np.mean(moved[-100:])))
    jitter[name] = change[name][1] / change[name][0]
    print(f"{name:<12}{change[name][0]:12.4f}{change[name][1]:12.4f}{np.std(J[-200:]):17.4f}")

print()
print("Adagrad's effective rate lr / √Σg² for g = 1 in every step: ", end="")
w = nn.Parameter(np.zeros(1))
adagrad = optim.Adagrad([w], lr=0.1)
rates = []
for _ in range(1000):
    before = w.data.copy()
    w.grad = np.ones(1)
    adagrad.step()
    rates.append(float(before[0] - w.data[0]))
print(", ".join(f"step {t}: {rates[t - 1]:.4f}" for t in (1, 10, 100, 1000)))

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.8), layout="constrained")
    smooth = np.ones(20) / 20
    for axis, task in zip(figure.subplots(1, 3), TASKS, strict=True):
        for name in OPTIMISERS:
            axis.plot(np.convolve(curves[task, name], smooth, "valid"), label=name)
        axis.set(title=task, xlabel="step", ylabel="J")
    figure.legend(*axis.get_legend_handles_labels(), fontsize=8, loc="outside right center")
    figure.savefig(sys.argv[1], dpi=110)

hard = "digits, 4 layers, sigmoid"
adaptive = ("Adadelta", "RMSprop", "Adam", "NAdam")
assert last[hard, "SGD 0.1"] > 2.2 > 1 > last[hard, "RMSprop"], "where δ is small, plain SGD stands still"
assert min(last["sparse words, 1 layer", name] for name in adaptive) < 0.5 * last["sparse words, 1 layer", "SGD 0.1"]
assert last["digits, 2 layers", "momentum"] < last["digits, 2 layers", "SGD 0.1"]
assert abs(rates[99] / rates[0] - 0.1) < 1e-3, "Adagrad: after t equal gradients the rate is lr / √t"
assert jitter["Adadelta"] == max(jitter.values()) > 2 * jitter["SGD 0.1"], "Adadelta's weights go on jittering"
