"""The main job on real data, as a user starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import numnet
from numnet import demo, nn
from numnet.cli import main

pytest.importorskip("sklearn", reason='scikit-learn is not installed: pip install ".[demos]"')
pytest.importorskip("rich", reason='rich is not installed: pip install ".[demos]"')
pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')


@pytest.mark.filterwarnings("ignore:Pyarrow:DeprecationWarning")
def test_the_demo_learns_and_shows_every_delta(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, page = tmp_path / "deltas.png", tmp_path / "deltas.html"
    assert demo.demo(picture=picture, page=page) >= 0.98
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert 100_000 < page.stat().st_size < 5_000_000
    printed = capsys.readouterr().out
    for layer in ("0 Conv2d", "5 BatchNorm2d", "9 Linear", "CrossEntropyLoss", "z = x Wᵀ + b"):
        assert layer in printed


def test_the_data_are_split_by_class_and_do_not_overlap() -> None:
    x_train, y_train, x_test, y_test = demo.digits()
    assert x_train.shape == (1437, 1, 8, 8)
    assert x_test.shape == (360, 1, 8, 8)
    assert {int(n) for n in (y_test[:, None] == range(10)).sum(0)} <= {35, 36, 37}
    assert not {x.tobytes() for x in x_train} & {x.tobytes() for x in x_test}
    assert len(y_train) == 1437


def test_same_seed_same_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = []
    for threads in (1, 2):
        numnet.set_num_threads(threads)
        demo.demo(epochs=1, picture=tmp_path / "deltas.png", page=tmp_path / "deltas.html")
        tables.append(capsys.readouterr().out.partition("δ of every layer")[2])
    assert tables[0] == tables[1]


def test_the_network_has_the_parameters_that_its_docstring_says() -> None:
    count = sum(p.data.size for p in demo.network().parameters())
    assert f"{count:,} parameters" in (demo.network.__doc__ or "")
    assert isinstance(demo.network(), nn.Sequential)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    assert "kernels" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["demo", "--epochs", "0"])
    assert "at least 1" in capsys.readouterr().err
    command = [sys.executable, "-P", "-m", "numnet", "--version"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"numnet {numnet.__version__}"


def test_an_error_is_printed_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(["demo"]) == 1
    assert 'pip install "numnet[demos]"' in capsys.readouterr().err
