"""Convolution and its δ: the loops of forward, run once more with the roles exchanged.

    forward    z[i, j] = b + Σ W[u, v] x[i + u, j + v]
    backward   ∂J/∂W[u, v] = Σ δ[i, j] x[i + u, j + v]        ∂J/∂x[i + u, j + v] += δ[i, j] W[u, v]

What to see: a weight is used at every place, so its gradient is a sum over all places; and each z hands its δ back to
the patch that it looked at, times the filter. Patches overlap, and what they hand back adds up. Asked from x, that is
the full correlation of δ with the filter turned by 180°.

python demos/steps/05_convolution_and_its_delta.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits

from numnet import nn


def forward(x: np.ndarray, W: np.ndarray, b: float) -> np.ndarray:
    z = np.full((x.shape[0] - W.shape[0] + 1, x.shape[1] - W.shape[1] + 1), b)
    for i, j in np.ndindex(z.shape):
        for u, v in np.ndindex(W.shape):
            z[i, j] += W[u, v] * x[i + u, j + v]
    return z


def backward(x: np.ndarray, W: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    delta_x, dW = np.zeros_like(x), np.zeros_like(W)
    for i, j in np.ndindex(delta.shape):
        for u, v in np.ndindex(W.shape):
            dW[u, v] += delta[i, j] * x[i + u, j + v]
            delta_x[i + u, j + v] += delta[i, j] * W[u, v]
    return delta_x, dW


def full_correlation(delta: np.ndarray, W: np.ndarray) -> np.ndarray:
    """δ at x as a convolution: of δ in a rim of zeros, by the filter turned by 180°."""
    n, m = W.shape
    return forward(np.pad(delta, ((n - 1, n - 1), (m - 1, m - 1))), W[::-1, ::-1], b=0.0)


def check(x: np.ndarray, W: np.ndarray, b: float, delta: np.ndarray) -> None:
    """nn.Conv2d, which has axes for samples and channels besides, has the same numbers, every one."""
    layer = nn.Conv2d(1, 1, W.shape).double()
    layer.load_state_dict({"weight": W[None, None], "bias": np.array([b])})
    z, delta_x = layer(x[None, None]), layer.backward(delta[None, None])
    by_loops = backward(x, W, delta)
    assert (z[0, 0] == forward(x, W, b)).all()
    assert (delta_x[0, 0] == by_loops[0]).all()
    assert (delta_x[0, 0] == full_correlation(delta, W)).all()
    assert (layer.weight.grad[0, 0] == by_loops[1]).all()
    assert layer.bias.grad[0] == delta.sum()


print("by hand: a filter of 2 × 2, b = 1")
x = np.array([[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0]], dtype=float)
W = np.array([[1, 0], [2, -1]], dtype=float)
delta = np.array([[1, 0, 0], [0, 2, -1]], dtype=float)
delta_x, gradient = backward(x, W, delta)
arrays = {"x": x, "W": W, "z": forward(x, W, b=1.0), "δ = ∂J/∂z": delta, "∂J/∂W": gradient, "∂J/∂x": delta_x}
for name, array in arrays.items():
    for k, row in enumerate(array + 0.0):
        print(f"   {name if k == 0 else '':<12}" + "".join(f"{number:4.0f}" for number in row))
print("   ∂J/∂W[0, 1] = δ[0, 0] x[0, 1] + δ[1, 1] x[1, 2] + δ[1, 2] x[1, 3] = 1·2 + 2·3 − 1·1 = 7")
print("   ∂J/∂x[1, 1] = δ[0, 0] W[1, 1] + δ[1, 1] W[0, 0] = 1·(−1) + 2·1 = 1, as two patches contain it")
assert (gradient[0, 1], delta_x[1, 1]) == (7, 1)
check(x, W, 1.0, delta)

images = load_digits().images
x, other = images[0], images[1]  # (8, 8), whole numbers from 0 to 16: a 0 and a 1
W = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=float)  # bright on the left, dark on the right
z = forward(x, W, b=0.0)
one = np.zeros_like(z)
one[1, 3] = 1  # J = z[1, 3]
whole = z - forward(other, W, b=0.0)  # J = ½ Σ (z − t)², and t is the z of the other digit
print("a digit of 8 × 8, a filter of 3 × 3")
for name, delta in (("J = z[1, 3]", one), ("J = ½ ‖z − t‖²", whole)):
    delta_x, gradient = backward(x, W, delta)
    check(x, W, 0.0, delta)
    print(f"   {name}: {(delta != 0).sum()} of δ and {(delta_x != 0).sum()} of ∂J/∂x are not 0; ∂J/∂W is")
    print("\n".join("      " + "".join(f"{number:7.0f}" for number in row) for row in gradient))
print("   equal in every number: by loops, by full correlation, by nn.Conv2d")
assert (backward(x, W, one)[0][1:4, 3:6] == W).all(), "one z: ∂J/∂x is the filter, set down at the patch"
assert (backward(x, W, one)[1] == x[1:4, 3:6]).all(), "and ∂J/∂W is the patch"

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.9), layout="constrained")
    rows = figure.subplots(2, 6, width_ratios=(8, 3, 6, 6, 3, 8))
    for row, delta, J in zip(rows, (one, whole), ("J = z[1, 3]", "J = ½ ‖z − t‖²"), strict=True):
        delta_x, gradient = backward(x, W, delta)
        panels = {"x": x, "W": W, "z": z, "δ at z": delta, "∂J/∂W": gradient, "δ at x": delta_x}
        for axis, (name, array) in zip(row, panels.items(), strict=True):
            limit = np.abs(array).max()
            axis.imshow(array, cmap="PuOr_r", vmin=-limit, vmax=limit)
            axis.set(title=name, xticks=[], yticks=[])
        row[0].set_ylabel(J)
    for axis in (rows[0][0], rows[0][5]):
        axis.plot(
            [2.5, 5.5, 5.5, 2.5, 2.5], [0.5, 0.5, 3.5, 3.5, 0.5], color="#009E73", linewidth=2
        )  # the patch of z[1, 3]
    figure.savefig(sys.argv[1], dpi=110)
