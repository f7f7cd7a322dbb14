"""Predict a noisy sine from its past, two ways: from the last four values, or from a state that sums all of them up.

    autoregressive          x̂ₜ = f(xₜ₋₁, xₜ₋₂, xₜ₋₃, xₜ₋₄)                        an MLP
    latent autoregressive   hₜ = g(hₜ₋₁, xₜ₋₁)        x̂ₜ = W hₜ + b              a recurrent network

Trained on the first 600 of 1000 values; the prediction k steps ahead takes its own predictions for what is not known.

python demos/figures/autoregression.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

import numnet
from numnet import Tensor, nn, no_grad, optim

PROVES = ("C241",)

TAU, TRAIN, AHEAD = 4, 600, (1, 4, 16, 64)
rng = np.random.default_rng(0)
clean = np.sin(0.01 * np.arange(1, 1001)).astype(np.float32)
series = clean + rng.normal(0, 0.2, 1000).astype(np.float32)


class Latent(nn.Module):
    """One value a step comes in, the prediction of the next goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(1, 16, batch_first=True)
        self.linear = nn.Linear(16, 1)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        h, state = self.rnn(x, state)  # (N, T, 16)
        return self.linear(h), state


numnet.manual_seed(0)
mlp, latent = nn.Sequential(nn.Linear(TAU, 10), nn.ReLU(), nn.Linear(10, 1)), Latent()
loss = nn.MSELoss()
windows = np.lib.stride_tricks.sliding_window_view(series, TAU)  # (997, 4): x₁ … x₄ first
optimizer = optim.Adam(mlp.parameters(), lr=0.01)
for _ in range(20):
    for batch in rng.permutation(TRAIN - TAU)[:592].reshape(-1, 16):
        loss(mlp(windows[batch].copy()), series[batch + TAU, None])
        optimizer.zero_grad()
        mlp.backward(loss.backward())
        optimizer.step()

optimizer = optim.Adam(latent.parameters(), lr=0.01)
for _ in range(150):
    starts = rng.integers(0, TRAIN - 65, 16)
    chunk = series[starts[:, None] + np.arange(65)][:, :, None]  # (16, 65, 1)
    y, _ = latent(chunk[:, :-1])
    loss(y, chunk[:, 1:])
    optimizer.zero_grad()
    latent.backward((loss.backward(), None))
    nn.utils.clip_grad_norm_(latent.parameters(), 1.0)
    optimizer.step()


def from_the_window(t: np.ndarray, k: int) -> np.ndarray:
    """x̂ of t + k - 1, for every t, from what is known before t."""
    known = [series[t - TAU + i] for i in range(TAU)]
    for _ in range(k):
        known.append(mlp(np.stack(known[-TAU:], axis=1))[:, 0])
    return known[-1]


def from_the_state(t: np.ndarray, k: int) -> np.ndarray:
    """The same, from the state after reading the whole series before t."""
    before = np.stack([series[i - 128 : i] for i in t])[:, :, None]  # (N, 128, 1): long enough for the state to settle
    y, state = latent(before)
    for _ in range(k - 1):
        y, state = latent(y[:, -1:], state)
    return y[:, -1, 0]


t = np.arange(TRAIN, 1000 - 64)
errors: dict[str, list[float]] = {"the last value again": [], "autoregressive": [], "latent autoregressive": []}
with no_grad():
    for k in AHEAD:
        truth = clean[t + k - 1]
        for name, guess in zip(errors, (series[t - 1], from_the_window(t, k), from_the_state(t, k)), strict=True):
            errors[name].append(float(np.sqrt(np.mean((guess - truth) ** 2))))
print("root mean square distance from the sine, k steps ahead, on values never trained on")
print("   k =" + " " * 17 + "".join(f"{k:9}" for k in AHEAD))
for name, row in errors.items():
    print(f"   {name:<22}" + "".join(f"{error:9.3f}" for error in row))

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axis = figure.subplots()
    axis.plot(series, color="0.8", label="series")
    with no_grad():
        for k, style in ((1, "C0"), (16, "C1"), (64, "C3")):
            axis.plot(t + k - 1, from_the_state(t, k), style, lw=1, label=f"latent, {k} ahead")
        axis.plot(t + 63, from_the_window(t, 64), "C2", lw=1, label="autoregressive, 64 ahead")
    axis.axvline(TRAIN, color="0.5", linestyle=":")
    axis.set(xlabel="t", ylabel="x", title="A noisy sine and its prediction; trained on what is left of the line")
    axis.legend(fontsize=8, ncols=2)
    figure.savefig(sys.argv[1], dpi=110)

for name in ("autoregressive", "latent autoregressive"):
    assert errors[name][0] < 0.6 * errors["the last value again"][0], "both see through the noise"
    assert errors[name][-1] > 2 * errors[name][0], "and their mistakes grow with every step that they build on"
