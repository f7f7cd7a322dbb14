"""Trainer: the loop, with everything that a run consists of."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..arrays import Array, array_module
from ..errors import DtypeError, NonFiniteError, NumnetError, OptionError, StateDictError
from ..io import load, save
from ..nn.module import Module
from ..nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from ..random import default_rng
from ..tensor import Tensor
from .batches import (
    between_epochs,
    expect_apart,
    expect_fitted_on,
    expect_no_test_rows,
    loader_of,
    unpacked,
    with_scaler,
)
from .checkpoint import Best, module_state, restore_module
from .evaluation import Metric, Totals, evaluate, expect_metrics, in_mode, mean_of
from .expect import expect_of_the_net, expect_scheduler, monitored
from .finite import not_finite
from .history import History, Row
from .interrupt import Interrupt
from .progress import Progress

__all__ = ["LINE", "Trainer"]

LINE = "epoch: {epoch:4} loss: {loss:.2f}, time: {seconds:.2f}s"
"""For ``log=``: the line that the tutorials print after each epoch."""


class Trainer:
    """A training that can be stopped, looked at, and gone on with. :func:`~numnet.train.fit` makes one and runs it.

    Of each batch, in training mode::

        z = net(x);  J = loss(z, y)
        optimizer.zero_grad();  net.backward(loss.backward());  optimizer.step()

    After each epoch: validation in evaluation mode, a row of history, the schedule, early stopping, a checkpoint, the
    callbacks. The mode of the network is put back at the end.

    Args:
        net: the network.
        loss: ``loss(z, y)``. With ``reduction="none"`` the mean of what it returns is what is learned from.
        optimizer: over the parameters of ``net``, or some of them (or of ``loss``).
        train: ``(x, y)``, a Dataset, or a DataLoader. What is no DataLoader comes in a new order every epoch.
        epochs: how many times through ``train``, those before a resumption included.
        max_iter: how many steps at most.
        tol: ε: stop as soon as a step changes no number of any parameter by as much as ε.
        batch_size: 1 for single samples, n for mini-batches, ``None`` for all at once; the gradient is the mean over
            the batch. For whatever is no DataLoader.
        validation: like ``train``; never learned from.
        metrics: functions of (output, target) by name, such as ``{"accuracy": metrics.accuracy}``. They see all outputs
            of an epoch at once, which are kept until its end.
        scheduler: of the learning rate, stepped once an epoch; a ReduceLROnPlateau gets what ``monitor`` names.
        scheduler_every: ``"step"`` steps it after every batch.
        clip_norm: the largest norm that all gradients together may have; longer ones are shortened.
        clip_value: the largest number that a gradient may have; larger ones are cut.
        patience: stop once ``monitor`` has got no better for so many epochs in a row. At the end, whatever it was, the
            weights and running statistics of the best epoch are restored.
        min_delta: by how much better than the best an epoch has to be to count.
        monitor: ``"min"`` or ``"max"`` and a column of the history. The validation loss, else the training loss, if
            left out.
        scaler: a transformer of scikit-learn's, fitted on the training rows; applied to x of both sets.
        callbacks: functions, called with the trainer after every epoch. ``trainer.stop("why")`` ends the training.
        checkpoint: a file to keep the whole state of the run in, written before the first step, after every epoch,
            and on Ctrl-C. From whatever moment the program is killed at, going on from it ends with the same bits.
            What a callback remembers is not in it.
        checkpoint_every: write it every so many steps, too.
        resume: go on from ``checkpoint``, if that file exists. Build everything else as before.
        progress: a bar on stderr if that is a terminal (and tqdm is installed), else a line now and then.
        log: a line for stdout after every epoch, with columns of the history in braces; ``train.LINE`` is one.
        rng: where the order of the samples is drawn from; the default generator if ``None``.

    Attributes:
        history: a :class:`History`.
        epoch, step: how many have been done.

    Raises:
        DataError: no samples, rows with the role "test", rows for training and validation both, a scaler fitted on
            other rows than those for training.
        OptionError, DtypeError: options that cannot be, or exclude each other.
        NonFiniteError: in :meth:`run`, a loss that is NaN or infinite, with the layer that made it so.
        StateDictError: in :meth:`run`, a checkpoint of another run.
        NumnetError: in :meth:`run`, whatever network and loss refuse, with epoch and batch.
        KeyboardInterrupt: in :meth:`run`, Ctrl-C, after the step under way and a checkpoint.
    """

    def __init__(
        self,
        net: Module,
        loss: Module,
        optimizer: Optimizer,
        train: Any,
        *,
        epochs: int | None = None,
        max_iter: int | None = None,
        tol: float | None = None,
        batch_size: int | None = 32,
        validation: Any = None,
        metrics: Mapping[str, Metric] | None = None,
        scheduler: LRScheduler | None = None,
        scheduler_every: Literal["epoch", "step"] = "epoch",
        clip_norm: float | None = None,
        clip_value: float | None = None,
        patience: int | None = None,
        min_delta: float = 0.0,
        monitor: str | None = None,
        scaler: Any = None,
        callbacks: Iterable[Callable[[Trainer], Any]] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
        progress: bool = True,
        log: str | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.net, self.loss, self.optimizer = net, loss, optimizer
        expect_of_the_net(net, loss, optimizer)
        if epochs is None and max_iter is None:
            raise OptionError("an end: epochs or max_iter", "neither", "epochs=10")
        whole = {"epochs": epochs, "max_iter": max_iter, "patience": patience, "checkpoint_every": checkpoint_every}
        for name, value in whole.items():
            if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
                cure = "leave it out, or give another one"
                raise OptionError(f"{name} as a whole number of at least 1", f"{name}={value!r}", cure)
        for name, size in {"clip_norm": clip_norm, "clip_value": clip_value}.items():
            if size is not None and not size > 0:
                raise OptionError(f"{name} above 0", f"{name}={size!r}", "leave it out, to clip nothing")
        if clip_norm is not None and clip_value is not None:
            raise OptionError("clip_norm or clip_value", "both", "clip_norm, which keeps the direction of the step")
        if checkpoint is None and (checkpoint_every is not None or resume):
            raise OptionError("a file to keep the run in", "checkpoint=None", 'checkpoint="run.safetensors"')
        expect_scheduler(scheduler, scheduler_every, optimizer)
        self.train = loader_of("train", train, batch_size, shuffle=True, rng=rng)
        expect_no_test_rows("train", self.train)
        self.validation = None
        if validation is not None:
            self.validation = loader_of("validation", validation, batch_size)
            expect_no_test_rows("validation", self.validation)
            expect_apart(self.train, self.validation)
        if scaler is not None:
            expect_fitted_on(scaler, self.train)
            self.train = with_scaler("train", self.train, scaler)
            self.validation = self.validation and with_scaler("validation", self.validation, scaler)
        self.epochs, self.max_iter, self.tol = epochs, max_iter, tol
        self.metrics = expect_metrics(metrics)
        self.scheduler, self.scheduler_every = scheduler, scheduler_every
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self.patience, self.min_delta = patience, min_delta
        self.sign, self.monitor = monitored(monitor, self._columns(), validation is not None)
        self.callbacks = list(callbacks)
        self.checkpoint, self.checkpoint_every, self.resume = checkpoint, checkpoint_every, resume
        self.progress, self.log = progress, log or ""
        self._line(dict.fromkeys(self._columns(), 1))  # a word in braces that is no column is to be known now

        self.history = History()
        self.epoch = self.step = 0
        self.best: Best | None = None
        # of the epoch that is under way
        self.totals: Totals | None = None
        self.first_step = 1
        self.seconds = 0.0
        self.lr = self._lr()

    # ------------------------------------------------------------------ use

    def run(self) -> History:
        """Train until the end.

        Called again, with ``trainer.epochs`` raised before, it trains on: from the weights that the network has, which
        with ``patience`` are the best.
        """
        self.history.stopped = ""
        if self.totals is None:
            between_epochs(self.train)
        else:  # an error or Ctrl-C has ended the run before this one: the epoch goes on with the batches that are left
            learned = self.step - self.first_step + 1
            self.train.load_state_dict({**self.train.state_dict(), "batch": learned})
        if self.validation is not None:
            between_epochs(self.validation)
        if self.step == 0 and self.checkpoint is not None:
            self._open(Path(self.checkpoint))
        total = min(self.max_iter or math.inf, (self.epochs or math.inf) * len(self.train))
        with (
            in_mode(True, self.net, self.loss),
            Interrupt() as interrupt,
            Progress(self.progress, int(total), self.step) as progress,
        ):
            while not self._is_done():
                self._run_epoch(interrupt, progress)
                self._save()
                if interrupt.asked:
                    raise self._interrupted()
        if self.best is not None:
            self.net.load_state_dict(self.best.weights)
        return self.history

    def stop(self, why: str) -> None:
        """End the training after this epoch."""
        self.history.stopped = why

    def _is_done(self) -> bool:
        best = self.best
        if self.history.stopped:
            return True
        if self.patience is not None and best is not None and self.epoch - best.epoch >= self.patience:
            self.stop(f"{self.monitor} no better than {best.value:.4g}, of epoch {best.epoch}, which is restored")
        elif self.epochs is not None and self.epoch >= self.epochs:
            self.stop(f"epochs={self.epochs} done")
        elif self.max_iter is not None and self.step >= self.max_iter:
            self.stop(f"max_iter={self.max_iter} steps done")
        return bool(self.history.stopped)

    # ------------------------------------------------------------------ an epoch

    def _run_epoch(self, interrupt: Interrupt, progress: Progress) -> None:
        if self.totals is None:
            self.totals, self.first_step, self.seconds = Totals(keep=bool(self.metrics)), self.step + 1, 0.0
        began = time.perf_counter() - self.seconds
        for batch in self.train:
            try:
                J = self._learn(batch, self.totals)
            except NumnetError as error:
                error.where = f"fit, epoch {self.epoch + 1}, step {self.step + 1}, {error.where}".removesuffix(", ")
                raise
            self.step += 1
            self.seconds = time.perf_counter() - began
            self.lr = self._lr()
            if self.scheduler is not None and self.scheduler_every == "step":
                self.scheduler.step()
            progress.step(J)
            if interrupt.asked or (self.checkpoint_every and self.step % self.checkpoint_every == 0):
                self._save()
            if interrupt.asked:
                raise self._interrupted()
            if self.history.stopped or self.step == self.max_iter:
                between_epochs(self.train)
                break
        self._end_epoch(self.totals, progress)

    def _learn(self, batch: Any, totals: Totals) -> float:
        """One step: forward, back, and on."""
        inputs, y = unpacked(batch)
        seen: list[tuple[float, Array]] = []

        def closure() -> float:
            asked, self.net.input_delta = self.net.input_delta, False  # the inputs are data
            try:
                z, J = self._forward(inputs, y)
                mean = mean_of(self.loss, J, len(y))
                if not math.isfinite(mean):
                    raise not_finite(self.net, self.loss, inputs, y, self._lr(), f"a loss of {mean}")
                self.optimizer.zero_grad()
                delta = self.loss.backward(array_module(J).full_like(J, 1 / J.size) if J.ndim else None)  # of J's mean
                self.net.backward(delta[0] if isinstance(delta, tuple) else delta)
            finally:
                self.net.input_delta = asked
            self._clip(first=not seen)
            seen.append((mean, z))
            return mean

        before = [p.array.copy() for p in self._parameters()] if self.tol is not None else []
        self.optimizer.step(closure)
        J, z = seen[0]  # L-BFGS looks around, and asks more than once
        totals.add(J, z, y)
        if self.tol is not None:
            moved = [abs(p.array - w).max() for p, w in zip(self._parameters(), before, strict=True)]
            if float(max(moved)) < self.tol:
                self.stop(f"no parameter moved by tol={self.tol:g} in step {self.step + 1}")
        return J

    def _forward(self, inputs: tuple[Any, ...], y: Any) -> tuple[Array, Array]:
        try:
            z = self.net(*inputs)
            if isinstance(z, tuple):
                cure = "put it into a Module whose forward returns what the loss takes, and nothing else"
                raise DtypeError("a network with one output", f"{len(z)} outputs", cure)
            return z, self.loss(z, y)
        except NonFiniteError as error:  # some layers and losses look for themselves
            what = f"a formula refuses {error.got}"
            raise not_finite(self.net, self.loss, inputs, y, self._lr(), what) from None

    def _clip(self, first: bool) -> None:
        parameters = self._parameters()
        if self.clip_norm is not None:
            size, limit = float(clip_grad_norm_(parameters, self.clip_norm, error_if_nonfinite=True)), self.clip_norm
        elif self.clip_value is not None:
            given = [p.grad_array for p in parameters if p.grad_array is not None]
            size, limit = float(get_total_norm(given, np.inf, error_if_nonfinite=True)), self.clip_value
            clip_grad_value_(parameters, limit)
        else:
            return
        if first and size > limit:
            self.history.clips.append((self.step + 1, size))

    def _end_epoch(self, totals: Totals, progress: Progress) -> None:
        """Row, schedule, best weights, callbacks."""
        row: Row = {"epoch": self.epoch + 1, **totals.row(self.metrics)}
        if self.validation is not None:
            try:
                of_validation = evaluate(self.net, self.loss, self.validation, metrics=self.metrics)
            except NumnetError as error:
                error.where = f"fit, epoch {self.epoch + 1}, validation, {error.where}".removesuffix(", ")
                raise
            row |= {f"validation_{name}": value for name, value in of_validation.items()}
        row["lr"] = self.lr
        if self._clips:
            row["clipped"] = sum(step >= self.first_step for step, _ in self.history.clips)
        row["seconds"] = self.seconds
        self.totals = None
        self.epoch += 1
        self.history.rows.append(row)
        value = row[self.monitor]
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(value)
        elif self.scheduler is not None and self.scheduler_every == "epoch":
            self.scheduler.step()
        if self.patience is not None:
            if self.best is None or self.sign * (value - self.best.value) > self.min_delta:
                self.best = Best(self.epoch, value, self.net.state_dict())
            self.history.best_epoch = self.best.epoch
        progress.epoch(row, self._line(row))
        for callback in self.callbacks:
            callback(self)

    # ------------------------------------------------------------------ parts

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def _lr(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def _clips(self) -> bool:
        return self.clip_norm is not None or self.clip_value is not None

    def _columns(self) -> list[str]:
        """Of the history to come."""
        measured = ["loss", *self.metrics]
        of_validation = [f"validation_{name}" for name in measured] if self.validation is not None else []
        return ["epoch", *measured, *of_validation, "lr", *(["clipped"] if self._clips else []), "seconds"]

    def _line(self, row: Row) -> str:
        try:
            return self.log.format(**row)
        except (KeyError, IndexError, ValueError) as error:
            expected = f"log as text with columns in braces: {', '.join(self._columns())}"
            raise OptionError(expected, f"{self.log!r} ({type(error).__name__}: {error})", "log=train.LINE") from error

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on, as values that :func:`numnet.save` takes."""
        return {
            "net": module_state(self.net),
            "loss": module_state(self.loss),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "train": self.train.state_dict(),
            "validation": self.validation.state_dict() if self.validation else None,
            "default_rng": default_rng().bit_generator.state,
            "history": self.history.to_dict(),
            "best": self.best._asdict() if self.best else None,
            "totals": self.totals.state_dict() if self.totals else None,
            **{name: getattr(self, name) for name in COUNTERS},
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from there: the default generator is set too.

        Raises:
            StateDictError: it is the state of something else, or of other parts than those of this trainer.
        """
        missing = [name for name in ("net", "optimizer", "train", "default_rng", *COUNTERS) if name not in saved]
        parts = {"scheduler": self.scheduler, "validation": self.validation}
        faults = [f"no {name}" for name in missing]
        faults += [
            f"{'no' if saved.get(name) is None else 'a'} {name}"
            for name, part in parts.items()
            if (saved.get(name) is None) != (part is None)
        ]
        if faults:
            cure = "build everything as it was built for the run that was saved"
            raise StateDictError("the state of such a run", ", ".join(faults), cure)
        restore_module(self.net, saved["net"])
        restore_module(self.loss, saved["loss"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.scheduler:
            self.scheduler.load_state_dict(saved["scheduler"])
        self.train.load_state_dict(saved["train"])
        if self.validation:
            self.validation.load_state_dict(saved["validation"])
        default_rng().bit_generator.state = saved["default_rng"]
        self.history = History.from_dict(saved["history"])
        self.best = Best(**saved["best"]) if saved["best"] else None
        self.totals = None
        if saved["totals"]:
            self.totals = Totals(keep=bool(self.metrics))
            self.totals.load_state_dict(saved["totals"])
        for name in COUNTERS:
            setattr(self, name, saved[name])
        self.optimizer.has_stepped = self.step > 0

    def _open(self, path: Path) -> None:
        """Go on from the checkpoint, or write the first one, so that what cannot be written is known at once."""
        if self.resume and path.exists():
            try:
                self.load_state_dict(load(path))
            except NumnetError as error:
                error.where = error.where or f"fit, checkpoint {path}"
                raise
        elif path.exists():
            cure = "resume=True to go on from there; or another name; or remove it, to begin anew"
            raise OptionError("no file yet to keep the run in", f"a file {str(path)!r}", cure)
        else:
            self._save()

    def _save(self) -> None:
        if self.checkpoint is not None:
            save(self.state_dict(), self.checkpoint)

    def _interrupted(self) -> KeyboardInterrupt:
        text = f"training stopped after step {self.step}"
        if self.checkpoint is None:
            return KeyboardInterrupt(f"{text}; with checkpoint=… it could go on from there")
        return KeyboardInterrupt(f"{text}; resume=True goes on from there, by {os.fspath(self.checkpoint)!r}")


COUNTERS = ("epoch", "step", "first_step", "seconds", "lr")
