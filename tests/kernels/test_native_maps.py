"""The compiled maps, held against their reference twins, on every instruction set here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import compiled
import numpy as np
import pytest

from numnet import kernels
from numnet.errors import LabelError, ShapeError
from numnet.kernels import reference

maps = compiled.module("maps")
check = partial(compiled.check, maps)
Draw = Callable[..., np.ndarray]


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(
    "shape",
    [(7, 4), (3, 10), (300, 10), (2, 700), (3, 3000), (2, 3, 5), (2, 5, 130), (1, 4, 1), (0, 3), (3, 0), (6,)],
    ids=str,
)
def test_softmax_along_every_axis(name, shape, isa, draw):
    for axis in range(-len(shape), len(shape)):
        check(name, draw(*shape), axis)
        a = getattr(reference, name)(draw(*shape), axis)
        check(f"{name}_backward", a, draw(*shape), axis)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_special_values(name, isa, dtype):
    rows = [
        [1e4, -1e4, 0],
        [-np.inf, 0, 1],
        [np.nan, 0, 1],
        [-1e30, -1e30, -1e30],
        [800, 0, -800],
        [-np.inf] * 3,
        [np.inf, 0, 0],
    ]
    x = np.array(rows, dtype)
    check(name, x, 1, mixed=True)
    check(name, np.tile(x.T, 12), 0, mixed=True)
    check(name, np.tile(x, 12), 1, mixed=True)


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 1, 1, 1), (3, 2, 4, 64), (2, 1, 300, 9), (4, 33)], ids=str)
def test_masked_softmax(shape, isa, draw, rng):
    hiding = [None, shape, shape[-2:], (*shape[:1], *[1] * (len(shape) - 2), shape[-1]), (1, *shape[1:]), shape[-1:]]
    for mask_shape in hiding:
        s = draw(*shape)
        if mask_shape is None:
            check("masked_softmax", s, None, 0.7)
            continue
        seen = rng.random(mask_shape) < 0.6
        seen.reshape(-1, shape[-1])[0] = False  # a query that sees nothing
        check("masked_softmax", s, seen, 0.7)
        check("masked_softmax", s, np.asfortranarray(seen), 0.7)
        check("masked_softmax", s, draw(*mask_shape), 0.7)
        check("masked_softmax", s, np.where(seen, rng.standard_normal(mask_shape), -np.inf).astype(s.dtype), -1.5)


def test_masked_softmax_of_special_values(isa, dtype):
    row = np.array([-np.inf, 1, 2, np.inf, np.nan, 1e4, -1e4], dtype)
    s = np.stack([np.roll(row, i)[:3] for i in range(7)] + [np.full(3, x, dtype) for x in (-np.inf, np.inf, np.nan)])
    for seen in ([True, True, True], [False, True, True], [False, False, True], [False, False, False]):
        mask = np.array(seen)
        check("masked_softmax", s, mask, 0.5)
        check("masked_softmax", s, np.where(mask, dtype.type(0), dtype.type(-np.inf)), 0.5)
    check("masked_softmax", s, None, 0.5)


CLASSES = [
    *[(1, 2), (7, 3), (300, 10), (5, 1000), (3, 5000), (0, 4), (4, 1), (2, 7, 1)],  # rows
    *[(3, 5, 7), (4, 2, 8, 9), (70, 3, 2), (2, 600, 3), (2, 6, 0), (1, 1, 40)],  # columns, all of them at once
    *[(2, 4, 1100), (1, 21, 40, 10), (1, 1000, 70), (2, 8, 3, 5, 43)],  # some at a time
]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, np.float64(1.0)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", CLASSES, ids=str)
def test_cross_entropy(shape, weighted, smoothing, isa, draw, rng):
    classes, rows = shape[1], shape[:1] + shape[2:]
    weight = np.abs(draw(classes)) if weighted else None
    labels = rng.integers(0, classes, rows)
    labels.flat[1::3] = -100
    for integers in (np.int64, np.int32, np.uint8):
        y = labels if integers is not np.uint8 else rng.integers(0, min(classes, 200), rows)
        y = np.repeat(y.astype(integers), 2, axis=0)[::2]
        check("cross_entropy", 3 * draw(*shape), y, weight, -100, smoothing)
        p = reference.softmax(draw(*shape), 1)
        check("cross_entropy_backward", p, y, weight, -100, smoothing, draw(*rows))


def test_cross_entropy_of_special_values(isa, dtype):
    z = np.array([[1e4, 0, -1e4], [-np.inf, 0, 1], [np.nan, 0, 1], [-1e30, 1e30, 0], [5, 5, 5]], dtype)
    for label, smoothing in product(range(3), (0.0, 0.1)):
        check("cross_entropy", z, np.full(5, label), None, -100, smoothing, mixed=True)
        check("cross_entropy", z.T[None], np.full((1, 5), label), None, -100, smoothing, mixed=True)


def test_cross_entropy_sends_an_infinite_delta_back(isa, draw):
    p, delta = reference.softmax(draw(2, 3, 4), 1), np.array(draw(2, 4))
    delta[0, 1], delta[1, 2] = np.inf, -np.inf
    check("cross_entropy_backward", p, np.full((2, 4), 1), None, -100, 0.0, delta)


def test_a_class_may_be_the_ignored_one(isa, draw, rng):
    labels = rng.integers(0, 4, 9)
    check("cross_entropy", draw(9, 4), labels, None, 2, 0.1)
    check("cross_entropy_backward", reference.softmax(draw(9, 4), 1), labels, None, 2, 0.1, draw(9))


def test_what_is_ignored_may_hold_anything(isa, dtype):
    z = np.zeros((2, 3, 5), dtype)
    z[0, :, 2], z[1, 1, 4] = np.nan, np.inf
    labels = np.ones((2, 5), np.int64)
    labels[0, 2] = labels[1, 4] = -100
    for classes_last in (False, True):
        x, y = (z.transpose(0, 2, 1).reshape(10, 3), labels.reshape(10)) if classes_last else (z, labels)
        J, p = maps.cross_entropy(x, y, None, -100, 0.1)
        delta = maps.cross_entropy_backward(p, y, None, -100, 0.1, np.ones_like(J))
        delta = delta.reshape(2, 5, 3).transpose(0, 2, 1) if classes_last else delta
        assert np.isfinite(J).all()
        assert np.isfinite(delta).all()
        assert not delta[0, :, 2].any()
        assert not delta[1, :, 4].any()


@pytest.mark.parametrize("label", [10, -1, 2**40])
def test_a_wrong_label_is_named(label, isa, draw):
    labels = np.zeros(5, np.int64)
    labels[3] = label
    with pytest.raises(LabelError) as caught:
        kernels.cross_entropy(draw(5, 10), labels, None, -100, 0.0)
    assert caught.value.expected == "class labels 0 … 9"
    assert caught.value.got == f"label {label} in row 3"
    assert maps.cross_entropy_backward(draw(5, 10), labels, None, -100, 0.0, draw(5)) is NotImplemented


NORM_SHAPES = [
    (8, 3, 1),
    (300, 70, 1),
    (5, 200, 1),
    (4, 3, 5),
    (2, 17, 64),
    (90, 2, 65),
    (70, 3, 32),
    (5, 3, 31),
    (2, 3, 2500),
    (600, 2, 9),
    (1, 1, 2),
]


@pytest.mark.parametrize("shape", NORM_SHAPES, ids=str)
@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm(shape, affine, isa, draw):
    C = shape[1]
    for _ in range(4):
        x, delta = draw(*shape) * 3 + 5, draw(*shape)
        weight, bias = (draw(C), draw(C)) if affine else (None, None)
        check("batch_norm_train", x, weight, bias, 1e-5)
        mean, inv_std = draw(C), np.abs(draw(C))
        check("batch_norm_eval", x, mean, inv_std, weight, bias)
        for needs in product((True, False), repeat=3):
            check("batch_norm_train_backward", x, delta, weight, mean, inv_std, needs)
            check("batch_norm_eval_backward", x, delta, mean, inv_std, weight, needs)


@pytest.mark.parametrize("shape", [(64, 4, 1), (64, 4, 7), (8, 4, 900)], ids=str)
def test_variance_is_exact_far_from_zero(shape, isa, dtype, rng):
    x = rng.standard_normal(shape)
    x[0, :, 0] = -1e3  # an outlier where a shifted one-pass formula would look for its shift
    x = (x + 1e4).astype(dtype)
    _, mean, var, _ = maps.batch_norm_train(x, None, None, 1e-5)
    exact = x.astype(np.longdouble)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 2)), rtol=np.finfo(dtype).eps)
    np.testing.assert_allclose(var, exact.var(axis=(0, 2)), rtol=tolerance)
    rows = x.swapaxes(0, 1).reshape(1, 4, -1)
    _, mean, inv_std = maps.group_norm(rows, None, None, 4, 0.0)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 2)), rtol=np.finfo(dtype).eps)
    np.testing.assert_allclose(inv_std, 1 / exact.std(axis=(0, 2)), rtol=tolerance)


ROW_NORM_SHAPES = [
    ((5, 20, 1), 1),
    ((300, 128, 1), 1),
    ((3, 2500, 1), 1),
    ((2, 40, 1), 8),
    ((4, 6, 5), 3),
    ((3, 4, 1100), 2),
    ((70, 3, 31), 1),
    ((2, 3, 64), 3),
    ((1, 1, 2), 1),
]


@pytest.mark.parametrize("shape, groups", ROW_NORM_SHAPES, ids=str)
@pytest.mark.parametrize("affine", [False, True])
def test_group_norm(shape, groups, affine, isa, draw):
    N, C, _ = shape
    for _ in range(4):
        x, delta = draw(*shape) * 3 + 5, draw(*shape)
        weight, bias = (draw(C), draw(C)) if affine else (None, None)
        check("group_norm", x, weight, bias, groups, 1e-5)
        mean, inv_std = 5 + draw(N * groups), np.abs(draw(N * groups))
        for needs in product((True, False), repeat=3):
            check("group_norm_backward", x, delta, weight, groups, mean, inv_std, needs)


@pytest.mark.parametrize("shape", [(5, 20), (300, 128), (3, 2500), (1, 1)], ids=str)
@pytest.mark.parametrize("affine", [False, True])
def test_rms_norm(shape, affine, isa, draw):
    for _ in range(4):
        x, delta, weight = draw(*shape), draw(*shape), draw(shape[1]) if affine else None
        check("rms_norm", x, weight, 1e-5)
        inv_rms = np.abs(draw(shape[0]))
        for needs in product((True, False), repeat=2):
            check("rms_norm_backward", x, delta, weight, inv_rms, needs)


def test_row_norms_of_special_values(isa, dtype):
    x = np.array([[np.inf, 1, 2, 3], [np.nan, 1, 2, 3], [0, 0, 0, 0], [1e-30, 0, 0, 0], [7, 7, 7, 7]], dtype)
    check("group_norm", x[1:, :, None], None, None, 1, 1e-5, mixed=True)
    check("rms_norm", x, None, 1e-5, mixed=True)


@pytest.mark.parametrize("N, D, rows", [(0, 3, 4), (9, 1, 1), (500, 7, 11), (40, 130, 65), (3, 0, 2)])
def test_scatter_rows(N, D, rows, isa, draw, rng):
    for integers in (np.int64, np.int32, np.uint8):
        index = np.repeat(rng.integers(0, rows, N).astype(integers), 2)[::2]
        delta = draw(N, D)
        check("scatter_rows", delta, index, rows)
        np.testing.assert_array_equal(maps.scatter_rows(delta, index, rows), reference.scatter_rows(delta, index, rows))


@pytest.mark.parametrize("shape", [(5,), (9, 3), (70, 1000), (11, 2, 3, 4), (400, 0), (3, 5000)], ids=str)
@pytest.mark.parametrize("index_shape", [(), (0,), (1,), (257,), (2, 3)], ids=str)
def test_gather_rows(shape, index_shape, isa, rng, threads):
    for kind in (np.float64, np.float32, np.float16, np.uint8, np.int64, bool, np.complex64):
        x = rng.integers(0, 250, shape).astype(kind)
        x.setflags(write=False)
        for integers in (np.int64, np.int32, np.uint8):
            index = np.asarray(rng.integers(0, min(len(x), 250), index_shape), integers)
            for count in (1, 3):
                threads(count)
                y, expected = maps.gather_rows(x, index), reference.gather_rows(x, index)
                assert (y.dtype, y.shape, y.flags.writeable) == (expected.dtype, expected.shape, True)
                np.testing.assert_array_equal(y, expected)


def test_rows_that_are_not_gathered():
    x, index = np.arange(12.0).reshape(4, 3), np.array([1, 3])
    refused = [(x.T, index), (x[::2], index), *((x.astype(kind), index) for kind in (">f8", object, "U3"))]
    refused += [(x, index - 2), (x, index + 1), (x, index * 1.0), (x, index.astype(np.uint64)), (x, [1, 3])]
    refused += [(np.float64(3), index), (x.tolist(), index), (x.astype("M8[s]"), index), (x[:0], index)]
    refused += [(np.ma.masked_less(x, 3), index)]
    for arguments in refused:
        assert maps.gather_rows(*arguments) is NotImplemented
    np.testing.assert_array_equal(kernels.gather_rows(x, index - 2), x[[-1, 1]])
    with pytest.raises(IndexError, match="out of bounds"):
        kernels.gather_rows(x, index + 1)


def large(rng: np.random.Generator, dtype: np.dtype) -> dict[str, tuple[Any, ...]]:
    """Arguments large enough that every kernel runs on several threads."""

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    x, delta = draw(7, 13, 67, 49), draw(7, 13, 67, 49)
    flat, flat_delta = x.reshape(7, 13, -1), delta.reshape(7, 13, -1)
    labels = rng.integers(0, 130, 15000)
    p = reference.softmax(draw(2200, 130), 1)
    weight, mean, inv_std = draw(13), draw(13), np.abs(draw(13))
    return {
        "absolute_sum": (x,),
        "huber_sum": (x, 0.7),
        "square_sum": (x,),
        "softmax": (x, 1),
        "softmax_backward": (x, delta, 3),
        "masked_softmax": (x, x[0, 0] > 0, 0.5),
        "log_softmax": (x, 3),
        "log_softmax_backward": (x, delta, 1),
        "cross_entropy": (draw(5, 13, 50, 60), labels[:15000].reshape(5, 50, 60) % 13, None, -100, 0.1),
        "cross_entropy_backward": (p, labels[:2200], None, -100, 0.1, draw(2200)),
        "batch_norm_train": (flat, weight, weight, 1e-5),
        "batch_norm_train_backward": (flat, flat_delta, weight, mean, inv_std, (True, True, True)),
        "batch_norm_eval": (flat, mean, inv_std, weight, weight),
        "batch_norm_eval_backward": (
            draw(2000, 150, 1),
            draw(2000, 150, 1),
            *[np.ones(150, dtype)] * 3,
            (True, True, True),
        ),
        "group_norm": (flat, weight, weight, 1, 1e-5),
        "group_norm_backward": (flat, flat_delta, weight, 13, draw(91), np.abs(draw(91)), (True, True, True)),
        "rms_norm": (draw(2200, 130), draw(130), 1e-5),
        "rms_norm_backward": (draw(2200, 130), draw(2200, 130), draw(130), np.abs(draw(2200)), (True, True)),
        "gather_rows": (draw(140, 130), labels),
        "scatter_rows": (draw(2200, 130), labels[:2200], 140),
    }


def test_the_bits_do_not_depend_on_the_number_of_threads(isa, dtype, rng, threads):
    cases = large(rng, dtype)
    assert set(cases) == {name for name in reference.__all__ if hasattr(maps, name)}
    for name, arguments in cases.items():
        bits = []
        for count in (1, 2, 3):
            threads(count)
            bits.append(compiled.bits(maps, name, arguments))
        assert bits[0] == bits[1] == bits[2], name
        check(name, *arguments)


def test_what_does_not_fit_is_left_to_the_reference(isa, dtype, rng):
    x, other = np.ones((2, 3, 6, 6), dtype), np.float32 if dtype == np.float64 else np.float64
    ones = np.ones(3, dtype)
    refused: list[tuple[str, tuple[Any, ...]]] = [
        ("softmax", (x, 4)),
        ("softmax", (np.ones((), dtype), 0)),
        ("softmax_backward", (x, x[..., :5], 1)),
        ("masked_softmax", (x[0, 0], np.ones((6, 1), bool), 0.5)),
        ("masked_softmax", (x[0, 0], np.ones((5, 6), bool), 0.5)),
        ("masked_softmax", (x[0, 0], np.ones((1, 6, 6), bool), 0.5)),
        ("masked_softmax", (x[0, 0], np.ones((6, 6), other), 0.5)),
        ("masked_softmax", (x[0, 0], np.ones((6, 6), np.int64), 0.5)),
        ("masked_softmax", (np.ones((3, 0), dtype), None, 0.5)),
        ("cross_entropy", (x[0, 0], np.zeros(5, np.int64), None, -100, 0.0)),
        ("cross_entropy", (x[0, 0], np.zeros(6), None, -100, 0.0)),
        ("cross_entropy", (x[0, 0], np.full(6, 2**64 - 100, np.uint64), None, -100, 0.0)),
        ("cross_entropy", (x[0, 0], np.zeros(6, np.int64), ones, -100, 0.0)),
        ("cross_entropy", (x, np.zeros(6, np.int64), None, -100, 0.0)),
        ("cross_entropy_backward", (x[0, 0], np.zeros(6, np.int64), None, -100, 0.0, ones)),
        ("batch_norm_train", (x, None, None, 1e-5)),
        ("batch_norm_train", (x[0], np.ones(4, dtype), None, 1e-5)),
        ("batch_norm_train", (x[:0, :, 0], None, None, 1e-5)),
        ("batch_norm_eval", (x[0], ones.astype(other), ones, None, None)),
        ("batch_norm_eval_backward", (x[0], x[1, :2], ones, ones, None, (True, True, True))),
        ("group_norm", (x, None, None, 1, 1e-5)),
        ("group_norm", (x[0], None, None, 4, 1e-5)),
        ("group_norm", (x[0], ones[:2], None, 1, 1e-5)),
        ("group_norm", (x[0, :, :0], None, None, 1, 1e-5)),
        ("group_norm_backward", (x[0], x[0], None, 1, ones[:2], ones, (True, True, True))),
        ("group_norm_backward", (x[0], x[0], None, 1, None, ones, (True, True, True))),
        ("rms_norm", (x[0], None, 1e-5)),
        ("rms_norm_backward", (x[0, 0], x[0, 0], None, None, (True, True))),
        ("scatter_rows", (x[0, 0], np.array([0, 1, 2, 3, 4, 5]), 5)),
        ("scatter_rows", (x[0, 0], np.array([0, 1, 2, 3, 4, -1]), 6)),
        ("scatter_rows", (x[0, 0], np.full(6, -1), 0)),
        ("scatter_rows", (x[0, 0], np.zeros(5, np.int64), 5)),
        ("scatter_rows", (x[0, 0], np.zeros(6), 5)),
    ]
    before = x.copy()
    for name, arguments in refused:
        assert getattr(maps, name)(*arguments) is NotImplemented, (name, arguments)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    "name, options",
    [("absolute_sum", ()), ("huber_sum", (0.7,)), ("huber_sum", (np.inf,)), ("square_sum", ())],
    ids=str,
)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (3, 0), (5, 9), (2, 3, 4, 5), (1027,), (50_003,)], ids=str)
def test_sums(name, options, shape, isa, dtype, rng, threads):
    ours, theirs = getattr(maps, name), getattr(reference, name)
    x = np.asarray(rng.standard_normal(shape), dtype)
    for layout in (x, x.T, x[::-1] if shape else x):
        sums = []
        for count in (1, 2, 3):
            threads(count)
            sums.append(ours(layout, *options))
        assert all(s.dtype == dtype and s.shape == () and s == sums[0] for s in sums)
        exact = float(theirs(x.astype(np.longdouble), *options))
        assert abs(float(sums[0]) - exact) <= 4 * np.finfo(dtype).eps * exact
        np.testing.assert_allclose(sums[0], theirs(layout, *options), rtol=1e-5 if dtype == np.float32 else 1e-12)
    x = x.reshape(-1)
    for special in (np.nan, np.inf, -np.inf):
        x[-1:] = special
        with np.errstate(invalid="ignore"):  # an infinite parabola of an infinite difference
            np.testing.assert_array_equal(ours(x, *options), theirs(x, *options))
    assert ours(np.arange(4), *options) is NotImplemented


def test_errors_are_those_of_the_reference(isa, draw):
    with pytest.raises(ShapeError, match="delta of shape"):
        kernels.softmax_backward(draw(3, 4), draw(3, 5), 1)
