from __future__ import annotations

import math

import numpy as np
import pytest

from numnet.errors import ShapeError
from numnet.kernels import reference

SIZES = [((7,), (3,)), ((5, 4), (2, 6)), ((3, 4, 5), (2, 4, 1)), ((4,), (0,))]


def regions(size, out):
    """The region of every output, from its definition."""
    for place in np.ndindex(*out):
        spans = [
            (math.floor(o * n / parts), math.ceil((o + 1) * n / parts))
            for o, n, parts in zip(place, size, out, strict=True)
        ]
        yield place, tuple(slice(start, end) for start, end in spans)


@pytest.mark.parametrize("size, out", SIZES)
def test_adaptive_pools_are_their_definition(size, out, draw, close):
    x = draw(2, 3, *size)
    mean, (largest, index) = reference.adaptive_avg_pool(x, out), reference.adaptive_max_pool(x, out)
    assert mean.shape == largest.shape == index.shape == (2, 3, *out)
    assert index.dtype == np.int64
    flat = x.reshape(2, 3, -1)
    for place, region in regions(size, out):
        seen = x[(..., *region)].reshape(2, 3, -1)
        close(mean[(..., *place)], seen.mean(axis=2))
        np.testing.assert_array_equal(largest[(..., *place)], seen.max(axis=2))
        found = np.take_along_axis(flat, index[(..., *place)][..., None], axis=2)[..., 0]
        np.testing.assert_array_equal(found, seen.max(axis=2))


@pytest.mark.parametrize("size, out", SIZES)
def test_adaptive_avg_pool_backward_is_the_adjoint(size, out, draw):
    x, delta = draw(2, 3, *size), draw(2, 3, *out)
    left = (reference.adaptive_avg_pool(x, out) * delta).sum()
    right = (x * reference.adaptive_avg_pool_backward(delta, x.shape)).sum()
    np.testing.assert_allclose(left, right, rtol=1e-5 if x.dtype == np.float32 else 1e-12, atol=1e-5)


def test_fractional_max_pool_takes_the_windows_that_it_is_given(draw):
    x = draw(1, 2, 4, 5)
    starts = [np.array([[[0, 2], [1, 2]]]), np.array([[[0, 1, 3], [0, 2, 2]]])]
    y, index = reference.fractional_max_pool(x, (2, 2), starts)
    for c, i, j in np.ndindex(2, 2, 3):
        row, column = starts[0][0, c, i], starts[1][0, c, j]
        window = x[0, c, row : row + 2, column : column + 2]
        assert y[0, c, i, j] == window.max() == x[0, c].ravel()[index[0, c, i, j]]


@pytest.mark.parametrize("first, last", [(-1, 2), (0, 3)])
def test_windows_outside_of_x_are_refused(first, last):
    with pytest.raises(ShapeError, match=f"(?s)windows inside x.*windows of 2 from {first} to {last} on an axis of"):
        reference.fractional_max_pool(np.ones((1, 1, 4)), (2,), [np.array([[[first, last]]])])


def test_an_axis_of_nothing_is_refused():
    for pool in (reference.adaptive_avg_pool, reference.adaptive_max_pool):
        with pytest.raises(ShapeError, match="axis of size 0"):
            pool(np.ones((1, 1, 0)), (1,))
    with pytest.raises(ShapeError, match="delta"):
        reference.adaptive_avg_pool_backward(np.ones((1, 1, 2)), (1, 2, 4))
