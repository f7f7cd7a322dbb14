"""The curves of a training that goes on, where there is no file to write: a window, and text in a terminal or a log."""

from __future__ import annotations

import io
import math
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import numnet
from numnet import metrics, nn, optim, train
from numnet.train import live
from numnet.train.text_curve import HEIGHT, text_curves


@pytest.fixture
def fitted(problem: Any) -> Any:
    def fitted(**options: Any) -> train.History:
        numnet.manual_seed(0)
        net = nn.Linear(4, 2).double()
        return train.fit(
            net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), problem.train,
            validation=problem.validation, **{"epochs": 3, "progress": False, **options},
        )  # fmt: skip

    return fitted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stderr, as a terminal of 80 × 24 without a display."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return screen


# ---------------------------------------------------------------------------------------------- text


def history_of(**columns: list[float]) -> train.History:
    history = train.History()
    history.rows = [
        {"epoch": k + 1, **{name: column[k] for name, column in columns.items()}, "lr": 0.1, "seconds": 1.0}
        for k in range(len(next(iter(columns.values()))))
    ]
    return history


def test_text_shows_the_numbers() -> None:
    """Each mark stands where its number belongs: the row by its size, the column by its epoch."""
    losses = [8.0, 4.0, 2.0, 1.0]
    lines = text_curves(history_of(loss=losses, validation_loss=[7.0, 7.0, 7.0, 7.0]), width=40)
    assert lines[:2] == ["* loss 1", "o validation_loss 7"]
    rows = [line.partition("|")[2] for line in lines[2 : 2 + HEIGHT]]
    across = 40 - len("8 |")
    marks = {(r, c) for r, row in enumerate(rows) for c, mark in enumerate(row) if mark == "*"}
    assert marks == {(round((8 - J) / 7 * (HEIGHT - 1)), round(k * (across - 1) / 3)) for k, J in enumerate(losses)}
    assert {r for r, row in enumerate(rows) if "o" in row} == {1}
    assert lines[2].startswith("8 |")
    assert lines[1 + HEIGHT].startswith("1 |")
    assert lines[-1].split() == ["1", "epoch", "4"]


def test_text_has_metrics_beside_the_losses_and_fits() -> None:
    history = history_of(loss=[0.123456] * 300, accuracy=[k / 300 for k in range(300)], validation_f1=[0.5] * 300)
    lines = text_curves(history, width=60)
    assert max(map(len, lines)) <= 60
    assert len(lines) == 2 + HEIGHT + 2
    assert re.search(r"\* loss 0.1235 +\* accuracy 0.9967", lines[0])
    assert lines[1].split() == ["0.1235", "|", "=", "validation_f1", "0.5"] or "= validation_f1 0.5" in lines[1]
    assert all(line.isascii() for line in lines), "what is not ASCII is two cells wide in some terminals"


def test_text_of_an_epoch_and_of_no_number() -> None:
    assert "* loss 2" in text_curves(history_of(loss=[2.0]))[0]
    lines = text_curves(history_of(loss=[math.nan, math.inf]))
    assert not any("*" in line for line in lines[1:])


