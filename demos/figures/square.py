"""y = x² + noise, learned by 1-10-10-1 with gradient descent of rate 0.2 in 100 steps; drawn every five steps.

python demos/figures/square.py [picture.png]   six of the pictures; picture.html: all of them, to be stepped through
python demos/figures/square.py live            a window that follows the training and never blocks it
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import numnet
from numnet import Tensor, nn, optim, tensor

PROVES = ("C228", "C229")


class Net(nn.Module):
    def __init__(self, n_feature: int, n_hidden1: int, n_hidden2: int, n_output: int) -> None:
        super().__init__()
        self.layer1 = nn.Linear(n_feature, n_hidden1)
        self.layer2 = nn.Linear(n_hidden1, n_hidden2)
        self.predict = nn.Linear(n_hidden2, n_output)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu(self.layer1(x))
        x = nn.functional.relu(self.layer2(x))
        return self.predict(x)


def draw(axis: Any, frame: tuple[int, np.ndarray, float]) -> None:
    """The points, the curve, and the loss in words, as the tutorial draws them."""
    step, curve, J = frame
    axis.clear()
    axis.scatter(x.numpy(), y.numpy(), s=8, label="real")
    axis.plot(x.numpy(), curve, "r-", lw=3, label="predict")
    axis.text(0.35, 0, f"Loss={J:.4f}", color="red", fontsize=12)
    axis.set_title(f"step {step}")
    axis.legend(loc="upper center", fontsize=8)


def window() -> Any:
    """A window and its axis, or an error that says what is missing."""
    import matplotlib.pyplot as plt

    plt.ion()
    figure, axis = plt.subplots()
    plt.show(block=False)
    return figure, axis


want = sys.argv[1] if len(sys.argv) > 1 else ""
live = window() if want == "live" else None
finals = []
for seed in range(21):
    numnet.manual_seed(seed)
    x = tensor(np.linspace(-1, 1, 100, dtype=np.float32)[:, None])
    y = x.pow(2) + 0.2 * tensor(numnet.manual_seed(seed).random(x.shape, dtype=np.float32))
    net = Net(n_feature=1, n_hidden1=10, n_hidden2=10, n_output=1)
    if seed == 0:
        print(net)
        print(sum(p.data.size for p in net.parameters()), "parameters")
    optimizer = optim.SGD(net.parameters(), lr=0.2)
    loss_func = nn.MSELoss()
    frames = []
    for i in range(100):
        output = net(x)
        loss = loss_func(output, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 5 == 0 and seed == 0:
            frames.append((i, output.detach().numpy().copy(), loss.item()))
            if live:
                draw(live[1], frames[-1])
                live[0].canvas.draw_idle()
                live[0].canvas.flush_events()  # let the window paint, and go on: no pause
    finals.append(loss.item())
    if seed == 0:
        print(f"MSE {finals[-1]:.4f} after 100 steps, seed 0")
        kept = frames, x, y
frames, x, y = kept

if want.endswith(".html"):
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axis = figure.subplots()
    film = FuncAnimation(figure, lambda k: draw(axis, frames[k]), frames=len(frames), interval=200)
    Path(want).write_text(film.to_jshtml(), encoding="utf-8")
elif want.endswith(".png"):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.6), layout="constrained")
    for axis, frame in zip(
        figure.subplots(2, 3, sharex=True, sharey=True).flat, frames[::3][:5] + frames[-1:], strict=True
    ):
        draw(axis, frame)
    figure.savefig(want, dpi=110)

low, median, high = np.percentile(finals, [10, 50, 90])
print(f"21 seeds: median {median:.4f}, a tenth below {low:.4f}, a tenth above {high:.4f}")
print("PyTorch, 40 seeds, measured: median 0.0087, a tenth below 0.0058, a tenth above 0.0328")
assert finals[0] <= 0.017
assert median <= 0.017
