"""Two layers by hand, twice: samples as columns, as books derive it, and samples as rows, as programs store them.

    columns   Z = W A + b      δˡ = (Wˡ⁺¹)ᵀ δˡ⁺¹ ⊙ σ′(Zˡ)     ∂J/∂W = δ Aᵀ     ∂J/∂b = Σ over the columns
    rows      z = a Wᵀ + b     δˡ = δˡ⁺¹ Wˡ⁺¹ ⊙ σ′(zˡ)        ∂J/∂W = δᵀ a     ∂J/∂b = Σ over the rows

What to see: a neuron has several readers now, so its δ is a sum over them. All that one form holds is the other,
transposed; only ∂J/∂W has the shape of W in both. And numnet's layers, which use rows, give the same numbers.

python demos/steps/02_two_layers_by_hand.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

from numnet import nn


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


x = np.array([[1, 0, -1], [0, 2, 1], [1, 1, 0], [-1, 0, 2], [2, -1, 1]], dtype=float)  # (5, 3): a row a sample
y = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [1, 0]], dtype=float)  # (5, 2)
W1 = np.array([[1, -1, 0], [0, 1, -1], [1, 1, 1], [-1, 0, 1]], dtype=float)  # (4, 3)
W2 = np.array([[2, -1, 0, 1], [-1, 1, 1, 0]], dtype=float)  # (2, 4)
b1, b2 = np.array([0, 1, -1, 0], dtype=float), np.array([-1, 0], dtype=float)

# Columns: A⁰ (3, 5) has a column a sample.
A0, Y = x.T, y.T
Z1 = W1 @ A0 + b1[:, None]  # (4, 5)
A1 = sigmoid(Z1)
Z2 = W2 @ A1 + b2[:, None]  # (2, 5)
A2 = sigmoid(Z2)
D2 = (A2 - Y) * A2 * (1 - A2)  # δ² = ∂J/∂Z², (2, 5), for J = ½ Σ (A² − Y)²
D1 = W2.T @ D2 * A1 * (1 - A1)  # δ¹, (4, 5)
columns = {"δ²": D2, "∂J/∂W²": D2 @ A1.T, "δ¹": D1, "∂J/∂W¹": D1 @ A0.T, "∂J/∂x": W1.T @ D1}

# Rows: x (5, 3) has a row a sample.
z1 = x @ W1.T + b1  # (5, 4)
a1 = sigmoid(z1)
z2 = a1 @ W2.T + b2  # (5, 2)
a2 = sigmoid(z2)
d2 = (a2 - y) * a2 * (1 - a2)  # (5, 2)
d1 = d2 @ W2 * a1 * (1 - a1)  # (5, 4)
rows = {"δ²": d2, "∂J/∂W²": d2.T @ a1, "δ¹": d1, "∂J/∂W¹": d1.T @ x, "∂J/∂x": d1 @ W1}

# numnet: one Call a layer, forward and then back.
first, second, half_squares = nn.Linear(3, 4).double(), nn.Linear(4, 2).double(), nn.MSELoss(reduction="half_sum")
first.load_state_dict({"weight": W1, "bias": b1})
second.load_state_dict({"weight": W2, "bias": b2})
calls = [nn.Call(layer) for layer in (first, nn.Sigmoid(), second, nn.Sigmoid())]
a = x
for call in calls:
    a = call.forward(a)
half_squares(a, y)
delta, deltas = half_squares.backward(), []  # ∂J/∂a²
for call in reversed(calls):
    delta = call.backward(delta)
    deltas.append(delta)  # what the layer handed down
numnets = {
    "δ²": deltas[0], "∂J/∂W²": second.weight.grad, "δ¹": deltas[2], "∂J/∂W¹": first.weight.grad, "∂J/∂x": deltas[3]
}  # fmt: skip

formulas = {
    "δ²": ("(A² − Y) ⊙ σ′(Z²)", "(a² − y) ⊙ σ′(z²)"),
    "∂J/∂W²": ("δ² (A¹)ᵀ", "(δ²)ᵀ a¹"),
    "δ¹": ("(W²)ᵀ δ² ⊙ σ′(Z¹)", "δ² W² ⊙ σ′(z¹)"),
    "∂J/∂W¹": ("δ¹ (A⁰)ᵀ", "(δ¹)ᵀ x"),
    "∂J/∂x": ("(W¹)ᵀ δ¹", "δ¹ W¹"),
}
print("        in columns          shape     in rows             shape")
for name, (in_columns, in_rows) in formulas.items():
    C, R = columns[name], rows[name]
    print(f"{name:<8}{in_columns:<20}{C.shape}    {in_rows:<20}{R.shape}")
    assert np.allclose(C if "W" in name else C.T, R, rtol=0, atol=1e-15)
    assert np.allclose(R, numnets[name], rtol=0, atol=1e-15)
print("the same numbers in both, and in numnet: no difference above 1e-15")

np.set_printoptions(precision=4, suppress=True, floatmode="fixed")
print("δ¹ in columns:", D1, "δ¹ in rows:", d1, "∂J/∂W¹, in both:", rows["∂J/∂W¹"], sep="\n")
print("its first number, by both neurons of layer 2 that read the first hidden neuron:")
total, slope = W2[0, 0] * d2[0, 0] + W2[1, 0] * d2[0, 1], a1[0, 0] * (1 - a1[0, 0])
print("   δ¹₁ = (W²₁₁ δ²₁ + W²₂₁ δ²₂) · σ′(z¹₁)")
print(f"       = ({W2[0, 0]:.0f}·{d2[0, 0]:.4f} + {W2[1, 0]:.0f}·{d2[0, 1]:.4f}) · {slope:.4f} = {total * slope:.4f}")
assert np.isclose(total * slope, D1[0, 0], rtol=1e-14)

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    slopes, gradient = a1 * (1 - a1), rows["∂J/∂W¹"]
    names = [
        ("(W²)ᵀ", "δ²", "⊙ σ′(Z¹)", "= δ¹", "δ¹", "(A⁰)ᵀ", "= ∂J/∂W¹"),
        ("δ²", "W²", "⊙ σ′(z¹)", "= δ¹", "(δ¹)ᵀ", "x", "= ∂J/∂W¹"),
    ]
    matrices = [(W2.T, D2, slopes.T, D1, D1, A0.T, gradient), (d2, W2, slopes, d1, d1.T, x, gradient)]
    for k, axis in enumerate(figure.subplots(2, 1)):
        left = 0.0
        for name, matrix in zip(names[k], matrices[k], strict=True):
            n, m = matrix.shape
            limit = np.abs(matrix).max()
            axis.imshow(matrix, cmap="PuOr_r", vmin=-limit, vmax=limit, extent=(left, left + m, -n / 2, n / 2))
            axis.text(left + m / 2, n / 2 + 0.2, name, ha="center", fontsize=12)
            axis.text(left + m / 2, -n / 2 - 0.2, f"{n} × {m}", ha="center", va="top", color="0.4", fontsize=9)
            left += m + (3 if name == "= δ¹" else 1)
        axis.set(xlim=(-0.5, 36.5), ylim=(-3.4, 3.4), aspect="equal")
        axis.set_title(("samples in columns", "samples in rows")[k], loc="left")
        axis.axis("off")
    figure.savefig(sys.argv[1], dpi=110)
