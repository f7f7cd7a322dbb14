"""Pooling with overlap: δ goes back to the winner of each window, and who wins two windows gets two δ.

    maximum   y[i, j] = max x[2i + u, 2j + v]          δ[i, j] goes to the one number that was the largest
    average   y[i, j] = Σ x[2i + u, 2j + v] / 9        each number of the window gets δ[i, j] / 9

What to see: pooling has no weights, it only says who gets which δ. Windows of 3 × 3 that move on by 2 share a row or a
column with their neighbours, so δ has to be added at the winner, not written there. And none is lost: the δ at x have
the same sum as those at y.

python demos/steps/06_overlapping_pooling.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits

from numnet import nn

K, S = 3, 2  # kernel and stride


def max_pool(x: np.ndarray, delta: np.ndarray, add: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """y and δ at x. Without ``add`` it makes the common mistake."""
    y, delta_x = np.zeros_like(delta), np.zeros_like(x)
    for i, j in np.ndindex(y.shape):
        window = x[S * i : S * i + K, S * j : S * j + K]
        u, v = np.unravel_index(window.argmax(), window.shape)  # the first of equals, row by row
        y[i, j] = window[u, v]
        delta_x[S * i + u, S * j + v] = delta[i, j] + (delta_x[S * i + u, S * j + v] if add else 0)
    return y, delta_x


def avg_pool(x: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, delta_x = np.zeros_like(delta), np.zeros_like(x)
    for i, j in np.ndindex(y.shape):
        y[i, j] = x[S * i : S * i + K, S * j : S * j + K].sum() / K**2
        delta_x[S * i : S * i + K, S * j : S * j + K] += delta[i, j] / K**2
    return y, delta_x


def show(name: str, array: np.ndarray, remark: str = "") -> None:
    for k, row in enumerate(array):
        line = f"   {name if k == 0 else '':<16}" + "".join(f"{number:5.0f}" for number in row)
        print(f"{line}   {remark if k == 0 else ''}".rstrip())


x = np.array([[5, 5, 2, 1, 0], [3, 5, 9, 5, 2], [1, 2, 4, 0, 4], [7, 0, 1, 5, 4], [0, 0, 3, 0, 6]], dtype=float)
delta = np.array([[9, 18], [36, 72]], dtype=float)
print("five by five, windows of 3 × 3, stride 2: four windows")
show("x", x)
show("δ = ∂J/∂y", delta, f"sum {delta.sum():.0f}")
y_max, at_max = max_pool(x, delta)
show("maximum: y", y_max, "the 9 wins the two windows of the first row")
show("         ∂J/∂x", at_max, f"sum {at_max.sum():.0f}; the 9 gets 9 + 18")
wrong = max_pool(x, delta, add=False)[1]
show("written, not +=", wrong, f"sum {wrong.sum():.0f}: a δ of 9 is lost")
y_average, at_average = avg_pool(x, delta)
show("average: y", y_average)
show("         ∂J/∂x", at_average, f"sum {at_average.sum():.0f}; the middle one, in all windows, gets 1 + 2 + 4 + 8")

assert at_max[1, 2] == 9 + 18
assert at_average[2, 2] == 1 + 2 + 4 + 8
assert delta.sum() == at_max.sum() == at_average.sum() == wrong.sum() + 9
for picture in [x, *load_digits().images[:20]]:  # digits have windows with several largest numbers
    n = (len(picture) - K) // S + 1
    delta_y = np.arange(1.0, n * n + 1).reshape(n, n)
    for layer, loops in ((nn.MaxPool2d(K, S), max_pool), (nn.AvgPool2d(K, S), avg_pool)):
        y, delta_x = loops(picture, delta_y)
        assert np.allclose(layer(picture[None, None])[0, 0], y, rtol=1e-14)
        assert np.allclose(layer.backward(delta_y[None, None])[0, 0], delta_x, rtol=1e-14)
print("nn.MaxPool2d and nn.AvgPool2d have the same numbers, for this x and for twenty digits")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    panels = {"x, four windows": x, "δ at y": delta, "maximum: δ at x": at_max, "average: δ at x": at_average}
    axes = figure.subplots(1, 4, width_ratios=(5, 2, 5, 5))
    for axis, (name, array) in zip(axes, panels.items(), strict=True):
        axis.imshow(array, cmap="Greys", vmin=0, vmax=3 * array.max())
        for (i, j), number in np.ndenumerate(array):
            axis.text(j, i, f"{number:.0f}", ha="center", va="center", color="0.7" if number == 0 else "black")
        axis.set(title=name, xticks=[], yticks=[])
    winners = {(0, 0): (1, 2), (0, 1): (1, 2), (1, 0): (3, 0), (1, 1): (4, 4)}
    for (i, j), (u, v) in winners.items():
        k = 2 * i + j
        colour = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")[k]
        near, far = -0.44 + 0.07 * k, 2.44 - 0.07 * k  # so that no line hides another
        across, down = np.array([near, far, far, near, near]), np.array([near, near, far, far, near])
        axes[0].plot(S * j + across, S * i + down, color=colour, linewidth=2.5)
        axes[1].plot(j + (across - 1) / 3.5, i + (down - 1) / 3.5, color=colour, linewidth=2.5)
        for axis in (axes[0], axes[2]):
            axis.scatter(v, u, s=1000 - 300 * (j == 1), facecolors="none", edgecolors=colour, linewidths=2)
    figure.savefig(sys.argv[1], dpi=110)
