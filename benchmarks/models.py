"""Whole networks: a training step, and inference, beside PyTorch as it comes and PyTorch at its best."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol, cast

import numpy as np
import torch

import numnet
from numnet import nn, optim
from numnet.nested import flatten

from .by_hand import lenet, mlp
from .machine import threads
from .networks import INFERENCE, NETWORKS, RATE, Network
from .rows import Row, compared
from .timing import Effort, contest

__all__ = [
    "FLOAT64",
    "NETWORKS",
    "OTHERS",
    "ByHand",
    "DisagreementError",
    "Network",
    "Numnet",
    "PyTorch",
    "agree",
    "infer",
    "measure",
    "train",
    "works",
]

FLOAT64 = {"MLP 784-256-10": mlp, "LeNet": lenet}
"""The networks that are measured in float64 too, and their formulas by hand."""

TOLERANCE = 1e-4
"""Of losses and predictions in float32, and of most gradients."""

OTHERS = ("compile", "jax")
"""What else is measured where it is installed: torch.compile, and JAX."""


class DisagreementError(Exception):
    """The two sides do not compute the same; there is nothing to time."""


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


class Side(Protocol):
    """What numnet is compared with."""

    def take_weights(self, ours: Numnet) -> None: ...
    def back(self) -> float: ...
    def step(self) -> None: ...
    def gradients(self) -> dict[str, np.ndarray]: ...


def agree(ours: Numnet, other: Side, tolerance: float) -> None:
    """Give both the same weights: losses and all gradients are the same, without dropout.

    A gradient may be off by ``tolerance`` of its norm, J by as much, but by no more than ``TOLERANCE``.

    Raises:
        DisagreementError: they are not.
    """
    other.take_weights(ours)
    sides = ours, other
    modules: list[Any] = [m for side in sides if hasattr(side, "net") for m in side.net.modules()]
    dropouts = [m for m in modules if type(m).__name__ == "Dropout"]
    before = [m.p for m in dropouts]
    for m in dropouts:
        m.p = 0.0
    ours.optimizer.zero_grad()
    J, J_other = (float(side.back()) for side in sides)
    for m, p in zip(dropouts, before, strict=True):
        m.p = p
    if not abs(J - J_other) <= min(tolerance, TOLERANCE) * abs(J_other):
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


def works(network: Network) -> tuple[str, ...]:
    """What is measured of a network, as the rows name it."""
    inference = [f"inference, batch {batch}" for batch in sorted({1, network.batch})]
    in_float64 = [f"training in float64, batch {network.batch}"] if network.name in FLOAT64 else []
    return f"training, batch {network.batch}", *inference, *in_float64


def train(network: Network, n: int, effort: Effort, others: Collection[str] = ()) -> Iterator[Row]:
    """The rows of a training step with ``n`` threads. ``others``, of which there are ``OTHERS``, have no goals.

    Raises:
        DisagreementError: the two sides do not compute the same.
    """
    with threads(n):
        ours = Numnet(network)
        sides: dict[str, Side] = {"default": PyTorch(network), "best": PyTorch(network, best=True)}
        goals = network.goals._asdict()
        said = {name: {"against": f"{name}: {network.settings(name == 'best')}", "goal": goals[name]} for name in goals}
        for name, (side, against) in _others(network, n, others).items():
            sides[name], said[name] = side, {"against": against}
        for side in sides.values():
            agree(ours, side, network.tolerance)
        runs = {"numnet": ours.step, **{name: side.step for name, side in sides.items()}}
        result = contest(runs, effort, waiting={"jax"})
        yield from compared("models", network.name, works(network)[0], n, result, **said)


def infer(network: Network, n: int, effort: Effort) -> Iterator[Row]:
    """The rows of inference, for one sample and for the batch.

    Raises:
        DisagreementError: the two sides do not predict the same.
    """
    with threads(n):
        ours = Numnet(network)
        others = {"default": PyTorch(network), "best": PyTorch(network, best=True)}
        for other in others.values():
            other.take_weights(ours)
            other.net.eval()
        ours.net.eval()
        modes, goals = {"default": "no_grad", "best": "inference_mode"}, INFERENCE._asdict()
        said = {
            name: {"against": f"{name}: {network.layout(name == 'best')}{mode}", "goal": goals[name]}
            for name, mode in modes.items()
        }
        for batch in sorted({1, network.batch}):
            runs = {"numnet": ours.predictor(batch), **{name: side.predictor(batch) for name, side in others.items()}}
            found, *right = (np.asarray(flatten(run())[0]) for run in runs.values())
            for z in right:
                z = z.swapaxes(1, 2) if z.ndim == 3 else z  # scores (N, T, V), which are (N, V, T) with numnet
                if not np.linalg.norm(found - z) <= TOLERANCE * np.linalg.norm(z):
                    raise DisagreementError(f"{network.name}: other predictions for {batch} of its samples")
            yield from compared("models", network.name, f"inference, batch {batch}", n, contest(runs, effort), **said)


def measure(network: Network, n: int, effort: Effort, others: Collection[str] = ()) -> Iterator[Row]:
    """All the rows of a network: training, inference for one sample and for the batch, training in float64.

    Raises:
        DisagreementError: the sides do not compute the same.
    """
    yield from train(network, n, effort, others)
    yield from infer(network, n, effort)
    if network.name in FLOAT64:
        yield from _in_float64(network, n, effort)


def _others(network: Network, n: int, names: Collection[str]) -> dict[str, tuple[Side, str]]:
    """Those of the names that can be had with ``n`` threads, and what the tables call them."""
    found: dict[str, tuple[Side, str]] = {}
    if "compile" in names:
        torch.compiler.reset()  # what it has seen of other networks would make it compile for any size
        found["compile"] = PyTorch(network, compiled=True), f"torch.compile: {network.settings(best=False)}"
    if "jax" in names:
        from .jax_side import Jax, use_threads

        if use_threads(n):
            found["jax"] = Jax(network), f"JAX (jit): {'NHWC, ' if network.images else ''}{network.optimizer}"
    return found


def _in_float64(network: Network, n: int, effort: Effort) -> Iterator[Row]:
    """The training step in float64, beside PyTorch and beside NumPy by hand."""
    with threads(n):
        ours = Numnet(network, np.float64)
        theirs, by_hand = PyTorch(network, np.float64), ByHand(network)
        others: dict[str, Side] = {"PyTorch": theirs, "NumPy": by_hand}
        for other in others.values():
            agree(ours, other, 1e-10)
        result = contest({"numnet": ours.step, **{name: other.step for name, other in others.items()}}, effort)
        said = {
            "PyTorch": {"against": f"default: {network.settings(best=False)}", "goal": 1.0},
            "NumPy": {"against": "NumPy by hand", "goal": 1.0},
        }
        yield from compared("models", network.name, f"training in float64, batch {network.batch}", n, result, **said)
