from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import nn, tensor
from numnet.errors import DtypeError, OptionError, ShapeError

SHAPES = [(2, 2, 6, 7), (1, 1, 3, 4), (3, 5, 6), (0, 2, 5, 5)]

WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 1},  # overlapping
    {"kernel_size": (2, 3), "stride": (3, 1)},  # with gaps
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (2, 3), "padding": (1, 0)},
    {"kernel_size": 2, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
    {"kernel_size": 1},
]


@pytest.mark.proves("C125")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", [*WINDOWS, {"kernel_size": 2, "dilation": 2, "stride": 1}], ids=str)
def test_max_pool2d(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    agree("MaxPool2d", (), options, numbers(*shape))


@pytest.mark.proves("C124")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", WINDOWS, ids=str)
def test_avg_pool2d(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    options: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    for counting in ({}, {"count_include_pad": False}, {"divisor_override": 5}):
        agree("AvgPool2d", (), options | counting, numbers(*shape))


SIZES = {1: (6,), 2: (6, 5), 3: (5, 4, 6)}
ALIKE: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 1},
]


@pytest.mark.parametrize("leading", [(2, 3), (3,), (0, 2)], ids=str)
@pytest.mark.parametrize("axes", [1, 3])
@pytest.mark.parametrize("options", ALIKE, ids=str)
def test_1d_and_3d(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    options: dict[str, Any],
    axes: int,
    leading: tuple[int, ...],
) -> None:
    x = numbers(*leading, *SIZES[axes])
    agree(f"MaxPool{axes}d", (), options, x)
    agree(f"MaxPool{axes}d", (), options | {"dilation": 2, "kernel_size": 2, "padding": 0}, x)
    agree(f"AvgPool{axes}d", (), options, x)
    agree(f"AvgPool{axes}d", (), options | {"count_include_pad": False}, x)
    if axes == 3:
        agree("AvgPool3d", (), options | {"divisor_override": 5}, x)


def test_3d_with_axes_that_differ(agree: Callable[..., None], numbers: Callable[..., np.ndarray]) -> None:
    options = {"kernel_size": (3, 1, 2), "stride": (1, 2, 3), "padding": (1, 0, 1), "ceil_mode": True}
    for name in ("MaxPool3d", "AvgPool3d"):
        agree(name, (), options, numbers(2, 2, 4, 5, 6))
    agree("LPPool3d", (2, (3, 1, 2), (1, 2, 3)), {"ceil_mode": True}, numbers(2, 2, 4, 5, 6))


@pytest.mark.parametrize("leading", [(2, 3), (3,), (0, 2)], ids=str)
@pytest.mark.parametrize("norm_type", [1, 2, 3.0, 1.5, 0.5, -1])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_lp_pool(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    axes: int,
    norm_type: float,
    leading: tuple[int, ...],
) -> None:
    x = numbers(*leading, *SIZES[axes])
    x = x if norm_type == 2 else np.abs(x)
    for options in ({}, {"stride": 1}, {"stride": 2, "ceil_mode": True}):
        agree(f"LPPool{axes}d", (norm_type, 3), options, x)


def test_lp_pool_where_the_norm_has_no_gradient(agree: Callable[..., None], numbers: Callable[..., np.ndarray]) -> None:
    x = numbers(1, 1, 8)
    x[..., :2] = 0  # norm 0: PyTorch takes 0 for its gradient
    x[..., 2] = 0  # an element of 0 in a norm that is none
    agree("LPPool1d", (2, 2), {}, x)
    agree("LPPool1d", (1, 2), {}, np.abs(x))
    agree("LPPool1d", (3, 2), {}, -np.abs(x))  # the root of a negative number is NaN


@pytest.mark.parametrize("norm_type", [0, np.inf, np.nan])
def test_a_norm_that_is_none_is_refused(norm_type: float) -> None:
    with pytest.raises(OptionError, match=r"(?s)LPPool2d.*norm_type=.*MaxPool2d"):
        nn.LPPool2d(norm_type, 2)


@pytest.mark.parametrize("name", ["MaxPool2d", "AvgPool2d"])
def test_a_window_larger_than_the_input_that_ceil_mode_lets_hang_over(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], name: str
) -> None:
    agree(name, (2,), {"ceil_mode": True}, numbers(1, 1, 1, 3))


INDEXED = [(1, (2, 5)), (1, (2, 2, 5)), (2, (2, 5, 6)), (2, (2, 2, 5, 6)), (3, (2, 3, 4, 5)), (3, (2, 2, 3, 4, 5))]


@pytest.mark.parametrize("axes, shape", INDEXED, ids=str)
def test_indices(torch: ModuleType, numbers: Callable[..., np.ndarray], axes: int, shape: tuple[int, ...]) -> None:
    options = {"kernel_size": 3, "stride": 2, "padding": 1, "return_indices": True}
    x, layer = numbers(*shape), getattr(nn, f"MaxPool{axes}d")(**options)
    theirs_x = torch.from_numpy(x).requires_grad_()
    right, right_index = getattr(torch.nn, f"MaxPool{axes}d")(**options)(theirs_x)
    y, index = layer(x)
    np.testing.assert_array_equal(y, right.detach())
    np.testing.assert_array_equal(index, right_index)
    right.sum().backward()
    np.testing.assert_array_equal(layer.backward((np.ones_like(y), None)), theirs_x.grad)

    ours_x = tensor(x, requires_grad=True)
    y, index = layer(ours_x)
    assert not index.requires_grad
    y.sum().backward()
    np.testing.assert_array_equal(ours_x.grad, theirs_x.grad)


def test_of_equals_the_first_wins_and_nan_wins_over_all(agree: Callable[..., None], dtype: type) -> None:
    agree("MaxPool2d", (2,), {"stride": 1}, np.zeros((1, 1, 3, 3), dtype))
    agree("MaxPool2d", (2,), {"padding": 1}, np.full((1, 1, 3, 3), -np.inf, dtype))
    x = np.arange(16, dtype=dtype).reshape(1, 1, 4, 4)
    x[0, 0, 1, 0] = np.nan
    agree("MaxPool2d", (2,), {}, x)


@pytest.mark.parametrize("make", [nn.MaxPool2d, nn.AvgPool2d])
def test_wrong_options(make: type) -> None:
    with pytest.raises(OptionError, match=rf"(?s){make.__name__}.*half of kernel_size.*padding=2, kernel_size=3"):
        make(3, padding=2)
    with pytest.raises(OptionError, match="kernel_size=0"):
        make(0)
    with pytest.raises(OptionError, match=r"stride=\(1, 2, 3\)"):
        make(2, stride=(1, 2, 3))


def test_a_divisor_of_zero_is_refused() -> None:
    with pytest.raises(OptionError, match=r"(?s)AvgPool2d.*divisor_override=0"):
        nn.AvgPool2d(2, divisor_override=0)


@pytest.mark.parametrize("make", [nn.MaxPool2d, nn.AvgPool2d])
def test_what_does_not_fit_is_named(make: type) -> None:
    with pytest.raises(ShapeError, match=rf"(?s){make.__name__}, forward.*at least \(3, 3\).*\(2, 5\).*larger input"):
        make(3)(np.ones((1, 1, 2, 5)))
    with pytest.raises(ShapeError, match=rf"(?s){make.__name__}, forward.*\(N, C, H, W\).*\(4, 4\).*x\[None\]"):
        make(2)(np.ones((4, 4)))
    with pytest.raises(DtypeError, match=rf"(?s){make.__name__}, forward.*floating.*int64.*astype"):
        make(2)(np.ones((1, 1, 4, 4), np.int64))
