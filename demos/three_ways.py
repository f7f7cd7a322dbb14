"""One batch of digits through two layers and back, three ways: by hand, explicit, imperative. The bits are the same.

python demos/three_ways.py
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn

numnet.manual_seed(0)
x, labels = load_digits(return_X_y=True)
x, labels = x[:4] / 16, labels[:4]  # (4, 64), (4,)
fc1, tanh, fc2, loss = nn.Linear(64, 8).double(), nn.Tanh(), nn.Linear(8, 10).double(), nn.CrossEntropyLoss()


def gradients() -> list[np.ndarray]:
    """∂J/∂W and ∂J/∂b of both layers, which are reset."""
    found = [p.grad for layer in (fc1, fc2) for p in layer.parameters()]
    fc1.zero_grad()
    fc2.zero_grad()
    return found


print("1. by hand: one Call a layer, forward and then back")
calls = [nn.Call(layer) for layer in (fc1, tanh, fc2)]
a = x
for call in calls:
    a = call.forward(a)
    print(f"   forward  {type(call.layer).__name__:<7} a {a.shape}")
J = loss(a, labels)
delta = loss.backward()  # ∂J/∂z of the last layer: (p - y) / N
print(f"   J = {J:.6f}")
for call in reversed(calls):
    print(f"   backward {type(call.layer).__name__:<7} δ {delta.shape}, ‖δ‖ = {np.linalg.norm(delta):.6f}")
    delta = call.backward(delta)
by_hand = gradients()

print("2. explicit: a network, arrays in and arrays out")
net = nn.Sequential(fc1, tanh, fc2)
loss(net(x), labels)
delta_x = net.backward(loss.backward())
explicit = gradients()

print("3. imperative: the tape orders the same backwards")
loss(net(numnet.tensor(x)), labels).backward()
imperative = gradients()

same = all((h == e).all() and (e == i).all() for h, e, i in zip(by_hand, explicit, imperative, strict=True))
print(f"the same bits in all {len(by_hand)} gradients: {same}; in ∂J/∂x: {(delta_x == delta).all()}")
