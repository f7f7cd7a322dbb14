"""show_config: a text for bug reports that says what is so, with the extension and without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import numnet
from numnet import _ext, kernels
from numnet.errors import OptionError

compiled = pytest.mark.skipif(bool(_ext.reason), reason=f"no compiled kernels: {_ext.reason}")


def printed(**environment: str) -> str:
    code = "import numnet; numnet.show_config()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout


def test_versions_are_those_in_use() -> None:
    versions = numnet.show_config(mode="dict")["versions"]
    assert versions["numpy"] == np.__version__
    assert versions["Python"] == sys.version.split()[0]


def test_every_kernel_stands_under_the_twin_that_runs_it() -> None:
    config = numnet.show_config(mode="dict")["kernels"]
    assert sorted(config["native"] + config["reference"]) == sorted(kernels.reference.__all__)
    assert {kernels.twin(name) for name in config["native"]} <= {"native"}
    with kernels.using("reference"):
        assert numnet.show_config(mode="dict")["kernels"]["native"] == []


def test_the_text_says_what_the_dictionary_says(capsys: pytest.CaptureFixture[str]) -> None:
    config = numnet.show_config(mode="dict")
    assert numnet.show_config() is None
    text = " ".join(capsys.readouterr().out.split())
    for piece in (config["versions"]["numpy"], config["versions"]["platform"], config["blas"]["name"]):
        assert piece in text
    assert ", ".join(config["kernels"]["reference"]) in text


def test_the_text_fits_a_terminal() -> None:
    assert max(map(len, printed().splitlines())) <= 120


@compiled
def test_instruction_set_and_threads_follow_the_environment() -> None:
    text = printed(NUMNET_ISA="baseline", OMP_NUM_THREADS="1")
    assert "compiled: baseline (of baseline" in text
    assert "1 thread\n" in text
    if numnet.show_config(mode="dict")["kernels"]["openmp"]:
        assert "OpenMP, 3 threads\n" in printed(OMP_NUM_THREADS="3")


def test_without_the_extension_it_says_why_and_what_to_do() -> None:
    text = " ".join(printed(NUMNET_NO_EXT="1").split())
    assert "switched off by NUMNET_NO_EXT; everything works, more slowly" in text
    assert "native none" in text
    assert "Python none" in text
    assert "install a C compiler" in text


@compiled
def test_a_file_edited_after_it_was_compiled_runs_as_python(tmp_path: Path) -> None:
    package = tmp_path / "numnet"
    shutil.copytree(Path(numnet.__file__).parent, package)
    for path in package.rglob("*"):
        os.utime(path, (1e9, 1e9))
    assert f"Python {', '.join(_ext.PYTHON)} GPU" in " ".join(printed(PYTHONPATH=str(tmp_path)).split())
    for name in ("call.py", "tape.py", "kernels/dispatch.py"):
        os.utime(package / name, (1e9 + 60, 1e9 + 60))
        assert "Python none GPU" in " ".join(printed(PYTHONPATH=str(tmp_path)).split())
        os.utime(package / name, (1e9, 1e9))


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(OptionError, match="print"):
        numnet.show_config(mode="yaml")  # type: ignore[call-overload]
