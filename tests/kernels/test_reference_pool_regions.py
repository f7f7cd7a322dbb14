from __future__ import annotations

import math

import numpy as np
import pytest

from numnet.errors import ShapeError
from numnet.kernels import reference
from numnet.taps import Taps, spans

SIZES = [((7,), (3,)), ((5, 4), (2, 6)), ((3, 4, 5), (2, 4, 1)), ((4,), (0,))]


def regions(size, out):
    """The region of every output, from its definition."""
    for place in np.ndindex(*out):
        spans = [
            (math.floor(o * n / parts), math.ceil((o + 1) * n / parts))
            for o, n, parts in zip(place, size, out, strict=True)
        ]
        yield place, tuple(slice(start, end) for start, end in spans)


def bounds(size, out):
    """Starts and ends, the same for every plane."""
    both = [np.array(spans(n, o), np.int64).reshape(o, 2).T.reshape(2, 1, 1, o) for n, o in zip(size, out, strict=True)]
    return [start for start, _ in both], [end for _, end in both]


@pytest.mark.parametrize("size, out", SIZES)
def test_adaptive_pools_are_their_definition(size, out, draw, close):
    x = draw(2, 3, *size)
    mean = reference.resample(x, [Taps.regions(n, o) for n, o in zip(size, out, strict=True)])
    largest, index = reference.max_regions(x, *bounds(size, out))
    assert mean.shape == largest.shape == index.shape == (2, 3, *out)
    assert index.dtype == np.int64
    flat = x.reshape(2, 3, -1)
    for place, region in regions(size, out):
        seen = x[(..., *region)].reshape(2, 3, -1)
        close(mean[(..., *place)], seen.mean(axis=2))
        np.testing.assert_array_equal(largest[(..., *place)], seen.max(axis=2))
        found = np.take_along_axis(flat, index[(..., *place)][..., None], axis=2)[..., 0]
        np.testing.assert_array_equal(found, seen.max(axis=2))


def test_every_plane_may_have_regions_of_its_own(draw):
    x = draw(1, 2, 4, 5)
    starts = [np.array([[[0, 2], [1, 2]]]), np.array([[[0, 1, 3], [0, 2, 2]]])]
    ends = [starts[0] + 2, starts[1] + np.array([1, 2, 2])]
    y, index = reference.max_regions(x, starts, ends)
    for c, i, j in np.ndindex(2, 2, 3):
        region = x[0, c, starts[0][0, c, i] : ends[0][0, c, i], starts[1][0, c, j] : ends[1][0, c, j]]
        assert y[0, c, i, j] == region.max() == x[0, c].ravel()[index[0, c, i, j]]


@pytest.mark.parametrize("start, end", [(-1, 2), (3, 5), (2, 2)])
def test_regions_that_are_empty_or_outside_of_x_are_refused(start, end):
    with pytest.raises(ShapeError, match=f"(?s)regions inside x.*from {start} to {end - 1} on an axis of size 4"):
        reference.max_regions(np.ones((1, 1, 4)), [np.array([[[start]]])], [np.array([[[end]]])])
