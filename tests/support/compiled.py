"""A compiled kernel held against its reference twin.

It is called past the dispatch: an answer ``NotImplemented``, which hands the call to the reference, shows here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numnet import _ext
from numnet.kernels import reference

__all__ = ["bits", "check", "module", "run"]


def module(name: str) -> Any:
    """A module of the extension; where that is not built, the tests of the file are skipped."""
    if not {"runtime", name} <= set(_ext.modules):
        pytest.skip(f"the extension is not there: {_ext.reason}", allow_module_level=True)
    return _ext.modules[name]


def run(twins: Any, name: str, arguments: tuple[Any, ...]) -> list[np.ndarray | None]:
    """What a kernel returns, as a list."""
    result = getattr(twins, name)(*arguments)
    assert result is not NotImplemented
    return list(result) if isinstance(result, tuple) else [result]


def bits(twins: Any, name: str, arguments: tuple[Any, ...]) -> list[bytes]:
    """What a kernel returns, to the last bit."""
    return [a.tobytes() for a in run(twins, name, arguments) if a is not None]


def check(twins: Any, name: str, *arguments: Any, mixed: bool = False) -> None:
    """The compiled kernel gives what its reference twin gives: shapes, dtypes, numbers, ``None`` in the same places.

    With ``mixed`` magnitudes, each number is held to its own; else to the largest, as sums leave no better.
    """
    with np.errstate(all="ignore"):
        theirs = run(reference, name, arguments)
    ours = run(twins, name, arguments)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert isinstance(a, np.ndarray)
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            tolerance = 1e-5 if a.dtype == np.float32 else 1e-12
            largest = np.abs(b, where=np.isfinite(b), out=np.zeros_like(b)).max(initial=0)
            tiny = 4 * np.finfo(arguments[0].dtype).tiny
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tiny if mixed else tolerance * largest)
