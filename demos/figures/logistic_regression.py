"""Logistic regression: a linear layer and a sigmoid, BCELoss, SGD with rate 1e-3 and momentum 0.9, 50,000 epochs.

Once on the two inputs, with a straight boundary; once with their squares and product added, with a curved one. One
layer of a network and logistic regression are the same thing: scikit-learn's, without a penalty, finds its weights.

python demos/figures/logistic_regression.py [picture.png]
"""

from __future__ import annotations

import sys
import time

import numpy as np
from sklearn.linear_model import LogisticRegression as ScikitLearns

import numnet
from numnet import nn, optim

PROVES = ("C208", "C211", "C212")
MINUTES = 1

EPOCHS = 50_000
rng = np.random.default_rng(0)
x = rng.normal(size=(100, 2))
straight = (x @ [1.5, -1.0] + 0.3 + rng.logistic(size=100) * 0.7 > 0).astype(float)[:, None]
curved = (x[:, 0] ** 2 + x[:, 1] ** 2 + rng.logistic(size=100) * 0.25 > 1.4).astype(float)[:, None]


def polynomial(x: np.ndarray) -> np.ndarray:
    """x₁, x₂, x₁², x₁ x₂, x₂²."""
    return np.column_stack([x, x[:, 0] ** 2, x[:, 0] * x[:, 1], x[:, 1] ** 2])


def train(x: np.ndarray, y: np.ndarray) -> tuple[nn.Sequential, float]:
    numnet.manual_seed(0)
    model = nn.Sequential(nn.Linear(x.shape[1], 1), nn.Sigmoid()).double()
    criterion = nn.BCELoss()
    optimizer = optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    began = time.perf_counter()
    for _ in range(EPOCHS):
        J = criterion(model(x), y)
        optimizer.zero_grad()
        model.backward(criterion.backward())
        optimizer.step()
    print(f"{EPOCHS} epochs in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return model, float(J)


results, models = [], []
for name, features, y in (("straight", x, straight), ("curved", polynomial(x), curved)):
    model, J = train(features, y)
    models.append(model)
    theirs = ScikitLearns(C=np.inf, tol=1e-10, max_iter=10_000).fit(features, y[:, 0])
    right = float(((model(features) > 0.5) == y).mean())
    ours = np.append(model[0].weight.data[0], model[0].bias.data)
    reference = np.append(theirs.coef_[0], theirs.intercept_)
    results.append((right, float(abs(ours - reference).max()), J))
    print(f"{name} boundary, {features.shape[1]} features: loss {J:.4f}, {right:.0%} right")
    print(f"   weights, bias:       {np.array2string(ours, precision=3, suppress_small=True)}")
    print(f"   scikit-learn's:      {np.array2string(reference, precision=3, suppress_small=True)}")

wrong = float(((train(x, curved)[0](x) > 0.5) == curved).mean())
print(f"the curved data with a straight boundary: {wrong:.0%} right")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    u, v = np.meshgrid(np.linspace(-3, 3, 200), np.linspace(-3, 3, 200))
    grid = np.column_stack([u.ravel(), v.ravel()])
    for axis, model, inputs, y, title in zip(
        figure.subplots(1, 2),
        models,
        (grid, polynomial(grid)),
        (straight, curved),
        ("x₁, x₂", "x₁, x₂, x₁², x₁x₂, x₂²"),
        strict=True,
    ):
        p = model(inputs).reshape(u.shape)
        axis.contourf(u, v, p, 20, cmap="PuOr_r", alpha=0.6, vmin=0, vmax=1)
        axis.contour(u, v, p, [0.5], colors="k")
        for label, marker in ((0, "o"), (1, "^")):
            axis.scatter(*x[y[:, 0] == label].T, s=18, marker=marker, color="k", label=f"class {label}")
        axis.set_title(f"P(Y = 1), features {title}")
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert results[0][1] < 0.02, "one-layer network = logistic regression"
assert results[1][0] > 0.85 > wrong, "the squares bend the boundary"
