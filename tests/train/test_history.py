"""What is seen of a training: the history, its curves, the bar and the lines."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import metrics, nn, optim, train
from numnet.errors import OptionError


@pytest.fixture
def fitted(problem: Any) -> Any:
    def fitted(**options: Any) -> train.History:
        numnet.manual_seed(0)
        net = nn.Linear(4, 2).double()
        options = {"epochs": 3, "progress": False, **options}
        return train.fit(
            net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), problem.train,
            validation=problem.validation, metrics={"accuracy": metrics.accuracy}, **options,
        )  # fmt: skip

    return fitted


@pytest.mark.proves("C225")
def test_a_row_for_each_epoch_a_list_for_each_column(fitted: Any) -> None:
    history = fitted(clip_norm=0.1)
    columns = ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "lr", "clipped", "seconds"]
    assert history.columns == list(history[0]) == columns
    assert history["epoch"] == [1, 2, 3]
    assert [row["validation_loss"] for row in history] == history["validation_loss"]
    assert len(history) == len(history["loss"]) == 3
    assert history["loss"][2] < history["loss"][0]
    assert history[-1] is history[2] is history.kept
    lines = str(history).splitlines()
    assert lines[0].split() == columns
    assert lines[3].split()[1] == f"{history[2]['loss']:.4g}"
    assert len({len(line) for line in lines[:4]}) == 1
    assert lines[4] == "epochs=3 done"
    with pytest.raises(OptionError, match=r"a column among epoch, loss, accuracy.*\n.*'acc'"):
        history["acc"]


def test_it_goes_through_a_file(fitted: Any, tmp_path: Path) -> None:
    history = fitted(clip_norm=0.1, patience=2)
    assert history.clips
    numnet.save(history.to_dict(), tmp_path / "history")
    again = train.History.from_dict(numnet.load(tmp_path / "history"))
    assert vars(again) == vars(history)


def test_an_empty_one() -> None:
    history = train.History()
    assert str(history) == "History without an epoch"
    with pytest.raises(OptionError, match="no epoch has come to its end yet"):
        history["loss"]
    with pytest.raises(OptionError, match="an epoch that has come"):
        _ = history.kept


def test_its_curves(fitted: Any) -> None:
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    history = fitted(patience=5)
    losses, others = history.plot().axes
    curves = {line.get_label(): line.get_ydata() for axes in (losses, others) for line in axes.get_lines()}
    for name in ("loss", "validation_loss", "accuracy", "validation_accuracy"):
        np.testing.assert_array_equal(curves.pop(name), history[name])
    assert set(curves) == {f"best epoch, {history.best_epoch}"}
    assert {line.get_label() for line in losses.get_lines()} >= {"loss", "validation_loss"}


@pytest.mark.proves("C216")
def test_the_live_curve_has_every_epoch_so_far(fitted: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    live, pictures, lengths = train.LiveCurve(tmp_path / "curve.png"), [], []

    def look(trainer: Any) -> None:
        pictures.append((tmp_path / "curve.png").read_bytes())
        lengths.append([len(line.get_ydata()) for line in live.figure.axes[0].get_lines()])

    fitted(callbacks=[live, look])
    assert lengths == [[1, 1], [2, 2], [3, 3]]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert len(set(pictures)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["curve.png"]


def test_the_live_curve_in_a_notebook(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    shown: list[str] = []
    handle = SimpleNamespace(update=lambda figure: shown.append("updated"))
    display = SimpleNamespace(display=lambda figure, display_id: shown.append("shown") or handle)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1)))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    fitted(callbacks=[train.LiveCurve()])
    assert shown == ["shown", "updated", "updated"]


# ---------------------------------------------------------------------------------------------- the terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_in_a_terminal(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm", reason='tqdm is not installed: pip install ".[data]"')
    screen, out = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", out)
    history = fitted(progress=True, log="epoch {epoch}: {validation_accuracy:.3f}")
    assert "9/9" in screen.getvalue()
    assert f"epoch 3, validation_loss {history[-1]['validation_loss']:.4f}" in screen.getvalue()
    assert screen.getvalue().endswith("\n")
    printed = [line.strip("\r ") for line in out.getvalue().splitlines()]
    assert printed == [f"epoch {row['epoch']}: {row['validation_accuracy']:.3f}" for row in history]


def test_lines_elsewhere(fitted: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    history = fitted(progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()  # of the last of three short epochs
    last = history[-1]
    assert line.startswith(f"epoch 3: loss {last['loss']:.4g}, accuracy {last['accuracy']:.4g}, validation_loss ")
    monkeypatch.setattr(train.progress, "QUIET", 0)
    fitted(progress=True)
    assert [line[:8] for line in capsys.readouterr().err.splitlines()] == ["epoch 1:", "epoch 2:", "epoch 3:"]


def test_without_tqdm_a_terminal_gets_lines(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    fitted(progress=True)
    assert screen.getvalue().startswith("epoch 3: loss ")


@pytest.mark.parametrize("stderr", [None, io.StringIO()])
def test_silence(stderr: Any, fitted: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    fitted(progress=stderr is None)  # pythonw has no stderr at all
    assert capsys.readouterr().out == ""
    assert stderr is None or stderr.getvalue() == ""
