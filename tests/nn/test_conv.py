from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DtypeError, OptionError, ShapeError

OPTIONS: list[tuple[tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ((2, 3, 3), {}, (2, 2, 5, 6)),
    ((2, 3, (2, 3)), {"bias": False}, (2, 2, 5, 6)),
    ((1, 1, 1), {}, (1, 1, 1, 1)),
    ((2, 3, 3), {"stride": 2}, (2, 2, 6, 7)),  # the last column is never seen
    ((2, 3, 3), {"stride": (3, 1), "padding": (0, 2)}, (2, 2, 7, 3)),
    ((2, 2, 2), {"padding": 3}, (1, 2, 3, 3)),  # corners see padding alone
    ((2, 4, 3), {"dilation": 2, "padding": 2}, (2, 2, 5, 5)),
    ((2, 4, 3), {"dilation": (1, 3), "stride": 2, "padding": 1}, (1, 2, 6, 8)),
    ((4, 6, 3), {"groups": 2, "padding": 1}, (2, 4, 4, 5)),
    ((4, 8, 3), {"groups": 4}, (2, 4, 4, 5)),
    ((2, 3, 3), {"padding": "same"}, (2, 2, 5, 4)),
    ((2, 3, 3), {"padding": "same", "dilation": 2}, (2, 2, 5, 4)),
    ((2, 3, 3), {"padding": "valid", "stride": 2}, (2, 2, 5, 4)),
    ((2, 3, 3), {"padding": 2, "padding_mode": "reflect"}, (2, 2, 4, 5)),
    ((2, 3, 3), {"padding": (1, 3), "padding_mode": "replicate", "stride": 2}, (2, 2, 2, 5)),
    ((2, 3, 3), {"padding": 2, "padding_mode": "circular", "bias": False}, (2, 2, 2, 5)),
    ((2, 4, 3), {"padding": "same", "padding_mode": "reflect", "groups": 2}, (2, 2, 4, 5)),
    ((2, 3, 3), {}, (0, 2, 5, 5)),
    ((2, 3, 3), {"padding": 1}, (2, 4, 5)),  # without a batch axis
    ((2, 3, 3), {"padding": 1, "padding_mode": "circular"}, (2, 4, 5)),
]


@pytest.mark.proves("C120", "C121")
@pytest.mark.parametrize("arguments, options, shape", OPTIONS, ids=str)
def test_conv2d(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    agree("Conv2d", arguments, options, numbers(*shape))


# What stands for K counts for every axis; x has 4 channels.
ALIKE: list[tuple[int, int, dict[str, Any]]] = [
    (3, 3, {}),
    (2, 1, {"bias": False}),
    (3, 3, {"stride": 2, "padding": 1}),
    (3, 2, {"stride": 3, "padding": 2}),
    (2, 2, {"dilation": 2, "padding": 1}),
    (6, 3, {"groups": 2, "padding": 2}),
    (4, 2, {"groups": 4, "bias": False}),
    (3, 3, {"padding": "same"}),
    (3, 2, {"padding": "same", "dilation": 2}),
    (3, 2, {"padding": "valid", "stride": 2}),
    (3, 3, {"padding": 2, "padding_mode": "reflect"}),
    (3, 3, {"padding": 2, "padding_mode": "replicate", "stride": 2}),
    (2, 3, {"padding": 2, "padding_mode": "circular", "groups": 2}),
]
SIZES = {1: (6,), 3: (3, 4, 3)}


@pytest.mark.parametrize("leading", [(2, 4), (4,), (0, 4)], ids=str)
@pytest.mark.parametrize("axes", [1, 3])
@pytest.mark.parametrize("filters, kernel, options", ALIKE, ids=str)
def test_conv1d_and_conv3d(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    filters: int,
    kernel: int,
    options: dict[str, Any],
    axes: int,
    leading: tuple[int, ...],
) -> None:
    agree(f"Conv{axes}d", (4, filters, kernel), options, numbers(*leading, *SIZES[axes]))


def test_conv3d_with_axes_that_differ(agree: Callable[..., None], numbers: Callable[..., np.ndarray]) -> None:
    options = {"stride": (1, 2, 3), "padding": (2, 0, 1), "dilation": (1, 2, 1)}
    agree("Conv3d", (2, 3, (3, 2, 1)), options, numbers(2, 2, 2, 4, 5))
    agree("Conv3d", (2, 3, (3, 2, 1)), options | {"padding_mode": "replicate"}, numbers(2, 2, 2, 4, 5))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")  # PyTorch's, on speed
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_same_with_an_odd_border_pads_more_behind(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], mode: str
) -> None:
    agree("Conv2d", (2, 3, (4, 2)), {"padding": "same", "padding_mode": mode}, numbers(2, 2, 5, 4))


@pytest.mark.parametrize("mode", ["zeros", "circular"])
@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (1, 4, 4)], ids=str)
def test_no_input_gradient_where_nobody_asks(shape: tuple[int, ...], mode: str) -> None:
    layer = nn.Conv2d(1, 2, 3, padding=1, padding_mode=mode)
    call = nn.Call(layer)
    z = call.forward(np.ones(shape, np.float32), needs_input_grad=(False,))
    assert call.backward(z) is None
    assert layer.weight.grad is not None


