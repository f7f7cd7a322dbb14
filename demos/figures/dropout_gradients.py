"""The figures that the tutorial prints of dropout: the matrix with p = 0.8, and the gradients with and without.

y = Σ x w, so ∂y/∂w is the sum of x's columns: with dropout, of what is left of them, times 1 / (1 − 0.8) = 5. A
weight whose inputs are all dropped gets no gradient.

python demos/figures/dropout_gradients.py
"""

from __future__ import annotations

import numpy as np

from numnet import Tensor, nn, tensor

PROVES = ("C101", "C103", "C104", "C105")

# As printed; PyTorch's draw and mask are its own, and so stored.
INPUTS = [
    [1, 0, 3, 6, 7, 7, 5, 7],
    [6, 8, 4, 6, 2, 0, 4, 1],
    [1, 4, 6, 9, 3, 1, 2, 1],
    [0, 6, 3, 7, 1, 7, 8, 9],
    [5, 6, 8, 4, 1, 7, 5, 5],
]
OUTPUTS = [
    [0, 0, 15, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 10, 0, 0, 0],
    [0, 0, 0, 45, 0, 0, 0, 0],
    [0, 0, 15, 0, 0, 0, 0, 0],
    [25, 0, 0, 0, 0, 0, 0, 25],
]
# torch.manual_seed(0); torch.randn(15, 1); torch.randint(0, 10, [5, 15])
X = [
    [3, 0, 5, 5, 2, 9, 1, 8, 8, 3, 6, 9, 1, 7, 3],
    [5, 2, 1, 0, 9, 3, 1, 1, 0, 3, 6, 6, 7, 9, 6],
    [3, 4, 5, 0, 8, 2, 8, 2, 7, 5, 0, 0, 8, 1, 9],
    [6, 1, 0, 2, 9, 4, 3, 9, 3, 9, 3, 9, 8, 5, 3],
    [2, 8, 5, 6, 6, 5, 7, 2, 5, 6, 6, 5, 4, 0, 8],
]
WITHOUT = [19, 15, 16, 13, 34, 23, 20, 22, 23, 26, 21, 29, 28, 22, 29]
WITH = [5, 0, 35, 0, 0, 45, 40, 40, 0, 20, 25, 45, 55, 0, 10]


class Mask(nn.Module):
    """Inverted dropout with a mask that is given, not drawn."""

    def __init__(self, keep: np.ndarray, p: float) -> None:
        super().__init__()
        self.register_buffer("keep", keep.astype(np.float32))
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * self.keep / (1 - self.p)


inputs = np.array(INPUTS, np.float32)
kept = np.array(OUTPUTS) > 0
outputs = Mask(kept, 0.8)(inputs)
print("p = 0.8: of", inputs.size, "numbers", int(kept.sum()), "are left; each is multiplied by", round(1 / (1 - 0.8)))
for row, column in zip(*np.nonzero(kept), strict=True):
    print(f"   {inputs[row, column]:.0f} → {outputs[row, column]:.0f}", end="")
print()

w = tensor(np.zeros((15, 1), np.float32), requires_grad=True)
x = tensor(np.array(X, np.float32))
(x @ w).sum().backward()
without = w.grad.reshape(-1)
print("gradient without dropout:", without)

again = nn.Dropout(0.8)
w.grad = None
(again(x) @ w).sum().backward()
with_dropout = w.grad.reshape(-1)
print("with, our own draw:      ", with_dropout.round(), "a multiple of 5 each")
printed = np.array(WITH)
print("with, as printed:        ", printed, "the input behind it was not printed:")
print(
    f"   a multiple of 5 each ({(printed % 5 == 0).all()}), {(printed == 0).sum()} of 15 weights without a gradient.",
    end=" ",
)
print("PyTorch 2.13 draws another")
print("   input and mask from the same seed, and prints [20 0 10 10 20 70 0 0 0 20 20 30 10 0 0]")
columns = printed // 5  # one input that gives the printed gradient: all that is kept of a column in its first rows
replay = np.zeros((5, 15), np.float32)
for j, total in enumerate(columns):
    for row in range(5):
        replay[row, j] = min(9, total - replay[:, j].sum())
w.grad = None
(Mask(replay > 0, 0.8)(tensor(replay)) @ w).sum().backward()
print("   replayed from what is printed:", w.grad.reshape(-1).round().astype(int))

assert np.allclose(outputs, OUTPUTS)
assert without.tolist() == WITHOUT
assert np.allclose(with_dropout / 5, (with_dropout / 5).round(), atol=1e-4)
assert np.allclose(w.grad.reshape(-1), WITH, atol=1e-4)
