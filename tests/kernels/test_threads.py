"""The number of threads: set, read, refused."""

from __future__ import annotations

import pytest

import numnet
from numnet import _ext
from numnet.errors import OptionError


@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built")
def test_what_is_set_is_read() -> None:
    before = numnet.get_num_threads()
    numnet.set_num_threads(1)
    assert numnet.get_num_threads() == 1
    numnet.set_num_threads(3)
    assert numnet.get_num_threads() == (3 if _ext.modules["runtime"].has_openmp() else 1)
    numnet.set_num_threads(before)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2", 5000])
def test_anything_else_is_refused(n: object) -> None:
    with pytest.raises(OptionError, match="threads"):
        numnet.set_num_threads(n)  # type: ignore[arg-type]


def test_without_kernels_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ext, "modules", {})
    numnet.set_num_threads(4)
    assert numnet.get_num_threads() == 1
