"""A network with too much room for its data: ``history.plot()``, and the same curves as text while it trains.

python demos/views/learning_curves.py [picture.png]
"""

from __future__ import annotations

import contextlib
import io
import sys

import numpy as np

import numnet
from numnet import metrics, nn, optim, train

rng = numnet.manual_seed(0)
x = rng.standard_normal((400, 10))
y = (x[:, 0] * x[:, 1] + x[:, 2] + 0.5 * rng.standard_normal(400) > 0).astype(np.int64)
net = nn.Sequential(nn.Linear(10, 100), nn.ReLU(), nn.Linear(100, 2)).double()
screen = io.StringIO()
with contextlib.redirect_stderr(screen):  # which is no terminal: the text is printed again and again, as into a log
    history = train.fit(
        net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.005), (x[:200], y[:200]), epochs=40, patience=40,
        validation=(x[200:], y[200:]), metrics={"accuracy": metrics.accuracy}, progress=False,
        callbacks=[train.LiveCurve(text=True)],
    )  # fmt: skip
print("\n".join(screen.getvalue().splitlines()[-12:]))
print(f"the best epoch is {history.best_epoch} of {len(history)}")

if len(sys.argv) > 1:
    history.plot().savefig(sys.argv[1], dpi=110)

assert history[-1]["loss"] < 0.7 * history[-1]["validation_loss"], "it knows its 150 samples too well"
assert history.best_epoch is not None
assert history.best_epoch < len(history)
