"""The networks of the tables: both sides of each, a batch, a loss, an optimiser, the goals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

from numnet import models, nn

from . import twins

__all__ = ["INFERENCE", "NETWORKS", "RATE", "Goals", "Network"]

RATE = 1e-9
"""Of learning: steps so small that the thousandth does the same work as the first."""


class Goals(NamedTuple):
    """The most that numnet's time over PyTorch's may be: PyTorch as it comes, and at its best."""

    default: float
    best: float


INFERENCE = Goals(0.8, 1.0)
"""Of inference, for all of them."""


@dataclass(frozen=True)
class Network:
    """One network of the table: both sides of it, a batch, a loss, an optimiser, the goals of a training step.

    ``tolerance`` holds for gradients in float32. It is wide for deep networks of ReLUs and maxima, where one sum that
    is rounded to the other side of 0 changes everything before it a little; PyTorch with two threads is as far from
    PyTorch with one. ``in_jax`` names the network's function in ``jax_twins``.
    """

    name: str
    ours: Callable[[], nn.Module]
    theirs: Callable[[], torch.nn.Module]
    data: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
    batch: int
    goals: Goals
    in_jax: str
    loss: str = "CrossEntropyLoss"
    optimizer: str = "SGD"
    options: dict[str, float] = field(default_factory=dict)
    images: bool = False
    states: int = 0
    clip: float | None = None
    tolerance: float = 1e-4

    def layout(self, best: bool) -> str:
        """Of images in PyTorch, as the tables name it."""
        return ("channels_last, " if best else "NCHW, ") if self.images else ""

    def settings(self, best: bool) -> str:
        """PyTorch's layout and optimiser, as the tables name them."""
        return f"{self.layout(best)}{self.optimizer}{' fused' if best else ''}"

    def batch_of(self, n: int, dtype: Any = np.float32) -> tuple[np.ndarray, np.ndarray]:
        """``n`` inputs and what they should give; the same ones every time."""
        x, y = self.data(np.random.default_rng(0), n)
        return tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in (x, y))  # type: ignore[return-value]


def _rows(inputs: int, classes: int) -> Any:
    return lambda rng, n: (rng.normal(size=(n, inputs)), rng.integers(0, classes, n))


def _images(channels: int, size: int) -> Any:
    return lambda rng, n: (rng.normal(size=(n, channels, size, size)), rng.integers(0, 10, n))


def _tokens(vocabulary: int, steps: int) -> Any:
    return lambda rng, n: (rng.integers(0, vocabulary, (n, steps)), rng.integers(0, vocabulary, (n, steps)))


def _square(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(-1, 1, n)[:, None]
    return x, x**2 + 0.2 * rng.random(x.shape)


def _two_classes(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=(n, 2))
    return x, (x.sum(1, keepdims=True) > 0).astype(np.float64)


def _mlp(name: str, *sizes: int, **rest: Any) -> Network:
    data = rest.pop("data", None) or _rows(sizes[0], sizes[-1])
    rest.setdefault("in_jax", "mlp")
    name = f"{name} {'-'.join(map(str, sizes))}"
    return Network(name, lambda: models.MLP(sizes), lambda: twins.MLP(sizes), data, **rest)


def _language_model(cell: Any, name: str, goal: float, states: int) -> Network:
    return Network(
        f"{name} language model, hidden 256, 35 steps",
        lambda: models.RNNLanguageModel(28, 256, cell),
        lambda: twins.LanguageModel(28, 256, cell),
        *(_tokens(28, 35), 32, Goals(goal, goal), cell),
        states=states,
        clip=1.0,
    )


def _vgg() -> nn.Module:
    plan = (1, 1, 16), (1, 16, 32), (2, 32, 64), (2, 64, 128), (2, 128, 128)
    first = nn.Flatten(), nn.Linear(128 * 3 * 3, 4096), nn.ReLU(), nn.Dropout(0.5)
    last = nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 10)
    return nn.Sequential(*[models.vgg_block(*block) for block in plan], *first, *last)


GPT = (65, 64, 128, 4, 4)
"""Characters, context, width, heads, layers."""

NETWORKS = (
    _mlp("phone prices", 20, 128, 256, 512, 128, 4, batch=8, goals=Goals(0.35, 0.55), optimizer="Adam"),
    _mlp("MLP", 784, 256, 10, batch=256, goals=Goals(0.80, 0.90)),
    _mlp("MLP", 784, 256, 128, 64, 10, batch=64, goals=Goals(0.50, 0.70), optimizer="Adam"),
    _mlp("x²", 1, 10, 10, 1, batch=100, goals=Goals(0.30, 0.35), data=_square, loss="MSELoss"),
    Network(
        "logistic regression",
        lambda: models.LogisticRegression(2),
        lambda: twins.LogisticRegression(2),
        *(_two_classes, 100, Goals(0.30, 0.35), "logistic_regression", "BCELoss"),
    ),
    Network("LeNet", models.LeNet, twins.LeNet, _images(1, 28), 256, Goals(0.55, 0.65), "lenet", images=True),
    Network(
        *("ResNet-20", models.resnet20, twins.ResNet20, _images(3, 32), 64, Goals(0.75, 0.95), "resnet20"),
        options={"momentum": 0.9, "weight_decay": 1e-4},
        images=True,
        tolerance=2e-2,
    ),
    Network(
        *("VGG-11, quarter width, 96 × 96", _vgg, twins.VGG11Quarter, _images(1, 96), 32, Goals(0.70, 0.85), "vgg"),
        images=True,
        tolerance=2e-2,
    ),
    Network(
        *("NiN, 224 × 224", models.NiN, twins.NiN, _images(1, 224), 8, Goals(0.85, 0.95), "nin"),
        images=True,
        tolerance=2e-2,
    ),
    _language_model("rnn", "RNN", 0.60, 1),
    _language_model("lstm", "LSTM", 0.80, 2),
    _language_model("gru", "GRU", 0.70, 1),
    Network(
        "GPT, 4 layers, width 128, context 64",
        lambda: models.GPT(*GPT),
        lambda: twins.GPT(*GPT),
        *(_tokens(65, 64), 16, Goals(0.90, 1.0), "gpt"),
        optimizer="AdamW",
    ),
)
