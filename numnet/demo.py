"""The main job on real data: a small convolutional network learns handwritten digits, then shows its δ."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from . import inspect, nn, optim
from .arrays import Array
from .call import no_grad
from .errors import MissingExtraError
from .random import default_rng, manual_seed

__all__ = ["demo", "digits", "network"]


def digits() -> tuple[Array, Array, Array, Array]:
    """The 1,797 digits of scikit-learn as ``(x_train, y_train, x_test, y_test)``; 360 are held out, by class.

    Shapes: x (N, 1, 8, 8) float32 in 0 … 1, y (N,) int64.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "demos") from error
    data = load_digits()
    x = (data.images[:, None] / 16).astype(np.float32)
    y = data.target.astype(np.int64)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=360, stratify=y, random_state=0)
    return x_train, y_train, x_test, y_test


def network() -> nn.Sequential:
    """Two convolutions, each with batch norm, ReLU and pooling, and a linear layer: 6,186 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 16, kernel_size=3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, kernel_size=3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


def demo(
    epochs: int = 15,
    batch_size: int = 32,
    seed: int = 0,
    picture: Path = Path("deltas.png"),
    page: Path = Path("deltas.html"),
) -> float:
    """Train on the digits, then take one batch of held-out digits forward and back and show the δ of every layer.

    Prints the progress, the accuracy and a table; writes ``picture``, and ``page`` with every number of one more step.

    Returns:
        The share of held-out digits that is classified right.

    Raises:
        MissingExtraError: a package of the extra ``demos`` is not installed.
    """
    try:
        from rich.console import Console
        from tqdm import tqdm
    except ImportError as error:
        raise MissingExtraError(error.name or "rich", "demos") from error
    x_train, y_train, x_test, y_test = digits()
    manual_seed(seed)
    net = network()
    loss: nn.Loss = nn.CrossEntropyLoss()
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    print(net)
    print(f"{len(x_train)} digits to learn from, {len(x_test)} held out")

    start = time.perf_counter()
    for epoch in (progress := tqdm(range(epochs), unit="epoch")):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - epoch / epochs)
        total = 0.0
        for rows in np.array_split(default_rng().permutation(len(x_train)), -(-len(x_train) // batch_size)):
            z = net(x_train[rows])
            J = loss(z, y_train[rows])
            optimizer.zero_grad()
            net.backward(loss.backward())
            optimizer.step()
            total += float(J) * len(rows)
        progress.set_postfix(J=f"{total / len(x_train):.4f}")
    seconds = time.perf_counter() - start

    net.eval()
    with no_grad():
        predicted = net(x_test).argmax(axis=1)
    accuracy = float((predicted == y_test).mean())
    print(f"{accuracy:.1%} of the held-out digits are right after {seconds:.1f} s")

    hardest = _hardest(net, x_test, y_test)
    shown = inspect.trace(net, x_test[hardest], y_test[hardest], loss)
    Console().print(inspect.delta_table(shown))
    captions = [f"{y_test[i]} read as {predicted[i]}" for i in hardest]
    inspect.plot_deltas(shown, x_test[hardest], captions).savefig(picture, dpi=110)
    print(f"the δ as images beside the digits: {picture}")
    net.train()
    few = hardest[:3]
    inspect.trace(net, x_test[few], y_test[few], loss, optimizer).to_html(page)
    print(f"every number of a step, to be opened in a browser: {page}")
    return accuracy


def _hardest(net: nn.Module, x: Array, y: Array, batch: int = 32) -> Array:
    """The rows with the largest loss: where δ is not yet near zero and there is something to see."""
    with no_grad():
        J = nn.CrossEntropyLoss(reduction="none")(net(x), y)
    return np.argsort(-J, kind="stable")[:batch]
