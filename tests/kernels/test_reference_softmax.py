from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference

NAMES = ["softmax", "log_softmax"]


def pair(name):
    return getattr(reference, name), getattr(reference, f"{name}_backward")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape, axis", [((5,), 0), ((4, 7), 1), ((4, 7), 0), ((2, 3, 4), -2), ((0, 3), 1), ((3, 1), 1)]
)
def test_against_torch(name, shape, axis, draw, close, by_torch):
    import torch

    forward, backward = pair(name)
    x = draw(*shape) * 10
    a, delta, (delta_x,) = by_torch(lambda x: getattr(torch, name)(x, axis), draw, x)
    close(forward(x, axis), a)
    close(backward(forward(x, axis), delta, axis), delta_x)


@pytest.mark.parametrize("name", NAMES)
def test_an_axis_without_elements(name):
    forward, _ = pair(name)
    assert forward(np.zeros((3, 0)), 1).shape == (3, 0)


@pytest.mark.parametrize("name", NAMES)
def test_large_and_masked_logits(name, dtype, close):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    x = np.array([[1e4, 0, -1e4], [-np.inf, 1, 2], [3e38, 3e38, 0]], dtype)
    forward, _ = pair(name)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = forward(x, 1)
    close(a, getattr(torch, name)(torch.tensor(x), 1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.float16, np.longdouble])
def test_dtype_follows_x(name, kind):
    forward, backward = pair(name)
    a = forward(np.ones((2, 3), kind), 1)
    assert a.dtype == kind
    assert backward(a, np.ones((2, 3), kind), 1).dtype == kind


@pytest.mark.parametrize("name", NAMES)
def test_a_delta_of_another_kind_is_refused(name):
    _, backward = pair(name)
    a = np.ones((2, 3), np.float32)
    with pytest.raises(ShapeError):
        backward(a, np.ones((1, 3), np.float32), 1)
    with pytest.raises(DtypeError):
        backward(a, np.ones((2, 3)), 1)
