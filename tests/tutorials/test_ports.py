"""The programs of the five tutorials, with their imports changed and their misprints mended, run and end as they say.

They stand in ports/, as near to the print as can be: that is why they are not formatted.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PORTS = Path(__file__).parent / "ports"

# The programs seed nothing, as printed: about one start in a hundred leaves a network with dead ReLUs.
SEEDED = "import runpy, sys, numnet; numnet.manual_seed(0); runpy.run_path(sys.argv[1], run_name='__main__')"


def run(port: str, folder: Path) -> str:
    """Run a port after a seed, in a folder of its own, with the data where it looks for it; returns what it printed."""
    (folder / "data").mkdir()
    (folder / "model").mkdir()
    prices = Path(os.environ.get("NUMNET_DATA", "")) / "mobile_price.csv"
    if prices.is_file():
        (folder / "data" / "手機價格預測.csv").write_bytes(prices.read_bytes())
    done = subprocess.run(
        [sys.executable, "-P", "-c", SEEDED, str(PORTS / f"{port}.py")],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_port_has_a_test() -> None:
    tested = set(re.findall(r'run\("(\w+)"', Path(__file__).read_text(encoding="utf-8")))
    assert tested == {path.stem for path in PORTS.glob("*.py")}


@pytest.mark.slow
@pytest.mark.proves("C001", "C002", "C003", "C005", "C006", "C009", "C147", "C211")
def test_basics_and_logistic_regression(tmp_path: Path) -> None:
    lines = run("basics_logistic_regression", tmp_path).splitlines()
    assert lines[0] == "True"
    assert lines[1] == "float32 float64"
    assert "Multiply" in lines[2]
    assert [float(v) for v in re.findall(r"[\d.]+", lines[3])] == pytest.approx([2, 3, 4, 4, 0.6, 0.08], rel=1e-6)
    assert float(lines[-1].removeprefix("Acc: ")) >= 0.95


@pytest.mark.slow
@pytest.mark.proves("C048", "C215", "C216")
def test_multilayer_perceptron(tmp_path: Path, data_folder: Path) -> None:
    last = run("d2l_mlp", tmp_path).strip().splitlines()[-1]
    loss, train, test = (float(v) for v in re.findall(r"\d\.\d+", last)[-3:])
    assert loss < 0.5
    assert train > 0.7
    assert test > 0.7


@pytest.mark.proves("C217", "C220", "C221")
def test_lenet_and_nin(tmp_path: Path) -> None:
    lines = run("d2l_convolutional", tmp_path).splitlines()
    assert [line.split("shape:")[1].strip() for line in lines[:12]] == [
        "(1, 6, 28, 28)", "(1, 6, 28, 28)", "(1, 6, 14, 14)", "(1, 16, 10, 10)", "(1, 16, 10, 10)", "(1, 16, 5, 5)",
        "(1, 400)", "(1, 120)", "(1, 120)", "(1, 84)", "(1, 84)", "(1, 10)",
    ]  # fmt: skip
    assert [line.split("shape:")[1].strip() for line in lines[12:-1]] == [
        "(2, 96, 54, 54)", "(2, 96, 26, 26)", "(2, 256, 26, 26)", "(2, 256, 12, 12)", "(2, 384, 12, 12)",
        "(2, 384, 5, 5)", "(2, 384, 5, 5)", "(2, 10, 5, 5)", "(2, 10, 1, 1)", "(2, 10)",
    ]  # fmt: skip
    assert lines[-1] == "1992166"


@pytest.mark.proves("C188", "C189")
def test_two_lines_of_numpy(tmp_path: Path) -> None:
    assert run("feedforward", tmp_path) == "True\n"


@pytest.mark.proves("C003", "C066", "C068", "C129", "C228", "C229")
def test_regression(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    printed = run("regression", tmp_path)
    assert printed.startswith("Net(\n  (layer1): Linear(in_features=1, out_features=10, bias=True)\n")
    assert float(printed.splitlines()[-1].removeprefix("Loss=")) < 0.1


@pytest.mark.proves(
    "C012", "C013", "C015", "C016", "C018", "C019", "C020", "C025", "C026", "C027", "C028", "C083", "C095"
)
def test_perceptrons_and_the_pieces(tmp_path: Path) -> None:
    lines = run("perceptrons", tmp_path).splitlines()
    assert lines[:2] == ["True", "(1, 1)"]
    assert lines[2] == "True 0.0"
    assert lines[3].startswith("True None")
    assert lines[4:6] == ["False", "False"]
    assert lines[6:8] == ["True", "(64, 5) (10,) (64,)"]
    assert "5" in lines[8]
    assert lines[-3:] == ["(2, 5, 3, 6)", "ShapeError", "(64, 10)"]


@pytest.mark.slow
@pytest.mark.proves("C046", "C047", "C049", "C069", "C223", "C225", "C226", "C227")
def test_mnist_classifier(tmp_path: Path, data_folder: Path) -> None:
    lines = run("mnist_classifier", tmp_path).splitlines()
    assert lines[:2] == ["(64, 1, 28, 28)", "(64, 10)"]
    assert float(lines[-1].split("Accuracy: ")[1]) >= 0.93


@pytest.mark.slow
@pytest.mark.proves("C070", "C224", "F3")
def test_mnist_sequential(tmp_path: Path, data_folder: Path) -> None:
    lines = run("mnist_sequential", tmp_path).splitlines()
    assert lines[:2] == ["DomainError True", "True"]
    losses = [float(line.removeprefix("Training loss: ")) for line in lines[2:]]
    assert len(losses) == 5
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.45


@pytest.mark.proves("C176", "C177", "C178", "C180", "C182", "C183")
def test_initialisation(tmp_path: Path) -> None:
    printed = run("initialisation", tmp_path)
    assert len(re.findall(r"\[\[", printed)) == 9
    assert re.search(r"\[\[5\.?,? 5\.?,? 5\.?,? 5\.?,? 5", printed)


@pytest.mark.proves("C099", "C172")
def test_averages_and_dropout(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason='matplotlib is not installed: pip install ".[demos]"')
    printed = run("averages_and_dropout", tmp_path)
    assert printed.count("Gradient:") == 2
    assert "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True" in printed


@pytest.mark.slow
@pytest.mark.proves("C042", "C050", "C051", "C079", "C081", "C231", "C232", "C237", "C238", "C239")
def test_phone_prices(tmp_path: Path, data_folder: Path) -> None:
    pytest.importorskip("pandas", reason='pandas is not installed: pip install ".[test]"')
    lines = run("phone_prices", tmp_path).splitlines()
    assert re.fullmatch(r"epoch:    1 loss: 1\.\d\d, time: \d+\.\d\ds", lines[0])
    assert 0.45 <= float(lines[-1].removeprefix("Acc: ")) <= 0.6


@pytest.mark.slow
@pytest.mark.proves("C056", "C234", "C235", "C236")
def test_phone_prices_tuned(tmp_path: Path, data_folder: Path) -> None:
    pytest.importorskip("pandas", reason='pandas is not installed: pip install ".[test]"')
    lines = run("phone_prices_tuned", tmp_path).splitlines()
    assert len(lines) == 51
    assert float(lines[-1].removeprefix("Acc: ")) >= 0.93
