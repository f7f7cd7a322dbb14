"""δ of one digit that the network reads wrongly, at every layer, and the norms: ``trace.plot()``.

python demos/views/delta_images.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim, train

numnet.manual_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).reshape(-1, 1, 8, 8)  # (N, 1, 8, 8)
net = nn.Sequential(
    nn.Conv2d(1, 9, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(9, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(64, 10),
).double()  # fmt: skip
loss = nn.CrossEntropyLoss()
train.fit(net, loss, optim.Adam(net.parameters(), lr=3e-3), (x[:1400], y[:1400]), epochs=4, progress=False)

z = train.predict(net, x[1400:])
wrong = 1400 + np.flatnonzero(z.argmax(axis=1) != y[1400:])
batch = wrong[:8]
net.eval()
trace = numnet.trace(net, x[batch], y[batch], loss)
p = np.exp(trace.output - trace.output.max(axis=1, keepdims=True))
p /= p.sum(axis=1, keepdims=True)
sample = int(np.abs(trace["7"].delta).max(axis=1).argmax())
truth, read = int(y[batch[sample]]), int(p[sample].argmax())
print(f"{len(wrong)} of {len(x) - 1400} digits are read wrongly; sample {sample} is a {truth}, read as {read}")
print(f"δ at the output, p − y over {len(batch)} samples: {trace['7'].delta[sample, truth]:+.3f} for {truth},", end=" ")
print(f"{trace['7'].delta[sample, read]:+.3f} for {read}")

if len(sys.argv) > 1:
    trace.plot(sample).savefig(sys.argv[1], dpi=110)

assert np.allclose(trace["7"].delta[sample], (p[sample] - np.eye(10)[truth]) / len(batch), rtol=1e-12)
assert read != truth
