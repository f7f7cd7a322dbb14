"""Dropout: the mask that forward multiplied by is the mask that δ comes back through.

    y = m ⊙ x        ∂J/∂x = m ⊙ δ        m = 1/(1 − p) where a number is kept, 0 where it is dropped

What to see: a dropped unit learns nothing in that step, neither from what is in front of it nor from what is behind;
what is kept is scaled up, so that the mean stays; and evaluation mode is the same layer with m = 1.

python demos/steps/08_dropout.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

from numnet import nn

dropout = nn.Dropout(p=0.5, rng=np.random.default_rng(91))


def show(name: str, numbers: np.ndarray, digits: int = 1) -> None:
    print(f"   {name:<22}" + "".join(f"{number:7.{digits}f}" for number in numbers.ravel() + 0.0))


print("1. one call, p = ½: one mask, there and back")
x = np.array([[3.0, 1.0, 4.0, 1.0, 5.0, 9.0]])
delta = np.array([[0.1, -0.2, 0.3, -0.4, 0.5, -0.6]])
call = nn.Call(dropout)
y = call.forward(x)
m = call.ctx.mask  # what forward saved for its backward
delta_x = call.backward(delta)
for name, numbers in (("x", x), ("m", m), ("y = m ⊙ x", y), ("δ = ∂J/∂y", delta), ("∂J/∂x = m ⊙ δ", delta_x)):
    show(name, numbers)
another = nn.Call(dropout).forward(np.ones_like(x))
show("m of the next call", another)

print("2. so a dropped unit does not learn: x = (1, 2) through Linear(2, 6), Dropout, Linear(6, 1), and J = z")
net = nn.Sequential(nn.Linear(2, 6), dropout, nn.Linear(6, 1)).double()
net[0].weight.data[...] = [[1, 0], [0, 1], [1, 1], [2, 0], [0, 2], [3, 1]]
net[0].bias.data[...] = 0
net[2].weight.data[...] = [[1, 2, 3, 1, 2, 3]]
net(np.array([[1.0, 2.0]]))
net.backward(np.ones((1, 1)))
show("W²", net[2].weight.data)
show("∂J/∂W² = m ⊙ a", net[2].weight.grad)
show("∂J/∂W¹, for x₁ = 1", net[0].weight.grad[:, 0])
show("        for x₂ = 2", net[0].weight.grad[:, 1])

print("3. the mean over n calls comes to x, as what is kept is doubled; not doubled (classic) it comes to x/2")
draws = dropout(np.repeat(x, 100_000, axis=0))  # (n, 6), each row with a mask of its own
for n in (1, 100, 100_000):
    show(f"n = {n:,}", draws[:n].mean(axis=0), 2)
classic = nn.Dropout(p=0.5, classic=True, rng=np.random.default_rng(0))(np.repeat(x, 100_000, axis=0)).mean(axis=0)
show("classic, n = 100,000", classic, 2)

print("4. evaluation mode: m = 1")
dropout.eval()
show("y", dropout(x))
show("∂J/∂x", dropout.backward(delta))
in_evaluation = dropout(x), dropout.backward(delta)

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.6))
    dropout.train()
    rng = np.random.default_rng(1)
    signs = rng.choice([-1, 1], (2, 8, 8))
    inputs, deltas = signs * rng.uniform(0.3, 1, (2, 8, 8))
    images = dropout(inputs), dropout.backward(deltas)
    for axis, image, title in zip((left, middle), images, ("y = m ⊙ x", "∂J/∂x = m ⊙ δ"), strict=True):
        shown = axis.imshow(np.ma.masked_equal(image, 0), cmap="PuOr_r", vmin=-2, vmax=2)
        axis.set(title=title, xlabel="grey: dropped", xticks=[], yticks=[], facecolor="0.8")
    figure.colorbar(shown, ax=(left, middle), shrink=0.8)
    n = np.arange(1, 1001)
    right.semilogx(n, draws[:1000, 0].cumsum() / n, label="mean of y over n calls")
    right.fill_between(n, 3 - 3 / np.sqrt(n), 3 + 3 / np.sqrt(n), color="0.85", label="x ± x √(p / (1 − p)) / √n")
    right.axhline(3, color="black", linewidth=0.8)
    right.set(xlabel="n", title="x = 3, p = ½")
    right.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert (y == m * x).all()
assert (delta_x == m * delta).all()
assert set(m.ravel()) == {0.0, 2.0}
assert (another != m).any()
dropped = net[2].weight.grad[0] == 0
assert 0 < dropped.sum() < 6
assert (net[0].weight.grad[dropped] == 0).all()
assert (net[0].weight.grad[~dropped] != 0).all()
assert np.allclose(draws.mean(axis=0), x, rtol=0.02)
assert np.allclose(classic, x / 2, rtol=0.02)
assert (in_evaluation[0] == x).all()
assert (in_evaluation[1] == delta).all()
