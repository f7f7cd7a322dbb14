"""The switch of Winograd's method: set, read, refused."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import numnet
from numnet import _ext
from numnet.errors import OptionError


@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built")
def test_what_is_set_is_read() -> None:
    before = numnet.get_winograd()
    for allowed in (False, True):
        numnet.set_winograd(allowed)
        assert numnet.get_winograd() is allowed
        assert numnet.show_config(mode="dict")["kernels"]["winograd"] is allowed
    numnet.set_winograd(before)


@pytest.mark.parametrize("allowed", [0, 1, None, "no"])
def test_anything_else_is_refused(allowed: object) -> None:
    with pytest.raises(OptionError, match="True or False"):
        numnet.set_winograd(allowed)  # type: ignore[arg-type]


def test_without_kernels_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ext, "modules", {})
    numnet.set_winograd(True)
    assert numnet.get_winograd() is False


@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built")
@pytest.mark.parametrize("value, allowed", [("0", False), ("1", True), ("", True)])
def test_the_environment_switches_it(value: str, allowed: bool) -> None:
    answer = subprocess.run(
        [sys.executable, "-P", "-c", "import numnet; print(numnet.get_winograd()); numnet.show_config()"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NUMNET_WINOGRAD": value},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert answer.startswith(f"{allowed}\n")
    assert ("without Winograd" in " ".join(answer.split())) is not allowed
