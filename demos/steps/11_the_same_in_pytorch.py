"""The same in PyTorch: one step of training with the same weights and digits, number for number.

What to see: what hides behind ``J.backward()`` is what these demos wrote out. Outputs, δ, gradients and the weights
after the update are equal but for rounding: sums in another order, eˣ by another method. And where a formula is
another one, the comparison says where, and which.

python demos/steps/11_the_same_in_pytorch.py [picture.png]
"""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import numnet
from numnet import nn, optim

try:
    import torch
except ModuleNotFoundError:
    sys.exit("this demo compares with PyTorch, which is not installed: pip install torch")

x, labels = load_digits(return_X_y=True)
x, labels = x[:32] / 16, labels[:32]  # (32, 64), (32,)


def network(nn: Any) -> Any:
    """The same line in both libraries."""
    return nn.Sequential(nn.Linear(64, 32), nn.Sigmoid(), nn.Linear(32, 10)).double()


numnet.manual_seed(0)
ours, theirs = network(nn), network(torch.nn)
theirs.load_state_dict({name: torch.from_numpy(W) for name, W in ours.state_dict().items()})
before = copy.deepcopy((ours, theirs))

# One step in numnet: the trace keeps every number.
trace = numnet.trace(ours, x, labels, nn.CrossEntropyLoss(), optim.SGD(ours.parameters(), lr=0.5))

# The same step in PyTorch, holding on to what stands between the layers.
optimizer = torch.optim.SGD(theirs.parameters(), lr=0.5)
a, outputs = torch.from_numpy(x), {}
for path, layer in theirs.named_children():
    a = outputs[path] = layer(a)
    a.retain_grad()  # PyTorch throws δ away otherwise
J = torch.nn.CrossEntropyLoss()(a, torch.from_numpy(labels))
J.backward()
optimizer.step()
found = {f"{path}.output": a for path, a in outputs.items()} | {"J": J}
found |= {f"{path}.delta": a.grad for path, a in outputs.items()}  # its word for δ is grad, too
found |= {f"{name}.grad": W.grad for name, W in theirs.named_parameters()}
found |= {f"{name}.after": W for name, W in theirs.named_parameters()}

print("1. of each array the largest number, to 10 digits")
print("   name            shape      place            numnet           PyTorch")
pairs = {name: (np.asarray(trace.array(name).array), a.detach().numpy()) for name, a in found.items()}
for name, (mine, its) in pairs.items():
    at = tuple(int(i) for i in np.unravel_index(np.abs(mine).argmax(), mine.shape))
    place = f"[{', '.join(map(str, at))}]" if at else ""
    print(f"   {name:<16}{mine.shape!s:<11}{place:<9}{mine[at]:14.10f}{its[at]:18.10f}")
ulps = [np.abs(mine - its).ravel() / np.spacing(np.abs(its).max()) for mine, its in pairs.values()]
furthest = max(float(ulp.max()) for ulp in ulps) * np.finfo(np.float64).eps
print(f"   {sum(map(len, ulps)):,} numbers; none is 1e-12 of the largest in its array away: {furthest < 1e-12}")

print("2. the same by numnet.compare_with_torch, and what it says if PyTorch's loss is a sum where ours is a mean")
same = numnet.compare_with_torch(*before, x, labels)
other = numnet.compare_with_torch(*before, x, labels, torch_loss=torch.nn.CrossEntropyLoss(reduction="sum"))
for name, verdict in (("the same", same), ("a sum", other)):
    print(f"   {name:<10}{'another' if verdict.verdict == 'different formula' else 'the same'} formula")
print(f"   first parts at {other.first.path}, {other.first.what}: {other.first.ours:.4f} and {other.first.theirs:.4f}")
print(f"   {other.why}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    kinds = {"output": "output", "delta": "δ", "grad": "∂J/∂W, ∂J/∂b", "after": "W, b after the update"}
    for marker, colour, (kind, label) in zip("osv^", ("C0", "C1", "0.5", "black"), kinds.items(), strict=True):
        points = [[np.abs(a).ravel()[::7] for a in pair] for name, pair in pairs.items() if name.endswith(kind)]
        left.loglog(*np.concatenate(points, axis=1), marker, color=colour, markersize=3, alpha=0.4, label=label)
    left.set(xlabel="|number| in numnet", ylabel="|the same number| in PyTorch", title="on the diagonal")
    left.legend()
    right.hist(np.concatenate(ulps), bins=np.arange(-0.25, 6, 0.5), color="C0", rwidth=0.9)
    right.set(
        yscale="log", xlabel="units in the last place of the largest number", ylabel="numbers", title="how far apart"
    )
    figure.savefig(sys.argv[1], dpi=110)

assert furthest < 1e-12
assert same.verdict in ("equal", "same formula in another order")
assert other.verdict == "different formula"
assert "reduction='sum'" in other.why
assert np.isclose(other.first.theirs, len(x) * other.first.ours)
