from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import nn, no_grad
from numnet.errors import DtypeError, ShapeError

OPTIONS: list[dict[str, Any]] = [
    {},
    {"eps": 0.1, "momentum": 0.3},
    {"momentum": None},
    {"affine": False},
    {"bias": False},
    {"track_running_stats": False},
    {"affine": False, "track_running_stats": False},
]
SHAPES = [
    ("BatchNorm1d", (5, 3)),
    ("BatchNorm1d", (2, 3, 4)),
    ("BatchNorm1d", (1, 3, 4)),
    ("BatchNorm2d", (2, 3, 4, 5)),
]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name, shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_batch_norm(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    name: str,
    shape: tuple[int, ...],
    options: dict[str, Any],
    train: bool,
) -> None:
    agree(name, (3,), options, 5 + numbers(*shape), train=train)


@pytest.mark.parametrize(
    "name, shape", [("BatchNorm1d", (0, 3)), ("BatchNorm2d", (0, 3, 2, 2)), ("BatchNorm1d", (1, 3))]
)
def test_small_batches_in_evaluation(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], name: str, shape: tuple[int, ...]
) -> None:
    agree(name, (3,), {}, numbers(*shape), train=False)


def test_running_statistics_move_in_training_alone_and_without_recording_too() -> None:
    layer = nn.BatchNorm1d(2)
    x = np.array([[1, 2], [3, 6]], np.float32)
    layer.eval()(x)
    np.testing.assert_array_equal(layer.running_mean, [0, 0])
    with no_grad():
        layer.train()(x)
    np.testing.assert_allclose(layer.running_mean, [0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(layer.running_var, [0.9 + 0.2, 0.9 + 0.8], rtol=1e-6)  # unbiased variances 2 and 8
    assert layer.num_batches_tracked == 1
    assert layer.num_batches_tracked.dtype == np.int64
    assert layer.running_mean.dtype == np.float32


def test_an_evaluation_call_keeps_the_statistics_that_it_used() -> None:
    layer = nn.BatchNorm1d(2).double()
    x, delta = np.random.default_rng(0).normal(size=(2, 4, 2))
    alone = nn.Call(layer.eval())
    alone.forward(x)
    expected = alone.backward(delta), layer.weight.grad
    layer.zero_grad()
    call = nn.Call(layer)
    call.forward(x)
    layer.train()(x)  # moves the running statistics before the backward of the call
    np.testing.assert_array_equal(call.backward(delta), expected[0])
    np.testing.assert_array_equal(layer.weight.grad, expected[1])


@pytest.mark.parametrize("shape", [(1, 3), (0, 3), (1, 3, 1)], ids=str)
def test_no_variance_of_a_single_value(shape: tuple[int, ...]) -> None:
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ShapeError, match=r"(?s)BatchNorm1d, forward.*more than one value per channel.*eval\(\)"):
        layer(np.ones(shape, np.float32))
    assert layer.num_batches_tracked == 0


@pytest.mark.parametrize(
    "make, x, error, message",
    [
        (nn.BatchNorm2d, np.ones((2, 4, 3, 3), np.float32), ShapeError, r"C=3.*\(2, 4, 3, 3\).*num_features"),
        (nn.BatchNorm2d, np.ones((2, 3), np.float32), ShapeError, r"\(N, C=3, H, W\).*\(2, 3\).*BatchNorm2d takes"),
        (nn.BatchNorm1d, np.ones(3, np.float32), ShapeError, r"C=3.*\(3,\).*BatchNorm1d takes"),
        (nn.BatchNorm1d, np.ones((2, 3)), DtypeError, r"float32.*float64.*astype"),
    ],
)
def test_what_does_not_fit_is_named(make: type, x: np.ndarray, error: type[Exception], message: str) -> None:
    net = nn.Sequential({"norm": make(3)})
    with pytest.raises(error, match=rf"(?s){make.__name__} 'norm', forward.*expected.*{message}"):
        net(x)
