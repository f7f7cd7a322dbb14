"""How the line between two classes bends with the number of hidden units: ``inspect.plot_decision_boundary``.

python demos/views/decision_boundary.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import make_moons

import numnet
from numnet import inspect, nn, optim, train

x, y = make_moons(200, noise=0.2, random_state=0)
nets, accuracies = {}, {}
for hidden in (1, 3, 16):
    numnet.manual_seed(0)
    net = nets[hidden] = nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, 1)).double()
    optimizer = optim.Adam(net.parameters(), lr=0.03)
    target = y[:, None].astype(float)
    train.fit(net, nn.BCEWithLogitsLoss(), optimizer, (x, target), epochs=60, progress=False)
    accuracies[hidden] = float(((train.predict(net, x)[:, 0] > 0) == y).mean())
    print(f"{hidden:2} hidden units: {accuracies[hidden]:.1%} right")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.4), layout="constrained")
    for axes, (hidden, net) in zip(figure.subplots(1, 3), nets.items(), strict=True):
        inspect.plot_decision_boundary(net, x, y, axes=axes)
        axes.set_title(f"{hidden} hidden unit{'s' * (hidden > 1)}")
    figure.savefig(sys.argv[1], dpi=110)

assert accuracies[1] < 0.9 < accuracies[16]
assert all(np.isfinite(p.data).all() for net in nets.values() for p in net.parameters())
