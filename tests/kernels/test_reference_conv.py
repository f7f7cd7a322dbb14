from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.kernels import reference
from numnet.window import Window


def symmetric(kernel, stride=1, padding=0, dilation=1, axes=None):
    """A window with the same padding before and behind, from numbers or tuples as PyTorch takes them."""
    axes = axes or len(kernel)
    kernel, stride, padding, dilation = (
        v if isinstance(v, tuple) else (v,) * axes for v in (kernel, stride, padding, dilation)
    )
    return Window(kernel, stride, tuple((p, p) for p in padding), dilation)


# batch, channels, size, filters, kernel, stride, padding, dilation, groups
CASES = {
    "1d": (2, 3, (9,), 4, (3,), (1,), (0,), (1,), 1),
    "1d, stride and remainder": (2, 3, (10,), 4, (3,), (4,), (2,), (1,), 1),
    "1d, stride beyond the kernel": (2, 1, (9,), 2, (2,), (3,), (0,), (1,), 1),
    "1d, grouped and dilated": (3, 4, (11,), 6, (3,), (2,), (2,), (2,), 2),
    "2d": (2, 3, (6, 5), 4, (3, 2), (1, 1), (0, 0), (1, 1), 1),
    "2d, same": (2, 3, (5, 5), 4, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "2d, pointwise": (2, 5, (4, 3), 3, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    "2d, kernel as large as the image": (2, 2, (4, 5), 3, (4, 5), (1, 1), (0, 0), (1, 1), 1),
    "2d, everything different": (2, 4, (9, 11), 6, (3, 4), (2, 3), (1, 2), (2, 1), 2),
    "2d, depthwise": (2, 4, (6, 6), 8, (3, 3), (2, 2), (1, 1), (1, 1), 4),
    "2d, padding beyond the kernel": (1, 1, (3, 3), 1, (2, 2), (1, 1), (3, 4), (1, 1), 1),
    "2d, one pixel": (1, 1, (1, 1), 1, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    "2d, no images": (0, 2, (5, 5), 3, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "3d": (2, 2, (4, 5, 6), 3, (2, 3, 2), (1, 2, 1), (1, 0, 1), (1, 1, 2), 1),
    "3d, grouped": (1, 2, (3, 3, 3), 4, (2, 2, 2), (1, 1, 1), (0, 0, 0), (1, 1, 1), 2),
}


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_conv(case, with_bias, draw, close, by_torch):
    import torch

    N, C, size, F, kernel, stride, padding, dilation, groups = case
    f = getattr(torch.nn.functional, f"conv{len(size)}d")
    x, W, b = draw(N, C, *size), draw(F, C // groups, *kernel), draw(F) if with_bias else None
    z, delta, gradients = by_torch(lambda x, W, b: f(x, W, b, stride, padding, dilation, groups), draw, x, W, b)
    window = symmetric(kernel, stride, padding, dilation)
    close(reference.conv(x, W, b, window, groups), z)
    ours = reference.conv_backward(x, W, delta, window, groups, (True, True, with_bias))
    for mine, theirs in zip(ours, gradients, strict=True):
        close(mine, theirs) if theirs is not None else None
    assert (ours[2] is None) == (not with_bias)


@pytest.mark.parametrize("padding", [((2, 0), (0, 1)), ((0, 3), (1, 2))])
def test_asymmetric_padding(padding, draw, close, by_torch):
    import torch

    def f(x, W):
        x = torch.nn.functional.pad(x, (*padding[1], *padding[0]))
        return torch.nn.functional.conv2d(x, W, stride=2)

    x, W = draw(2, 3, 6, 5), draw(4, 3, 3, 2)
    z, delta, (delta_x, dW) = by_torch(f, draw, x, W)
    window = Window((3, 2), (2, 2), padding, (1, 1))
    close(reference.conv(x, W, None, window, 1), z)
    ours = reference.conv_backward(x, W, delta, window, 1, (True, True, False))
    close(ours[0], delta_x)
    close(ours[1], dW)


@pytest.mark.parametrize("output_padding", [0, 1])
@pytest.mark.parametrize("groups", [1, 2])
def test_the_gradient_of_x_is_a_transposed_convolution(output_padding, groups, draw, close, by_torch):
    import torch

    a, W = draw(2, 4, 3, 5), draw(4, 6 // groups, 3, 3)
    z, *_ = by_torch(
        lambda a, W: torch.nn.functional.conv_transpose2d(a, W, None, 2, 1, output_padding, groups), draw, a, W
    )
    shape_alone = np.broadcast_to(a.dtype.type(np.nan), z.shape)
    ours = reference.conv_backward(shape_alone, W, a, symmetric(3, 2, 1, axes=2), groups, (True, False, False))
    close(ours[0], z)
    assert ours[1:] == (None, None)


@pytest.mark.parametrize("needs", list(product([True, False], repeat=3)))
def test_only_what_is_needed_comes(needs, draw):
    results = reference.conv_backward(draw(2, 3, 5), draw(4, 3, 2), draw(2, 4, 4), symmetric((2,)), 1, needs)
    assert tuple(r is not None for r in results) == needs


def test_what_does_not_fit_is_refused(draw):
    window, x, W, b = symmetric((3, 3)), draw(2, 4, 5, 5), draw(6, 4, 3, 3), draw(6)
    with pytest.raises(ShapeError, match="in_channels"):
        reference.conv(x, draw(6, 3, 3, 3), b, window, 1)
    with pytest.raises(ShapeError, match="weight"):
        reference.conv(x, W, b, symmetric((2, 3)), 1)
    with pytest.raises(ShapeError, match="bias"):
        reference.conv(x, W, draw(1), window, 1)
    with pytest.raises(ShapeError, match="4 axes"):
        reference.conv(x[0], W, b, window, 1)
    with pytest.raises(ShapeError, match="padding"):
        reference.conv(draw(2, 4, 2, 5), W, b, window, 1)
    with pytest.raises(OptionError, match="groups"):
        reference.conv(x, draw(6, 1, 3, 3), b, window, 4)
    with pytest.raises(ShapeError, match="delta"):
        reference.conv_backward(x, W, draw(2, 6, 1, 1), window, 1, (True, True, True))
    with pytest.raises(DtypeError):
        reference.conv(x, W.astype(np.float16), b, window, 1)
