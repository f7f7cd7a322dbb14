"""A saturated sigmoid hands no δ down: σ′(z) = σ(1 − σ) falls off as e^−|z|, and so does every gradient behind it.

python demos/claims/saturation.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

import numnet
from numnet import nn

PROVES = ("C088", "C204")

numnet.manual_seed(0)
rng = np.random.default_rng(0)
x = rng.standard_normal((256, 20))
sigmoid, relu, layer = nn.Sigmoid(), nn.ReLU(), nn.Linear(20, 64).double()


def slopes(activation: nn.Module, z: np.ndarray) -> np.ndarray:
    """σ′(z): what the activation makes of δ = 1."""
    activation(z)
    return activation.backward(np.ones_like(z))


print("one unit:  z     σ(z)          σ′(z) = δ handed down for δ = 1")
for z in (0.0, 2.0, 5.0, 10.0, 20.0):
    one = np.array([z])
    print(f"        {z:4.0f}     {sigmoid(one)[0]:.9f}   {slopes(sigmoid, one)[0]:.3e}")

print()
print("64 units on standardised inputs, weights from N(0, s²):  s    saturated   ‖δ handed down‖ / ‖δ‖")
print("                                                            |σ′| < 1e-3   sigmoid     ReLU")
delta = rng.standard_normal((256, 64))
saturated, sigmoid_ratio, relu_ratio = [], [], []
scales = (0.05, 0.2, 1.0, 2.0, 5.0, 20.0)
for s in scales:
    nn.init.normal_(layer.weight, std=s)
    z = layer(x)
    saturated.append(float((slopes(sigmoid, z) < 1e-3).mean()))
    for activation, ratios in ((sigmoid, sigmoid_ratio), (relu, relu_ratio)):
        activation(z)
        ratios.append(float(np.linalg.norm(activation.backward(delta)) / np.linalg.norm(delta)))
    print(f"{s:62.2f}{saturated[-1]:11.1%}{sigmoid_ratio[-1]:12.4f}{relu_ratio[-1]:9.4f}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    z = np.linspace(-10, 10, 401)
    left.plot(z, sigmoid(z), label="σ(z)")
    left.plot(z, 4 * slopes(sigmoid, z), label="4 σ′(z)")
    left.axvspan(-10, -6.9, color="0.85", label="|σ′| < 1e-3")
    left.axvspan(6.9, 10, color="0.85")
    left.set(xlabel="z", title="flat ends")
    left.legend()
    right.semilogx(scales, saturated, "o-", label="share of saturated units")
    right.semilogx(scales, sigmoid_ratio, "s-", label="δ handed down, sigmoid")
    right.semilogx(scales, relu_ratio, "^-", label="δ handed down, ReLU")
    right.set(xlabel="standard deviation of the weights", title="large weights saturate", ylim=(0, 1))
    right.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert slopes(sigmoid, np.array([10.0]))[0] < 1e-4, "at z = 10 next to nothing comes through"
assert saturated == sorted(saturated), "larger weights saturate more units"
assert saturated[-1] > 0.8, "with s = 20 most units are stuck"
assert min(relu_ratio) > 0.6, "ReLU lets the δ of its active half through, however large z is"
