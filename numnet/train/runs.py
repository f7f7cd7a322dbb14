"""Several trainings that differ in one thing: the initial weights, or the rows left out."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..arrays import Array, is_floating
from ..data import Subset, TensorDataset
from ..errors import DataError, DtypeError, OptionError, describe
from ..kernels import gpu
from ..nn.module import Module
from ..optim import Optimizer
from ..random import default_rng, manual_seed, undisturbed
from .history import OF_THE_RUN, History, Row, table
from .trainer import Trainer

__all__ = ["Runs", "cross_validate", "restarts"]

MakeNet = Callable[[], Module]
MakeOptimizer = Callable[[Module], Optimizer]


class Runs:
    """What several trainings came to. Printed, it is a table with mean and spread.

    ``runs["validation_loss"]`` is an array, one number a run: that of the weights which the run ended with (the best
    with ``patience``).

    Attributes:
        names: ``"seed 3"``, ``"fold 0"``.
        rows: the row of the history of each that counts.
        histories: the whole of each.
        nets: the trained networks.
        hashes: SHA-256 of the initial weights of each: equal ones began alike.
        best: the number of the best run, by ``monitor``.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.rows: list[Row] = []
        self.histories: list[History] = []
        self.nets: list[Module] = []
        self.hashes: list[str] = []
        self.best = 0

    def _add(self, name: str, trainer: Trainer, history: History, initial: str) -> None:
        row = history.kept
        self.names.append(name)
        self.rows.append(row)
        self.histories.append(history)
        self.nets.append(trainer.net)
        self.hashes.append(initial)
        if trainer.sign * (row[trainer.monitor] - self.rows[self.best][trainer.monitor]) > 0:
            self.best = len(self.rows) - 1

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> np.ndarray:
        """One number a run. Raises OptionError for an unknown column."""
        known = list(self.rows[0])
        if column not in known:
            raise OptionError(
                f"a column among {', '.join(known)}", repr(column), "metrics={name: function} makes columns"
            )
        return np.array([row[column] for row in self.rows])

    def mean(self, column: str) -> float:
        """The mean over the runs."""
        return float(self[column].mean())

    def std(self, column: str) -> float:
        """The spread: the standard deviation over the runs, with n - 1; NaN of a single one."""
        return float(self[column].std(ddof=1)) if len(self) > 1 else float("nan")

    def __repr__(self) -> str:
        shown = [name for name in self.rows[0] if name not in OF_THE_RUN]
        lines: list[dict[str, Any]] = [
            {"": name, **{c: row[c] for c in shown}, "initial weights": initial[:8]}
            for name, row, initial in zip(self.names, self.rows, self.hashes, strict=True)
        ]
        lines[self.best][""] += " *"
        lines += [
            {"": name, **{c: spread(c) for c in shown}, "initial weights": ""}
            for name, spread in (("mean", self.mean), ("std", self.std))
        ]
        return "\n".join(table(list(lines[0]), lines))


def restarts(
    make_net: MakeNet,
    make_optimizer: MakeOptimizer,
    loss: Module,
    train: Any,
    *,
    seeds: int | Iterable[int],
    **options: Any,
) -> Runs:
    """The same training from several initial weights: how much the result owes to chance, and the best of them.

    Each run draws everything from a default generator that begins with its seed, so that any one of them can be had
    again: ``numnet.manual_seed(seed)``, ``make_net()``, ``make_optimizer(net)``, :func:`fit`. The generator in use
    before stays where it was.

    Args:
        make_net: makes the network; called once a run.
        make_optimizer: makes the optimiser of a network.
        loss: the loss.
        train: as for :func:`fit`.
        seeds: one run for each; a number n stands for 0 … n - 1.
        options: of :func:`fit`.

    Raises:
        OptionError: no seeds. DataError: a network that was trained before. NumnetError: what fit refuses.

    Source: Goodfellow, Bengio and Courville, Deep learning, 2016, section 8.4, on what initial weights decide.
    """
    listed = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    if not listed:
        raise OptionError("at least one seed", "none", "seeds=5")
    _expect_makers(make_net, make_optimizer)
    runs, fresh = Runs(), _Fresh()
    for seed in listed:
        with undisturbed():
            manual_seed(seed)
            net = make_net()
            initial = fresh.expect(f"seed {seed}", net)
            trainer = Trainer(net, copy.deepcopy(loss), make_optimizer(net), train, **options)
            runs._add(f"seed {seed}", trainer, trainer.run(), initial)
            fresh.trained(f"seed {seed}", net)
    return runs


