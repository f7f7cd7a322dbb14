"""Batch norm: x reaches y by three paths, so δ comes back by three, and they are added up.

    μ = Σₙ xₙ / N        v = Σₙ (xₙ − μ)² / N        x̂ = (x − μ) / √(v + ε)        y = γ x̂ + β

What to see: J hangs on one sample alone, and yet every sample of the batch gets a δ. And how to catch the two most
common mistakes in homework, a path left out, without knowing the right answer: by two sums that have to be 0.

python demos/steps/07_batch_norm_three_paths.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

from numnet import nn


def three_paths(x: np.ndarray, gamma: np.ndarray, delta: np.ndarray, eps: float) -> list[np.ndarray]:
    """What comes back to x directly, through μ and through v; x and δ are (N, F), and each feature is by itself."""
    N = len(x)
    mu, v = x.mean(axis=0), x.var(axis=0)
    s = 1 / np.sqrt(v + eps)
    g = gamma * delta  # ∂J/∂x̂
    dmu = -s * g.sum(axis=0)  # ∂J/∂μ: every x̂ₙ has μ in it
    dv = -0.5 * s**3 * (g * (x - mu)).sum(axis=0)  # ∂J/∂v: and v as well
    return [s * g, dmu * np.ones_like(x) / N, dv * 2 * (x - mu) / N]


def show(name: str, numbers: np.ndarray, remark: str = "") -> None:
    print(f"{name:<15}" + "".join(f"{number:6.1f}" for number in numbers.ravel() + 0.0) + f"   {remark}".rstrip())


print("one feature of five samples, γ = 4; J depends on y of the first sample, and on no other")
x = np.array([[2.0], [4.0], [5.0], [6.0], [8.0]])  # (N, 1): μ = 5, v = 4
delta = np.array([[1.0], [0.0], [0.0], [0.0], [0.0]])
x_hat = (x - 5) / 2
norm = nn.BatchNorm1d(1, eps=0).double()  # ε = 0, to have round numbers
norm.weight.data[...] = 4
norm(x)
delta_x = norm.backward(delta)
paths = three_paths(x, norm.weight.data, delta, norm.eps)

h = 1e-4  # and what J really does when one x moves: the judge, who knows no formula
steps = h * np.eye(5)[..., None]
measured = np.array([(delta * (norm(x + step) - norm(x - step))).sum() / (2 * h) for step in steps])

show("x", x, "μ = 5, v = 4")
show("(x − μ) / √v", x_hat, "= x̂")
show("δ = ∂J/∂y", delta)
show("directly", paths[0], "γ δ / √v")
show("through μ", paths[1], "∂J/∂μ = −4·1/2 = −2, times ∂μ/∂xₙ = 1/5")
show("through v", paths[2], "∂J/∂v = −½·4·(−3)/8 = ¾, times ∂v/∂xₙ = 2 (xₙ − 5)/5")
show("the sum", sum(paths))
show("nn.BatchNorm1d", delta_x)
show("measured", measured)

print()
print("to move all x together, or to stretch them about μ, changes no y: so two sums have to be 0")
print("left out            Σ δx    Σ x̂ δx")  # δx: the δ that arrives at x
sums = {}
for name, kept in (("nothing", (0, 1, 2)), ("the path by μ", (0, 2)), ("the path by v", (0, 1)), ("both", (0,))):
    total = sum(paths[k] for k in kept)
    sums[name] = float(total.sum()), float((x_hat * total).sum())
    print(f"{name:<15}" + "".join(f"{number + 0.0:9.1f}" for number in np.round(sums[name], 12)))

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axis = figure.subplots()
    names, colours = ("directly", "through μ", "through v"), ("C0", "C1", "0.7")
    for k, (name, colour, path) in enumerate(zip(names, colours, paths, strict=True)):
        axis.bar(np.arange(5) + 0.2 * (k - 1.5), path.ravel(), 0.18, color=colour, label=name)
    axis.bar(np.arange(5) + 0.3, delta_x.ravel(), 0.18, color="black", label="sum: the δ that batch norm hands down")
    axis.axhline(0, color="0.4", linewidth=0.8)
    axis.set_xticks(
        range(5), [f"x = {number:.0f}\nδ = {d:.0f}" for number, d in zip(x[:, 0], delta[:, 0], strict=True)]
    )
    axis.set(ylabel="∂J/∂x", title="only the first sample has a δ, and all five get one")
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert np.allclose(sum(paths), [[0.7], [-0.7], [-0.4], [-0.1], [0.5]], rtol=1e-12)
assert np.allclose(measured, delta_x.ravel(), atol=1e-6)
assert np.allclose(sums["nothing"], 0, atol=1e-12)
assert np.allclose(sums["the path by μ"], (2, 0)), "the first sum tells that μ was forgotten"
assert np.allclose(sums["the path by v"], (0, -3)), "the second that v was"
rng = np.random.default_rng(0)
x, delta = rng.standard_normal((64, 8)), rng.standard_normal((64, 8))
norm = nn.BatchNorm1d(8).double()
norm.weight.data[...] = rng.standard_normal(8)
norm(x)
assert np.allclose(sum(three_paths(x, norm.weight.data, delta, norm.eps)), norm.backward(delta), rtol=1e-12, atol=1e-14)
