"""Whole networks: a training step, and inference, beside PyTorch as it comes and PyTorch at its best."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np
import torch

import numnet
from numnet import models, nn, optim

from . import twins
from .by_hand import lenet, mlp
from .machine import threads
from .rows import Row, compared
from .timing import Effort, contest

__all__ = [
    "FLOAT64",
    "NETWORKS",
    "ByHand",
    "DisagreementError",
    "Network",
    "Numnet",
    "PyTorch",
    "agree",
    "measure",
    "measure_float64",
]

RATE = 1e-9
"""Steps so small that the thousandth does the same work as the first."""


class DisagreementError(Exception):
    """The two sides do not compute the same; there is nothing to time."""


class Goals(NamedTuple):
    """The most that numnet's time over PyTorch's may be: PyTorch as it comes, and at its best."""

    default: float
    best: float


INFERENCE = Goals(0.8, 1.0)


@dataclass(frozen=True)
class Network:
    """One network of the table: both sides of it, a batch, a loss, an optimiser, the goals of a training step.

    ``tolerance`` holds for gradients in float32. It is wide for deep networks of ReLUs and maxima, where one sum that
    is rounded to the other side of 0 changes everything before it a little; PyTorch with two threads is as far from
    PyTorch with one.
    """

    name: str
    ours: Callable[[], nn.Module]
    theirs: Callable[[], torch.nn.Module]
    data: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
    batch: int
    goals: Goals
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


class Numnet:
    """A network of numnet's, used as a reader of the first page uses it."""

    def __init__(self, network: Network, dtype: Any = np.float32, batch: int | None = None) -> None:
        numnet.manual_seed(0)
        self.network = network
        self.net = network.ours().to(dtype)
        self.net.input_delta = False  # x is data: PyTorch leaves its gradient out too
        self.x, self.y = network.batch_of(batch or network.batch, dtype)
        self.loss = getattr(nn, network.loss)()
        self.optimizer = getattr(optim, network.optimizer)(self.net.parameters(), lr=RATE, **network.options)

    def back(self) -> float:
        """Forward, loss, backward."""
        if self.network.states:  # a recurrent network returns its states too; they have no part in J
            z, _ = self.net(self.x)
            J = self.loss(z, self.y)
            self.net.backward((self.loss.backward(), *[None] * self.network.states))
        else:
            z = self.net(self.x)
            J = self.loss(z, self.y)
            self.net.backward(self.loss.backward())
        return J

    def step(self) -> None:
        """One step of training."""
        self.optimizer.zero_grad()
        self.back()
        if self.network.clip:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.network.clip)
        self.optimizer.step()

    def gradients(self) -> dict[str, np.ndarray]:
        """∂J/∂(parameter) by name, as the latest backward left them."""
        return {name: np.asarray(p.grad) for name, p in self.net.named_parameters()}

    def predictor(self, n: int) -> Callable[[], object]:
        """What predicts for ``n`` samples."""
        x = np.ascontiguousarray(self.x[:n])

        def predict() -> object:
            with numnet.no_grad():
                return self.net(x)

        return predict


