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


def test_masked_softmax_against_torch(draw, close):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    s, M, seen = draw(2, 3, 5), draw(3, 5), np.arange(10).reshape(2, 1, 5) % 3 > 0
    close(reference.masked_softmax(s, None, np.float64(0.3)), torch.softmax(0.3 * torch.tensor(s), -1))
    close(reference.masked_softmax(s, M, 0.3), torch.softmax(0.3 * torch.tensor(s) + torch.tensor(M), -1))
    hidden = torch.tensor(s).masked_fill(~torch.tensor(seen), -torch.inf)
    close(reference.masked_softmax(s, seen, 1.0), torch.softmax(hidden, -1))


def test_a_row_that_is_hidden_throughout_is_0(dtype):
    s, seen = np.ones((2, 3), dtype), np.array([[True, True, False], [False] * 3])
    half = np.array([[0.5, 0.5, 0], [0, 0, 0]], dtype)
    np.testing.assert_array_equal(reference.masked_softmax(s, seen, 1.0), half)
    np.testing.assert_array_equal(
        reference.masked_softmax(s, np.where(seen, dtype.type(0), -dtype.type(np.inf)), 1.0), half
    )


def test_a_mask_that_does_not_fit_is_refused():
    s = np.ones((2, 3), np.float32)
    for mask in (np.ones((2, 2), bool), np.ones((4, 2, 3), bool)):
        with pytest.raises(ShapeError, match="broadcasts to the scores"):
            reference.masked_softmax(s, mask, 1.0)
    for mask in (np.ones((2, 3)), np.ones((2, 3), int), [[True] * 3] * 2):
        with pytest.raises(DtypeError, match="a mask of booleans"):
            reference.masked_softmax(s, mask, 1.0)
