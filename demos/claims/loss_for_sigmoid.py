"""Which loss for a sigmoid output? Squared error: δ = (a − y) σ′(z), nearly 0 where the unit is sure and wrong.
Cross-entropy: δ = a − y, σ′ cancels.

python demos/claims/loss_for_sigmoid.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

import numnet
from numnet import nn, optim

PROVES = ("C132", "C136", "C137")


def delta_at(z: float, loss: nn.Loss) -> float:
    """δ = ∂J/∂z of one sigmoid unit whose target is 0."""
    unit = nn.Sigmoid()
    loss(unit(np.array([z])), np.zeros(1))
    return float(unit.backward(loss.backward())[0])


print("δ of a unit that should say 0     a         squared error   cross-entropy")
zs = (0.0, 2.0, 5.0, 10.0)
squared, entropy = [], []
for z in zs:
    squared.append(delta_at(z, nn.MSELoss()) / 2)  # ½ (a − y)²
    entropy.append(delta_at(z, nn.BCELoss()))
    print(f"   z = {z:4.1f}{1 / (1 + np.exp(-z)):27.5f}{squared[-1]:16.6f}{entropy[-1]:16.6f}")

print()
print("steps of gradient descent, learning rate 0.15, until a < 0.1, for w x + b with x = 1, target 0")
steps = {}
curves = {}
for start in (0.6, 2.0, 5.0):
    for name, loss in (("squared error", nn.MSELoss()), ("cross-entropy", nn.BCELoss())):
        neuron = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid()).double()
        nn.init.constant_(neuron[0].weight, start)
        nn.init.constant_(neuron[0].bias, start)
        optimizer = optim.SGD(neuron.parameters(), lr=0.15)
        a = [1.0]
        while a[-1] > 0.1:
            a.append(float(neuron(np.ones((1, 1)))[0, 0]))
            loss(np.array([[a[-1]]]), np.zeros((1, 1)))
            optimizer.zero_grad()
            neuron.backward(loss.backward())
            optimizer.step()
        steps[start, name] = len(a) - 1
        curves[start, name] = a[1:]
    print(f"   w = b = {start:<4} squared error {steps[start, 'squared error']:7}", end="")
    print(f"     cross-entropy {steps[start, 'cross-entropy']:5}")

print()
p = 0.3
q = np.linspace(0.01, 0.99, 99)
J = nn.BCELoss(reduction="none")(q, np.full_like(q, p))
print(
    f"cross-entropy of a true probability {p} with a predicted one is least at {q[J.argmin()]:.2f}, where it is",
    end=" ",
)
print(f"{J.min():.4f} = the entropy {-(p * np.log(p) + (1 - p) * np.log(1 - p)):.4f}")

z = np.array([[30.0, 0.0], [200.0, 0.0]])  # sure, and wrong: the label is 1
labels = np.array([1, 1])
softmax = nn.Softmax(dim=1)
probability = softmax(z)[:, 1]
with np.errstate(divide="ignore"):
    print(f"p = {probability[0]:.1e} and {probability[1]:.1e} at the label: ∂p/∂z = ", end="")
through_p = softmax.backward(np.array([[0.0, 1.0], [0.0, 1.0]]))[:, 1]
cross_entropy: nn.Loss = nn.CrossEntropyLoss(reduction="sum")
cross_entropy(z, labels)
through_log = cross_entropy.backward()[:, 1]
print(f"{through_p[0]:.1e} and {through_p[1]:.1e}, next to nothing; ", end="")
print(f"∂(−ln p)/∂z = {through_log[0]:.1f} and {through_log[1]:.1f}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (start, name), a in curves.items():
        if start != 0.6:
            left.semilogx(
                range(1, len(a) + 1), a, "-" if name == "cross-entropy" else "--", label=f"{name}, w = b = {start}"
            )
    left.set(xlabel="step", ylabel="a, should be 0", title="learning from a sure mistake")
    left.legend(fontsize=8)
    right.plot(q, J)
    right.plot(p, J.min(), "o")
    right.set(xlabel="predicted probability", ylabel="cross-entropy", title="least where predicted = true = 0.3")
    figure.savefig(sys.argv[1], dpi=110)

assert squared[3] < 1e-4 < 0.99 < entropy[3]
assert steps[5.0, "squared error"] > 20 * steps[5.0, "cross-entropy"]
assert abs(q[J.argmin()] - p) < 0.006
assert abs(through_p).max() < 1e-12, "probabilities: the gradient is gone"
assert (through_log < -0.999).all(), "their logarithm: it is there"
numnet.manual_seed(0)