class PyTorch:
    """The twin of a network in PyTorch; ``best``: channels_last, fused optimiser."""

    def __init__(
        self,
        network: Network,
        dtype: Any = np.float32,
        batch: int | None = None,
        best: bool = False,
        compiled: bool = False,
    ) -> None:
        self.network, self.best = network, best
        self.net: torch.nn.Module = network.theirs().to(torch.from_numpy(np.empty(0, dtype)).dtype)
        self.x, self.y = (torch.from_numpy(a) for a in network.batch_of(batch or network.batch, dtype))
        if best and network.images:
            self.net = self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.x = self.x.to(memory_format=torch.channels_last)
        self.loss = getattr(torch.nn, network.loss)()
        fused = {"fused": True} if best else {}
        optimizer = getattr(torch.optim, network.optimizer)
        self.optimizer = optimizer(self.net.parameters(), lr=RATE, **network.options, **fused)
        self.call = torch.compile(self.net) if compiled else self.net

    def take_weights(self, ours: Numnet) -> None:
        """Parameters and buffers as numnet's are."""
        self.net.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in ours.net.state_dict().items()})

    def back(self) -> float:
        """Forward, loss, backward. Scores (N, T, V) go to the loss as (N · T, V), which is PyTorch's quickest way."""
        z = self.call(self.x)
        J = self.loss(z.flatten(0, 1), self.y.flatten()) if z.ndim == 3 else self.loss(z, self.y)
        J.backward()
        return cast(float, J.detach())

    def step(self) -> None:
        """One step of training."""
        self.optimizer.zero_grad()
        self.back()
        if self.network.clip:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.network.clip)
        self.optimizer.step()

    def gradients(self) -> dict[str, np.ndarray]:
        """∂J/∂(parameter) by name, as the latest backward left them."""
        return {name: np.asarray(p.grad) for name, p in self.net.named_parameters()}

    def predictor(self, n: int) -> Callable[[], object]:
        """What predicts for ``n`` samples: under no_grad, at its best in inference mode."""
        x = self.x[:n].clone(memory_format=torch.preserve_format)
        mode = torch.inference_mode if self.best else torch.no_grad

        def predict() -> object:
            with mode():
                return self.call(x)

        return predict


class ByHand:
    """The network in NumPy alone, in float64."""

    def __init__(self, network: Network) -> None:
        self.formulas = FLOAT64[network.name]
        self.x, self.y = network.batch_of(network.batch, np.float64)
        self.parameters: dict[str, np.ndarray] = {}
        self.found: list[np.ndarray] = []

    def take_weights(self, ours: Numnet) -> None:
        """Parameters as numnet's are."""
        self.parameters = {name: np.array(p.array) for name, p in ours.net.named_parameters()}

    def back(self) -> float:
        """Forward, loss, backward."""
        J, self.found = self.formulas(list(self.parameters.values()), self.x, self.y)
        return J

    def step(self) -> None:
        """One step of training."""
        self.back()
        for p, gradient in zip(self.parameters.values(), self.found, strict=True):
            p -= RATE * gradient

    def gradients(self) -> dict[str, np.ndarray]:
        """∂J/∂(parameter) by name, as the latest backward left them."""
        return dict(zip(self.parameters, self.found, strict=True))


def agree(ours: Numnet, other: PyTorch | ByHand, tolerance: float) -> None:
    """Give both the same weights: losses and all gradients are the same, without dropout.

    A gradient may be off by ``tolerance`` of its norm.

    Raises:
        DisagreementError: they are not.
    """
    other.take_weights(ours)
    sides = ours, other
    modules: list[Any] = [m for side in sides if not isinstance(side, ByHand) for m in side.net.modules()]
    dropouts = [m for m in modules if type(m).__name__ == "Dropout"]
    before = [m.p for m in dropouts]
    for m in dropouts:
        m.p = 0.0
    ours.optimizer.zero_grad()
    J, J_other = (float(side.back()) for side in sides)
    for m, p in zip(dropouts, before, strict=True):
        m.p = p
    if not abs(J - J_other) <= tolerance * abs(J_other):
        raise DisagreementError(f"{ours.network.name}: J is {J:.9g} with numnet, {J_other:.9g} with the other")
    found, right = ours.gradients(), other.gradients()
    if found.keys() != right.keys():
        raise DisagreementError(f"{ours.network.name}: gradients of {sorted(found)} and of {sorted(right)}")
    norms = {name: float(np.linalg.norm(gradient)) for name, gradient in right.items()}
    floor = 1e-6 * max(norms.values())  # a gradient of nothing but rounding
    for name, gradient in right.items():
        error = float(np.linalg.norm(found[name] - gradient))
        norm = max(norms[name], floor)
        if not error <= tolerance * norm:
            raise DisagreementError(f"{ours.network.name}: ∂J/∂({name}) differs by {error / norm:.2g}")


