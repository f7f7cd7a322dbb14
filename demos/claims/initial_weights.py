"""Initial weights: all zero keeps units equal for ever; too small or too large makes signals vanish or explode.

python demos/claims/initial_weights.py [picture.png]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

import numnet
from numnet import inspect, nn, optim

PROVES = ("C175", "C183", "C186")

rng = np.random.default_rng(0)
loss: nn.Loss = nn.CrossEntropyLoss()

print("1. symmetry: 4-3-2, all weights equal. δ of the three hidden units, for one sample")
x, y = rng.standard_normal((32, 4)), rng.integers(0, 2, 32)
for name, fill in (
    ("zero", nn.init.zeros_),
    ("0.5", lambda w: nn.init.constant_(w, 0.5)),
    ("He", nn.init.kaiming_normal_),
):
    numnet.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    for layer in (net[0], net[2]):
        fill(layer.weight)
        nn.init.zeros_(layer.bias)
    optimizer = optim.SGD(net.parameters(), lr=0.5)
    for _ in range(100):
        loss(net(x), y)
        optimizer.zero_grad()
        net.backward(loss.backward())
        optimizer.step()
    delta = inspect.trace(net, x, y, loss)["0"].delta[0]
    different = len(np.unique(net[0].weight.data.round(9), axis=0))
    print(
        f"   {name:<5} after 100 steps: δ = {np.array2string(delta, precision=5, floatmode='fixed', sign=' ')}", end=""
    )
    print(f"   different units: {different} of 3")
    assert different == (3 if name == "He" else 1)

print()
print("2. depth: the standard deviation of a and of δ through 10 layers of 256 tanh units")
x = rng.standard_normal((512, 256))
DEPTH = 10
profiles = {}


def through(fill: Callable[[nn.Parameter], object]) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations of a after each layer, and of δ before it."""
    numnet.manual_seed(0)
    calls, a = [], x
    forward, backward = [], []
    for _ in range(DEPTH):
        linear, tanh = nn.Linear(256, 256, bias=False).double(), nn.Tanh()
        fill(linear.weight)
        for layer in (linear, tanh):
            calls.append(nn.Call(layer))
            a = calls[-1].forward(a)
        forward.append(a.std())
    delta = rng.standard_normal(a.shape)
    for call in reversed(calls):
        delta = call.backward(delta)
        if isinstance(call.layer, nn.Linear):
            backward.append(delta.std())
    return np.array(forward), np.array(backward[::-1])


for name, fill in (
    ("N(0, 0.01²)", lambda w: nn.init.normal_(w, std=0.01)),
    ("N(0, 1)", lambda w: nn.init.normal_(w, std=1.0)),
    ("U(−1/√d, 1/√d)", lambda w: nn.init.uniform_(w, -1 / 16, 1 / 16)),
    ("Xavier normal", nn.init.xavier_normal_),
    ("Xavier uniform", nn.init.xavier_uniform_),
):
    forward, backward = profiles[name] = through(fill)
    print(f"   {name:<16} a: layer 1 {forward[0]:.1e}, layer 10 {forward[-1]:.1e}", end="")
    print(f"     δ: layer 10 {backward[-1]:.1e}, layer 1 {backward[0]:.1e}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, (forward, backward) in profiles.items():
        line = ".--" if name == "Xavier uniform" else ".-"  # it lies on the normal one
        left.semilogy(range(1, DEPTH + 1), forward, line, label=name)
        right.semilogy(range(1, DEPTH + 1), backward, line, label=name)
    left.set(xlabel="layer", title="standard deviation of a, going forward")
    right.set(xlabel="layer", title="standard deviation of δ, coming back")
    right.invert_xaxis()
    left.legend(fontsize=8)
    figure.savefig(sys.argv[1], dpi=110)

small, large, xavier = profiles["N(0, 0.01²)"], profiles["N(0, 1)"], profiles["Xavier normal"]
assert small[0][-1] < 1e-6, "small weights: the signal vanishes"
assert small[1][0] < 1e-6, "and so does δ"
assert large[1][0] > 100 * large[1][-1], "large weights: δ explodes although tanh saturates"
for name in ("Xavier normal", "Xavier uniform"):
    forward, backward = profiles[name]
    assert forward[-1] > 0.25 * forward[0], "Xavier keeps the signal"
    assert 0.2 < backward[0] / backward[-1] < 5, "and δ"
