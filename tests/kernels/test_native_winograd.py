"""Convolutions by Winograd's method, held against sums in float64: its error, its switch, where it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from numnet import _ext
from numnet.kernels import reference
from numnet.window import Window

if not {"runtime", "products"} <= set(_ext.modules):
    pytest.skip(f"the extension is not there: {_ext.reason}", allow_module_level=True)
products, runtime = _ext.modules["products"], _ext.modules["runtime"]
Pads = tuple[tuple[int, int], tuple[int, int]]
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
# by window, of the largest result; in docs/kernels.md and in the docstring of set_winograd
STATED_ERROR = {3: 4e-6, 5: 5e-6}
SAME: Pads = ((1, 1), (1, 1))

# name: side of the window, images, channels, filters, (height, width), padding
CONVOLUTIONS: dict[str, tuple[int, int, int, int, tuple[int, int], Pads]] = {
    "whole tiles": (3, 2, 16, 16, (16, 16), SAME),
    "a row and a column too few": (3, 3, 16, 24, (11, 15), SAME),
    "a row and a column too many": (3, 6, 32, 32, (13, 17), SAME),
    "no padding": (3, 2, 24, 16, (18, 14), ((0, 0), (0, 0))),
    "wide padding": (3, 8, 32, 32, (8, 7), ((2, 2), (2, 2))),
    "uneven padding": (3, 6, 32, 32, (9, 13), ((0, 2), (2, 1))),
    "channels and filters that fill no vector": (3, 3, 19, 37, (12, 12), SAME),
    "maps of one tile": (3, 40, 16, 16, (4, 4), SAME),
    "maps smaller than a tile": (3, 60, 40, 48, (3, 3), SAME),
    "one row": (3, 6, 32, 32, (4, 41), SAME),
    "planes of whole pages": (3, 2, 20, 24, (32, 64), SAME),
    "more tiles than one block": (3, 2, 64, 64, (33, 30), SAME),
    "more channels than one run": (3, 1, 810, 16, (24, 20), SAME),
    "more filters than one block": (3, 1, 512, 241, (16, 16), SAME),
    "five: whole tiles": (5, 2, 24, 24, (16, 16), ((2, 2), (2, 2))),
    "five: half a tile too few": (5, 3, 32, 40, (11, 15), ((2, 2), (2, 2))),
    "five: no padding": (5, 2, 24, 32, (17, 14), ((0, 0), (0, 0))),
    "five: wide padding": (5, 9, 32, 32, (4, 6), ((4, 4), (4, 4))),
    "five: uneven padding": (5, 4, 35, 37, (9, 13), ((0, 4), (3, 1))),
    "five: maps of one tile": (5, 90, 40, 48, (2, 2), ((2, 2), (2, 2))),
    "five: planes of whole pages": (5, 1, 32, 40, (32, 32), ((2, 2), (2, 2))),
    "five: more tiles than one block": (5, 1, 64, 64, (34, 29), ((2, 2), (2, 2))),
    "five: more channels than one run": (5, 1, 810, 16, (14, 20), ((2, 2), (2, 2))),
    "five: more filters than one block": (5, 1, 512, 241, (8, 8), ((2, 2), (2, 2))),
}


@pytest.fixture(autouse=True)
def allowed() -> Iterator[None]:
    before = runtime.get_winograd()
    runtime.set_winograd(True)
    yield
    runtime.set_winograd(before)


def arrays(rng: np.random.Generator, name: str) -> tuple[Arrays, Window]:
    """x, W, b and δ, and the window."""
    side, images, channels, filters, spatial, padding = CONVOLUTIONS[name]
    w = Window((side, side), (1, 1), padding, (1, 1))
    shapes = (
        (images, channels, *spatial),
        (filters, channels, side, side),
        (filters,),
        (images, filters, *w.output_shape(spatial)),
    )
    x, W, b, delta = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    return (x, W / np.float32(side * channels**0.5), b, delta), w


def results(twin: Any, data: Arrays, w: Window, groups: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, ∂J/∂x and ∂J/∂W."""
    x, W, b, delta = data
    return twin.conv(x, W, b, w, groups), *twin.conv_backward(x, W, delta, w, groups, (True, True, False))[:2]


def plainly(call: Callable[..., Any], *arguments: Any) -> Any:
    runtime.set_winograd(False)
    try:
        return call(*arguments)
    finally:
        runtime.set_winograd(True)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_error_is_within_what_is_stated(name: str, isa: str, rng: np.random.Generator):
    data, w = arrays(rng, name)
    exact = results(reference, tuple(a.astype(np.float64) for a in data), w)  # type: ignore[arg-type]
    for ours, plain, theirs in zip(results(products, data, w), plainly(results, products, data, w), exact, strict=True):
        assert ours.dtype == np.float32
        assert np.abs(ours - theirs).max() <= STATED_ERROR[w.kernel[0]] * np.abs(theirs).max()
        assert not np.array_equal(ours, plain)  # or it was not Winograd's method that is tested here


@pytest.mark.parametrize(
    "name",
    [
        "a row and a column too many",
        "planes of whole pages",
        "maps smaller than a tile",
        "more filters than one block",
        "five: half a tile too few",
        "five: maps of one tile",
    ],
)
def test_the_bits_do_not_depend_on_the_threads(name: str, isa: str, rng: np.random.Generator, threads: Any):
    data, w = arrays(rng, name)
    data = tuple(np.concatenate([a] * 4) if i in (0, 3) else a for i, a in enumerate(data))  # type: ignore[assignment]
    found = []
    for count in (1, 2, 3, 7):
        threads(count)
        found.append([a.tobytes() for a in results(products, data, w)])
    assert found[1:] == found[:-1]