def test_initial_values_lie_within_the_bound_and_follow_rng() -> None:
    a, b = (nn.Conv2d(4, 50, 5, groups=2, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a.weight.data, b.weight.data)
    assert 0.13 < np.abs(a.weight.data).max() <= 1 / np.sqrt(2 * 5 * 5)


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        ((3, 4, 3), {"groups": 2}, r"groups=2, in_channels=3"),
        ((4, 3, 3), {"groups": 2}, r"out_channels=3"),
        ((4, 4, 3), {"groups": 0}, r"groups=0"),
        ((1, 1, 3), {"padding": "same", "stride": 2}, r"(?s)stride=1.*stride=\(2, 2\).*kernel_size // 2"),
        ((1, 1, 3), {"padding": "full"}, r"(?s)'same', 'valid'.*'full'"),
        ((1, 1, 3), {"padding_mode": "mirror"}, r"(?s)zeros, reflect.*'mirror'"),
        ((1, 1, 3), {"padding": -1}, r"padding=-1"),
        ((1, 1, 0), {}, r"kernel_size=0"),
        ((1, 1, (3, 3, 3)), {}, r"(?s)2 integers.*kernel_size=\(3, 3, 3\)"),
        ((1, 1, 3), {"stride": 0}, r"stride=0"),
        ((1, 1, 3), {"dilation": 1.5}, r"dilation=1\.5"),
    ],
    ids=str,
)
def test_wrong_options(arguments: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        nn.Conv2d(*arguments, **options)


@pytest.mark.parametrize(
    "x, error, message",
    [
        (np.ones((1, 2, 5, 5), np.float32), ShapeError, r"\(N, C=3, H, W\).*\(1, 2, 5, 5\).*in_channels"),
        (np.ones((1, 5, 5, 3), np.float32), ShapeError, r"C=3.*\(1, 5, 5, 3\).*np\.moveaxis\(x, -1, 1\)"),
        (np.ones((2, 5, 5), np.float32), ShapeError, r"\(C=3, H, W\).*\(2, 5, 5\)"),
        (np.ones((4, 75), np.float32), ShapeError, r"C=3.*\(4, 75\).*reshape"),
        (np.ones((1, 3, 2, 5), np.float32), ShapeError, r"at least \(3, 3\).*\(2, 5\).*larger input"),
        (np.ones((1, 3, 5, 5)), DtypeError, r"float32.*float64.*astype\(np\.float32\)"),
        (np.ones((1, 3, 5, 5), np.uint8), DtypeError, r"float32.*uint8.*astype"),
    ],
)
def test_what_does_not_fit_is_named(x: np.ndarray, error: type[Exception], message: str) -> None:
    net = nn.Sequential({"stem": nn.Conv2d(3, 4, 3)})
    with pytest.raises(error, match=rf"(?s)Conv2d 'stem', forward.*expected.*{message}"):
        net(x)


def test_a_border_wider_than_what_it_mirrors_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"(?s)Conv2d, forward.*reflect.*less padding"):
        nn.Conv2d(1, 1, 3, padding=3, padding_mode="reflect")(np.ones((1, 1, 3, 3), np.float32))
