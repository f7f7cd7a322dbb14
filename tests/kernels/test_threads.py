"""The number of threads: set, read, refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import numnet
from numnet import _ext, nn
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


def test_threads_of_python_that_each_use_several_do_not_disturb_each_other(rng: np.random.Generator) -> None:
    def step(layer: nn.Module, x: np.ndarray, delta: np.ndarray) -> list[bytes]:
        layer.zero_grad()
        y = layer(x)
        delta_x = layer.backward(delta)
        return [a.tobytes() for a in (y, delta_x, *[p.grad for p in layer.parameters()])]

    def arguments() -> list[tuple[nn.Module, np.ndarray, np.ndarray]]:
        layers = nn.Conv2d(8, 32, 3, rng=np.random.default_rng(0)), nn.Linear(300, 200, rng=np.random.default_rng(1))
        inputs = [rng.standard_normal(shape, np.float32) for shape in ((16, 8, 20, 20), (128, 300))]
        return [(f, x, rng.standard_normal(f(x).shape, np.float32)) for f, x in zip(layers, inputs, strict=True)]

    before = numnet.get_num_threads()
    numnet.set_num_threads(3)
    try:
        work = arguments()
        alone = [step(*one) for one in work]
        with ThreadPoolExecutor(2) as pool:
            for _ in range(20):
                assert list(pool.map(lambda one: step(*one), work)) == alone
    finally:
        numnet.set_num_threads(before)