@pytest.mark.parametrize("name", ["a row and a column too few", "five: half a tile too few"])
def test_numbers_anywhere_in_memory(name: str, isa: str, rng: np.random.Generator):
    data, w = arrays(rng, name)
    expected = results(products, data, w)
    layouts: list[Callable[[np.ndarray], np.ndarray]] = [
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        lambda a: np.frombuffer(b"!" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),  # read-only, and not aligned
    ]
    for layout in layouts:
        for ours, theirs in zip(results(products, tuple(map(layout, data)), w), expected, strict=True):  # type: ignore[arg-type]
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["a row and a column too few", "five: half a tile too few"])
def test_nan_and_infinity_stay_in_the_tiles_that_see_them(name: str, value: float, isa: str, rng: np.random.Generator):
    (x, W, b, delta), w = arrays(rng, name)
    *clean, clean_dW = results(products, (x, W, b, delta), w)
    height, width = x.shape[2:]
    places = ((0, -1, 0, 0), (-1, -1, height - 1, width - 1), (1, 3, 5, 8))
    for place in places:
        x[place] = delta[place] = value
    *found, dW = results(products, (x, W, b, delta), w)
    others = np.ix_(*([i for i in range(n) if i not in (3, n - 1)] for n in dW.shape[:2]))
    np.testing.assert_array_equal(dW[others], clean_dW[others])
    assert not np.isfinite(dW[3]).any()

    side = w.kernel[0]
    edge, pad = 7 - side, side // 2

    def seen_by_windows(i: int) -> slice:
        return slice(max(i - pad, 0), i + pad + 1)

    def seen_by_tiles(i: int) -> slice:
        """The results of the tiles t whose pixels edge · t - pad … edge · t - pad + 5 have it among them."""
        tiles = [t for t in range(i + pad + 1) if edge * t - pad <= i <= edge * t - pad + 5]
        return slice(edge * tiles[0], edge * (tiles[-1] + 1))

    for ours, before in zip(found, clean, strict=True):
        seen, touched = np.zeros(ours.shape, bool), np.zeros(ours.shape, bool)
        for n, _, i, j in places:
            seen[n, :, seen_by_windows(i), seen_by_windows(j)] = True
            touched[n, :, seen_by_tiles(i), seen_by_tiles(j)] = True
        assert not np.isfinite(ours[seen]).any()
        np.testing.assert_array_equal(ours[~touched], before[~touched])


@pytest.mark.parametrize(
    "x, filters, w, groups",
    [
        ((4, 16, 16, 16), 16, Window((3, 3), (2, 2), SAME, (1, 1)), 1),
        ((4, 16, 16, 16), 16, Window((3, 3), (1, 1), SAME, (2, 2)), 1),
        ((4, 16, 16, 16), 16, Window((3, 3), (1, 1), ((3, 3), (1, 1)), (1, 1)), 1),
        ((4, 16, 16, 16), 16, Window((5, 3), (1, 1), SAME, (1, 1)), 1),
        ((4, 64, 16, 16), 64, Window((4, 4), (1, 1), SAME, (1, 1)), 1),
        ((4, 64, 16, 16), 64, Window((7, 7), (1, 1), SAME, (1, 1)), 1),
        ((4, 64, 16, 16), 64, Window((5, 5), (1, 1), ((5, 5), (1, 1)), (1, 1)), 1),
        ((1, 64, 4, 4), 64, Window((5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1)), 1),
        ((4, 32, 16, 16), 32, Window((3, 3), (1, 1), SAME, (1, 1)), 2),
        ((4, 12, 16, 16), 16, Window((3, 3), (1, 1), SAME, (1, 1)), 1),
        ((4, 16, 16, 16), 12, Window((3, 3), (1, 1), SAME, (1, 1)), 1),
        ((1, 64, 4, 4), 64, Window((3, 3), (1, 1), SAME, (1, 1)), 1),
        ((40, 32, 2, 2), 32, Window((3, 3), (1, 1), SAME, (1, 1)), 1),
        ((4, 16, 64), 16, Window((3,), (1,), ((1, 1),), (1,)), 1),
        ((2, 16, 4, 8, 8), 16, Window((3, 3, 3), (1, 1, 1), ((1, 1),) * 3, (1, 1, 1)), 1),
    ],
    ids=[
        "stride",
        "dilation",
        "padding beyond the window",
        "window",
        "four by four",
        "seven by seven",
        "five: padding beyond the window",
        "five: few tiles",
        "groups",
        "few channels",
        "few filters",
        "few tiles",
        "tiles that are mostly padding",
        "one axis",
        "volume",
    ],
)
def test_elsewhere_sums_are_plain(x: Any, filters: int, w: Window, groups: int, rng: np.random.Generator):
    shapes = x, (filters, x[1] // groups, *w.kernel), (filters,), (x[0], filters, *w.output_shape(x[2:]))
    data: Any = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    for ours, plain in zip(
        results(products, data, w, groups), plainly(results, products, data, w, groups), strict=True
    ):
        np.testing.assert_array_equal(ours, plain)


def test_float64_is_plain(rng: np.random.Generator):
    (x, W, b, delta), w = arrays(rng, "whole tiles")
    data = tuple(a.astype(np.float64) for a in (x, W, b, delta))
    for ours, plain in zip(results(products, data, w), plainly(results, products, data, w), strict=True):  # type: ignore[arg-type]
        np.testing.assert_array_equal(ours, plain)


def test_an_empty_batch(rng: np.random.Generator):
    (x, W, b, _), w = arrays(rng, "whole tiles")
    assert products.conv(x[:0], W, b, w, 1) is NotImplemented
