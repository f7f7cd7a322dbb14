"""The compiled matrix products and convolutions, held against their reference twins, on every instruction set here.

They are called past the dispatch: an answer of ``NotImplemented``, which hands the call to the reference, shows.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest

from numnet import _ext, kernels
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.kernels import reference
from numnet.window import Window

if not {"runtime", "products"} <= set(_ext.modules):
    pytest.skip(f"the extension is not there: {_ext.reason}", allow_module_level=True)
products, runtime = _ext.modules["products"], _ext.modules["runtime"]
Draw = Callable[..., np.ndarray]
Close = Callable[[Any, Any], None]
ALL = (True, True, True)
WORTH_A_THREAD = 1.5e6  # multiply-adds; below, a kernel stays on one thread


def window(axes: int, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, ceil: bool = False) -> Window:
    def every(value: Any) -> tuple[Any, ...]:
        return value if isinstance(value, tuple) else (value,) * axes

    pairs = tuple(p if isinstance(p, tuple) else (p, p) for p in every(padding))
    return Window(every(kernel), every(stride), pairs, every(dilation), ceil)


# name: x, filters, window, groups. What each is there for stands in its name.
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], int, Window, int]] = {
    "one number": ((1, 1, 1), 1, window(1, 1), 1),
    "one axis": ((3, 4, 37), 5, window(1, 5, 1, 2), 1),
    "pointwise": ((2, 5, 7, 9), 7, window(2, 1), 1),
    "pointwise, few pixels": ((20, 9, 3, 1), 40, window(2, 1), 1),
    "pointwise, many channels and pixels": ((2, 100, 17, 31), 97, window(2, 1), 1),
    "pointwise with stride": ((3, 8, 9, 8), 6, window(2, 1, 2), 1),
    "image": ((3, 3, 16, 16), 16, window(2, 3, 1, 1), 1),
    "rows longer than several vectors": ((1, 2, 5, 70), 9, window(2, 3, 1, 1), 1),
    "rows shorter than a vector": ((9, 10, 5, 3), 20, window(2, 3, 1, 1), 1),
    "one position": ((40, 6, 4, 4), 11, window(2, 4), 1),
    "one position, of a volume": ((5, 3, 2, 3, 4), 6, window(3, (2, 3, 4), 7), 1),
    "one position, in groups": ((5, 6, 3, 4), 8, window(2, (3, 4)), 2),
    "one position, in groups of one channel": ((3, 20, 7, 5), 40, window(2, (7, 5)), 20),
    "an axis in front seen at once": ((2, 3, 7, 30), 5, window(2, (7, 4), 1, (0, 1)), 1),
    "an axis in front seen at once, in groups": ((2, 4, 7, 30), 6, window(2, (7, 3), (9, 2)), 2),
    "all of a volume seen at once but its last axis": ((2, 2, 3, 4, 21), 5, window(3, (3, 4, 5), 1, (0, 0, 2)), 1),
    "runs": ((3, 1, 19, 70), 6, window(2, (3, 70)), 1),
    "runs, many filters": ((2, 1, 50, 300), 100, window(2, (3, 300)), 1),
    "runs, strided and dilated": ((2, 3, 23, 130), 7, window(2, (4, 130), (2, 1), ((5, 2), (0, 0)), (3, 1)), 1),
    "runs, taps that see nothing": ((2, 2, 3, 64), 4, window(2, (3, 64), (4, 1), ((7, 6), (0, 0)), (2, 1)), 1),
    "runs, of planes": ((2, 2, 9, 8, 10), 5, window(3, (3, 8, 10), 1, ((1, 0), (0, 0), (0, 0))), 1),
    "few windows": ((3, 5, 7, 7), 40, window(2, 6), 1),
    "few windows, in groups": ((2, 12, 9, 8), 180, window(2, (8, 7)), 3),
    "few windows, strided and dilated": ((2, 3, 40, 31), 400, window(2, (3, 5), (2, 3), ((4, 1), (0, 7)), (13, 5)), 1),
    "few windows, of a volume": ((2, 2, 6, 7, 8), 90, window(3, (5, 6, 8), 1, ((0, 0), (1, 0), (1, 1))), 1),
    "few windows, many of them": ((1, 40, 30, 30), 300, window(2, 15), 1),
    "few windows, in a padded row": ((4, 6, 20), 600, window(1, 18, 1, 3), 1),
    "one output, padded": ((2, 3, 6, 5), 4, window(2, (7, 5), 2, ((1, 0), (0, 0))), 1),
    "one position, that does not see all": ((5, 6, 5, 5), 8, window(2, 3, 1, 0, 2), 1),
    "more taps than one run": ((2, 90, 8, 8), 13, window(2, 3, 1, 1), 1),
    "more taps than one run, many pixels": ((5, 90, 12, 12), 14, window(2, 3, 1, 1), 1),
    "many filters": ((2, 3, 6, 6), 130, window(2, 3), 1),
    "many filters and positions": ((2, 5, 41, 40), 100, window(2, 3, 2, 1), 1),
    "large stride and kernel": ((2, 1, 40, 40), 20, window(2, 11, 4), 1),
    "a stride of sixteen": ((1, 2, 50, 33), 3, window(2, 7, 16, 3), 1),
    "a stride that dilation shares a divisor with": ((2, 3, 40, 37), 5, window(2, 4, 6, 3, 4), 1),
    "a stride that dilation shares no divisor with": ((2, 3, 21, 17), 4, window(2, 4, 3, 2, 2), 1),
    "a stride and a dilation beyond the image": ((2, 3, 3, 2), 4, window(2, 1, 10**6, 0, 10**6), 1),
    "stride beyond the kernel": ((2, 3, 11, 11), 4, window(2, 2, 3), 1),
    "strides of their own": ((2, 3, 13, 17), 4, window(2, (3, 2), (1, 3), (2, 0)), 1),
    "dilation": ((2, 3, 14, 15), 4, window(2, 3, 1, 2, (2, 3)), 1),
    "dilation and stride": ((2, 3, 14, 15), 4, window(2, 3, 2, 2, 3), 1),
    "uneven padding": ((2, 3, 8, 9), 4, window(2, 3, 1, ((0, 3), (2, 1))), 1),
    "padding beyond the kernel": ((2, 3, 4, 5), 4, window(2, 3, 1, 5), 1),
    "kernel larger than the image": ((2, 3, 2, 3), 4, window(2, 5, 1, 2), 1),
    "pixels that no window sees": ((2, 3, 10, 10), 4, window(2, 3, 4), 1),
    "rounded up": ((2, 3, 10, 11), 4, window(2, 3, 2, 1, 1, ceil=True), 1),
    "groups": ((3, 8, 9, 9), 12, window(2, 3, 2, 1), 4),
    "groups, few pixels": ((2, 6, 5, 4), 60, window(2, 3, 1, 1), 2),
    "depthwise": ((3, 7, 12, 13), 7, window(2, 3, 1, 1), 7),
    "depthwise with stride": ((3, 7, 12, 13), 7, window(2, 3, 2, 1), 7),
    "depthwise, two filters a channel": ((3, 5, 12, 35), 10, window(2, 3, 1, 1), 5),
    "few filters, lines longer than a vector": ((3, 2, 9, 23), 6, window(2, 3), 1),
    "few filters, lines longer than a run": ((2, 1, 3, 300), 4, window(2, 3, 1, 1), 1),
    "filters along the vector": ((6, 5, 14, 14), 16, window(2, 5), 1),
    "filters along the vector, strided groups": ((5, 4, 30, 23), 62, window(2, 5, 2, 2), 2),
    "filters along the vector, more taps than one run": ((6, 30, 14, 14), 16, window(2, (5, 4)), 1),
    "filters along the vector, a volume": ((3, 3, 6, 9, 12), 16, window(3, 3), 1),
    "channels along the vector": ((4, 16, 13, 12), 5, window(2, 4, 1, 2), 1),
    "channels in pieces": ((2, 300, 16, 15), 5, window(2, 3, 1, 1), 1),
    "channels in pieces, in groups": ((2, 602, 16, 15), 26, window(2, 3, 1, 1), 2),
    "channels in pieces, one filter": ((2, 300, 16, 15), 1, window(2, 3, 1, 1), 1),
    "channels in pieces, two filters, whole vectors": ((1, 90, 30, 64), 2, window(2, 3, 1, 1), 1),
    "channels in pieces, of small images": ((40, 300, 5, 4), 5, window(2, 3, 1, 1), 1),
    "filters in pieces, strided": ((2, 4, 31, 30), 307, window(2, 3, 2, 1), 1),
    "filters in pieces, stride beyond the kernel": ((1, 2, 60, 60), 500, window(2, 2, 3), 1),
    "two channels, short lines": ((3, 2, 9, 7), 5, window(2, 3, 1, 1), 1),
    "two channels, short lines, many filters": ((2, 4, 16, 7), 54, window(2, 5, 1, (2, 0)), 2),
    "long windows, far apart": ((2, 1, 903), 20, window(1, 100, 40), 1),
    "volume": ((2, 3, 5, 6, 7), 4, window(3, 3, 1, 1), 1),
    "volume, all at once": ((2, 4, 6, 5, 9), 6, window(3, (3, 1, 2), (2, 1, 3), ((1, 0), (0, 0), (0, 2)), 2), 2),
}


def arrays(draw: Draw, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, W, b and δ of a convolution."""
    x, filters, w, groups = CONVOLUTIONS[name]
    out = w.output_shape(x[2:])
    return draw(*x), draw(filters, x[1] // groups, *w.kernel), draw(filters), draw(x[0], filters, *out)


@pytest.mark.parametrize("rows", [1, 2, 5, 8, 17, 64])
@pytest.mark.parametrize("inputs", [0, 1, 3, 70, 301, 900])  # a panel has 888 of them at most, or 592
def test_linear(rows: int, inputs: int, isa: str, draw: Draw, close: Close):
    for outputs in (1, 2, 10, 16, 33, 129):
        x, W, b, delta = draw(rows, inputs), draw(outputs, inputs), draw(outputs), draw(rows, outputs)
        close(products.linear(x, W, b), reference.linear(x, W, b))
        close(products.linear(x, W, None), reference.linear(x, W, None))
        close(products.matmul(x, W.T), x @ W.T)
        expected = reference.linear_backward(x, W, delta, ALL)
        for ours, theirs in zip(products.linear_backward(x, W, delta, ALL), expected, strict=True):
            close(ours, theirs)


# long; in several strips and several panels along k; rows 4096 bytes apart
@pytest.mark.parametrize("rows, inputs, outputs", [(97, 5, 70), (100, 700, 530), (130, 1024, 530), (130, 1024, 75)])
def test_linear_of_many(rows: int, inputs: int, outputs: int, isa: str, draw: Draw, close: Close):
    x, W, b, delta = draw(rows, inputs), draw(outputs, inputs), draw(outputs), draw(rows, outputs)
    close(products.linear(x, W, b), reference.linear(x, W, b))
    close(products.matmul(x, np.ascontiguousarray(W.T)), x @ W.T)
    expected = reference.linear_backward(x, W, delta, ALL)
    for ours, theirs in zip(products.linear_backward(x, W, delta, ALL), expected, strict=True):
        close(ours, theirs)


# the sums over these rows are made in runs, which divide them or not, of panels side by side
@pytest.mark.parametrize("rows", [511, 512, 700, 1300])
@pytest.mark.parametrize("inputs, outputs", [(16, 64), (17, 65), (130, 257), (500, 530)])
def test_gradients_summed_over_many_rows(rows: int, inputs: int, outputs: int, isa: str, draw: Draw, close: Close):
    x, W, delta = draw(rows, inputs), draw(outputs, inputs), draw(rows, outputs)
    for a, d in ((np.ascontiguousarray(x), np.ascontiguousarray(delta)), (np.asfortranarray(x), delta)):
        expected = reference.linear_backward(a, W, d, ALL)
        for ours, theirs in zip(products.linear_backward(a, W, d, ALL), expected, strict=True):
            close(ours, theirs)
        dW = products.linear_backward(a, W, d, (False, True, False))
        assert dW[0] is dW[2] is None
        close(dW[1], expected[1])


@pytest.mark.parametrize("rows", [3, 4, 5, 6, 7, 8, 9])  # five to eight fill half of a vector of AVX-512's
@pytest.mark.parametrize("inputs", [63, 64, 65, 1300])
def test_linear_of_few(rows: int, inputs: int, isa: str, draw: Draw, close: Close):
    for outputs in (47, 48, 61, 200):
        x, W, b = draw(rows, inputs), draw(outputs, inputs), draw(outputs)
        close(products.linear(x, W, b), reference.linear(x, W, b))
        x, W = np.ascontiguousarray(x), np.ascontiguousarray(W)
        close(products.linear(x, W, b), reference.linear(x, W, b))
        close(products.matmul(W, x.T), W @ x.T)
    W[3, 5] = x[2, inputs - 1] = np.nan  # of which each reaches one row or one column, and nothing else
    z = products.linear(x, W, None)
    np.testing.assert_array_equal(np.isnan(z), np.isnan(reference.linear(x, W, None)))


def test_linear_of_nothing(draw: Draw, close: Close):
    for rows, inputs, outputs in product((0, 3), (0, 4), (0, 5)):
        x, W, b, delta = draw(rows, inputs), draw(outputs, inputs), draw(outputs), draw(rows, outputs)
        close(products.linear(x, W, b), reference.linear(x, W, b))
        expected = reference.linear_backward(x, W, delta, ALL)
        for ours, theirs in zip(products.linear_backward(x, W, delta, ALL), expected, strict=True):
            close(ours, theirs)


def test_matrices_of_any_strides(isa: str, rng: np.random.Generator, dtype: np.dtype, close: Close):
    a, b = rng.standard_normal((40, 60)).astype(dtype), rng.standard_normal((60, 50)).astype(dtype)
    layouts: list[Callable[[np.ndarray], np.ndarray]] = [
        lambda m: m,
        lambda m: m[::-1, ::-1],
        lambda m: np.asfortranarray(m),
        lambda m: np.repeat(np.repeat(m, 2, axis=0), 3, axis=1)[::2, ::3],
        lambda m: np.broadcast_to(m[:, :1], m.shape),
        lambda m: np.broadcast_to(m[:1], m.shape),
        lambda m: np.frombuffer(b"!" + m.tobytes(), m.dtype, offset=1).reshape(m.shape),  # not aligned
        lambda m: np.rec.fromarrays([m, np.zeros(m.shape, "i1")], names="m,i")["m"],  # strides of no whole elements
    ]
    for left, right in product(layouts, layouts):
        x, y = left(a), right(b)
        close(products.matmul(x, y), x.astype(dtype) @ y.astype(dtype))
        close(products.linear(x.T, y.T[:, :40], None), x.astype(dtype).T @ y.astype(dtype)[:40])


BATCHES = [  # axes in front of the two factors
    ((1,), (1,)),
    ((7,), (7,)),
    ((3, 4), (3, 4)),
    ((3, 1, 2), (4, 1)),
    ((), (5,)),
    ((0, 2), (1, 1)),
    ((1, 2), (2, 3, 1, 1)),
]


@pytest.mark.parametrize("in_front, of_b", BATCHES, ids=str)
def test_batches_of_products(in_front: Any, of_b: Any, isa: str, draw: Draw, close: Close):
    for m, k, n in ((6, 4, 17), (1, 80, 3), (13, 0, 5), (64, 32, 64), (0, 3, 2), (20, 300, 35)):
        a, b = draw(*in_front, m, k), draw(*of_b, k, n)
        close(products.matmul(a, b), a @ b)
        swapped = draw(*in_front, k, m).swapaxes(-1, -2), draw(*of_b, n, k).swapaxes(-1, -2)
        close(products.matmul(*swapped), swapped[0] @ swapped[1])


def test_batches_of_products_where_heads_lie_side_by_side(
    isa: str, rng: np.random.Generator, dtype: np.dtype, close: Close
):
    x = rng.standard_normal((3, 10, 12, 8)).astype(dtype).transpose(0, 2, 1, 3)  # (N, 3 H, L, E)
    q, k = x[:, :4], x[:, 4:8]
    close(products.matmul(q, k.swapaxes(-1, -2)), np.einsum("nhie,nhje->nhij", q, k))
    unaligned = np.rec.fromarrays([x, np.zeros(x.shape, "i1")], names="x,i")["x"]
    close(products.matmul(unaligned, k.swapaxes(-1, -2)[:, :1]), x @ k.swapaxes(-1, -2)[:, :1])


@pytest.mark.parametrize("count, size", [(1, 200), (2, 130), (3, 130), (40, 64)])
def test_batches_have_the_same_bits_for_any_number_of_threads(
    count: int, size: int, isa: str, draw: Draw, threads: Any
):
    a, b = draw(count, size, 70), draw(count, 70, size)
    found = set()
    for number in (1, 2, 3):
        threads(number)
        found.add(products.matmul(a, b).tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_conv(name: str, isa: str, draw: Draw, close: Close):
    x, W, b, delta = arrays(draw, name)
    _, _, w, groups = CONVOLUTIONS[name]
    close(products.conv(x, W, b, w, groups), reference.conv(x, W, b, w, groups))
    close(products.conv(x, W, None, w, groups), reference.conv(x, W, None, w, groups))
    expected = reference.conv_backward(x, W, delta, w, groups, ALL)
    for ours, theirs in zip(products.conv_backward(x, W, delta, w, groups, ALL), expected, strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("width", [9, 11, 17])
def test_zeros_have_one_sign_wherever_they_stand(width: int, isa: str, dtype: np.dtype):
    tiny = np.finfo(dtype).tiny
    x, W = np.full((3, 2, 5, width), -tiny, dtype), np.full((20, 2, 3, 3), tiny, dtype)
    z = products.conv(x, W, None, window(2, 3), 1)
    assert not z.any()
    assert len(np.unique(np.signbit(z))) == 1


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_conv_of_random_geometry(axes: int, isa: str, rng: np.random.Generator, draw: Draw, close: Close):
    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.integers(low, high, axes))

    tried = 0
    while tried < 40:
        w = Window(
            several(1, 5),
            several(1, 4),
            tuple(zip(several(0, 4), several(0, 4), strict=True)),
            several(1, 3),
            bool(rng.integers(2)),
        )
        spatial = several(1, 20 if axes < 3 else 8)
        if any(n + b + a < e for n, (b, a), e in zip(spatial, w.padding, w.extent, strict=True)):
            continue
        tried += 1
        groups = int(rng.choice([1, 1, 2, 3]))
        images, channels, filters = (int(n) for n in rng.integers(1, [5, 9, 20]))
        x = draw(images, channels * groups, *spatial)
        W, b = draw(filters * groups, channels, *w.kernel), draw(filters * groups)
        delta = draw(images, filters * groups, *w.output_shape(spatial))
        close(products.conv(x, W, b, w, groups), reference.conv(x, W, b, w, groups))
        expected = reference.conv_backward(x, W, delta, w, groups, ALL)
        for ours, theirs in zip(products.conv_backward(x, W, delta, w, groups, ALL), expected, strict=True):
            close(ours, theirs)


@pytest.mark.parametrize("kernel", ["linear_backward", "conv_backward"])
def test_only_what_is_needed(kernel: str, draw: Draw):
    if kernel == "linear_backward":
        arguments: tuple[Any, ...] = (draw(3, 4), draw(5, 4), draw(3, 5))
    else:
        arguments = (draw(3, 4, 6), draw(5, 4, 2), draw(3, 5, 5), window(1, 2), 1)
    everything = getattr(products, kernel)(*arguments, ALL)
    for needs in product((True, False), repeat=3):
        for wanted, ours, full in zip(needs, getattr(products, kernel)(*arguments, needs), everything, strict=True):
            np.testing.assert_array_equal(ours, full if wanted else None)


@pytest.mark.parametrize(
    "shape",
    [
        (900, 20, 90),
        (1100, 30, 700),
        (70, 200, 150),
        (4, 3000, 200),
        (3000, 200, 4),
        (13, 400, 600),
        (300, 2, 4000),
        (300, 700, 600),
        (200, 300, 65),  # shared out by columns: to the last of three threads goes one
        (200, 300, 33),
        (20, 900, 513),
        (1, 1000, 999),  # the weights are much to read
        (3, 300, 350),
    ],
)
def test_linear_has_the_same_bits_for_any_number_of_threads(shape: Any, isa: str, draw: Draw, threads: Any):
    rows, inputs, outputs = shape
    assert max(prod(shape), 16 * inputs * max(rows, outputs)) > WORTH_A_THREAD
    x, W, b, delta = draw(rows, inputs), draw(outputs, inputs), draw(outputs), draw(rows, outputs)
    results = []
    for count in (1, 2, 3, 7):
        threads(count)
        results += [(products.linear(x, W, b), *products.linear_backward(x, W, delta, ALL))]
    for result in results[1:]:
        for ours, first in zip(result, results[0], strict=True):
            np.testing.assert_array_equal(ours, first)


@pytest.mark.parametrize(
    "x, filters, w, groups",
    [
        ((8, 16, 14, 14), 16, window(2, 3, 1, 1), 1),
        ((1, 3, 60, 60), 24, window(2, 3, 1, 1), 1),
        ((2, 16, 30, 30), 40, window(2, 3, 2, 1), 1),
        ((3, 20, 12, 12), 200, window(2, 1), 1),
        ((2, 100, 24, 25), 100, window(2, 1), 1),
        ((33, 32, 3, 3), 64, window(2, 3, 1, 1), 1),
        ((5, 64, 28, 28), 64, window(2, 3, 1, 1), 64),
        ((1, 128, 28, 60), 128, window(2, 3, 1, 1), 128),
        ((4, 12, 40, 40), 12, window(2, 5, 1, 2), 3),
        ((9, 6, 500), 12, window(1, 9), 1),
        ((2, 3, 60, 61), 6, window(2, 5, 1, 2), 1),
        ((1, 3, 110, 124), 32, window(2, 5), 1),
        ((7, 6, 44, 44), 32, window(2, 5), 1),
        ((40, 32, 7, 7), 64, window(2, 7), 1),
        ((40, 64, 7, 7), 64, window(2, 7), 4),
        ((5, 3, 60, 60), 64, window(2, 11, 13), 1),
        ((3, 2, 60, 200), 64, window(2, (3, 200), 1, (1, 0)), 1),
        ((1, 60, 30, 30), 90, window(2, 15), 1),
        ((3, 300, 32, 15), 5, window(2, 3, 1, 1), 1),
        ((40, 300, 5, 4), 20, window(2, 3, 1, 1), 1),
        ((1, 2, 60, 60), 500, window(2, 4, 3), 1),
        ((7, 32, 9, 9), 128, window(2, 7), 2),
    ],
    ids=[
        *("images", "one image", "strided", "pointwise", "pointwise, many pixels", "small maps"),
        *("depthwise", "depthwise 1", "groups", "one axis", "few filters", "upright, one image", "upright"),
        *("one position", "one position, in groups", "large stride", "runs", "few windows, one image"),
        *("in pieces", "in pieces, small images", "filters in pieces", "few windows"),
    ],
)
def test_conv_has_the_same_bits_for_any_number_of_threads(
    x: Any, filters: int, w: Window, groups: int, isa: str, draw: Draw, close: Close, threads: Any
):
    out = w.output_shape(x[2:])
    assert prod(x[:2]) // groups * filters * prod(out) * prod(w.kernel) > WORTH_A_THREAD
    x, W, b, delta = draw(*x), draw(filters, x[1] // groups, *w.kernel), draw(filters), draw(x[0], filters, *out)
    results = []
    for count in (1, 2, 3, 7):
        threads(count)
        results += [(products.conv(x, W, b, w, groups), *products.conv_backward(x, W, delta, w, groups, ALL))]
    for result in results[1:]:
        for ours, first in zip(result, results[0], strict=True):
            np.testing.assert_array_equal(ours, first)
    expected = (reference.conv(x, W, b, w, groups), *reference.conv_backward(x, W, delta, w, groups, ALL))
    for ours, theirs in zip(results[0], expected, strict=True):
        close(ours, theirs)


def assert_finite_alike(name: str, ours: np.ndarray, expected: np.ndarray):
    # Where runs are seen, zeros around x are not multiplied: what meets nothing else may stay finite.
    may_stay = name.startswith("runs") and np.any(CONVOLUTIONS[name][2].padding)
    ours, expected = np.isfinite(ours), np.isfinite(expected)
    assert np.all((ours == expected) | (may_stay & ours))


@pytest.mark.parametrize("name", [name for name, (x, *_) in CONVOLUTIONS.items() if len(x) == 4])
def test_infinity_and_nan_reach_what_sees_them_and_nothing_else(name: str, isa: str, draw: Draw):
    # The kernels read a little beyond what they need, and must not let it in.
    (x, W, _, delta), (_, _, w, groups) = arrays(draw, name), CONVOLUTIONS[name]
    x, delta = np.array(x), np.array(delta)
    for array, value in ((x, np.nan), (delta, np.inf)):
        array[-1, -1, -1, -1] = array[0, -1, 0, 0] = value
    with np.errstate(invalid="ignore"):
        expected = (reference.conv(x, W, None, w, groups), *reference.conv_backward(x, W, delta, w, groups, ALL))
    ours = (products.conv(x, W, None, w, groups), *products.conv_backward(x, W, delta, w, groups, ALL))
    for result, theirs in zip(ours, expected, strict=True):
        assert_finite_alike(name, result, theirs)


@pytest.mark.parametrize("name", [name for name, (x, *_) in CONVOLUTIONS.items() if len(x) == 4])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_no_number_is_seen(name: str, value: float, isa: str, draw: Draw):
    # ∂J/∂x of pixels near the border may be NaN besides: zeros around δ are multiplied too.
    (x, W, _, delta), (_, _, w, groups) = arrays(draw, name), CONVOLUTIONS[name]
    W = np.array(W)
    W[-1, -1, 0, -1] = value
    with np.errstate(invalid="ignore"):
        z, delta_x = reference.conv(x, W, None, w, groups), reference.conv_backward(x, W, delta, w, groups, ALL)[0]
    assert_finite_alike(name, products.conv(x, W, None, w, groups), z)
    found = products.conv_backward(x, W, delta, w, groups, ALL)[0]
    assert not np.isfinite(found[~np.isfinite(delta_x)]).any()


@pytest.mark.parametrize("inputs", [5000, 100_000])
def test_long_sums_stay_exact(inputs: int, isa: str, rng: np.random.Generator):
    x, W = rng.random((3, inputs), np.float32), rng.random((40, inputs), np.float32)
    exact = x.astype(np.float64) @ W.astype(np.float64).T
    np.testing.assert_allclose(products.linear(x, W, None), exact, rtol=1e-5)
    delta = rng.random((inputs, 3), np.float32)
    _, dW, db = products.linear_backward(W.T, np.ones((3, 40), np.float32), delta, (False, True, True))
    np.testing.assert_allclose(dW, delta.astype(np.float64).T @ W.astype(np.float64).T, rtol=2e-6)
    np.testing.assert_allclose(db, delta.sum(0, dtype=np.float64), rtol=2e-6)
    x, delta = rng.random((inputs, 20), np.float32), rng.random((inputs, 70), np.float32)
    _, dW, db = products.linear_backward(x, np.ones((70, 20), np.float32), delta, (False, True, True))
    np.testing.assert_allclose(dW, delta.astype(np.float64).T @ x.astype(np.float64), rtol=2e-6)
    np.testing.assert_allclose(db, delta.sum(0, dtype=np.float64), rtol=2e-6)


def test_sums_over_images_stay_exact(isa: str, rng: np.random.Generator):
    x, delta = rng.random((40, 2, 50, 50), np.float32), rng.random((40, 3, 50, 50), np.float32)
    _, dW, db = products.conv_backward(x, np.ones((3, 2, 3, 3), np.float32), delta, window(2, 3, 1, 1), 1, ALL)
    double = [a.astype(np.float64) for a in (x, np.ones((3, 2, 3, 3)), delta)]
    _, exact_dW, exact_db = reference.conv_backward(*double, window(2, 3, 1, 1), 1, ALL)
    np.testing.assert_allclose(dW, exact_dW, rtol=2e-6)
    np.testing.assert_allclose(db, exact_db, rtol=2e-6)


@pytest.mark.parametrize("leading", [(), (3,), (2, 3), (2, 0, 3), (1, 2, 1, 3)])
def test_leading_axes_count_as_one_batch(draw: Draw, close: Close, leading: tuple[int, ...]):
    x, W, b, delta = draw(*leading, 4), draw(5, 4), draw(5), draw(*leading, 5)
    rows, d = x.reshape(prod(leading), 4), delta.reshape(prod(leading), 5)
    for twin in (products, reference):
        z, (delta_x, dW, db) = twin.linear(x, W, b), twin.linear_backward(x, W, delta, ALL)
        assert z.shape == delta.shape
        assert delta_x.shape == x.shape
        np.testing.assert_array_equal(z.reshape(d.shape), twin.linear(rows, W, b))
        flat = twin.linear_backward(rows, W, d, ALL)
        for found, expected in zip((delta_x.reshape(rows.shape), dW, db), flat, strict=True):
            np.testing.assert_array_equal(found, expected)
    if leading:
        swapped = np.ascontiguousarray(x.swapaxes(0, -2)).swapaxes(0, -2)  # rows that are no view
        np.testing.assert_array_equal(products.linear(swapped, W, b), products.linear(x, W, b))
        for d in (delta, np.ascontiguousarray(delta.swapaxes(0, -2)).swapaxes(0, -2)):
            found, expected = products.linear_backward(swapped, W, d, ALL), reference.linear_backward(x, W, delta, ALL)
            for ours, theirs in zip(found, expected, strict=True):
                close(ours, theirs)
        assert products.linear_backward(swapped, W, delta, (False, False, True))[0] is None
        assert products.linear(swapped, W[:, :2], b) is NotImplemented
        assert products.linear_backward(swapped, W[:, :2], delta, ALL) is NotImplemented
        assert products.linear_backward(x, W, delta[None], ALL) is NotImplemented
        assert products.linear_backward(x, W, draw(*leading[:-1], leading[-1] + 1, 5), ALL) is NotImplemented


def test_what_does_not_fit_is_left_to_the_reference(draw: Draw, dtype: np.dtype):
    x, W, b, delta = draw(3, 4), draw(5, 4), draw(5), draw(3, 5)
    other = np.dtype(np.float32 if dtype == np.float64 else np.float64)
    for bad, error in [
        ((draw(3, 5), W, b), ShapeError),
        ((x, draw(5, 3), b), ShapeError),
        ((x, W, draw(4)), ShapeError),
        ((x, W, draw(1)), ShapeError),
        ((x, W, draw(5, 1)), ShapeError),
        ((draw(4)[0, ...], W, b), ShapeError),
        ((x.astype(other), W, b), DtypeError),
        ((x, W, b.astype(other)), DtypeError),
        ((x, W.astype(dtype.newbyteorder()), b), DtypeError),
    ]:
        assert products.linear(*bad) is NotImplemented
        with pytest.raises(error):
            kernels.linear(*bad)
    for wrong in (draw(3, 4), draw(2, 5), draw(15), delta.astype(other)):
        with pytest.raises((ShapeError, DtypeError)):
            kernels.linear_backward(x, W, wrong, ALL)
    in_front = (draw(3, 2, 5), draw(2, 5, 4)), (draw(2, 3, 2, 5), draw(4, 2, 5, 4))
    for a, c in ((x, x), (x, draw(4)), (x, W.T.astype(other)), *in_front):
        assert products.matmul(a, c) is NotImplemented
        with pytest.raises((ShapeError, DtypeError)):
            kernels.matmul(a, c)
    whole = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(kernels.matmul(whole, whole.T), whole @ whole.T)


def test_a_frame_that_no_memory_holds_is_refused(isa: str, dtype: np.dtype):
    # Counted in 64 bits, the bytes of this one (2^64 + 2^34 in float64) look like few.
    x, W = np.ones((1, 4096, 1, 1), dtype), np.ones((1, 4096, 1, 1), dtype)
    sparse = window(2, 1, (2**30, 2**18), ((2**30, 0), (2**18, 0)))
    with pytest.raises(MemoryError):
        products.conv(x, W, None, sparse, 1)
    with pytest.raises(MemoryError):
        products.conv_backward(x, W, np.ones((1, 1, 2, 2), dtype), sparse, 1, (False, True, False))


def test_convolutions_that_do_not_fit_are_left_to_the_reference(draw: Draw):
    x, W, b, w = draw(2, 4, 6, 6), draw(6, 4, 3, 3), draw(6), window(2, 3)
    delta = draw(2, 6, 4, 4)
    for bad in [
        (draw(2, 3, 6, 6), W, b, w, 1),
        (draw(2, 4, 6), W, b, w, 1),
        (draw(2, 4, 2, 6), W, b, w, 1),
        (x, draw(6, 4, 3, 2), b, w, 1),
        (x, draw(6, 2, 3, 3), b, w, 1),
        (x, W, draw(5), w, 1),
        (x, W, b, window(1, 3), 1),
        (x, W, b, window(2, 2), 1),
        (x, W, b, w, 2),
    ]:
        with pytest.raises(ShapeError):
            kernels.conv(*bad)
    for groups in (0, -1, 3, 4):
        with pytest.raises(OptionError):
            kernels.conv(x, W, b, w, groups)
    for wrong in (draw(2, 6, 4, 5), draw(1, 6, 4, 4), draw(2, 5, 4, 4), draw(2, 6, 4)):
        with pytest.raises(ShapeError):
            kernels.conv_backward(x, W, wrong, w, 1, ALL)
    assert kernels.conv_backward(x, W, delta, w, 1, ALL)[0].shape == x.shape


@pytest.mark.parametrize("images, channels, filters", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_convolution_of_nothing(images: int, channels: int, filters: int, draw: Draw, close: Close):
    x, W, b, w = draw(images, channels, 5, 5), draw(filters, channels, 3, 3), draw(filters), window(2, 3)
    close(kernels.conv(x, W, b, w, 1), reference.conv(x, W, b, w, 1))
    delta = draw(images, filters, 3, 3)
    expected = reference.conv_backward(x, W, delta, w, 1, ALL)
    for ours, theirs in zip(kernels.conv_backward(x, W, delta, w, 1, ALL), expected, strict=True):
        close(ours, theirs)


def test_of_x_only_the_shape_is_read_unless_the_weight_gradient_is_needed(draw: Draw, dtype: np.dtype):
    W, delta = draw(6, 4, 3, 3), draw(2, 6, 4, 4)
    x = draw(2, 4, 6, 6)
    nowhere = np.broadcast_to(np.array(np.nan, dtype), x.shape)
    needs = (True, False, True)
    for ours, theirs in zip(
        products.conv_backward(nowhere, W, delta, window(2, 3), 1, needs),
        products.conv_backward(x, W, delta, window(2, 3), 1, needs),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
