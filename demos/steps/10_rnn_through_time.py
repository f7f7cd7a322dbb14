"""Through time: an RNN is one cell used again and again, so ∂J/∂W is a sum with one share for each time step.

    forward    zₜ = W_ih xₜ + W_hh hₜ₋₁      hₜ = tanh(zₜ)
    backward   δhₜ₋₁ = W_hhᵀ δzₜ             ∂J/∂W_hh = Σₜ δzₜ hₜ₋₁ᵀ

What to see: unrolled, time is depth, and each step multiplies δ by the same W_hh. Below 1 (its spectral radius, the
largest |eigenvalue|) the past vanishes from the gradient, above 1 it explodes. Clipping cures one of the two.

python demos/steps/10_rnn_through_time.py [picture.png]
"""

from __future__ import annotations

import sys

import numpy as np

import numnet
from numnet import inspect, nn

print("1. one unit without tanh, hₜ = w hₜ₋₁ + xₜ, with x = 1, 0, 0, 0: J = h₄ = w³, and dJ/dw = 3 w²")
for w in (0.5, 2.0):
    cell = nn.RNNCell(1, 1, bias=False, nonlinearity="relu").double()  # nothing is negative: relu is the identity
    cell.weight_ih.data[...], cell.weight_hh.data[...] = 1, w
    calls, h = [], [np.zeros((1, 1))]
    for x in (1.0, 0.0, 0.0, 0.0):
        calls.append(nn.Call(cell))
        h.append(calls[-1].forward(np.full((1, 1), x), h[-1]))
    print(f"   w = {w:g}:   t   hₜ₋₁     hₜ    δhₜ   share δhₜ hₜ₋₁")
    delta, shares = np.ones((1, 1)), []
    for t in (4, 3, 2, 1):
        cell.zero_grad()  # to see each share; without this line they would add up in grad
        _, delta_before = calls[t - 1].backward(delta)  # ∂J/∂xₜ, ∂J/∂hₜ₋₁
        shares.append(float(cell.weight_hh.grad[0, 0]))
        print(f"{t:14}{h[t - 1][0, 0]:7.3f}{h[t][0, 0]:7.3f}{delta[0, 0]:7.3f}{shares[-1]:10.3f}")
        assert shares[-1] == delta[0, 0] * h[t - 1][0, 0]
        delta = delta_before
    print(f"{'the sum':>14}{sum(shares):31.3f}   = 3 w²")
    assert sum(shares) == 3 * w**2


class Reader(nn.Module):
    """Reads a sequence, and answers from its last state."""

    def __init__(self, radius: float, rng: np.random.Generator) -> None:
        super().__init__()
        self.rnn, self.out = nn.RNN(2, 32, bias=False, batch_first=True), nn.Linear(32, 1)
        W = rng.standard_normal((32, 32))
        self.rnn.weight_hh_l0.data[...] = W * radius / np.abs(np.linalg.eigvals(W)).max()

    def forward(self, x: numnet.Tensor) -> numnet.Tensor:
        return self.out(self.rnn(x)[1][0])


print("2. 32 units with tanh read 40 steps and answer behind the last: ‖share‖ of step t in ∂J/∂W_hh")
shown = (39, 38, 35, 30, 20, 10, 1)
print("   radius   t =" + "".join(f"{t:9}" for t in shown))
ledgers, clipped = {}, {}
for radius in (0.5, 1.0, 3.0):
    numnet.manual_seed(0)
    rng = np.random.default_rng(1)  # the same batch, and the same weights but for their size
    net, loss = Reader(radius, rng).double(), nn.MSELoss()
    x, y = 0.3 * rng.standard_normal((8, 40, 2)), rng.standard_normal((8, 1))
    ledgers[radius] = inspect.ledger(net, x, y, loss, clip_norm=1.0)
    norms = {row.step: row.norm for row in ledgers[radius].rows}
    print(f"   {radius:<12}" + "".join(f"{norms[t]:9.0e}" for t in shown))
    loss(net(x), y)
    net.backward(loss.backward())
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    clipped[radius] = net.rnn.weight_hh_l0.grad

print("3. all gradients clipped to norm 1: multiplied by one number, so they point where they did")
print("   radius      norm    times   share of step 1 now")
for radius, found in ledgers.items():
    share = found.rows[-2].norm * found.clip_factor
    print(f"   {radius:<7}{found.total_norm:9.1f}{found.clip_factor:9.4f}{share:22.0e}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axis = figure.subplots()
    for (radius, found), colour in zip(ledgers.items(), ("C1", "0.4", "C0"), strict=True):
        rows = [row for row in found.rows if row.step]  # h₀ is 0, and the share of step 0 as well
        axis.semilogy(
            [r.step for r in rows], [r.norm for r in rows], "o-", color=colour, ms=3, label=f"radius {radius:g}"
        )
    axis.invert_xaxis()
    axis.set(xlabel="time step, from the last to the first: the way of δ", ylabel="‖share‖ in ∂J/∂W_hh")
    axis.set_title("whom the gradient listens to")
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

for radius, found in ledgers.items():
    assert np.allclose(clipped[radius], found.clip_factor * found.gradient, rtol=1e-12)
    assert np.allclose(sum(row.share for row in found.rows), found.gradient, rtol=1e-12)
first, last = ({r: found.rows[k].norm for r, found in ledgers.items()} for k in (-2, 0))
assert first[0.5] < 1e-9 * last[0.5], "below 1 the first steps have no say"
assert 0.01 < first[1.0] / last[1.0] < 100
assert first[3.0] > 1e3 * last[3.0], "above 1 nobody else has"
