"""Residual: y = x + f(x), so δ comes back by two ways, and one of them is the identity.

    plain      y = f(x)         ∂J/∂x = f′ᵀ δ
    residual   y = x + f(x)     ∂J/∂x = δ + f′ᵀ δ

What to see: the factors of a plain net are multiplied, and next to nothing arrives in front. In a residual net the
product of (1 + f′) is a sum over paths, and the path around all blocks hands δ down whole, however many there are.

python demos/steps/09_residual.py [picture.png]
"""

from __future__ import annotations

import itertools
import sys

import numpy as np

import numnet
from numnet import nn

DEPTH, WIDTH = 30, 32

w = 0.5
print(f"1. three blocks f(x) = w x of one unit, w = {w}, and δ = 1 at the end: what arrives at x")
arrives = {}
for name, around in (("plain", False), ("residual", True)):
    bodies = [nn.Linear(1, 1, bias=False).double() for _ in range(3)]
    for body in bodies:
        body.weight.data[...] = w
    net = nn.Sequential(*[nn.Residual(body) if around else body for body in bodies])
    net(np.ones((1, 1)))
    arrives[name] = float(net.backward(np.ones((1, 1)))[0, 0])
    print(f"   {name:<10}{arrives[name]:7.3f}   = {'(1 + w)³' if around else 'w³'}")
print("   multiplied out, one product for each way to choose, block by block, around it or through it:")
paths = [w ** sum(choice) for choice in itertools.product((0, 1), repeat=3)]
for k, (ways, name) in enumerate(((1, "around all"), (3, "through one"), (3, "through two"), (1, "through all"))):
    print(f"   {name:<12}{ways} · {w**k:6.3f} = {ways * w**k:6.3f}")
print(f"   {'the sum':<12}{len(paths)} paths    = {sum(paths):6.3f}")

print(f"2. {DEPTH} blocks f(x) = tanh(W x + b) of {WIDTH} units: ‖δ‖ at the output of block")
rng = np.random.default_rng(0)
x, y = rng.standard_normal((64, WIDTH)), rng.integers(0, 4, 64)
shown = (30, 29, 28, 25, 20, 10, 1)
print(" " * 13 + "".join(f"{block:9}" for block in shown))
sizes = {}
for name, around in (("plain", False), ("residual", True)):
    numnet.manual_seed(0)  # the same weights for both
    blocks = [nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh()) for _ in range(DEPTH)]
    net = nn.Sequential(*[nn.Residual(block) if around else block for block in blocks], nn.Linear(WIDTH, 4)).double()
    trace = numnet.trace(net, x, y, nn.CrossEntropyLoss())
    sizes[name] = [row.norm for row in trace.budget().rows if row.kind == "Tanh"]  # δ as it arrives at each block
    print(f"   {name:<10}" + "".join(f"{sizes[name][block - 1]:9.1e}" for block in shown))


print("3. block 20 of the residual net: what it hands down is the δ that it got, and what comes back through f")
delta, back = trace["19.body.1"].delta, trace["19.body.0"].input_delta  # of Tanh, behind Linear: blocks count from 0
below = trace["18.body.1"].delta
for name, numbers in (("δ", delta), ("f′ᵀ δ", back), ("δ + f′ᵀ δ", below)):
    print(f"   {name:<10}" + "".join(f"{1000 * number:8.3f}" for number in numbers[0, :6]) + "  …  · 10⁻³")
cosine = float((delta * below).sum() / np.linalg.norm(delta) / np.linalg.norm(below))
print(f"   cosine of δ above and below the block: {cosine:.2f}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axis = figure.subplots()
    for name, colour in (("plain", "C1"), ("residual", "C0")):
        axis.semilogy(range(1, DEPTH + 1), sizes[name], "o-", color=colour, markersize=3, label=name)
    axis.invert_xaxis()
    axis.set(xlabel="block, from the last to the first: the way of δ", ylabel="‖δ‖", title="‖δ‖ through 30 blocks")
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert arrives == {"plain": 0.125, "residual": 3.375}
assert sum(paths) == arrives["residual"]
assert np.allclose(below, delta + back, rtol=1e-12, atol=1e-18)
assert sizes["plain"][0] < 1e-6 * sizes["plain"][-1], "plain: a millionth and less"
assert 1 < sizes["residual"][0] / sizes["residual"][-1] < 10, "residual: nothing is lost"
