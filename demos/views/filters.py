"""What a first layer learns from colour photographs: ``inspect.plot_filters``.

The network tells patches of a photograph of a palace from patches of one of a flower. Its filters start as noise.

python demos/views/filters.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_sample_images

import numnet
from numnet import inspect, nn, optim, train

rng = numnet.manual_seed(0)
photographs = [photograph[::2, ::2].transpose(2, 0, 1) / 255 for photograph in load_sample_images().images]


def patches(photograph: np.ndarray, count: int, size: int = 12) -> np.ndarray:
    """(count, 3, size, size) from anywhere, in float32, each with mean 0 and variance 1."""
    tops = rng.integers(0, photograph.shape[1] - size, count)
    lefts = rng.integers(0, photograph.shape[2] - size, count)
    found = np.stack([photograph[:, i : i + size, j : j + size] for i, j in zip(tops, lefts, strict=True)])
    found -= found.mean(axis=(1, 2, 3), keepdims=True)
    return (found / (found.std(axis=(1, 2, 3), keepdims=True) + 0.01)).astype(np.float32)


x = np.concatenate([patches(photograph, 1200) for photograph in photographs])
y = np.repeat([0, 1], 1200)
net = nn.Sequential(nn.Conv2d(3, 16, 7), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))
optimizer = optim.AdamW(net.parameters(), lr=1e-2, weight_decay=0.5)
history = train.fit(net, nn.CrossEntropyLoss(), optimizer, (x, y), epochs=8, progress=False)
accuracy = float((train.predict(net, x).argmax(axis=1) == y).mean())
print(f"16 filters of 3 × 7 × 7, {accuracy:.1%} of the patches told apart")

if len(sys.argv) > 1:
    inspect.plot_filters(net, "0", rgb=True).savefig(sys.argv[1], dpi=110)

assert accuracy > 0.9
