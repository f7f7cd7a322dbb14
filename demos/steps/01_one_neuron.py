"""One neuron: a chain of three functions forward, four multiplications back.

    z = w x + b        a = σ(z) = 1 / (1 + e⁻ᶻ)        J = ½ (a − y)²

What to see: each derivative is the one before it times one number; the shared front, δ = dJ/dz, is computed once and
serves w and b alike; and δ is a slope, that of J over z, which descent walks down.

python demos/steps/01_one_neuron.py [picture.png]
"""

from __future__ import annotations

import math
import sys

import numpy as np

import numnet
from numnet import nn, optim

x, y = 1.5, 1.0  # the neuron is given x, and is to answer y
w, b = -0.8, 0.2


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def loss_at(w: float) -> float:
    return (sigmoid(w * x + b) - y) ** 2 / 2


print("forward")
z = w * x + b
a = sigmoid(z)
J = (a - y) ** 2 / 2
print(f"   z = w x + b    = {w}·{x} + {b} = {z:.4f}")
print(f"   a = σ(z)       = {a:.4f}")
print(f"   J = ½ (a − y)² = {J:.4f}")

print("backward: four multiplications")
da = 1 * (a - y)  # dJ/da = dJ/dJ · dJ/da
delta = da * (a * (1 - a))  # dJ/dz = dJ/da · da/dz, and da/dz = σ′(z) = a (1 − a)
dw = delta * x  # dJ/dw = dJ/dz · dz/dw
db = delta * 1  # dJ/db = dJ/dz · dz/db
print(f"   dJ/da     = 1 · (a − y)        =  1      · {a - y:.4f} = {da:.4f}")
print(f"   dJ/dz = δ = dJ/da · a (1 − a)  = {da:.4f} ·  {a * (1 - a):.4f} = {delta:.4f}")
print(f"   dJ/dw     = δ · x              = {delta:.4f} ·  {x:.4f} = {dw:.4f}")
print(f"   dJ/db     = δ · 1              = {delta:.4f} ·  1      = {db:.4f}")
h = 1e-5
measured = (loss_at(w + h) - loss_at(w - h)) / (2 * h)
print(f"   dJ/dw, measured by moving w a little: {measured:.4f}")
assert math.isclose(measured, dw, rel_tol=1e-8)

print("the same neuron in numnet, which explains its numbers")
net = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid()).double()
net.load_state_dict({"0.weight": np.array([[w]]), "0.bias": np.array([b])})
loss = nn.MSELoss(reduction="half_sum")
trace = numnet.trace(net, np.array([[x]]), np.array([[y]]), loss)
for name, by_hand in (("1.delta", da), ("0.delta", delta), ("0.weight.grad", dw)):
    explanation = trace.explain(name, (0, 0))
    heading, formula, here, arithmetic, *_ = explanation.lines
    print(heading, here, arithmetic, sep="\n")
    assert math.isclose(explanation.value, by_hand, rel_tol=1e-14)

print("downhill: w ← w − 2 dJ/dw, b ← b − 2 dJ/db, by hand and by optim.SGD")
print("   step       w        b        z        a        J        δ")
optimizer = optim.SGD(net.parameters(), lr=2)
path = []
for step in range(6):
    z = w * x + b
    a = sigmoid(z)
    path.append((w, b, z, a, (a - y) ** 2 / 2, (a - y) * a * (1 - a)))
    print(f"   {step}   " + "".join(f"{number:9.4f}" for number in path[-1]))
    w, b = w - 2 * path[-1][-1] * x, b - 2 * path[-1][-1]

    optimizer.zero_grad()
    loss(net(np.array([[x]])), np.array([[y]]))
    net.backward(loss.backward())
    optimizer.step()
    assert np.allclose([p.data.item() for p in net.parameters()], (w, b), rtol=1e-13)
assert path[-1][4] < path[0][4] / 4, "J is a small part of what it was"

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
    forward, back = "#0072B2", "#D55E00"
    w, b, z, a, J, delta = path[0]
    place = {"x": (0, 2), "w": (0, 1), "b": (0, 0), "z": (1.2, 1), "a": (2.4, 1), "J": (3.6, 1)}
    numbers = {"x": (x, delta * w), "w": (w, dw), "b": (b, db), "z": (z, delta), "a": (a, da), "J": (J, 1)}
    factors = {"xz": "· w", "wz": "· x", "bz": "· 1", "za": "· a (1 − a)", "aJ": "· (a − y)"}
    for name, (across, up) in place.items():
        left.text(across, up, name, ha="center", va="center", fontsize=15, bbox={"boxstyle": "circle", "fc": "w"})
        left.text(across, up + 0.27, f"{numbers[name][0]:.4f}", ha="center", color=forward)
        left.text(across, up - 0.4, f"{numbers[name][1]:.4f}", ha="center", color=back)
    for (start, end), factor in factors.items():
        left.annotate("", place[end], place[start], arrowprops={"arrowstyle": "->", "shrinkA": 17, "shrinkB": 17})
        middle = np.mean([place[start], place[end]], axis=0)
        left.text(
            middle[0], middle[1] + (0.06 if start in "wza" else 0.12), factor, ha="center", color=back, fontsize=9
        )
    left.text(2.4, 2.2, "forward: the values", color=forward, fontsize=11)
    left.text(2.4, -0.3, "back: dJ/d…, times\none factor a link", color=back, fontsize=11)
    left.set(xlim=(-0.5, 4), ylim=(-0.5, 2.5))
    left.axis("off")
    zs = np.linspace(-2, 2.6, 200)
    right.plot(zs, [(sigmoid(z) - y) ** 2 / 2 for z in zs], color="0.6")
    for *_, z, _, J, delta in path:
        right.plot([z - 0.4, z + 0.4], [J - 0.4 * delta, J + 0.4 * delta], color=back)
        right.plot(z, J, "o", color=forward)
    right.set(xlabel="z = w x + b", ylabel="J", title="δ is the slope of J over z")
    figure.savefig(sys.argv[1], dpi=110)
