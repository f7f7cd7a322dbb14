"""Why sigmoid nets vanish: δˡ = (Wˡ⁺¹)ᵀ δˡ⁺¹ ⊙ σ′(zˡ), and σ′ ≤ ¼, so a few layers leave next to nothing of δ.

First the five-layer net of the phone prices at its first step, then 100 layers, from the last to the first.

python demos/claims/vanishing.py [picture.png]
"""

from __future__ import annotations

import itertools
import sys

import numpy as np

import numnet
from numnet import inspect, nn

PROVES = ("C198", "C202", "C203", "F14")

loss: nn.Loss = nn.CrossEntropyLoss()
rng = np.random.default_rng(0)


def dense(sizes: list[int], activation: type[nn.Module], he: bool = False) -> nn.Sequential:
    """Linear layers of these sizes with an activation between any two."""
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
        if he:
            nn.init.kaiming_normal_(layers[-2].weight, nonlinearity="relu")
            nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers[:-1]).double()


def sizes_of_delta(net: nn.Module, x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """‖δˡ‖ and ‖∂J/∂Wˡ‖ of every linear layer, the first layer first."""
    steps = [s for s in inspect.trace(net, x, y, loss) if isinstance(s.layer, nn.Linear)]
    return [(float(np.linalg.norm(s.delta)), float(np.linalg.norm(s.parameter_gradients["weight"]))) for s in steps]


print("1. the tuned net of the phone prices, 20-128-256-512-128-4, standardised inputs, batch of 8, first step")
print("   ‖∂J/∂Wˡ‖, l =      1         2         3         4         5     last / first")
x, y = rng.standard_normal((8, 20)), rng.integers(0, 4, 8)
first_to_last = {}
for name, activation in (("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh), ("ReLU", nn.ReLU)):
    numnet.manual_seed(0)
    norms = [g for _, g in sizes_of_delta(dense([20, 128, 256, 512, 128, 4], activation), x, y)]
    first_to_last[name] = norms[-1] / norms[0]
    if name == "sigmoid":
        factors = [after / before for before, after in itertools.pairwise(norms)]
    print(f"   {name:<12}" + "".join(f"{g:10.5f}" for g in norms) + f"{first_to_last[name]:12.0f}")
print("   PyTorch, sigmoid, was measured at .0005, .0047, .0457, .459, 1.62: a factor of 10 a layer")

print()
print("2. 100 layers of 64 units: ‖δˡ‖ on the way from layer 100 to layer 1")
print("   l =                    100        99        98        90        75        50         1")
x, y = rng.standard_normal((32, 64)), rng.integers(0, 10, 32)
curves = {}
for name, activation, he in (
    ("sigmoid", nn.Sigmoid, False),
    ("ReLU, default init", nn.ReLU, False),
    ("ReLU, He init", nn.ReLU, True),
):
    numnet.manual_seed(0)
    deltas = [d for d, _ in sizes_of_delta(dense([64] * 100 + [10], activation, he), x, y)]
    curves[name] = deltas
    print(f"   {name:<19}" + "".join(f"{deltas[i - 1]:10.1e}" for i in (100, 99, 98, 90, 75, 50, 1)))

inactive = inspect.trace(nn.Sequential(nn.Linear(64, 64).double(), nn.ReLU(), nn.Linear(64, 10).double()), x, y, loss)
passed = float((inactive["1"].input_delta != 0).mean())
print()
print(f"3. ReLU has slope 1 on its active side only: it hands down {passed:.0%} of its δ, and 0 for the rest")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    for name, deltas in curves.items():
        axis.semilogy(range(1, 101), deltas, label=name)
    axis.axhline(1.2e-38, color="0.6", linestyle=":", label="smallest normal float32")
    axis.invert_xaxis()
    axis.set(xlabel="layer l, from the last to the first", ylabel="‖δˡ‖", title="δ on its way back through 100 layers")
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert first_to_last["sigmoid"] > 500, "five sigmoid layers: the first layer's gradient is a thousandth of the last's"
assert all(2 < factor < 30 for factor in factors), "as in PyTorch: 9, 10, 10, 3.5 from layer to layer"
assert first_to_last["ReLU"] < 50, "ReLU lessens it"
assert curves["sigmoid"][0] < 1e-38, "100 sigmoid layers: δ is below what float32 can hold"
assert curves["ReLU, default init"][0] < 1e-12, "and ReLU by itself does not cure it: the weights have to keep δ's size"
assert 1e-4 < curves["ReLU, He init"][0] / curves["ReLU, He init"][-1] < 1e4
assert 0.4 < passed < 0.6
