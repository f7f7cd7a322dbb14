"""Adaptive and fractional pooling, and max unpooling."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import manual_seed, nn, tensor
from numnet.errors import DtypeError, OptionError, ShapeError

SIZES = {1: (7,), 2: (7, 5), 3: (5, 4, 7)}
OUTPUT_SIZES: dict[int, list[Any]] = {
    1: [1, 2, 3, 5, 7, 10, (4,)],
    2: [1, 3, 9, (7, 5), (2, 4), (3, None), (None, 2), (None, None), (11, 1)],
    3: [1, 2, 6, (5, 4, 7), (2, 3, 4), (None, 3, None), (1, None, 9)],
}
ADAPTIVE = [(axes, size) for axes, sizes in OUTPUT_SIZES.items() for size in sizes]


@pytest.mark.proves("C126")
@pytest.mark.parametrize("leading", [(2, 3), (3,), (0, 2)], ids=str)
@pytest.mark.parametrize("axes, size", ADAPTIVE, ids=str)
@pytest.mark.parametrize("name", ["AdaptiveAvgPool", "AdaptiveMaxPool"])
def test_adaptive(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    name: str,
    axes: int,
    size: Any,
    leading: tuple[int, ...],
) -> None:
    agree(f"{name}{axes}d", (size,), {}, numbers(*leading, *SIZES[axes]))


def check_indices(torch: ModuleType, ours: Any, theirs: Any, x: np.ndarray) -> None:
    """(y, index) and ∂J/∂x, explicit and on the tape."""
    theirs_x = torch.from_numpy(x).requires_grad_()
    right, right_index = theirs(theirs_x)
    y, index = ours(x)
    np.testing.assert_array_equal(y, right.detach())
    np.testing.assert_array_equal(index, right_index)
    assert index.dtype == np.int64
    right.sum().backward()
    np.testing.assert_array_equal(ours.backward((np.ones_like(y), None)), theirs_x.grad)

    ours_x = tensor(x, requires_grad=True)
    y, index = ours(ours_x)
    assert not index.requires_grad
    y.sum().backward()
    np.testing.assert_array_equal(ours_x.grad, theirs_x.grad)


@pytest.mark.parametrize("leading", [(2, 3), (3,)], ids=str)
@pytest.mark.parametrize("axes, size", ADAPTIVE, ids=str)
def test_adaptive_indices(
    torch: ModuleType, numbers: Callable[..., np.ndarray], axes: int, size: Any, leading: tuple[int, ...]
) -> None:
    name = f"AdaptiveMaxPool{axes}d"
    ours, theirs = (getattr(module, name)(size, return_indices=True) for module in (nn, torch.nn))
    check_indices(torch, ours, theirs, numbers(*leading, *SIZES[axes]))


def test_of_equals_the_first_wins_and_nan_stays_in_its_region(agree: Callable[..., None], dtype: type) -> None:
    agree("AdaptiveMaxPool2d", ((2, 3),), {}, np.zeros((1, 1, 5, 7), dtype))
    x = np.arange(35, dtype=dtype).reshape(1, 1, 5, 7)
    x[0, 0, 0, 1] = np.nan
    x[0, 0, 4, 6] = np.inf
    agree("AdaptiveMaxPool2d", ((2, 3),), {}, x)
    agree("AdaptiveAvgPool2d", ((2, 3),), {}, x)


def test_adaptive_refusals() -> None:
    with pytest.raises(OptionError, match=r"output_size=\[1, 1, 1\]"):
        nn.AdaptiveAvgPool2d((1, 1, 1))
    with pytest.raises(OptionError, match="output_size"):
        nn.AdaptiveMaxPool2d(-1)
    for layer in (nn.AdaptiveAvgPool2d(2), nn.AdaptiveMaxPool2d(2)):
        name = type(layer).__name__
        with pytest.raises(ShapeError, match=rf"(?s){name}, forward.*size 0"):
            layer(np.ones((1, 1, 0, 4)))
        with pytest.raises(ShapeError, match=rf"(?s){name}, forward.*\(N, C, H, W\).*\(4, 4\)"):
            layer(np.ones((4, 4)))
        with pytest.raises(DtypeError, match=rf"(?s){name}, forward.*floating.*int64"):
            layer(np.ones((1, 1, 4, 4), np.int64))


# ---------------------------------------------------------------------------------------------- fractional


FRACTIONAL: list[tuple[int, dict[str, Any]]] = [
    (2, {"kernel_size": 2, "output_size": 3}),
    (2, {"kernel_size": 2, "output_size": (5, 3)}),
    (2, {"kernel_size": (3, 1), "output_size": (4, 5)}),
    (2, {"kernel_size": 2, "output_size": 1}),
    (2, {"kernel_size": 2, "output_size": (6, 4)}),  # every place
    (2, {"kernel_size": 2, "output_ratio": 0.6}),
    (2, {"kernel_size": (2, 1), "output_ratio": (0.5, 0.9)}),
    (3, {"kernel_size": 2, "output_size": (3, 2, 4)}),
    (3, {"kernel_size": (1, 2, 3), "output_size": (4, 2, 4)}),
    (3, {"kernel_size": (2, 1, 2), "output_ratio": (0.7, 0.5, 0.8)}),
]


@pytest.mark.parametrize("leading", [(2, 3), (3,)], ids=str)
@pytest.mark.parametrize("axes, options", FRACTIONAL, ids=str)
def test_fractional(
    torch: ModuleType,
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    dtype: type,
    axes: int,
    options: dict[str, Any],
    leading: tuple[int, ...],
) -> None:
    name, x = f"FractionalMaxPool{axes}d", numbers(*leading, *SIZES[axes])
    for seed in range(3):
        planes = leading if len(leading) == 2 else (1, *leading)
        samples = np.random.default_rng(seed).random((*planes, axes)).astype(dtype)
        agree(name, (), options | {"_random_samples": samples}, x)
        ours = getattr(nn, name)(**options, return_indices=True, _random_samples=samples)
        theirs = getattr(torch.nn, name)(**options, return_indices=True, _random_samples=torch.from_numpy(samples))
        check_indices(torch, ours, theirs, x)


def test_drawn_windows_follow_rng_and_differ_between_calls_and_planes() -> None:
    x = np.arange(2 * 400.0).reshape(1, 2, 20, 20)
    x[0, 1] = x[0, 0]

    def layer() -> nn.FractionalMaxPool2d:
        return nn.FractionalMaxPool2d(2, output_ratio=0.7, rng=np.random.default_rng(1))

    first, other = layer(), layer()
    y = first(x)
    np.testing.assert_array_equal(y, other(x))
    assert (y[0, 0] != y[0, 1]).any()
    assert (y != first(x)).any()
    default = nn.FractionalMaxPool2d(2, output_ratio=0.7)
    manual_seed(3)
    y = default(x)
    manual_seed(3)
    np.testing.assert_array_equal(default(x), y)
    manual_seed(3)
    np.testing.assert_array_equal(default(x.astype(np.float32)), y)


def test_drawn_distances_are_alpha_rounded_down_or_up() -> None:
    x = np.arange(100.0).reshape(1, 1, 1, 100) * np.ones((1, 1, 2, 1))
    for seed in range(20):
        layer = nn.FractionalMaxPool2d((1, 2), (1, 60), rng=np.random.default_rng(seed))
        distances = np.diff(layer(x)[0, 0, 0])
        assert set(distances) == {1.0, 2.0}  # α = 98 / 59
        assert distances.sum() == 98


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "(?s)output_size or output_ratio.*neither"),
        ({"output_size": 2, "output_ratio": 0.5}, "both"),
        ({"output_ratio": 1.5}, r"output_ratio=1\.5"),
        ({"output_ratio": (0.5, 0.5, 0.5)}, r"output_ratio=\(0\.5, 0\.5, 0\.5\)"),
        ({"output_size": 0}, "output_size=0"),
    ],
    ids=str,
)
def test_wrong_fractional_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        nn.FractionalMaxPool2d(2, **options)


def test_fractional_inputs_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"(?s)FractionalMaxPool2d, forward.*\(4, 4\) for \(4, 4\) windows of \(2"):
        nn.FractionalMaxPool2d(2, 4)(np.ones((1, 1, 4, 4)))
    with pytest.raises(ShapeError, match=r"(?s)FractionalMaxPool2d, forward.*\(1, 1\) for \(0, 0\) windows"):
        nn.FractionalMaxPool2d(1, output_ratio=0.5)(np.ones((1, 1, 1, 1)))
    with pytest.raises(ShapeError, match=r"(?s)_random_samples of shape \(1, 2, 2\).*\(1, 2, 3\)"):
        nn.FractionalMaxPool2d(2, 2, _random_samples=np.ones((1, 2, 3)))(np.ones((1, 2, 4, 4)))
    with pytest.raises(DtypeError, match=r"(?s)FractionalMaxPool3d, forward.*floating.*int64"):
        nn.FractionalMaxPool3d(2, 2)(np.ones((1, 1, 4, 4, 4), np.int64))


# ---------------------------------------------------------------------------------------------- unpooling


UNPOOLED: list[tuple[dict[str, Any], int]] = [  # and how much larger than usual the output may be
    ({"kernel_size": 2}, 1),
    ({"kernel_size": 3}, 2),
    ({"kernel_size": 2, "stride": 3}, 2),
    ({"kernel_size": 2, "stride": 3}, -1),
    ({"kernel_size": 3, "stride": 2, "padding": 1}, 1),
    ({"kernel_size": 3, "stride": 1}, 0),
]


@pytest.mark.parametrize("batch", [(2,), ()], ids=str)
@pytest.mark.parametrize("given", ["nothing", "spatial", "channels", "all"])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options, larger", UNPOOLED, ids=str)
def test_max_unpool(
    torch: ModuleType,
    numbers: Callable[..., np.ndarray],
    options: dict[str, Any],
    larger: int,
    axes: int,
    given: str,
    batch: tuple[int, ...],
) -> None:
    ours, theirs = (getattr(module, f"MaxUnpool{axes}d")(**options) for module in (nn, torch.nn))
    assert repr(ours) == repr(theirs)
    x = numbers(*batch, 2, *(4, 3, 3)[:axes])
    k, s, p = options["kernel_size"], options.get("stride", options["kernel_size"]), options.get("padding", 0)
    spatial = tuple((n - 1) * s - 2 * p + k + (given != "nothing") * larger for n in x.shape[-axes:])
    size = {"nothing": None, "spatial": spatial, "channels": (2, *spatial), "all": (*batch, 2, *spatial)}[given]
    rng = np.random.default_rng(0)  # no place twice in a plane: PyTorch leaves open which number would stay
    positions = int(np.prod(x.shape[-axes:]))
    planes = [rng.permutation(int(np.prod(spatial)))[:positions] for _ in range(x.size // positions)]
    index = np.stack(planes).reshape(x.shape)

    theirs_x = torch.from_numpy(x).requires_grad_()
    right = theirs(theirs_x, torch.from_numpy(index), output_size=None if size is None else spatial)
    y = ours(x, index, output_size=size)
    np.testing.assert_array_equal(y, right.detach())
    delta = numbers(*y.shape)
    right.backward(torch.from_numpy(delta))
    np.testing.assert_array_equal(ours.backward(delta), theirs_x.grad)

    ours_x = tensor(x, requires_grad=True)
    ours(ours_x, tensor(index), output_size=size).backward(delta)
    np.testing.assert_array_equal(ours_x.grad, theirs_x.grad)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling_undoes_pooling(numbers: Callable[..., np.ndarray], axes: int) -> None:
    x = numbers(2, 3, *(7, 5, 6)[:axes])
    y, index = getattr(nn, f"MaxPool{axes}d")(2, return_indices=True)(x)
    back = getattr(nn, f"MaxUnpool{axes}d")(2)(y, index, output_size=x.shape)
    np.testing.assert_array_equal(back, np.where(back != 0, x, 0))
    assert (back != 0).sum() == y.size


def test_of_numbers_with_one_place_the_last_stays() -> None:
    x = np.array([[[1.0, 2.0, 3.0]]])
    layer = nn.MaxUnpool1d(2)
    np.testing.assert_array_equal(layer(x, np.array([[[4, 4, 0]]])), [[[3, 0, 0, 0, 2, 0]]])
    np.testing.assert_array_equal(layer.backward(np.arange(6.0).reshape(1, 1, 6)), [[[4, 4, 0]]])


@pytest.mark.parametrize(
    "index, output_size, error, message",
    [
        (np.array([[[0, 6]]]), None, ShapeError, r"plane of 4 elements.*from 0 to 6.*output_size"),
        (np.array([[[-1, 0]]]), None, ShapeError, r"from -1 to 0"),
        (np.array([[[0]]]), None, ShapeError, r"shape of x, \(1, 1, 2\).*\(1, 1, 1\)"),
        (np.array([[[0.0, 1.0]]]), None, DtypeError, r"integers.*float64.*return_indices=True"),
        (np.array([[[0, 1]]]), (6,), ShapeError, r"less than stride=\(2,\) away from \(4,\).*\(6,\)"),
        (np.array([[[0, 1]]]), (1, 1, 1, 4), ShapeError, r"output_size=\(1, 1, 1, 4\)"),
    ],
)
def test_what_does_not_fit_is_named(
    index: np.ndarray, output_size: tuple[int, ...] | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=rf"(?s)MaxUnpool1d, forward.*{message}"):
        nn.MaxUnpool1d(2)(np.ones((1, 1, 2)), index, output_size=output_size)
