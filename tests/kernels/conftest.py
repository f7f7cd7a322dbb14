"""What the tests of the kernels share: numbers in awkward memory layouts, and the same computation by PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from numnet import _ext

runtime: Any = _ext.modules.get("runtime")


@pytest.fixture(params=["float64", "float32"])
def dtype(request: pytest.FixtureRequest) -> np.dtype:
    return np.dtype(request.param)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261121)


@pytest.fixture
def draw(dtype: np.dtype, rng: np.random.Generator) -> Callable[..., np.ndarray]:
    """``draw(2, 3)``: normal numbers; read-only, and in turn C-ordered, Fortran-ordered, strided and reversed."""
    layouts: Iterator[Callable[[np.ndarray], np.ndarray]] = cycle(
        [
            np.ascontiguousarray,
            np.asfortranarray,
            lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
            lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1],
        ]
    )

    def draw(*shape: int) -> np.ndarray:
        x = next(layouts)(rng.standard_normal(shape).astype(dtype))
        x.flags.writeable = False
        return x

    return draw


@pytest.fixture
def close() -> Callable[[Any, Any], None]:
    """Assert that an array has the type, shape, dtype and numbers that PyTorch, or NumPy, has."""

    def close(ours: Any, theirs: Any) -> None:
        theirs = theirs if isinstance(theirs, np.ndarray) else theirs.detach().numpy()
        assert isinstance(ours, np.ndarray)
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        tolerance = 1e-5 if ours.dtype == np.float32 else 1e-10
        largest = np.abs(theirs, where=np.isfinite(theirs), out=np.zeros_like(theirs)).max(initial=0)
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * largest)

    return close


@pytest.fixture
def by_torch() -> Callable[..., tuple[Any, np.ndarray, list[Any]]]:
    """``y, delta, gradients = by_torch(f, draw, *arrays)``: f and its autograd, for a δ that ``draw`` made."""
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    torch.set_num_threads(1)  # the arrays are tiny

    def run(f: Callable[..., Any], draw: Callable[..., np.ndarray], *arrays: np.ndarray | None) -> Any:
        tensors = [None if x is None else torch.tensor(np.array(x), requires_grad=True) for x in arrays]
        y = f(*tensors)
        delta = draw(*y.shape)
        y.backward(torch.tensor(np.array(delta)))
        return y, delta, [None if t is None else t.grad for t in tensors]

    return run


@pytest.fixture(params=runtime.available_isas() if runtime else ["not built"])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each instruction set of this machine in turn, in use while the test runs."""
    if not runtime:
        pytest.skip("the compiled kernels are not built")
    before = runtime.get_isa()
    runtime.set_isa(request.param)
    yield request.param
    runtime.set_isa(before)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """``threads(2)`` lets kernels use two threads until the test ends."""
    if not runtime:
        pytest.skip("the compiled kernels are not built")
    before = runtime.get_num_threads()
    yield runtime.set_num_threads
    runtime.set_num_threads(before)
