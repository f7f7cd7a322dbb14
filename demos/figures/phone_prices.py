"""Phone prices: 2,000 phones, 20 features, 4 prices. From 0.55 to 0.96 by seven changes, and what each does alone.

The tutorial prints 0.54750 for its first net and 0.96250 for the tuned one. Both again, with three seeds; then the
baseline with one change at a time, and the tuned net with one change taken back.

python demos/figures/phone_prices.py [picture.png]
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import numnet
from numnet import nn, optim

PROVES = ("C051", "C056", "C230", "C231", "C232", "C233", "C234", "C235", "C236")
DATA = ("mobile_price.csv",)
MINUTES = 3


class Setting(NamedTuple):
    """The seven things that the tutorial tunes."""

    scaled: bool = False
    adam: bool = False
    lr: float = 1e-3
    batch_norm: bool = False
    deep: bool = False
    wide: int = 1
    epochs: int = 50


BASELINE = Setting()
TUNED = Setting(scaled=True, adam=True, lr=1e-4, deep=True)
ADDED = {
    "1 inputs standardised": BASELINE._replace(scaled=True),
    "2 Adam for SGD": BASELINE._replace(adam=True),
    "3 learning rate 1e-4": BASELINE._replace(lr=1e-4),
    "  learning rate 1e-2": BASELINE._replace(lr=1e-2),
    "4 batch norm": BASELINE._replace(batch_norm=True),
    "5 five layers for three": BASELINE._replace(deep=True),
    "6 twice the units": BASELINE._replace(wide=2),
    "7 twice the epochs": BASELINE._replace(epochs=100),
}
TAKEN_BACK = {
    "inputs as they are": TUNED._replace(scaled=False),
    "SGD for Adam": TUNED._replace(adam=False),
    "learning rate 1e-3": TUNED._replace(lr=1e-3),
    "three layers for five": TUNED._replace(deep=False),
}
SEEDS = (0, 1, 2)

table = np.loadtxt(Path(os.environ["NUMNET_DATA"]) / "mobile_price.csv", delimiter=",", skiprows=1)
x, y = table[:, :-1].astype(np.float32), table[:, -1].astype(np.int64)
x_train, x_valid, y_train, y_valid = train_test_split(x, y, train_size=0.8, random_state=88, stratify=y)
scaler = StandardScaler().fit(x_train)  # on the training rows alone


def network(setting: Setting) -> nn.Sequential:
    hidden = [setting.wide * n for n in ((128, 256, 512, 128) if setting.deep else (128, 256))]
    layers: list[nn.Module] = []
    for n_in, n_out in zip([20, *hidden], hidden, strict=False):
        layers += [nn.Linear(n_in, n_out), *([nn.BatchNorm1d(n_out)] if setting.batch_norm else []), nn.Sigmoid()]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], 4))


def train(setting: Setting, seed: int) -> list[float]:
    """Accuracy on the 400 held-out phones after each epoch."""
    rng = numnet.manual_seed(seed)
    net = network(setting)
    loss: nn.Loss = nn.CrossEntropyLoss()
    optimizer = (optim.Adam if setting.adam else optim.SGD)(net.parameters(), lr=setting.lr)
    train_x, valid_x = (scaler.transform(x_train), scaler.transform(x_valid)) if setting.scaled else (x_train, x_valid)
    accuracy = []
    for _ in range(setting.epochs):
        for rows in rng.permutation(1600).reshape(200, 8):
            loss(net(train_x[rows]), y_train[rows])
            optimizer.zero_grad()
            net.backward(loss.backward())
            optimizer.step()
        net.eval()
        with numnet.no_grad():
            accuracy.append(float((net(valid_x).argmax(axis=1) == y_valid).mean()))
        net.train()
    return accuracy


def three(name: str, setting: Setting) -> list[list[float]]:
    """Three seeds, printed in a line."""
    began = time.perf_counter()
    curves = [train(setting, seed) for seed in SEEDS]
    ends = [curve[-1] for curve in curves]
    count = sum(p.data.size for p in network(setting).parameters())
    print(f"{name:<26}{count:>9,}   " + "  ".join(f"{end:.4f}" for end in ends) + f"   median {np.median(ends):.4f}")
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)
    return curves


print(f"{len(x_train)} phones to learn from, {len(x_valid)} held out, {x.shape[1]} features; ", end="")
print(f"of each price {np.bincount(y)}")
print("                          parameters  accuracy with seeds 0, 1, 2")
baseline = three("baseline", BASELINE)
tuned = three("tuned", TUNED)
print("baseline, one change at a time")
added = {name: three(name, setting) for name, setting in ADDED.items()}
print("tuned, one change taken back")
back = {name: three(name, setting) for name, setting in TAKEN_BACK.items()}


def end(curves: list[list[float]]) -> float:
    return float(np.median([curve[-1] for curve in curves]))


if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    left.plot(np.median(tuned, axis=0), label="tuned")
    left.plot(np.median(baseline, axis=0), label="baseline")
    left.set(xlabel="epoch", ylabel="accuracy on 400 held-out phones", ylim=(0.2, 1))
    left.legend()
    bars = {"baseline": baseline, **added, "tuned": tuned, **back}
    right.barh(list(bars), [end(curves) for curves in bars.values()], color=["C1"] * 9 + ["C0"] * 5)
    right.set(title="one change at a time:\nadded to the baseline, taken from the tuned net", xlim=(0.2, 1))
    right.invert_yaxis()
    figure.savefig(sys.argv[1], dpi=110)

assert (np.bincount(y) == 500).all()
assert (np.bincount(y_valid) == 100).all()
assert sum(p.data.size for p in network(BASELINE).parameters()) == 36_740
assert sum(p.data.size for p in network(TUNED).parameters()) == 233_476
assert 0.48 <= end(baseline) <= 0.56, "the tutorial: 0.5475; PyTorch with these seeds: 0.520, 0.5075, 0.5275"
assert end(tuned) >= 0.95, "the tutorial: 0.9625; PyTorch with these seeds: 0.9625, 0.9625, 0.9425"
