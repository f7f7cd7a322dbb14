"""Four surfaces in two dimensions, and the paths of optimisers over them: ravine, saddle, plateau, local minimum.

A saddle point has a Hessian that is not definite: one eigenvalue of each sign. Gradient descent creeps along it;
momentum, which remembers where it was going, crosses it, and gets along a ravine in which gradient descent zigzags.
Newton's method needs one step in a quadratic ravine, at the price of n² second derivatives and n³ for solving; and it
runs straight into a saddle.

python demos/claims/surfaces.py [picture.png]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import numnet
from numnet import inspect, nn, optim

PROVES = ("C162", "C165", "C166", "C167")


class Surface(NamedTuple):
    """J(u, v) for Tensors or arrays, where to start, and where its interesting point lies."""

    J: Callable
    start: tuple[float, float]
    point: tuple[float, float]
    window: tuple[float, float, float, float]


def bump(u: object, v: object, centre: float, depth: float, width: float) -> object:
    """A dip of a given depth at (centre, 0)."""
    return -depth * np.e ** (((u - centre) * (u - centre) + v * v) * (-1 / width))


SURFACES = {
    "ravine": Surface(lambda u, v: 0.005 * u * u + 2.5 * v * v, (-9, 1.5), (0, 0), (-10, 2, -2.5, 2.5)),
    "saddle": Surface(lambda u, v: u * u / 2 - v * v / 20 + v**4 / 400, (-2, 1e-4), (0, 0), (-2.2, 2.2, -4.5, 4.5)),
    "plateau": Surface(lambda u, v: bump(u, v, 0, 1, 4) + 0.001 * u * u, (-6, 0.5), (0, 0), (-7, 2, -2, 2)),
    "local minimum": Surface(
        lambda u, v: bump(u, v, -2, 0.3, 0.5) + bump(u, v, 1, 1, 2) + 0.05 * (u * u + v * v),
        (-4, 0.3), (-2, 0), (-4.5, 3, -2, 2),
    ),
}  # fmt: skip
OPTIMISERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.3),
    "momentum 0.9": lambda p: optim.SGD(p, lr=0.3, momentum=0.9),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.05),
    "Adam": lambda p: optim.Adam(p, lr=0.2),
}


def path(surface: Surface, make: Callable, steps: int = 300) -> np.ndarray:
    """The points of an optimiser's way down, (steps + 1, 2)."""
    w = nn.Parameter(np.array(surface.start))
    optimizer = make([w])
    points = [w.data.copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        surface.J(w[0], w[1]).backward()
        optimizer.step()
        points.append(w.data.copy())
    return np.array(points)


def hessian(J: Callable, at: tuple[float, float], h: float = 1e-4) -> np.ndarray:
    """Second derivatives, as central differences of the gradient: n backward passes for n parameters, twice."""

    def gradient(point: np.ndarray) -> np.ndarray:
        w = nn.Parameter(point)
        J(w[0], w[1]).backward()
        return w.grad

    rows = [(gradient(np.array(at) + d) - gradient(np.array(at) - d)) / (2 * h) for d in h * np.eye(2)]
    return np.array(rows)


print("surface         eigenvalues of the Hessian at its point    kind")
kinds = {}
for name, surface in SURFACES.items():
    eigenvalues = np.linalg.eigvalsh(hessian(surface.J, surface.point))
    kinds[name] = "minimum" if eigenvalues[0] > 0 else "saddle: not definite"
    print(f"{name:<16}{eigenvalues[0]:12.4f}{eigenvalues[1]:12.4f}{'':19}{kinds[name]}")

print()
print("J after 300 steps")
print(f"{'':<16}" + "".join(f"{name:>14}" for name in OPTIMISERS))
paths, J = {}, {}
for name, surface in SURFACES.items():
    for optimiser, make in OPTIMISERS.items():
        points = paths[name, optimiser] = path(surface, make)
        J[name, optimiser] = float(surface.J(*points[-1]))
    print(f"{name:<16}" + "".join(f"{J[name, optimiser]:14.5f}" for optimiser in OPTIMISERS))

print()
ravine = SURFACES["ravine"]
turns = {}
for optimiser, make in (
    ("SGD", lambda p: optim.SGD(p, lr=0.39)),
    ("momentum", lambda p: optim.SGD(p, lr=0.3, momentum=0.9)),
):
    points = path(ravine, make, 100)
    turns[optimiser] = float(ravine.J(*points[-1]))
print(
    f"ravine, 100 steps: SGD at the largest rate that converges (0.39) J = {turns['SGD']:.4f}; "
    f"momentum (0.3) J = {turns['momentum']:.4f}"
)
escapes = {}
for optimiser, make in (("SGD", OPTIMISERS["SGD"]), ("momentum", OPTIMISERS["momentum 0.9"])):
    escapes[optimiser] = int((abs(path(SURFACES["saddle"], make, 2000)[:, 1]) < 1).sum())
print(f"saddle, steps until |v| > 1: SGD {escapes['SGD']}, momentum {escapes['momentum']}")

w = np.array(ravine.start)
gradient = np.array([0.01 * w[0], 5 * w[1]])
newton = w - np.linalg.solve(hessian(ravine.J, tuple(w)), gradient)
print(f"Newton in the ravine: one step, from J = {ravine.J(*w):.3f} to {ravine.J(*newton):.1e}; ", end="")
n = 233_476
print(f"for the {n:,} parameters of the phone net H would take {n * n * 4 / 1e9:.0f} GB")
w = np.array([-2.0, 0.5])
saddle = SURFACES["saddle"]
for _ in range(6):
    p = nn.Parameter(w)
    saddle.J(p[0], p[1]).backward()
    w = w - np.linalg.solve(hessian(saddle.J, tuple(w)), p.grad)
print(f"Newton on the saddle surface from (−2, 0.5) ends at ({w[0]:.4f}, {w[1]:.4f}): the saddle itself")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    for axis, (name, surface) in zip(figure.subplots(2, 2).flat, SURFACES.items(), strict=True):
        ways = {optimiser: paths[name, optimiser] for optimiser in OPTIMISERS}
        inspect.plot_path(surface.J, ways, window=surface.window, names=("u", "v"), axes=axis)
        axis.set_title(name)
        if name != "saddle":  # one legend is enough, where there is room
            axis.get_legend().remove()
    figure.savefig(sys.argv[1], dpi=110)

assert kinds == {
    "ravine": "minimum",
    "saddle": "saddle: not definite",
    "plateau": "minimum",
    "local minimum": "minimum",
}
assert turns["momentum"] < 0.2 * turns["SGD"], "momentum gets along the ravine"
assert escapes["momentum"] * 3 < escapes["SGD"], "and crosses the saddle"
assert J["plateau", "SGD"] > 0.01 > -0.9 > J["plateau", "momentum 0.9"], "on a plateau SGD hardly moves"
assert J["local minimum", "SGD"] > -0.6 > J["local minimum", "momentum 0.9"], "momentum may roll through a small dip"
assert ravine.J(*newton) < 1e-9
assert abs(w).max() < 1e-6
numnet.manual_seed(0)
