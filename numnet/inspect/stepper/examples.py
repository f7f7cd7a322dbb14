"""Examples: traces to step through, and those that a user's file makes."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...errors import DataError, OptionError
from ...models import LeNet
from ...nn import RNN, BatchNorm1d, CrossEntropyLoss, Linear, MaxPool2d, Module, ReLU, Sequential, Sigmoid, Tanh
from ...optim import SGD
from ...tensor import Tensor
from ..trace import Trace, trace

__all__ = ["EXAMPLES", "trace_of"]


def trace_of(what: str, seed: int) -> Trace:
    """The trace called ``what``: an example, ``file.py``, or ``file.py:name``.

    Raises:
        OptionError: no such example, or no such trace in the file. DataError: there is no such file.
    """
    if what in EXAMPLES:
        return EXAMPLES[what](np.random.default_rng(seed))
    file, _, name = what.rpartition(":") if ".py:" in what else (what, "", "")
    if not file.endswith(".py"):
        expected = f"an example, {', '.join(EXAMPLES)}, or a Python file that makes a trace"
        raise OptionError(expected, repr(what), "numnet step mlp, or numnet step file.py")
    return _from_file(Path(file), name or "trace")


def _from_file(path: Path, name: str) -> Trace:
    if not path.is_file():
        raise DataError("a Python file that makes a trace", f"there is no file {str(path)!r}", "give its path")
    arguments, folders = sys.argv, sys.path[:]
    sys.argv, sys.path[:] = [str(path)], [str(path.parent.resolve()), *folders]  # as in `python file.py`
    try:
        made = runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = arguments, folders
    found = made.get(name)
    if isinstance(found, Trace):
        return found
    traces = [key for key, value in made.items() if isinstance(value, Trace)]
    got = f"no {name}" if name not in made else f"{name} is a {type(found).__name__}"
    cure = f"numnet step {path}:{traces[0]}" if traces else f"{name} = numnet.trace(net, x, target, loss), at top level"
    raise OptionError(f"a trace called {name} in {path}", got, cure)


def _mlp(rng: np.random.Generator) -> Trace:
    """Exclusive or: two inputs, three hidden units, two classes."""
    net = Sequential(Linear(2, 3, rng=rng), Sigmoid(), Linear(3, 2, rng=rng)).double()
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return trace(net, x, np.array([0, 1, 1, 0]), CrossEntropyLoss(), SGD(net.parameters(), lr=0.5))


def _lenet(rng: np.random.Generator) -> Trace:
    """A seven, drawn in three strokes."""
    net = LeNet(activation=ReLU, pool=MaxPool2d, rng=rng)
    x = np.zeros((1, 1, 28, 28), np.float32)
    x[0, 0, 5:8, 6:21] = 1
    for row in range(8, 24):
        middle = 19 - (row - 8) // 2
        x[0, 0, row, middle - 1 : middle + 2] = 1
    return trace(net, x, np.array([7]), CrossEntropyLoss(), SGD(net.parameters(), lr=0.1))


class _LastState(Module):
    """A recurrent layer over the whole sequence, and a linear one that reads what it has in the end."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.rnn = RNN(2, 3, rng=rng)
        self.head = Linear(3, 2, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.rnn(x)  # (T, N, 3)
        return self.head(y[-1])


def _rnn(rng: np.random.Generator) -> Trace:
    """Which of the two inputs came last? Four steps of time, two sequences."""
    net = _LastState(rng).double()
    x = np.eye(2)[[[0, 1], [1, 1], [0, 0], [1, 0]]]  # (T, N, 2)
    return trace(net, x, np.array([1, 0]), CrossEntropyLoss(), SGD(net.parameters(), lr=0.5))


class _Block(Module):
    """Two linear layers around which x goes as well."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.fc1 = Linear(3, 3, rng=rng)
        self.act = Tanh()
        self.fc2 = Linear(3, 3, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fc2(self.act(self.fc1(x)))


class _Residual(Module):
    """Two residual blocks, and a linear layer."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.block1 = _Block(rng)
        self.block2 = _Block(rng)
        self.head = Linear(3, 2, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block2(self.block1(x)))


def _residual(rng: np.random.Generator) -> Trace:
    """δ comes back on two ways, and is added up."""
    net = _Residual(rng).double()
    x = rng.standard_normal((4, 3)).round(1)
    return trace(net, x, np.array([0, 1, 1, 0]), CrossEntropyLoss(), SGD(net.parameters(), lr=0.5))


def _batchnorm(rng: np.random.Generator) -> Trace:
    """A batch of six, normalised."""
    net = Sequential(Linear(2, 3, rng=rng), BatchNorm1d(3), ReLU(), Linear(3, 2, rng=rng)).double()
    x = rng.standard_normal((6, 2)).round(1)
    return trace(net, x, np.array([0, 1, 1, 0, 1, 0]), CrossEntropyLoss(), SGD(net.parameters(), lr=0.5))


EXAMPLES: dict[str, Callable[[np.random.Generator], Trace]] = {
    "mlp": _mlp,
    "lenet": _lenet,
    "rnn": _rnn,
    "residual": _residual,
    "batchnorm": _batchnorm,
}
