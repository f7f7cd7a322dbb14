"""What an activation should be: non-linear, differentiable almost everywhere, monotone, not saturating, and zero-mean.

Measured on a grid from −20 to 20 with the layers' own forward and backward, not looked up.

python demos/claims/activations.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

from numnet import nn

PROVES = ("C097",)

ACTIVATIONS = (nn.Identity(), nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.LeakyReLU(0.01), nn.ELU(), nn.Softplus(),
               nn.GELU(), nn.SiLU())  # fmt: skip
z = np.linspace(-20, 20, 4001) + 1e-4  # beside 0, where some have a kink


def yes(condition: bool) -> str:
    return "yes" if condition else "no"


print(f"{'':<11}non-linear   kinks   monotone   zero-mean   σ′ at −20   σ′ at 20   saturates")
found = {}
all_of_it: list[str] = []
for activation in ACTIVATIONS:
    a = activation(z)
    slope = activation.backward(np.ones_like(z))
    numeric = np.gradient(a, z)
    kinks = int((abs(slope - numeric) > 0.1).sum() > 0)  # where the slope jumps, the secant is between
    nonlinear = np.ptp(slope) > 1e-3
    monotone = bool((np.diff(a) >= 0).all())
    flat = sum([slope[0] < 1e-3, slope[-1] < 1e-3])
    centred = bool(abs(a.mean()) < 1e-2)
    found[type(activation).__name__] = (nonlinear, kinks, monotone, flat)
    all_of_it += [type(activation).__name__] if nonlinear and monotone and not flat and centred else []
    print(
        f"{type(activation).__name__:<11}{yes(nonlinear):<13}{kinks:<8}{yes(monotone):<11}"
        f"{yes(centred):<12}{slope[0]:<12.1e}{slope[-1]:<11.1e}"
        f"{('no', 'on one side', 'on both sides')[flat]}"
    )

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    shown = (z > -5) & (z < 5)
    for axis, activation in zip(figure.subplots(2, 4).flat, ACTIVATIONS[1:], strict=True):
        axis.plot(z[shown], activation(z)[shown], label="a")
        axis.plot(z[shown], activation.backward(np.ones_like(z))[shown], label="σ′")
        axis.set_title(type(activation).__name__, fontsize=9)
        axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert found["Identity"] == (False, 0, True, 0)
assert found["Sigmoid"] == found["Tanh"] == (True, 0, True, 2)
assert found["ReLU"] == (True, 1, True, 1), "one kink, flat on the left"
assert found["LeakyReLU"] == (True, 1, True, 0), "the only one of these that does not saturate at all"
assert not found["GELU"][2], "and those in fashion are not even monotone"
assert not found["SiLU"][2]
assert not all_of_it, "no activation here has it all"