def cross_validate(
    make_net: MakeNet,
    make_optimizer: MakeOptimizer,
    loss: Module,
    x: Array,
    y: Array,
    *,
    folds: Any = 5,
    scaler: Any = None,
    rng: np.random.Generator | None = None,
    **options: Any,
) -> Runs:
    """K trainings, each validated on the fold that it did not see: mean and spread of the generalisation error.

    Args:
        make_net: makes a network with new weights; called once a fold.
        make_optimizer: makes the optimiser of a network.
        loss: the loss.
        x, y: all samples, row by row.
        folds: K, for K parts drawn at random; or what has ``split(x, y)``, as scikit-learn's ``KFold`` and
            ``StratifiedKFold`` have; or pairs of row numbers (training, validation).
        scaler: a transformer of scikit-learn's; a copy of it is fitted on the training rows of each fold.
        rng: where parts and orders are drawn from; the default generator if ``None``.
        options: of :func:`fit`. With ``patience`` the epoch is chosen on the fold that judges it, which flatters.

    Raises:
        DataError: weights carried over from an earlier fold; a fold whose two sides share rows; x and y of different
            lengths. OptionError: fewer than two folds, or more than rows. NumnetError: what fit refuses.

    Source: Stone, Cross-validatory choice and assessment of statistical predictions, 1974.
    """
    _expect_makers(make_net, make_optimizer)
    dataset = TensorDataset(x, y)
    rows, labels = dataset.gather(np.arange(len(dataset)))
    runs, fresh = Runs(), _Fresh()
    for k, (of_train, of_validation) in enumerate(_splits(folds, rows, labels, rng or default_rng())):
        name = f"fold {k}"
        train, validation = Subset(dataset, of_train, "train"), Subset(dataset, of_validation, "validation")
        fitted = None if scaler is None else copy.deepcopy(scaler).fit(rows[train.indices])
        net = make_net()
        initial = fresh.expect(name, net)
        optimizer = make_optimizer(net)
        try:
            trainer = Trainer(
                net, copy.deepcopy(loss), optimizer, train, validation=validation, scaler=fitted, rng=rng, **options
            )
        except DataError as error:
            error.where = name
            raise
        runs._add(name, trainer, trainer.run(), initial)
        fresh.trained(name, net)
    return runs


def _splits(folds: Any, x: Array, y: Array, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    if isinstance(folds, int):
        if not 2 <= folds <= len(x):
            raise OptionError(f"2 to {len(x)} folds, as there are rows", f"folds={folds}", "folds=5")
        parts = np.array_split(rng.permutation(len(x)), folds)
        for k, part in enumerate(parts):
            yield np.concatenate(parts[:k] + parts[k + 1 :]), part
    elif callable(getattr(folds, "split", None)):
        yield from folds.split(x, y)
    else:
        yield from folds


def _expect_makers(make_net: Any, make_optimizer: Any) -> None:
    if isinstance(make_net, Module) or not callable(make_net):
        cure = "def make_net(): return nn.Sequential(…), which draws new weights each time"
        raise DtypeError("a function that makes the network", describe(make_net), cure)
    if isinstance(make_optimizer, Optimizer) or not callable(make_optimizer):
        cure = "lambda net: optim.SGD(net.parameters(), lr=0.1)"
        raise DtypeError("a function that makes the optimiser of a network", describe(make_optimizer), cure)


class _Fresh:
    """Sees to it that no run begins with what an earlier one has learned."""

    def __init__(self) -> None:
        self.begun: dict[str, bytes] = {}  # the hash of every array of the run under way, before
        self.learned: dict[tuple[str, bytes], str] = {}  # path and hash of every array that training changed
        self.nets: list[tuple[str, Module]] = []

    def expect(self, name: str, net: Module) -> str:
        """The hash of all weights of a network that is new. Raises DataError if it is not, in whole or in part."""
        expected = f"a network with weights of its own for {name}"
        cure = "let make_net() build the network anew, and load nothing that was trained here"
        mine = {id(p): path for path, p in net.named_parameters() if p.requires_grad}
        for other, earlier in self.nets:
            shared = [mine[id(p)] for p in earlier.parameters() if id(p) in mine]
            if shared:
                raise DataError(expected, f"{', '.join(shared[:3])} of the one of {other}", cure)
        self.begun = _hashes(net)
        for path, digest in self.begun.items():
            if (path, digest) in self.learned:
                raise DataError(expected, f"{path} as {self.learned[path, digest]} has learned it", cure)
        return hashlib.sha256(b"".join(path.encode() + d for path, d in self.begun.items())).hexdigest()

    def trained(self, name: str, net: Module) -> None:
        """The run has come to its end."""
        self.nets.append((name, net))
        for path, digest in _hashes(net).items():
            if digest != self.begun.get(path):
                self.learned.setdefault((path, digest), name)


def _hashes(net: Module) -> dict[str, bytes]:
    arrays = {path: np.ascontiguousarray(gpu.to_cpu(a)) for path, a in net.state_dict().items() if is_floating(a)}
    return {path: hashlib.sha256(f"{a.dtype} {a.shape}".encode() + a.tobytes()).digest() for path, a in arrays.items()}