def measure(network: Network, n: int, effort: Effort, compiled: bool = False) -> Iterator[Row]:
    """The rows of a network, with ``n`` threads: a training step, inference for one sample and for the batch.

    Raises:
        DisagreementError: the two sides do not compute the same.
    """
    with threads(n):
        ours = Numnet(network)
        others = {"default": PyTorch(network), "best": PyTorch(network, best=True)}
        if compiled:
            others["compiled"] = PyTorch(network, compiled=True)
        for other in others.values():
            agree(ours, other, network.tolerance)
        result = contest({"numnet": ours.step, **{name: other.step for name, other in others.items()}}, effort)
        goals = {"default": network.goals.default, "best": network.goals.best}
        words = {"default": "default", "best": "best", "compiled": "torch.compile"}
        said = {
            name: {"against": f"{words[name]}: {network.settings(other.best)}", "goal": goals.get(name)}
            for name, other in others.items()
        }
        yield from compared("models", network.name, f"training, batch {network.batch}", n, result, **said)
        ours.net.eval()
        for other in others.values():
            other.net.eval()
        goals = INFERENCE._asdict()
        for batch in sorted({1, network.batch}):
            predictors = {name: other.predictor(batch) for name, other in others.items()}
            result = contest({"numnet": ours.predictor(batch), **predictors}, effort)
            modes = {name: "inference_mode" if name == "best" else "no_grad" for name in others}
            said = {
                name: {"against": f"{words[name]}: {network.layout(other.best)}{modes[name]}", "goal": goals.get(name)}
                for name, other in others.items()
            }
            yield from compared("models", network.name, f"inference, batch {batch}", n, result, **said)


def measure_float64(network: Network, n: int, effort: Effort) -> Iterator[Row]:
    """The training step in float64, beside PyTorch and beside NumPy by hand.

    Raises:
        DisagreementError: the three do not compute the same.
    """
    with threads(n):
        ours = Numnet(network, np.float64)
        theirs, by_hand = PyTorch(network, np.float64), ByHand(network)
        others: dict[str, PyTorch | ByHand] = {"PyTorch": theirs, "NumPy": by_hand}
        for other in others.values():
            agree(ours, other, 1e-10)
        result = contest({"numnet": ours.step, **{name: other.step for name, other in others.items()}}, effort)
        said = {
            "PyTorch": {"against": f"default: {network.settings(best=False)}", "goal": 1.0},
            "NumPy": {"against": "NumPy by hand", "goal": 1.0},
        }
        yield from compared("models", network.name, f"training in float64, batch {network.batch}", n, result, **said)


# ------------------------------------------------------------------------------------------------ the networks


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
    name = f"{name} {'-'.join(map(str, sizes))}"
    return Network(name, lambda: models.MLP(sizes), lambda: twins.MLP(sizes), data, **rest)


def _language_model(cell: Any, name: str, goal: float, states: int) -> Network:
    return Network(
        f"{name} language model, hidden 256, 35 steps",
        lambda: models.RNNLanguageModel(28, 256, cell),
        lambda: twins.LanguageModel(28, 256, cell),
        *(_tokens(28, 35), 32, Goals(goal, goal)),
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
        *(_two_classes, 100, Goals(0.30, 0.35), "BCELoss"),
    ),
    Network("LeNet", models.LeNet, twins.LeNet, _images(1, 28), 256, Goals(0.55, 0.65), images=True),
    Network(
        *("ResNet-20", models.resnet20, twins.ResNet20, _images(3, 32), 64, Goals(0.75, 0.95)),
        options={"momentum": 0.9, "weight_decay": 1e-4},
        images=True,
        tolerance=2e-2,
    ),
    Network(
        *("VGG-11, quarter width, 96 × 96", _vgg, twins.VGG11Quarter, _images(1, 96), 32, Goals(0.70, 0.85)),
        images=True,
        tolerance=2e-2,
    ),
    Network(
        *("NiN, 224 × 224", models.NiN, twins.NiN, _images(1, 224), 8, Goals(0.85, 0.95)),
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
        *(_tokens(65, 64), 16, Goals(0.90, 1.0)),
        optimizer="AdamW",
    ),
)

FLOAT64 = {"MLP 784-256-10": mlp, "LeNet": lenet}
"""The networks that are measured in float64 too, and their formulas by hand."""
