"""Why sigmoid networks vanish: each layer multiplies ‖δ‖ by a factor of Wᵀ and a factor of σ′, and σ′ ≤ ¼.

    δˡ = (Wˡ⁺¹)ᵀ δˡ⁺¹ ⊙ σ′(zˡ)

What to see: δ on its way down through ten hidden layers, with the two factors of each; and what arrives at the first
layer, the deeper the network is. With ReLU σ′ is 1 or 0, and He's initial weights make up for the zeros.

python demos/steps/04_why_sigmoid_vanishes.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import inspect, nn

x, labels = load_digits(return_X_y=True)
x, labels = x[:100] / 16, labels[:100]  # (100, 64), (100,)


def budget(depth: int, activation: type[nn.Module]) -> inspect.Budget:
    """The δ budget of a new network with so many hidden layers of 64 neurons."""
    numnet.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(64, 64)
        if activation is nn.ReLU:
            nn.init.kaiming_normal_(linear.weight)
        layers += [linear, activation()]
    net = nn.Sequential(*layers, nn.Linear(64, 10)).double()
    return numnet.trace(net, x, labels, nn.CrossEntropyLoss()).budget()


layers, fall = {}, {}
for name, activation in (("sigmoid", nn.Sigmoid), ("ReLU, He's weights", nn.ReLU)):
    budgets = [budget(depth, activation) for depth in range(1, 11)]
    fall[name] = [found.fall for found in budgets]
    rows = layers[name] = budgets[-1].layers
    print(f"{name}: ten hidden layers and the output layer, from there back to the first")
    print("    l      ‖δˡ‖ = ‖δˡ⁺¹‖  ·  Wᵀ  ·  σ′")
    print(f"   11   {rows[10].norm:.1e}")
    for k in range(9, -1, -1):
        by_weights, by_slope = rows[k].parts["W"], rows[k].parts["σ′"]
        print(f"   {k + 1:2}   {rows[k].norm:.1e} = {rows[k + 1].norm:.1e} · {by_weights:.2f} · {by_slope:.2f}")
        assert np.isclose(rows[k].norm, rows[k + 1].norm * by_weights * by_slope, rtol=1e-12)
        assert by_slope <= 0.25 or name != "sigmoid", "σ′ ≤ ¼"

print("‖δ¹‖ as a share of ‖δ‖ at the top, by the number of hidden layers")
print("                     " + "".join(f"{depth:8}" for depth in range(1, 11)))
for name, shares in fall.items():
    print(f"   {name:<18}" + "".join(f"{share:8.0e}" for share in shares))
ceiling = np.array([0.25**depth for depth in range(1, 11)])
assert fall["sigmoid"][-1] < 1e-8, "nothing is left"
assert (np.array(fall["sigmoid"]) < ceiling).all(), "less than ¼ a layer, for these weights take their share as well"
assert min(fall["ReLU, He's weights"]) > 0.1

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, marker in (("sigmoid", "o"), ("ReLU, He's weights", "s")):
        rows = layers[name]
        for k in range(10):  # from layer k + 2 to layer k + 1: first through Wᵀ, then through σ′
            above, between, below = rows[k + 1].norm, rows[k + 1].norm * rows[k].parts["W"], rows[k].norm
            left.semilogy([k + 2, k + 1.5], [above, between], color="#0072B2", label="through Wᵀ" if k == 0 else None)
            left.semilogy([k + 1.5, k + 1], [between, below], color="#D55E00", label="through σ′" if k == 0 else None)
        left.semilogy(range(1, 12), [row.norm for row in rows], marker, color="0.2")
        left.annotate(name, (5.3, rows[4].norm), (-5, -8), textcoords="offset points", va="top", ha="right")
        right.semilogy(range(1, 11), fall[name], marker + "-", color="0.2", label=name)
    left.invert_xaxis()
    left.set(xlabel="layer, from the last to the first", ylabel="‖δˡ‖", title="ten hidden layers: two factors a layer")
    handles, names = left.get_legend_handles_labels()
    left.legend(handles[:2], names[:2], loc="lower left")
    right.semilogy(range(1, 11), ceiling, ":", color="#D55E00", label="¼ to the power of the layers")
    right.set(xlabel="hidden layers", ylabel="‖δ¹‖ / ‖δ‖ at the top", title="what arrives at the first layer")
    right.legend(loc="lower left")
    figure.savefig(sys.argv[1], dpi=110)
