from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import kernels, nn
from numnet.errors import DtypeError, OptionError, ShapeError

SIZES = {1: (5,), 2: (4, 3), 3: (3, 3, 4)}

# What stands for K counts for every axis; x has 4 channels.
OPTIONS: list[tuple[int, int, dict[str, Any]]] = [
    (3, 3, {}),
    (3, 1, {"bias": False}),
    (2, 3, {"stride": 2}),
    (3, 2, {"stride": 3}),  # gaps that no filter reaches
    (3, 3, {"stride": 2, "padding": 1}),
    (3, 3, {"stride": 2, "padding": 1, "output_padding": 1}),
    (3, 2, {"stride": 2, "output_padding": 1}),
    (3, 3, {"padding": 2}),
    (4, 3, {"groups": 2, "bias": False}),
    (8, 2, {"groups": 4, "stride": 2}),
    (3, 2, {"dilation": 2}),
    (3, 2, {"dilation": 3, "output_padding": 2}),  # more than the stride, less than the dilation
    (3, 3, {"dilation": 2, "output_padding": 1, "padding": 3, "stride": 2}),
    (2, 2, {"dilation": 4, "output_padding": 3, "padding": 1, "stride": 2, "groups": 2}),
    (3, 1, {"stride": 4, "output_padding": 3, "padding": 0}),
]


@pytest.mark.parametrize("leading", [(2, 4), (4,), (0, 4)], ids=str)
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("filters, kernel, options", OPTIONS, ids=str)
def test_conv_transpose(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    filters: int,
    kernel: int,
    options: dict[str, Any],
    axes: int,
    leading: tuple[int, ...],
) -> None:
    agree(f"ConvTranspose{axes}d", (4, filters, kernel), options, numbers(*leading, *SIZES[axes]))


@pytest.mark.parametrize(
    "options, shape",
    [
        ({"kernel_size": (3, 1), "stride": (1, 3), "output_padding": (0, 2)}, (2, 2, 3, 4)),
        ({"kernel_size": (2, 4), "stride": (3, 2), "padding": (0, 1), "dilation": (1, 2)}, (2, 2, 3, 4)),
        ({"kernel_size": (4, 2), "dilation": (3, 1), "padding": (2, 0), "output_padding": (2, 0)}, (2, 3, 4)),
    ],
    ids=str,
)
def test_axes_that_differ(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    agree("ConvTranspose2d", (2, 3), options, numbers(*shape))


@pytest.mark.parametrize("stride, dilation, output_padding", [(2, 1, 1), (1, 3, 2), (2, 4, 3)])
def test_the_compiled_kernels_do_as_the_reference(stride: int, dilation: int, output_padding: int) -> None:
    options = {"stride": stride, "dilation": dilation, "output_padding": output_padding, "padding": 1}
    layer = nn.ConvTranspose2d(3, 2, 3, **options, rng=np.random.default_rng(0)).double()
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
    z = layer(x)
    delta_x = layer.backward(z)
    dW = layer.weight.grad.copy()
    layer.zero_grad()
    with kernels.using("reference"):
        np.testing.assert_allclose(layer(x), z, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(layer.backward(z), delta_x, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(layer.weight.grad, dW, rtol=1e-12, atol=1e-12)


def test_it_is_the_adjoint_of_the_convolution() -> None:
    rng = np.random.default_rng(0)
    conv = nn.Conv2d(3, 2, 3, stride=2, padding=1, bias=False).double()
    transpose = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1, bias=False).double()
    transpose.weight.data = conv.weight.data
    x = rng.normal(size=(1, 3, 6, 8))
    z = conv(x)
    delta = rng.normal(size=z.shape)
    np.testing.assert_allclose(transpose(delta), conv.backward(delta), rtol=1e-12, atol=1e-13)


def test_initial_values_lie_within_the_bound_and_follow_rng() -> None:
    a, b = (nn.ConvTranspose2d(50, 4, 5, groups=2, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a.weight.data, b.weight.data)
    assert 0.13 < np.abs(a.weight.data).max() <= 1 / np.sqrt(2 * 5 * 5)


def test_no_gradient_where_nobody_asks() -> None:
    layer = nn.ConvTranspose1d(1, 2, 3)
    layer.bias.requires_grad = False
    call = nn.Call(layer)
    z = call.forward(np.ones((1, 1, 4), np.float32), needs_input_grad=(False,))
    assert call.backward(z) is None
    assert layer.weight.grad is not None
    assert layer.bias.grad is None


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        ((3, 4, 3), {"groups": 2}, r"groups=2, in_channels=3"),
        ((2, 2, 3), {"output_padding": 1}, r"output_padding smaller than stride or dilation.*output_padding=\(1, 1"),
        ((2, 2, 3), {"output_padding": (0, 3), "stride": 2, "dilation": (5, 3)}, r"output_padding=\(0, 3\)"),
        ((2, 2, 3), {"output_padding": -1}, r"output_padding=-1"),
        ((2, 2, 3), {"padding": "same"}, r"padding='same'"),
        ((2, 2, 3), {"padding_mode": "reflect"}, r"padding_mode='zeros'.*'reflect'"),
    ],
    ids=str,
)
def test_wrong_options(arguments: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=rf"(?s)(ConvTranspose2d|padding).*{message}"):
        nn.ConvTranspose2d(*arguments, **options)


@pytest.mark.parametrize(
    "x, error, message",
    [
        (np.ones((1, 2, 5), np.float32), ShapeError, r"\(N, C=3, L\).*\(1, 2, 5\)"),
        (np.ones((1, 3, 1), np.float32), ShapeError, r"leave something.*\(1,\).*-1"),
        (np.ones((1, 3, 0), np.float32), ShapeError, r"leave something.*\(0,\)"),
        (np.ones((1, 3, 5)), DtypeError, r"float32.*float64.*astype\(np\.float32\)"),
    ],
)
def test_what_does_not_fit_is_named(x: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"(?s)ConvTranspose1d, forward.*expected.*{message}"):
        nn.ConvTranspose1d(3, 4, 3, padding=2)(x)
