"""The two perceptrons of the tutorial: one layer of 5 features gives 0.1595, three layers 3-2-1 give 0.3171.

python demos/figures/perceptrons.py
"""

from __future__ import annotations

import numnet
from numnet import Tensor, tensor

PROVES = ("C209", "C210")


def activation(x: Tensor) -> Tensor:
    return 1 / (1 + numnet.exp(-x))


# torch.manual_seed(7); torch.randn(…): PyTorch's stream, and so stored
features = tensor([[-0.1468, 0.7861, 0.9468, -1.1143, 1.6908]])
weights = tensor([[-0.8948, -0.3556, 1.2324, 0.1382, -1.6822]])
bias = tensor([[0.3177]])
h = numnet.sum(features.mul(weights)) + bias
single = activation(h)
print(f"perceptron, 5 features: h = {h.item():.4f}, y = {single.item():.4f}")

features = tensor([[-0.1468, 0.7861, 0.9468]])
W1 = tensor([[-1.1143, 1.6908], [-0.8948, -0.3556], [1.2324, 0.1382]])  # 3 × 2
W2 = tensor([[-1.6822], [0.3177]])  # 2 × 1
B1 = tensor([[0.1328, 0.1373]])
B2 = tensor([[0.2405]])
h = activation(features.mm(W1) + B1)
multi = activation(h.mm(W2) + B2)
print(f"multilayer 3-2-1: h = [{h[0, 0].item():.4f}, {h[0, 1].item():.4f}], y = {multi.item():.4f}")

assert f"{single.item():.4f}" == "0.1595"
assert f"{multi.item():.4f}" == "0.3171"
