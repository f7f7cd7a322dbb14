"""Four filters that everybody can check, and what they make of a photograph: ``inspect.plot_feature_maps``.

python demos/views/feature_maps.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_sample_image

import numnet
from numnet import inspect, nn

photograph = load_sample_image("china.jpg")[::4, ::4].mean(axis=2) / 255  # (H, W), grey
sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
net = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.ReLU()).double()
net[0].weight.array[:, 0] = [sobel, -sobel, sobel.T, np.ones((3, 3)) / 9]

x = photograph[None, None]
trace = numnet.trace(net, x, np.zeros_like(net(x)), nn.MSELoss())
maps = trace["1"].output[0]
for k, name in enumerate(("brighter to the right", "darker to the right", "brighter downwards", "mean of 3 × 3")):
    print(f"map {k}: {name:<22} mean {maps[k].mean():.3f}, zero at {(maps[k] == 0).mean():4.0%} of the places")

if len(sys.argv) > 1:
    inspect.plot_feature_maps(trace, "1").savefig(sys.argv[1], dpi=110)

assert not np.any((maps[0] > 0) & (maps[1] > 0)), "no place is both"
assert np.allclose(maps[3][0, 0], photograph[:3, :3].mean())
