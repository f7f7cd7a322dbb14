"""What penalties do to weights: L2 makes them small and even, L1 makes most of them 0, a maximum norm bounds them.

Forty inputs, of which five matter; a logistic regression on 120 samples.

python demos/claims/penalties.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

import numnet
from numnet import nn, optim

PROVES = ("C139", "C140", "C141", "C142", "C143")

rng = np.random.default_rng(0)
x = rng.standard_normal((1120, 40)).astype(np.float32)
true = np.zeros(40, np.float32)
true[:5] = (2, -2, 1.5, -1.5, 1)
y = (x @ true + rng.logistic(size=1120) > 0).astype(np.float32)[:, None]
train, test = slice(0, 120), slice(120, None)


def fit(penalty: nn.Module | None) -> tuple[np.ndarray, float]:
    """The weights after 2,000 steps of a falling learning rate, and the share of 1,000 unseen samples that is right."""
    numnet.manual_seed(0)
    net = nn.Linear(40, 1)
    loss: nn.Loss = nn.BCEWithLogitsLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for step in range(2000):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 2000)
        loss(net(x[train]), y[train])
        optimizer.zero_grad()
        net.backward(loss.backward())
        if penalty is not None:
            penalty(net.weight).backward()  # λ sign(w), or λ w, added to the gradient
        optimizer.step()
    return net.weight.data[0].copy(), float(((net(x[test]) > 0) == y[test]).mean())


print("penalty              right   |w| < 0.02   ‖w‖     largest of the 35 that do not matter")
weights = {}
for name, penalty in (
    ("none", None),
    ("L2, λ = 0.03", nn.L2Penalty(0.03)),
    ("L1, λ = 0.03", nn.L1Penalty(0.03)),
    ("L1 + L2, 0.02 each", nn.ElasticPenalty(0.02, 0.02)),
    ("L1, λ = 0.3", nn.L1Penalty(0.3)),
):
    weights[name], right = fit(penalty)
    w = weights[name]
    print(f"{name:<20}{right:6.1%}{(abs(w) < 0.02).sum():9} / 40{np.linalg.norm(w):9.2f}{abs(w[5:]).max():12.2f}")

print()
print("maximum norm: 2 layers of ReLU, learning rate 3 on targets in the thousands; largest norm of a unit's weights")
norms = {}
for name, bound in (("without", None), ("bounded by 2", 2.0)):
    numnet.manual_seed(0)
    net = nn.Sequential(nn.Linear(40, 32), nn.ReLU(), nn.Linear(32, 1)).double()
    loss = nn.MSELoss()
    optimizer = optim.SGD(net.parameters(), lr=3.0)
    seen = []
    for _ in range(4):
        loss(net(x[train].astype(np.float64)), 1000 * y[train].astype(np.float64))
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
        for layer in (net[0], net[2]):
            if bound is not None:  # project every unit's weights back into the ball of radius `bound`
                layer.weight.data[...] *= np.minimum(
                    1, bound / np.linalg.norm(layer.weight.data, axis=1, keepdims=True)
                )
        seen.append(max(float(np.linalg.norm(layer.weight.data, axis=1).max()) for layer in (net[0], net[2])))
    norms[name] = seen
    print(f"   {name:<14}" + "".join(f"{n:12.3g}" for n in seen))

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axis, (name, w) in zip(figure.subplots(1, 4, sharey=True), list(weights.items())[:4], strict=True):
        axis.barh(range(40), w, color=["C1" if i < 5 else "C0" for i in range(40)])
        axis.set_title(name, fontsize=9)
        axis.invert_yaxis()
    figure.supxlabel("weight; orange: the five inputs that matter")
    figure.savefig(sys.argv[1], dpi=110)

zeros = {name: int((abs(w) < 0.02).sum()) for name, w in weights.items()}
assert zeros["L1, λ = 0.03"] > 3 * max(zeros["none"], zeros["L2, λ = 0.03"], 1), "L1 makes weights sparse"
assert zeros["L1, λ = 0.3"] >= zeros["L1, λ = 0.03"], "the larger λ, the more"
assert np.linalg.norm(weights["L2, λ = 0.03"]) < 0.5 * np.linalg.norm(weights["none"]), "L2 makes them small"
evenness = {name: abs(w).max() / abs(w).mean() for name, w in weights.items()}
assert evenness["L2, λ = 0.03"] < evenness["L1, λ = 0.03"], "and more even than L1 does"
assert not norms["without"][-1] < 1e6, "without a bound the net explodes"
assert max(norms["bounded by 2"]) <= 2.001
