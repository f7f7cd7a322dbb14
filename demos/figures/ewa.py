"""Thirty temperatures and their exponentially weighted average: sₜ = β sₜ₋₁ + (1 − β) yₜ, with s₁ = y₁.

The larger β, the smoother the curve. Momentum averages gradients in the same way.

python demos/figures/ewa.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

PROVES = ("C171", "C172", "C173")

# torch.manual_seed(0); torch.randn(30) * 10: PyTorch's stream, which no other library draws, and so stored
TEMPERATURES = np.array([
    -11.2584, -11.5236, -2.5058, -4.3388, 8.4871, 6.9201, -3.1601, -21.1522, 3.2227, -12.6333,
    3.4998, 3.0813, 1.1984, 12.3766, -1.4347, -1.1161, -6.1358, 0.3159, -4.9268, 2.4841,
    4.3970, 1.1241, -8.4106, -23.1604, -1.0231, 7.9244, -2.8967, 0.5251, 5.2286, 23.0221,
])  # fmt: skip


def average(y: np.ndarray, beta: float) -> np.ndarray:
    """The exponentially weighted average of a series."""
    s = [y[0]]  # the first value is itself
    for value in y[1:]:
        s.append(beta * s[-1] + (1 - beta) * value)
    return np.array(s)


days = np.arange(1, 31)
print("day      temperature     β = 0.5     β = 0.9")
averages = {beta: average(TEMPERATURES, beta) for beta in (0.5, 0.9)}
for day in (1, 2, 3, 10, 20, 30):
    print(f"{day:3}{TEMPERATURES[day - 1]:17.4f}{averages[0.5][day - 1]:12.4f}{averages[0.9][day - 1]:12.4f}")
print("variance of the differences from day to day: ", end="")
roughness = [np.var(np.diff(series)) for series in (TEMPERATURES, averages[0.5], averages[0.9])]
print(f"{roughness[0]:.1f} measured, {roughness[1]:.1f} with β = 0.5, {roughness[2]:.1f} with β = 0.9")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axis, beta in zip(figure.subplots(1, 2, sharey=True), averages, strict=True):
        axis.scatter(days, TEMPERATURES, s=14, color="C0", label="measured")
        axis.plot(days, averages[beta], "r", label=f"average, β = {beta}")
        axis.set(xlabel="day")
        axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert averages[0.9][0] == averages[0.5][0] == TEMPERATURES[0]
assert abs(averages[0.9][-1] - 0.850313) < 1e-5
assert roughness[0] > roughness[1] > roughness[2]
