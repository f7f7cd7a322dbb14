from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from numnet import nn, tensor
from numnet.errors import DtypeError, ShapeError


@pytest.mark.proves("C084")
@pytest.mark.parametrize("shape", [(4,), (1, 4), (5, 4), (0, 4), (2, 3, 4), (2, 1, 3, 4)], ids=str)
@pytest.mark.parametrize("out, bias", [(3, True), (1, True), (17, False)])
def test_linear(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], shape: tuple[int, ...], out: int, bias: bool
) -> None:
    agree("Linear", (4, out, bias), {}, numbers(*shape))


def test_a_single_feature(agree: Callable[..., None], numbers: Callable[..., np.ndarray]) -> None:
    agree("Linear", (1, 1), {}, numbers(3, 1))


def test_initial_values_lie_within_the_bound_and_follow_rng() -> None:
    a, b = (nn.Linear(100, 50, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(a.weight.data, b.weight.data)
    assert a.weight.dtype == np.float32
    assert 0.09 < np.abs(a.weight.data).max() <= 0.1
    assert 0.05 < np.abs(a.bias.data).max() <= 0.1


def test_frozen_parameters_and_inputs_get_no_gradient() -> None:
    layer = nn.Linear(3, 2)
    layer.weight.requires_grad_(False)
    x = tensor(np.ones((4, 3), np.float32))
    layer(x).sum().backward()
    assert layer.weight.grad is None
    np.testing.assert_array_equal(layer.bias.grad, [4, 4])
    assert x.grad is None


@pytest.mark.parametrize(
    "x, error, message",
    [
        (np.ones((2, 5), np.float32), ShapeError, r"in=3.*\(2, 5\).*in_features"),
        (np.ones((2, 3, 1), np.float32), ShapeError, r"in=3.*\(2, 3, 1\).*Flatten"),
        (np.ones((), np.float32), ShapeError, r"in=3.*\(\)"),
        (np.ones((2, 3)), DtypeError, r"float32.*float64.*x\.astype\(np\.float32\).*double"),
        (np.ones((2, 3), int), DtypeError, r"float32.*int64.*astype"),
    ],
)
def test_what_does_not_fit_is_named(x: np.ndarray, error: type[Exception], message: str) -> None:
    net = nn.Sequential({"body": nn.Sequential({"fc1": nn.Linear(3, 2)})})
    with pytest.raises(error, match=rf"(?s)Linear 'body\.fc1', forward.*expected.*{message}"):
        net(x)


@pytest.mark.parametrize("n_in, n_out", [(0, 2), (3, 0)])
def test_no_features_is_a_sum_of_nothing(n_in: int, n_out: int) -> None:
    layer = nn.Linear(n_in, n_out)
    z = layer(np.ones((4, n_in), np.float32))
    np.testing.assert_array_equal(z, np.tile(layer.bias.data, (4, 1)))
    np.testing.assert_array_equal(layer.backward(np.ones_like(z)), np.zeros((4, n_in)))
    np.testing.assert_array_equal(layer.bias.grad, np.full(n_out, 4))
