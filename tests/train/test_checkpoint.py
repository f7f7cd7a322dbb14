"""A run that was broken off, anywhere and anyhow, and gone on with ends with the bits of one that was not."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import nn, optim, train
from numnet.errors import OptionError, StateDictError

SCRIPT = Path(__file__).with_name("killed.py")
specification = importlib.util.spec_from_file_location("killed", SCRIPT)
assert specification
assert specification.loader
killed = importlib.util.module_from_spec(specification)
specification.loader.exec_module(killed)


class Killed(Exception):  # noqa: N818
    pass


def end(trainer: train.Trainer) -> str:
    trainer.run()
    return killed.digest(trainer)


@pytest.fixture(scope="module")
def whole() -> str:
    """The hash of the run that nobody broke off, and that kept no file."""
    trainer = killed.trainer_of(None)
    digest = end(trainer)
    assert trainer.step == 30
    assert len(trainer.history) == 6
    assert len(trainer.history.clips) > 5
    assert trainer.history.best_epoch in (2, 3, 4)  # which a run that is broken off later has to remember
    return digest


def test_a_second_run_has_the_same_bits(whole: str) -> None:
    assert end(killed.trainer_of(None)) == whole


def test_another_seed_has_others(whole: str) -> None:
    trainer = killed.trainer_of(None)
    numnet.manual_seed(4)
    assert end(trainer) != whole


def test_workers_do_not_change_the_bits(whole: str) -> None:
    assert end(killed.trainer_of(None, workers=2)) == whole


def test_keeping_a_file_does_not_change_the_bits(whole: str, tmp_path: Path) -> None:
    assert end(killed.trainer_of(str(tmp_path / "run"))) == whole


def broken_off(path: str, step: int, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """Start the run (or go on with it) and break it off within the step of this number, its weights moved already."""
    trainer = killed.trainer_of(path, resume=True, **options)
    move = trainer.optimizer.step

    def moves_and_dies(closure: Any) -> None:
        move(closure)
        if trainer.step + 1 == step:
            raise Killed

    monkeypatch.setattr(trainer.optimizer, "step", moves_and_dies)
    with pytest.raises(Killed):
        trainer.run()


@pytest.mark.parametrize("steps", [(1,), (2, 3), (5,), (6,), (10, 11, 27), (30,)])
def test_broken_off_within_a_step(steps: tuple[int, ...], whole: str, tmp_path: Path, monkeypatch: Any) -> None:
    path = str(tmp_path / "run")
    for step in steps:
        broken_off(path, step, monkeypatch)
        numnet.manual_seed(99)  # another process has drawn other numbers
    assert end(killed.trainer_of(path, resume=True)) == whole


def test_an_error_within_an_epoch_costs_no_batch(whole: str) -> None:
    """The program lives on, as a notebook does: the run goes on where it stood."""
    trainer = killed.trainer_of(None)
    learn = trainer._learn

    def fails_before(batch: Any, totals: Any) -> float:
        if trainer.step == 12:
            trainer._learn = learn  # type: ignore[method-assign]
            raise Killed
        return learn(batch, totals)

    trainer._learn = fails_before  # type: ignore[method-assign]
    with pytest.raises(Killed):
        trainer.run()
    assert end(trainer) == whole


def test_a_look_at_a_batch_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "run")

    def looked_at(**options: Any) -> train.Trainer:
        trainer = killed.trainer_of(**options)
        next(iter(trainer.train))
        next(iter(trainer.validation))
        return trainer

    right = end(looked_at(checkpoint=None))
    trainer = looked_at(checkpoint=path)
    monkeypatch.setattr(trainer, "_learn", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trainer.run()
    trainer = killed.trainer_of(path, resume=True)
    trainer.run()
    assert trainer.step == 30
    assert killed.digest(trainer) == right


def test_a_run_that_ended_within_an_epoch_begins_a_new_one(tmp_path: Path) -> None:
    path, ends = str(tmp_path / "run"), []
    trainer = killed.trainer_of(path, max_iter=7)
    trainer.run()
    trainer.max_iter = None
    ends.append(end(trainer))
    path = str(tmp_path / "again")
    killed.trainer_of(path, max_iter=7).run()
    ends.append(end(killed.trainer_of(path, resume=True)))
    assert ends[0] == ends[1]
    assert trainer.step == 27  # 5 + 2 + 4 * 5


def test_files_in_between_are_not_needed(whole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "run")
    broken_off(path, 14, monkeypatch, checkpoint_every=None)
    trainer = killed.trainer_of(path, resume=True)
    steps = []
    trainer.callbacks.append(lambda trainer: steps.append(trainer.step))
    assert end(trainer) == whole
    assert steps[0] == 15  # from the end of epoch 2 on


def test_a_run_at_its_end_is_gone_on_with(whole: str, tmp_path: Path) -> None:
    path = str(tmp_path / "run")
    killed.trainer_of(path, epochs=2).run()
    assert end(killed.trainer_of(path, resume=True)) == whole
    again = killed.trainer_of(path, resume=True)
    assert end(again) == whole  # nothing is left to do
    again.epochs = 7
    assert len(again.run()) == 7


@pytest.mark.parametrize("workers", [0, 2])
def test_killed_at_random_moments(workers: int, whole: str, tmp_path: Path) -> None:
    path, rng = tmp_path / "run", np.random.default_rng()
    command = [sys.executable, str(SCRIPT), str(path), "0.02", str(workers)]
    kills = []
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while not path.exists() and process.poll() is None:
            time.sleep(0.005)
        pause = float(rng.uniform(0.2, 0.8))  # starting up, going on, writing: whatever it is doing
        time.sleep(pause)
        kills.append(pause)
        process.kill()
        process.communicate()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split() == ["30", whole], f"killed after {kills} s"


@pytest.mark.skipif(os.name != "posix", reason="sends Ctrl-C by its signal")
def test_ctrl_c_keeps_the_run_and_says_how_to_go_on(whole: str, tmp_path: Path) -> None:
    path = str(tmp_path / "run.safetensors")
    trainer = killed.trainer_of(path, checkpoint_every=None)
    learn = trainer._learn

    def interrupted(batch: Any, totals: Any) -> float:
        if trainer.step == 11:
            os.kill(os.getpid(), signal.SIGINT)  # before the weights move
        return learn(batch, totals)

    trainer._learn = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt) as caught:
        trainer.run()
    assert str(caught.value) == f"training stopped after step 12; resume=True goes on from there, by {path!r}"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert end(killed.trainer_of(path, resume=True)) == whole


@pytest.mark.skipif(os.name != "posix", reason="sends Ctrl-C by its signal")
def test_ctrl_c_without_a_file(whole: str) -> None:
    trainer = killed.trainer_of(None)
    trainer.callbacks.append(lambda trainer: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match=r"after step 5; with checkpoint=… it could go on"):
        trainer.run()
    assert len(trainer.history) == 1
    trainer.callbacks.clear()
    assert end(trainer) == whole  # nothing is lost as long as the program lives


@pytest.mark.skipif(os.name != "posix", reason="sends Ctrl-C by its signal")
def test_a_second_ctrl_c_does_not_wait() -> None:
    trainer = killed.trainer_of(None)

    def twice(*arguments: Any) -> float:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("not reached")

    trainer._learn = twice  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt) as caught:
        trainer.run()
    assert str(caught.value) == ""
    assert trainer.step == 0


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = str(tmp_path / "run")
    killed.trainer_of(path, epochs=1).run()
    with pytest.raises(OptionError, match=r"a file '.*run'\n.*resume=True to go on from there"):
        killed.trainer_of(path).run()


def test_the_run_of_something_else_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "run")
    killed.trainer_of(path, epochs=1).run()
    x, y = np.ones((4, 3)), np.ones((4, 1))

    def other(**options: Any) -> train.Trainer:
        net = nn.Linear(3, 1).double()
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        options = {"epochs": 1, "checkpoint": path, "resume": True, "progress": False, **options}
        return train.Trainer(net, nn.MSELoss(), optimizer, (x, y), **options)

    with pytest.raises(StateDictError, match="got:      a scheduler, a validation"):
        other().run()
    numnet.save({"epoch": 3}, path)
    with pytest.raises(StateDictError, match=r"fit, checkpoint .*run\n.*such a run\n.*no net, no optimizer"):
        other().run()
    plain = tmp_path / "plain"
    other(checkpoint=str(plain), resume=False).run()
    net = nn.Sequential(nn.Linear(3, 1)).double()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with pytest.raises(StateDictError, match="missing keys"):
        train.fit(net, nn.MSELoss(), optimizer, (x, y), epochs=1, checkpoint=plain, resume=True)


class Counting(nn.Module):
    """Counts its calls in a buffer that is in no state dict, and draws from a generator of its own."""

    def __init__(self, own: bool = True) -> None:
        super().__init__()
        self.inner = nn.Linear(3, 1).double()
        self.register_buffer("calls", np.zeros(1), persistent=False)
        self.dropout = nn.Dropout(0.5, rng=np.random.default_rng(0) if own else None)

    def forward(self, x: Any) -> Any:
        self.calls = self.calls + 1
        return self.inner(self.dropout(x))


def test_buffers_outside_of_the_state_dict_and_generators(tmp_path: Path) -> None:
    x, y = np.ones((4, 3)), np.ones((4, 1))

    def run(epochs: int, own: bool = True) -> Counting:
        numnet.manual_seed(0)
        net = Counting(own)
        train.fit(
            net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1), (x, y), epochs=epochs, checkpoint=tmp_path / "run",
            resume=True, progress=False,
        )  # fmt: skip
        return net

    run(2)
    state = run(2).dropout.rng.bit_generator.state
    net = run(5)
    assert net.calls == [5]
    assert net.dropout.rng.bit_generator.state != state
    with pytest.raises(StateDictError, match=r"expected: generators at dropout\.rng\n.*none"):
        run(6, own=False)


def test_a_file_needs_a_place() -> None:
    with pytest.raises(OptionError, match=r"checkpoint=\"run"):
        killed.trainer_of(None, resume=True)


def test_what_cannot_be_written_is_known_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    trainer = killed.trainer_of(str(tmp_path / "file" / "run"))
    with pytest.raises(OSError, match="file"):
        trainer.run()
    assert trainer.step == 0
