"""Dropout as an ensemble: the mean over many thinned networks is close to the one network of evaluation mode.

python demos/claims/dropout_ensemble.py [picture.png]
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim

PROVES = ("C102",)

numnet.manual_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype(np.float32)
train, test = slice(0, 1000), slice(1000, None)
net = nn.Sequential(
    nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)
)
loss: nn.Loss = nn.CrossEntropyLoss()
optimizer = optim.Adam(net.parameters(), lr=3e-3)
for _ in range(150):
    loss(net(x[train]), y[train])
    optimizer.zero_grad()
    net.backward(loss.backward())
    optimizer.step()


def outputs() -> np.ndarray:
    with numnet.no_grad():
        return net(x[test])


net.eval()
whole = outputs()
net.train()
warnings.simplefilter("ignore", numnet.errors.TrainingModeWarning)  # to predict in training mode is what is meant here
print("thinned nets averaged   ‖mean z − z of evaluation mode‖ / ‖z‖   right")
distances, rights = [], []
total = np.zeros_like(whole)
shown = (1, 3, 10, 30, 100, 300)
for n in range(1, shown[-1] + 1):
    total += outputs()
    if n in shown:
        distances.append(float(np.linalg.norm(total / n - whole) / np.linalg.norm(whole)))
        rights.append(float((total.argmax(axis=1) == y[test]).mean()))
        print(f"{n:10}{distances[-1]:34.4f}{rights[-1]:25.1%}")
print(f"{'evaluation mode: all units, no draw':<62}{(whole.argmax(axis=1) == y[test]).mean():7.1%}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.loglog(shown, distances, "o-")
    axis.set(
        xlabel="thinned nets averaged", ylabel="‖mean z − z of evaluation mode‖ / ‖z‖", title="towards evaluation mode"
    )
    figure.savefig(sys.argv[1], dpi=110)

assert distances == sorted(distances, reverse=True)
assert distances[-1] < 0.25 * distances[0]
assert rights[-1] > rights[0], "the ensemble is better than one of its members"
