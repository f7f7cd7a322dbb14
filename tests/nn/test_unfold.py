from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.window import Window, per_axis

WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 1},
    {"kernel_size": (3, 2), "padding": 1},
    {"kernel_size": 3, "padding": (2, 0), "stride": 2},
    {"kernel_size": 2, "stride": (3, 1)},  # with gaps
    {"kernel_size": 2, "dilation": 3},
    {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 2), "stride": (1, 2)},
]


@pytest.mark.parametrize("shape", [(2, 3, 5, 6), (1, 5, 4), (0, 2, 5, 5)], ids=str)
@pytest.mark.parametrize("options", WINDOWS, ids=str)
def test_unfold(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    agree("Unfold", (), options, numbers(*shape))


@pytest.mark.parametrize("leading", [(2, 3), (1, 1), (3,), (0, 2)], ids=str)
@pytest.mark.parametrize("output_size", [5, (5, 6)], ids=str)
@pytest.mark.parametrize("options", WINDOWS, ids=str)
def test_fold(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    options: dict[str, Any],
    output_size: int | tuple[int, int],
    leading: tuple[int, ...],
) -> None:
    kernel = per_axis("kernel_size", options["kernel_size"], 2)
    window = Window(
        kernel,
        per_axis("stride", options.get("stride", 1), 2),
        tuple((p, p) for p in per_axis("padding", options.get("padding", 0), 2, 0)),
        per_axis("dilation", options.get("dilation", 1), 2),
    )
    positions = int(np.prod(window.output_shape(per_axis("output_size", output_size, 2))))
    *batch, channels = leading
    agree("Fold", (output_size,), options, numbers(*batch, channels * kernel[0] * kernel[1], positions))


def test_what_unfold_returns_may_be_written_into() -> None:
    x = np.ones((1, 1, 2, 2))
    y = nn.Unfold(1)(x)
    y += 1
    np.testing.assert_array_equal(x, np.ones((1, 1, 2, 2)))


def test_fold_of_unfold_counts_how_often_an_element_is_seen() -> None:
    x = np.ones((1, 1, 3, 3))
    seen = nn.Fold(3, 2)(nn.Unfold(2)(x))
    np.testing.assert_array_equal(seen[0, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


@pytest.mark.proves("C117")
def test_a_convolution_is_a_product_with_the_columns() -> None:
    rng = np.random.default_rng(0)
    conv = nn.Conv2d(2, 3, 3, stride=2, padding=1, bias=False).double()
    x = rng.normal(size=(2, 2, 5, 6))
    columns = nn.Unfold(3, stride=2, padding=1)(x)
    z = conv.weight.data.reshape(3, -1) @ columns
    np.testing.assert_allclose(conv(x), z.reshape(2, 3, 3, 3), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "layer, x, error, message",
    [
        (nn.Unfold(3), np.ones((1, 1, 2, 5)), ShapeError, r"at least \(3, 3\).*\(2, 5\)"),
        (nn.Unfold(2), np.ones((4, 4)), ShapeError, r"\(N, C, H, W\).*\(4, 4\)"),
        (nn.Unfold(2), np.ones((1, 1, 4, 4), int), DtypeError, r"floating.*int64"),
        (nn.Fold(4, 2), np.ones((1, 4, 8)), ShapeError, r"\(N, C · 4, 9\).*\(1, 4, 8\).*output_size"),
        (nn.Fold(4, 2), np.ones((1, 6, 9)), ShapeError, r"\(N, C · 4, 9\).*\(1, 6, 9\)"),
        (nn.Fold(4, 2), np.ones((1, 1, 4, 9)), ShapeError, r"\(N, C · 4, 9\).*\(1, 1, 4, 9\)"),
        (nn.Fold(2, 3), np.ones((1, 9, 1)), ShapeError, r"at least \(3, 3\).*\(2, 2\)"),
    ],
)
def test_what_does_not_fit_is_named(layer: nn.Layer, x: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"(?s){type(layer).__name__}, forward.*{message}"):
        layer(x)


def test_wrong_options() -> None:
    with pytest.raises(OptionError, match="kernel_size=0"):
        nn.Unfold(0)
    with pytest.raises(OptionError, match=r"output_size=\(1, 2, 3\)"):
        nn.Fold((1, 2, 3), 1)
