from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import ShapeError
from numnet.kernels import reference
from numnet.window import Window


def symmetric(kernel, stride, padding, dilation, ceil_mode):
    return Window(kernel, stride, tuple((p, p) for p in padding), dilation, ceil_mode)


# size, kernel, stride, padding
SHAPES = {
    "1d": ((8,), (2,), (2,), (0,)),
    "1d, remainder": ((8,), (3,), (3,), (0,)),
    "1d, overlap": ((9,), (3,), (1,), (1,)),
    "1d, gaps": ((9,), (2,), (4,), (0,)),
    "2d": ((4, 6), (2, 2), (2, 2), (0, 0)),
    "2d, overlap and remainder": ((7, 8), (3, 3), (2, 2), (1, 1)),
    "2d, everything different": ((9, 7), (4, 3), (3, 2), (2, 1)),
    "2d, the whole plane": ((3, 4), (3, 4), (3, 4), (0, 0)),
    "2d, one pixel": ((1, 1), (1, 1), (1, 1), (0, 0)),
    "3d": ((4, 5, 6), (2, 3, 2), (2, 2, 3), (1, 1, 0)),
}
shapes = pytest.mark.parametrize("size, kernel, stride, padding", SHAPES.values(), ids=SHAPES)
ceil_modes = pytest.mark.parametrize("ceil_mode", [False, True], ids=["floor", "ceil"])


@shapes
@ceil_modes
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("dilation", [1, 2])
def test_max_pool(size, kernel, stride, padding, ceil_mode, ties, dilation, draw, close, by_torch):
    import torch

    window = symmetric(kernel, stride, padding, (dilation,) * len(size), ceil_mode)
    room = [s + 2 * p - e for e, s, p in zip(window.extent, size, padding, strict=True)]
    if any(r < 0 and not (ceil_mode and -r < step) for r, step in zip(room, stride, strict=True)):
        with pytest.raises(ShapeError, match="dilation"):
            reference.max_pool(draw(2, 3, *size), window)
        return
    f = getattr(torch.nn.functional, f"max_pool{len(size)}d")
    options = (kernel, stride, padding, dilation, ceil_mode)
    x = draw(2, 3, *size)
    x = x.round() if ties else x
    y, delta, (delta_x,) = by_torch(lambda x: f(x, *options), draw, x)
    _, places = f(torch.tensor(np.array(x)), *options, return_indices=True)
    ours, index = reference.max_pool(x, window)
    close(ours, y)
    assert index.dtype == np.int64
    np.testing.assert_array_equal(index, places.numpy())
    close(reference.max_pool_backward(delta, index, x.shape), delta_x)


def test_nan_wins_and_padding_never_does(dtype):
    window = symmetric((2, 2), (2, 2), (1, 1), (1, 1), False)
    x = np.full((1, 1, 2, 2), -np.inf, dtype)
    y, index = reference.max_pool(x, window)
    assert np.all(np.isneginf(y))
    np.testing.assert_array_equal(index.ravel(), [0, 1, 2, 3])
    x = np.array([3, np.nan, 5, 1], dtype).reshape(1, 1, 4)
    y, index = reference.max_pool(x, Window((2,), (2,), ((0, 0),), (1,)))
    np.testing.assert_array_equal(y.ravel(), [np.nan, 5])
    np.testing.assert_array_equal(index.ravel(), [1, 2])


def test_nan_and_infinity_as_torch_has_them(dtype, rng):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    x = rng.standard_normal((2, 2, 7, 7)).astype(dtype)
    x[:, :, ::3, ::3] = np.nan  # at most one to a window of 3
    x[:, :, 1, 1] = np.inf
    x[:, :, 4:, 4:6] = -np.inf
    y, places = torch.nn.functional.max_pool2d(torch.tensor(x), 3, 2, 1, return_indices=True)
    ours, index = reference.max_pool(x, symmetric((3, 3), (2, 2), (1, 1), (1, 1), False))
    np.testing.assert_array_equal(ours, y.numpy())
    np.testing.assert_array_equal(index, places.numpy())


@shapes
@ceil_modes
@pytest.mark.parametrize("count_include_pad", [True, False])
def test_avg_pool(size, kernel, stride, padding, ceil_mode, count_include_pad, draw, close, by_torch):
    import torch

    f = getattr(torch.nn.functional, f"avg_pool{len(size)}d")
    x = draw(2, 3, *size)
    window = symmetric(kernel, stride, padding, (1,) * len(size), ceil_mode)
    divisors = (None,) if len(size) == 1 else (None, 1, 7)  # PyTorch has no divisor_override in one dimension
    for divisor in divisors:
        options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor)[: 5 if len(size) == 1 else 6]
        y, delta, (delta_x,) = by_torch(lambda x, options=options: f(x, *options), draw, x)
        close(reference.avg_pool(x, window, count_include_pad, divisor), y)
        close(reference.avg_pool_backward(delta, x.shape, window, count_include_pad, divisor), delta_x)


def test_no_images(draw):
    window = symmetric((2, 2), (2, 2), (0, 0), (1, 1), False)
    x, delta = draw(0, 3, 4, 4), draw(0, 3, 2, 2)
    y, index = reference.max_pool(x, window)
    assert y.shape == index.shape == delta.shape
    assert reference.max_pool_backward(delta, index, x.shape).shape == x.shape
    assert reference.avg_pool(x, window, True, None).shape == delta.shape
    assert reference.avg_pool_backward(delta, x.shape, window, True, None).shape == x.shape


def test_a_window_that_sees_padding_alone_is_refused(draw):
    with pytest.raises(ShapeError, match="at least one element"):
        reference.max_pool(draw(1, 1, 1), Window((2,), (1,), ((2, 2),), (3,)))


def test_what_does_not_fit_is_refused(draw):
    window = Window((2,), (2,), ((0, 0),), (1,))
    with pytest.raises(ShapeError, match="larger input"):
        reference.max_pool(draw(1, 1, 1), window)
    _, index = reference.max_pool(draw(1, 2, 4), window)
    with pytest.raises(ShapeError, match="delta"):
        reference.max_pool_backward(draw(1, 1, 2), index, (1, 2, 4))
    with pytest.raises(ShapeError, match="delta"):
        reference.avg_pool_backward(draw(1, 1, 2), (1, 2, 4), window, True, None)
    with pytest.raises(ShapeError, match="plane of 3 elements"):
        reference.max_pool_backward(draw(1, 2, 2), index, (1, 2, 3))


def test_with_ceil_mode_a_window_may_be_larger_than_the_plane(draw, close, by_torch):
    import torch

    window = symmetric((2, 3), (2, 3), (0, 0), (1, 1), True)
    x = draw(2, 2, 1, 2)
    y, delta, (delta_x,) = by_torch(lambda x: torch.nn.functional.max_pool2d(x, (2, 3), ceil_mode=True), draw, x)
    got, index = reference.max_pool(x, window)
    close(got, y)
    close(reference.max_pool_backward(delta, index, x.shape), delta_x)
    y, delta, (delta_x,) = by_torch(lambda x: torch.nn.functional.avg_pool2d(x, (2, 3), ceil_mode=True), draw, x)
    close(reference.avg_pool(x, window, True, None), y)
    close(reference.avg_pool_backward(delta, x.shape, window, True, None), delta_x)
