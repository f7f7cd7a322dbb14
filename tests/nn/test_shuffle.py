from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import OptionError, ShapeError


@pytest.mark.parametrize("r", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2, 3, 2, 4), (1, 2, 3), (2, 2, 1, 2, 1)], ids=str)
def test_pixels(agree: Callable[..., None], numbers: Callable[..., np.ndarray], shape: tuple[int, ...], r: int) -> None:
    *lead, C, H, W = shape
    agree("PixelShuffle", (r,), {}, numbers(*lead, C * r * r, H, W))
    agree("PixelUnshuffle", (r,), {}, numbers(*lead, C, H * r, W * r))


def test_an_empty_batch_and_an_empty_image_have_a_backward() -> None:
    """PyTorch's own backward fails here."""
    for layer, shape in [
        (nn.PixelShuffle(2), (0, 4, 1, 3)),
        (nn.PixelShuffle(2), (1, 4, 0, 3)),
        (nn.PixelUnshuffle(2), (0, 1, 2, 6)),
        (nn.PixelUnshuffle(2), (1, 1, 2, 0)),
    ]:
        y = layer(np.ones(shape))
        assert layer.backward(y).shape == shape


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(2, 6, 4), (1, 6, 2, 3), (2, 6, 1, 2, 1)], ids=str)
def test_channel_shuffle(torch: ModuleType, dtype: Any, shape: tuple[int, ...], groups: int) -> None:
    x = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    layer, theirs = nn.ChannelShuffle(groups), torch.nn.ChannelShuffle(groups)
    y = layer(x)
    np.testing.assert_array_equal(y, theirs(torch.from_numpy(x)))
    assert y.dtype == dtype
    np.testing.assert_array_equal(layer.backward(y), x)  # a permutation: its transpose takes it back
    assert repr(layer) == repr(theirs)


@pytest.mark.parametrize(
    "dim, sizes, shape",
    [
        (1, (2, 5), (3, 10)),
        (1, (2, -1), (3, 10)),
        (-1, (5, 1, 2), (3, 10)),
        (0, (-1,), (4,)),
        (-2, (2, 2), (2, 4, 3)),
        (0, (3, 0), (0, 2)),
        (2, [1, 3], (2, 2, 3, 2)),
    ],
)
def test_unflatten(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    dim: int,
    sizes: tuple[int, ...],
    shape: tuple[int, ...],
) -> None:
    agree("Unflatten", (dim, tuple(sizes)), {}, numbers(*shape))
    x = numbers(*shape)
    np.testing.assert_array_equal(nn.Unflatten(dim, sizes)(x), nn.Unflatten(dim, tuple(sizes))(x))


def test_unflatten_undoes_flatten() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    np.testing.assert_array_equal(nn.Sequential(nn.Flatten(), nn.Unflatten(1, (3, 4, 5)))(x), x)


@pytest.mark.parametrize(
    "make, complaint",
    [
        (lambda: nn.PixelShuffle(0), "PixelShuffle with upscale_factor.*=0"),
        (lambda: nn.PixelUnshuffle(-1), "PixelUnshuffle with downscale_factor.*=-1"),
        (lambda: nn.ChannelShuffle(0), "ChannelShuffle with groups.*=0"),
        (lambda: nn.Unflatten(1, ()), "Unflatten"),
        (lambda: nn.Unflatten(1, (-1, -1)), "at most one of them -1"),
        (lambda: nn.Unflatten(1, (-2, 3)), "Unflatten"),
    ],
)
def test_options_that_cannot_be(make: Callable[[], nn.Layer], complaint: str) -> None:
    with pytest.raises(OptionError, match=f"(?s){complaint}"):
        make()


@pytest.mark.parametrize(
    "layer, shape, complaint",
    [
        (nn.PixelShuffle(2), (1, 6, 2, 2), r"C · 4, H, W.*\(1, 6, 2, 2\).*4 channels"),
        (nn.PixelShuffle(2), (4, 4), r"\(4, 4\)"),
        (nn.PixelUnshuffle(2), (1, 1, 3, 4), r"H · 2, W · 2.*\(1, 1, 3, 4\).*multiple of 2"),
        (nn.ChannelShuffle(2), (1, 3, 4), r"C · 2.*\(1, 3, 4\)"),
        (nn.ChannelShuffle(2), (2, 4), r"\(2, 4\)"),
        (nn.Unflatten(1, (2, 3)), (2, 5), r"with 6 numbers along axis 1.*\(2, 5\)"),
        (nn.Unflatten(1, (2, -1)), (2, 5), r"multiple of 2.*\(2, 5\)"),
        (nn.Unflatten(2, (2, -1)), (2, 4), r"axis 2.*\(2, 4\)"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(layer: nn.Layer, shape: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(ShapeError, match=f"(?s){type(layer).__name__}, forward.*{complaint}"):
        layer(np.ones(shape))
