"""The four steps of training: forward, loss, backward, update; and then again, with the next digits.

What to see: the first three are the last demo, with a batch of digits; in the fourth the weights move against their
gradients. δ at the top is p − y, what was said minus what is right: it goes to 0 as the network learns, and takes
every δ below along.

python demos/steps/03_four_steps.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim

x, labels = load_digits(return_X_y=True)  # (1797, 64), (1797,)
x = x / 16
x, x_test, labels, labels_test = x[:1500], x[1500:], labels[:1500], labels[1500:]
rng = numnet.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 32), nn.Sigmoid(), nn.Linear(32, 10)).double()
loss = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.5)

print("one turn, with 30 digits")
z = net(x[:30])
print(f"   1. forward   x {x[:30].shape} → z {z.shape}")
J = loss(z, labels[:30])
print(f"   2. loss      J = {J:.3f}; whoever knows nothing has ln 10 = {np.log(10):.3f}")
delta = loss.backward()
net.backward(delta)
print(f"   3. backward  δ at the top (p − y) / 30, ‖δ‖ = {np.linalg.norm(delta):.3f}, and below it")
for name, parameter in net.named_parameters():
    print(f"                {name:<9} {parameter.shape!s:<8}  ‖gradient‖ = {np.linalg.norm(parameter.grad):.3f}")
weight, gradient = net[2].weight.data[0, 0].item(), net[2].weight.grad[0, 0].item()
optimizer.step()
after = net[2].weight.data[0, 0].item()
print(f"   4. update    W ← W − η ∂J/∂W: the first of 2.weight {weight:.4f} − 0.5 · {gradient:.4f} = {after:.4f}")
J_after = loss(net(x[:30]), labels[:30])
print(f"   and J of the same digits is {J_after:.3f} now")
assert np.isclose(after, weight - 0.5 * gradient, rtol=1e-14)
assert np.allclose(delta, (nn.functional.softmax(z, dim=1) - np.eye(10)[labels[:30]]) / 30, atol=1e-15)
assert J_after < J


def watch() -> np.ndarray:
    """p − y of the third test digit: δ at the top, if it were a batch by itself."""
    return nn.functional.softmax(net(x_test[2]), dim=0) - np.eye(10)[labels_test[2]]


print("50 turns an epoch")
print("   epoch   mean J   mean ‖δ‖   test digits right")
curve, norms, watched = [], [], [watch()]
for epoch in range(1, 21):
    for batch in rng.permutation(len(x)).reshape(-1, 30):
        z = net(x[batch])  # 1. forward

        J = loss(z, labels[batch])  # 2. loss

        delta = loss.backward()  # 3. backward
        optimizer.zero_grad()
        net.backward(delta)

        optimizer.step()  # 4. update

        curve.append(float(J))
        norms.append(np.linalg.norm(delta))
    watched.append(watch())
    if epoch in (1, 2, 3, 5, 10, 20):
        right = np.mean(net(x_test).argmax(axis=1) == labels_test)
        print(f"   {epoch:5}{np.mean(curve[-50:]):9.2f}{np.mean(norms[-50:]):11.3f}{right:20.0%}")
assert right > 0.85
assert np.mean(norms[-50:]) < 0.3 * norms[0]

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, *others = figure.subplots(1, 4, width_ratios=(3, 1, 1, 1))
    epochs = np.arange(len(curve)) / 50
    left.semilogy(epochs, curve, color="#0072B2", label="J")
    left.semilogy(epochs, norms, color="#D55E00", label="‖δ‖ at the top")
    left.set(xlabel="epoch", title="J falls, and δ with it")
    left.legend()
    for axis, epoch in zip(others, (0, 3, 20), strict=True):
        axis.barh(range(10), watched[epoch], color=["#D55E00" if d > 0 else "#0072B2" for d in watched[epoch]])
        axis.axvline(0, color="0.4", linewidth=0.8)
        axis.set(xlim=(-1, 0.5), yticks=range(10), title=f"p − y, epoch {epoch}")
    others[0].set_ylabel(f"class (the digit is a {labels_test[2]})")
    figure.savefig(sys.argv[1], dpi=110)
