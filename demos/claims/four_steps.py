"""Training takes four steps: forward, loss, backward, update. Here each is one line, and its numbers are printed.

2-2-1 with sigmoids and half the squared error, one sample: small enough to follow with a pencil.

python demos/claims/four_steps.py
"""

from __future__ import annotations

import numpy as np

from numnet import nn, optim

PROVES = ("C190", "C193", "C194", "C195", "C196", "C206")

hidden, out, sigmoid = nn.Linear(2, 2).double(), nn.Linear(2, 1).double(), nn.Sigmoid()
net = nn.Sequential(hidden, sigmoid, out, sigmoid)
hidden.weight.data[...], hidden.bias.data[...] = [[0.5, -0.3], [0.2, 0.8]], [0.3, -0.1]
out.weight.data[...], out.bias.data[...] = [[0.7, -0.6]], 0.05
loss: nn.Loss = nn.MSELoss(reduction="half_sum")
optimizer = optim.SGD(net.parameters(), lr=0.5)
x, y = np.array([[1.0, 2.0]]), np.array([[1.0]])


def show(name: str, value: np.ndarray) -> None:
    print(f"   {name:<8}{np.array2string(np.asarray(value), precision=6, floatmode='fixed').replace(chr(10), ' ')}")


print("1. forward")
calls, a = [], x
for layer, name in ((hidden, "z¹"), (sigmoid, "a¹"), (out, "z²"), (sigmoid, "a²")):
    calls.append(nn.Call(layer))
    a = calls[-1].forward(a)
    show(name, a)
print("2. loss")
J = loss(a, y)
show("J", J)
print("3. backward")
delta = loss.backward()
show("∂J/∂a²", delta)
deltas = []
for call, name in zip(reversed(calls), ("δ²", "∂J/∂a¹", "δ¹", "∂J/∂x"), strict=True):
    delta = call.backward(delta)
    deltas.append(delta)
    show(name, delta)
for name, parameter in (
    ("∂J/∂W²", out.weight),
    ("∂J/∂b²", out.bias),
    ("∂J/∂W¹", hidden.weight),
    ("∂J/∂b¹", hidden.bias),
):
    show(name, parameter.grad)
print("4. update, W ← W − 0.5 ∂J/∂W")
before = float(J)
gradients = [p.grad.copy() for p in net.parameters()]
optimizer.step()
show("W²", out.weight.data)
show("W¹", hidden.weight.data)
after = float(loss(net(x), y))
print(f"and J falls from {before:.6f} to {after:.6f}")

# The same by the formulas of the derivation, in columns.
W1, b1 = np.array([[0.5, -0.3], [0.2, 0.8]]), np.array([[0.3], [-0.1]])
W2, b2 = np.array([[0.7, -0.6]]), np.array([[0.05]])
a1 = 1 / (1 + np.exp(-(W1 @ x.T + b1)))
a2 = 1 / (1 + np.exp(-(W2 @ a1 + b2)))
delta2 = (a2 - y.T) * a2 * (1 - a2)
delta1 = W2.T @ delta2 * a1 * (1 - a1)
assert np.isclose(before, 0.5 * ((a2 - y.T) ** 2).sum(), rtol=1e-14)
assert np.allclose(deltas[0], delta2.T, rtol=1e-13)
assert np.allclose(deltas[2], delta1.T, rtol=1e-13)
for ours, formula in zip(gradients, (delta1 @ x, delta1[:, 0], delta2 @ a1.T, delta2[:, 0]), strict=True):
    assert np.allclose(ours, formula, rtol=1e-13)
assert after < before
