"""The compiled kernels of planes, held against their reference twins, on every instruction set here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import compiled
import numpy as np
import pytest

from numnet import kernels
from numnet.errors import ShapeError
from numnet.kernels import reference
from numnet.taps import Taps, padding_taps, spans
from numnet.window import Window

planes = compiled.module("planes")
check = partial(compiled.check, planes)
Draw = Callable[..., np.ndarray]


def window(kernel: int, stride: int, padding: int = 0, dilation: int = 1, ceil: bool = False, axes: int = 2) -> Window:
    return Window((kernel,) * axes, (stride,) * axes, ((padding, padding),) * axes, (dilation,) * axes, ceil)


WINDOWS = [
    (window(2, 2), (6, 8)),
    (window(2, 2), (7, 9)),
    (window(2, 2), (2, 2)),
    (window(2, 2), (28, 28)),
    (window(2, 2), (5, 67)),
    (window(2, 2, ceil=True), (7, 5)),
    (window(3, 2, ceil=True), (2, 2)),
    (window(3, 2), (13, 27)),
    (window(3, 2, ceil=True), (12, 26)),
    (window(3, 2, padding=1), (14, 33)),
    (window(3, 2, padding=1, ceil=True), (8, 8)),
    (window(3, 1, padding=1), (9, 17)),
    (window(3, 1), (5, 5)),
    (window(1, 1), (3, 4)),
    (window(1, 3), (9, 10)),
    (window(5, 5), (5, 5)),
    (window(5, 3, padding=2), (11, 40)),
    (window(2, 4), (9, 16)),
    (window(7, 7), (7, 7)),
    (window(4, 1), (4, 4)),
    (window(40, 40), (40, 40)),
    (window(35, 33, padding=6), (40, 90)),
    (window(100, 100, axes=1), (100,)),
    (window(32, 32, axes=1), (323,)),
    (window(37, 5, padding=11, ceil=True, axes=1), (200,)),
    (window(36, 50, axes=1), (203,)),
    (window(6, 6, axes=3), (6, 6, 6)),
    (window(3, 2, padding=1, dilation=2), (12, 19)),
    (window(2, 2, axes=1), (33,)),
    (window(3, 2, padding=1, ceil=True, axes=1), (18,)),
    (window(2, 2, axes=3), (4, 5, 6)),
    (window(3, 2, padding=1, dilation=1, ceil=True, axes=3), (5, 6, 7)),
    (Window((2, 3), (2, 1), ((0, 1), (1, 0)), (1, 2)), (7, 12)),
    (Window((1, 2), (1, 2), ((0, 0), (0, 0)), (1, 1)), (1, 21)),
    (Window((3, 2), (2, 2), ((1, 1), (0, 0)), (1, 1)), (7, 10)),
    (Window((2, 2, 1), (1, 2, 3), ((1, 0), (1, 1), (0, 0)), (1, 1, 1)), (3, 5, 9)),
]
windows = pytest.mark.parametrize("window, spatial", WINDOWS, ids=str)


@windows
def test_max_pool(window, spatial, isa, draw):
    for leading in ((2, 3), (1, 1), (0, 2)):
        x = draw(*leading, *spatial)
        check("max_pool", x, window)
        y, index = reference.max_pool(x, window) if x.size else planes.max_pool(x, window)
        delta = draw(*y.shape)
        check("max_pool_backward", delta, index, x.shape)
        check("max_pool_backward", delta, np.asfortranarray(index), list(x.shape))


@windows
def test_max_pool_takes_the_first_of_equals_and_nan(window, spatial, isa, dtype, rng):
    values = np.array([0, 1, -np.inf, np.inf, np.nan], dtype)
    for chances in ([0.5, 0.5, 0, 0, 0], [0, 0, 1, 0, 0], [0.2, 0.1, 0.5, 0.1, 0.1]):
        x = rng.choice(values, (3, 2, *spatial), p=chances)
        (y, index), (y_reference, index_reference) = planes.max_pool(x, window), reference.max_pool(x, window)
        np.testing.assert_array_equal(y, y_reference)
        np.testing.assert_array_equal(index, index_reference)


@windows
@pytest.mark.parametrize("include_pad, divisor", [(True, None), (False, None), (True, 3)])
def test_avg_pool(window, spatial, include_pad, divisor, isa, draw):
    for leading in ((2, 3), (1, 1), (0, 2)):
        x = draw(*leading, *spatial)
        check("avg_pool", x, window, include_pad, divisor)
        delta = draw(*leading, *window.output_shape(spatial))
        check("avg_pool_backward", delta, x.shape, window, include_pad, divisor)


@pytest.mark.parametrize("name", ["max", "avg"])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_pooling_is_that_of_torch(name, dimensions, isa, draw, rng, close):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    function = getattr(torch.nn.functional, f"{name}_pool{dimensions}d")
    for _ in range(20):
        kernel = tuple(int(k) for k in rng.integers(1, 5, dimensions))
        stride = tuple(int(s) for s in rng.integers(1, 4, dimensions))
        padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
        ceil = bool(rng.integers(2))
        spatial = tuple(int(n) for n in rng.integers(5, 12, dimensions))
        x = draw(2, 2, *spatial)
        geometry = Window(kernel, stride, tuple((p, p) for p in padding), (1,) * dimensions, ceil)
        theirs = torch.tensor(np.array(x), requires_grad=True)
        if name == "max":
            y, index = function(theirs, kernel, stride, padding, ceil_mode=ceil, return_indices=True)
            ours, ours_index = planes.max_pool(x, geometry)
            np.testing.assert_array_equal(ours_index, index.numpy())
        else:
            include_pad = bool(rng.integers(2))
            y = function(theirs, kernel, stride, padding, ceil_mode=ceil, count_include_pad=include_pad)
            ours = planes.avg_pool(x, geometry, include_pad, None)
        close(ours, y)
        delta = draw(*y.shape)
        y.backward(torch.tensor(np.array(delta)))
        if name == "max":
            close(planes.max_pool_backward(delta, ours_index, x.shape), theirs.grad)
        else:
            close(planes.avg_pool_backward(delta, x.shape, geometry, include_pad, None), theirs.grad)


def test_an_index_outside_its_plane_crashes_nothing(isa, dtype):
    delta = np.ones((1, 2, 2, 2), dtype)
    for wrong in (-1, 16, 2**62, -(2**62)):
        index = np.zeros((1, 2, 2, 2), np.int64)
        index[0, 1, 1, 1] = wrong
        assert planes.max_pool_backward(delta, index, (1, 2, 4, 4)) is NotImplemented


@windows
def test_unfold_and_fold(window, spatial, isa, draw):
    for leading in ((2, 3), (1, 1), (0, 2)):
        x = draw(*leading, *spatial)
        check("unfold", x, window)
        check("unfold", x, window, -np.inf)
        u = draw(*reference.unfold(x, window).shape)
        check("fold", u, window, spatial)


def test_windows_that_do_not_meet_are_moved_bit_by_bit(isa, dtype):
    u = np.full((1, 2, 2, 3, 4, 5), -0.0, dtype)
    assert np.signbit(planes.fold(u, Window((2, 3), (2, 3), ((0, 0), (0, 0)), (1, 1)), (8, 15))).all()


def test_nothing_is_folded_into_an_empty_plane(isa, dtype):
    u, side_by_side = np.ones((1, 2, 2, 2, 0, 3), dtype), window(2, 2)
    assert planes.fold(u, side_by_side, (0, 6)) is NotImplemented
    assert kernels.fold(u, side_by_side, (0, 6)).shape == (1, 2, 0, 6)


def bounds(size: tuple[int, ...], out: tuple[int, ...]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    both = [np.array(spans(n, o), np.int64).reshape(o, 2).T.reshape(2, 1, 1, o) for n, o in zip(size, out, strict=True)]
    return [start for start, _ in both], [end for _, end in both]


RESIZED = [
    ((7,), (3,)),
    ((5, 4), (2, 6)),
    ((13, 13), (7, 7)),
    ((3, 4, 5), (2, 4, 1)),
    ((4,), (0,)),
    ((17, 40), (40, 3)),
]


@pytest.mark.parametrize("size, out", RESIZED, ids=str)
def test_max_of_regions(size, out, isa, draw, rng):
    for leading in ((2, 3), (1, 1), (0, 2)):
        x = draw(*leading, *size)
        starts, ends = bounds(size, out)
        check("max_regions", x, starts, ends)
        own = [np.minimum(rng.integers(0, n, (*leading, o)), n - 1) for n, o in zip(size, out, strict=True)]
        widths = [rng.integers(1, n + 1 - start) for n, start in zip(size, own, strict=True)]
        check("max_regions", x, own, [start + width for start, width in zip(own, widths, strict=True)])
        check("max_regions", x, [*starts[:-1], own[-1]], [*ends[:-1], own[-1] + 1])


@pytest.mark.parametrize("plane", [(7, 7), (3, 3), (16,), (1027,)], ids=str)
def test_means_of_equal_planes_are_equal(plane, isa, draw):
    x = np.ascontiguousarray(np.broadcast_to(draw(*plane), (3, 7, *plane)))
    y = planes.avg_pool(x, Window(plane, plane, ((0, 0),) * len(plane), (1,) * len(plane)), True, None)
    np.testing.assert_array_equal(y, np.broadcast_to(y[0, 0], y.shape))


def test_max_of_regions_takes_the_first_of_equals_and_nan(isa, dtype, rng):
    values = ([0, 1], [-np.inf], [0, np.inf, np.nan, -np.inf], [0] * 99 + [np.nan])
    sizes = [((6, 9), (4, 5)), ((200,), (3,)), ((3, 170), (3, 2))]  # the last two: of one row, longer than vectors
    for chosen, (size, out) in product(values, sizes):
        x = rng.choice(np.array(chosen, dtype), (3, 2, *size))
        ours, theirs = (twins.max_regions(x, *bounds(size, out)) for twins in (planes, reference))
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def random_taps(rng: np.random.Generator, size: int, out: int) -> Taps:
    count = int(rng.integers(0, 3 * out + 1)) if size and out else 0
    output, place = (rng.integers(0, n, count) for n in (max(out, 1), max(size, 1)))
    return Taps.of(size, output, place, rng.choice([1.0, 0.5, -2.0], count), out)


@pytest.mark.parametrize(
    "size, out", [*RESIZED, ((0,), (3,)), ((6, 0), (2, 2)), ((1, 1), (1, 1)), ((9, 33), (9, 33))], ids=str
)
def test_resample(size, out, isa, draw, rng):
    for leading in ((2, 3), (5,), (), (0, 2)):
        for _ in range(6):
            along = [random_taps(rng, n, o) for n, o in zip(size, out, strict=True)]
            check("resample", draw(*leading, *size), along, 2.5)
            check("resample", draw(*leading, *out), [taps.transposed for taps in along])


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    "size, border",
    [
        ((40,), ((3, 0),)),
        ((9, 31), ((1, 1), (1, 1))),
        ((9, 31), ((0, 2), (0, 0))),
        ((9, 7), ((-1, 2), (3, -4))),
        ((3, 4, 5), ((1, 0), (2, 2), (4, -1))),
    ],
    ids=str,
)
def test_padding_moves_numbers_and_their_infinities(mode, size, border, isa, draw, rng):
    x = draw(2, 3, *size)
    along = padding_taps(size, border, mode)
    np.testing.assert_array_equal(planes.resample(x, along, -1.5), reference.resample(x, along, -1.5))
    delta = np.array(draw(2, 3, *[taps.out for taps in along]))
    check("resample", delta, [taps.transposed for taps in along])
    special = rng.choice(np.array([-0.0, np.inf, -np.inf, np.nan, 1e-40], x.dtype), x.shape)
    moved, expected = planes.resample(special, along), reference.resample(special, along)
    np.testing.assert_array_equal(moved, expected)
    np.testing.assert_array_equal(np.signbit(moved), np.signbit(expected))


def large(rng: np.random.Generator, dtype: np.dtype) -> dict[str, tuple[Any, ...]]:
    """Arguments large enough that every kernel runs on several threads."""

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    x, geometry = draw(7, 13, 67, 49), window(3, 2, padding=1, ceil=True)
    y, index = reference.max_pool(x, geometry)
    return {
        "max_pool": (x, geometry),
        "max_pool_backward": (draw(*y.shape), index, x.shape),
        "avg_pool": (x, geometry, False, None),
        "avg_pool_backward": (draw(*y.shape), x.shape, geometry, False, None),
        "max_regions": (x, *bounds((67, 49), (20, 13))),
        "unfold": (x, geometry),
        "fold": (draw(7, 13, 3, 3, 34, 25), geometry, (67, 49)),
        "resample": (x, [Taps.regions(67, 30), Taps.padding(49, 3, 2, "circular")]),
    }


def test_the_bits_do_not_depend_on_the_number_of_threads(isa, dtype, rng, threads):
    cases = large(rng, dtype)
    assert set(cases) == {name for name in reference.__all__ if hasattr(planes, name)}
    for name, arguments in cases.items():
        bits = []
        for count in (1, 2, 3):
            threads(count)
            bits.append(compiled.bits(planes, name, arguments))
        assert bits[0] == bits[1] == bits[2], name
        check(name, *arguments)


def test_what_does_not_fit_is_left_to_the_reference(isa, dtype):
    x, other = np.ones((2, 3, 6, 6), dtype), np.float32 if dtype == np.float64 else np.float64
    geometry = window(2, 2)
    same, wide = Taps.padding(6, 0, 0, "zeros"), Taps.regions(7, 2)
    wrong = Taps(6, np.array([0, 1]), np.array([6]), np.ones(1))
    start, end = np.zeros((1, 1, 2), np.int64), np.ones((1, 1, 2), np.int64)
    refused: list[tuple[str, tuple[Any, ...]]] = [
        ("max_pool", (x[0], geometry)),
        ("max_pool", (x, window(2, 2, axes=3))),
        ("max_pool", (np.ones((1, 1, 2, 2), dtype), Window((2, 2), (1, 1), ((3, 3), (0, 0)), (1, 1)))),
        ("max_pool", (x, Window((2, 2), (2, 2), ((-1, 0), (0, 0)), (1, 1)))),
        ("max_pool_backward", (x, np.zeros((2, 3, 6, 5), np.int64), (2, 3, 9, 9))),
        ("max_pool_backward", (x, np.zeros((2, 3, 6, 6), np.int32), (2, 3, 9, 9))),
        ("max_pool_backward", (x, np.zeros((2, 3, 6, 6), np.int64), (2, 4, 9, 9))),
        ("max_pool_backward", (x, np.zeros((2, 3, 6, 6), np.int64), (2, 3, -9, -9))),
        ("avg_pool_backward", (x, (2, 3, 6, 6), geometry, True, None)),
        ("avg_pool_backward", (x, (2, 4, 12, 12), geometry, True, None)),
        ("avg_pool_backward", (x[0], (2, 3, 12, 12), geometry, True, None)),
        ("unfold", (x[0], geometry)),
        ("unfold", (x.astype(np.float16), geometry)),
        ("unfold", (x, window(2, 2, axes=3))),
        ("fold", (x, geometry, (6, 6))),
        ("fold", (np.ones((2, 3, 2, 2, 3, 4), dtype), geometry, (6, 6))),
        ("fold", (np.ones((2, 3, 2, 3, 3, 3), dtype), geometry, (6, 6))),
        ("max_regions", (x, [start], [end])),
        ("max_regions", (x, [start, start], [end, end[..., :1]])),
        ("max_regions", (x, [start, start], [end, start])),
        ("max_regions", (x, [start, start - 1], [end, end])),
        ("max_regions", (x, [start, start], [end, end + 6])),
        ("max_regions", (x, [start, start], [end, end.astype(np.int32)])),
        ("max_regions", (x, [start, start[0]], [end, end[0]])),
        ("max_regions", (x, [start, np.zeros((3, 2, 2), np.int64)], [end, np.ones((3, 2, 2), np.int64)])),
        ("resample", (x, [])),
        ("resample", (x, [same] * 4)),
        ("resample", (x[0, 0], [same] * 3)),
        ("resample", (x, [same, wide])),
        ("resample", (x, [same, wrong])),
        ("resample", (x, [Taps(6, np.array([0, 2, 1]), np.zeros(1, np.int64), np.ones(1)), same])),
        ("resample", (x, [Taps(6, np.array([0, 2]), np.zeros(1, np.int64), np.ones(1)), same])),
        ("resample", (x, [Taps(6, np.array([0, 1]), np.zeros(1, np.int64), np.ones(1, np.float32)), same])),
        ("resample", (x.astype(np.float16), [same, same])),
    ]
    for name, arguments in refused:
        assert getattr(planes, name)(*arguments) is NotImplemented, (name, arguments)
    assert planes.max_pool_backward(x.astype(other), x, x.shape) is NotImplemented


def test_errors_are_those_of_the_reference(isa, draw):
    with pytest.raises(ShapeError, match="spatial size"):
        kernels.max_pool(draw(1, 1, 2, 2), window(3, 1))
    with pytest.raises(ShapeError, match="last axes"):
        kernels.resample(draw(1, 1, 2), [Taps.regions(3, 1)])