def test_a_terminal_is_drawn_in_place(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up by as many lines as were drawn, and the same lines again with one epoch more."""
    screen = terminal(monkeypatch)
    history = fitted(callbacks=[curve := train.LiveCurve()], metrics={"accuracy": metrics.accuracy})
    assert curve.figure is None
    first, *again = re.split(r"\x1b\[(\d+)A\r\x1b\[J", screen.getvalue())
    assert len(again) == 4
    for drawn, lines in zip([first, again[1]], [int(again[0]), int(again[2])], strict=True):
        assert drawn.count("\n") == lines
    assert again[3].splitlines() == text_curves(history, 80)
    assert again[3].endswith("\n")


def test_a_second_training_is_drawn_below_the_first(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    curve = train.LiveCurve()
    fitted(callbacks=[curve])
    first = screen.getvalue()
    fitted(callbacks=[curve])
    assert screen.getvalue() == 2 * first


def test_in_place_only_if_nothing_else_is_printed(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    for options in ({"log": train.LINE}, {"callbacks": [train.LiveCurve(), lambda trainer: None]}):
        fitted(**{"callbacks": [train.LiveCurve()], **options})
    monkeypatch.setenv("LINES", "10")  # no room: the top would have left the screen
    fitted(callbacks=[train.LiveCurve()])
    assert "\x1b" not in screen.getvalue()
    assert "epoch 3" in screen.getvalue()


def test_beside_the_bar(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm", reason='tqdm is not installed: pip install ".[data]"')
    screen = terminal(monkeypatch)
    history = fitted(callbacks=[train.LiveCurve()], progress=True)
    assert "9/9" in screen.getvalue()
    assert "\n".join(text_curves(history, 80)) + "\n" in screen.getvalue()


def test_a_log_file_gets_half_as_many_epochs_more_each_time(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    fitted(callbacks=[train.LiveCurve()], epochs=14)
    epochs = re.findall(r"epoch (\d+)$", log.getvalue(), re.MULTILINE)
    assert epochs == ["2", "3", "4", "6", "9", "13", "14"]
    monkeypatch.setattr(sys, "stderr", None)  # pythonw has none
    fitted(callbacks=[train.LiveCurve()])


def test_text_needs_no_matplotlib(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    for module in ("matplotlib", "matplotlib.pyplot", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, module, None)
    fitted(callbacks=[train.LiveCurve()])
    assert "epoch 3" in screen.getvalue()
    with pytest.raises(numnet.errors.MissingExtraError, match="matplotlib"):
        train.LiveCurve("curve.png")


def test_text_where_there_could_be_a_window(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_window", lambda: pytest.fail("a window"))
    screen = terminal(monkeypatch)
    fitted(callbacks=[train.LiveCurve(text=True)])
    assert "epoch 3" in screen.getvalue()
    with pytest.raises(numnet.errors.OptionError, match="path or text"):
        train.LiveCurve("curve.png", text=True)


# ---------------------------------------------------------------------------------------------- a window


def test_a_window_is_kept_up_to_date_and_may_be_closed(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each drawing handles what has happened to the window and returns: the event loop is never entered."""
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    from matplotlib.figure import Figure

    done: list[str] = []
    figure = Figure(figsize=(1, 1))
    canvas = figure.canvas
    monkeypatch.setattr(
        canvas, "draw_idle", lambda: done.append(f"draw {len(figure.axes[0].get_lines()[0].get_xdata())}")
    )
    monkeypatch.setattr(canvas, "flush_events", lambda: done.append("events"))
    monkeypatch.setattr(figure, "show", lambda: done.append("show"))
    monkeypatch.setattr(live, "_window", lambda: figure)

    def drag_and_close(trainer: Any) -> None:
        if trainer.epoch == 1:
            figure.set_size_inches(9, 9)
        else:
            assert figure.get_size_inches().tolist() == [9, 9]
            canvas.callbacks.process("close_event", None)

    fitted(callbacks=[train.LiveCurve(), drag_and_close], epochs=4)
    assert done == ["show", "draw 1", "events", "draw 2", "events"]


def test_no_window_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    import matplotlib.pyplot as plt

    no_window = SimpleNamespace(canvas=SimpleNamespace(required_interactive_framework=None))
    monkeypatch.setattr(plt, "figure", lambda **options: no_window)
    closed: list[Any] = []
    monkeypatch.setattr(plt, "close", closed.append)
    assert live._window() is None
    assert closed == [no_window]

    def refuse(**options: Any) -> None:
        raise ImportError("Cannot load backend 'TkAgg'")

    monkeypatch.setattr(plt, "figure", refuse)
    assert live._window() is None
