"""Activations, dropout and batch norm: the numbers and identities that the tutorials state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from numnet import nn
from numnet.inspect import gradcheck


@pytest.mark.proves("C085")
def test_flatten_keeps_the_batch_and_gives_the_shape_back(rng: np.random.Generator) -> None:
    layer = nn.Flatten()
    x = rng.normal(size=(5, 3, 4, 2))
    y = layer(x)
    np.testing.assert_array_equal(y, x.reshape(5, 24))
    delta = rng.normal(size=(5, 24))
    np.testing.assert_array_equal(layer.backward(delta), delta.reshape(5, 3, 4, 2))


@pytest.mark.proves("C086")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_far_out(dtype: type) -> None:
    layer = nn.Sigmoid()
    with np.errstate(all="raise"):
        a = layer(np.array([-1e4, -710, -700, 0, 700, 710, 1e4], dtype))
        delta = layer.backward(np.ones(7, dtype))
    exact = np.exp([-np.inf, -710, -700]).astype(dtype)  # e⁻⁷¹⁰ is 0 in float32
    np.testing.assert_allclose(a[:3], exact, rtol=1e-6)
    np.testing.assert_array_equal(a[3:], [0.5, 1, 1, 1])
    np.testing.assert_allclose(delta, [*exact, 0.25, 0, 0, 0], rtol=1e-6)


@pytest.mark.proves("C087")
def test_sigmoid_is_the_logistic_distribution() -> None:
    z = np.linspace(-20, 20, 401)
    layer = nn.Sigmoid()
    np.testing.assert_allclose(layer(z), stats.logistic(loc=0, scale=1).cdf(z), rtol=1e-13)
    np.testing.assert_allclose(
        layer.backward(np.ones(401)), stats.logistic(0, 1).pdf(z), rtol=1e-6
    )  # σ′ is its density


@pytest.mark.proves("C093")
def test_leaky_relu() -> None:
    x = np.array([-2.0, -0.5, 0.5, 2.0])
    for slope in (0.01, 0.3):
        layer = nn.LeakyReLU(slope)
        np.testing.assert_allclose(layer(x), [-2 * slope, -0.5 * slope, 0.5, 2], rtol=1e-15)
        np.testing.assert_allclose(layer.backward(np.ones(4)), [slope, slope, 1, 1], rtol=1e-15)


@pytest.mark.proves("C095")
def test_log_softmax_is_the_logarithm_of_softmax(rng: np.random.Generator) -> None:
    z = rng.normal(scale=5, size=(50, 10))
    log_p = nn.LogSoftmax(dim=1)(z)
    np.testing.assert_allclose(log_p, np.log(nn.Softmax(dim=1)(z)), rtol=1e-12)
    far = nn.LogSoftmax(dim=1)(np.array([[0.0, 2000.0]]))  # where the softmax is 0, and its logarithm -∞
    np.testing.assert_array_equal(far, [[-2000, 0]])


@pytest.mark.proves("C098")
def test_without_activations_the_layers_are_one(rng: np.random.Generator) -> None:
    x = rng.normal(size=(7, 5))
    layers = [nn.Linear(5, 8).double(), nn.Linear(8, 6).double(), nn.Linear(6, 3).double()]
    W, b = np.eye(5), np.zeros(5)
    for layer in layers:
        W, b = layer.weight.data @ W, layer.weight.data @ b + layer.bias.data
    np.testing.assert_allclose(nn.Sequential(*layers)(x), x @ W.T + b, rtol=1e-12)
    bent = nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])
    flat = np.linalg.lstsq(np.c_[x, np.ones(7)], bent(x), rcond=None)[0]  # 6 numbers a unit, 7 points: no exact fit
    assert np.abs(np.c_[x, np.ones(7)] @ flat - bent(x)).max() > 1e-4


@pytest.mark.proves("C099")
def test_dropout_of_eight_tenths_multiplies_by_five(rng: np.random.Generator) -> None:
    x = rng.integers(1, 10, (50, 80)).astype(np.float32)
    layer = nn.Dropout(p=0.8)
    y = layer(x)
    kept = y != 0
    assert 0.15 < kept.mean() < 0.25
    np.testing.assert_array_equal(y[kept], 5 * x[kept])
    np.testing.assert_array_equal(layer.backward(np.ones_like(x)), 5 * kept)


@pytest.mark.proves("C106")
def test_dropout_of_one_fifth_in_a_classifier(rng: np.random.Generator) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Dropout(p=0.2), nn.Linear(256, 10))
    x = rng.normal(size=(64, 1, 28, 28)).astype(np.float32)
    hidden = net[:3](x)
    dropped = net[3](hidden)
    positive = hidden > 0
    assert 0.78 < (dropped[positive] > 0).mean() < 0.82
    kept = dropped > 0
    np.testing.assert_allclose(dropped[kept], 1.25 * hidden[kept], rtol=1e-6)
    np.testing.assert_allclose(dropped.mean(), hidden.mean(), rtol=0.02)  # that is what the 1 / (1 − p) is for
    assert net(x).shape == (64, 10)
    net.eval()
    np.testing.assert_array_equal(net[3](hidden), hidden)


@pytest.mark.proves("C107")
def test_batch_norm_and_its_gradient_of_three_terms(rng: np.random.Generator) -> None:
    x, delta = rng.normal(3, 2, size=(2, 6, 4))
    layer = nn.BatchNorm1d(4).double()
    layer.weight.data[...], layer.bias.data[...] = rng.normal(size=(2, 4))
    y = layer(x)
    sigma = np.sqrt(x.var(axis=0) + 1e-5)
    x_hat = (x - x.mean(axis=0)) / sigma
    np.testing.assert_allclose(y, layer.weight.data * x_hat + layer.bias.data, rtol=1e-12)
    terms = delta - delta.mean(axis=0) - x_hat * (delta * x_hat).mean(axis=0)
    np.testing.assert_allclose(layer.backward(delta), layer.weight.data / sigma * terms, rtol=1e-10, atol=1e-14)
    assert gradcheck(layer, x)
    np.testing.assert_allclose(layer.running_mean, 0.1 * x.mean(axis=0), rtol=1e-12)


@pytest.mark.proves("C109")
def test_batch_norm_without_gamma_and_beta(rng: np.random.Generator) -> None:
    x = rng.normal(3, 2, size=(6, 4))
    plain = nn.BatchNorm1d(4, affine=False).double()
    assert plain.weight is None
    assert plain.bias is None
    assert list(plain.parameters()) == []
    with_ones = nn.BatchNorm1d(4).double()  # γ = 1 and β = 0 are its initial values
    np.testing.assert_array_equal(plain(x), with_ones(x))


@pytest.mark.proves("C110")
@given(st.integers(2, 5), st.integers(1, 4), st.lists(st.integers(1, 4), max_size=3), st.booleans())
def test_batch_norm_keeps_the_shape(n: int, channels: int, spatial: list[int], training: bool) -> None:
    make = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[len(spatial)]
    layer = make(channels).train(training)
    x = np.ones((n, channels, *spatial), np.float32)
    y = layer(x)
    assert y.shape == x.shape
    assert layer.backward(y).shape == x.shape


@pytest.mark.proves("C111", "F1")
def test_the_two_meanings_of_momentum_after_one_batch() -> None:
    x = np.array([4.2, 6.2]).reshape(2, 1)  # mean 5.2, unbiased variance 2
    found = {}
    for convention in ("torch", "keras"):
        layer = nn.BatchNorm1d(1, momentum=0.1, momentum_convention=convention).double()
        layer(x)
        found[convention] = layer.running_mean[0], layer.running_var[0]
    np.testing.assert_allclose(found["torch"], [0.52, 0.9 + 0.1 * 2], rtol=1e-12)
    np.testing.assert_allclose(found["keras"], [4.68, 0.1 + 0.9 * 2], rtol=1e-12)  # what the tutorial's line gives


@pytest.mark.proves("C114")
def test_batch_norm_of_images_counts_samples_and_pixels(rng: np.random.Generator) -> None:
    x = rng.normal(3, 2, size=(4, 3, 5, 6))
    y = nn.BatchNorm2d(3).double()(x)
    for c in range(3):
        values = x[:, c].ravel()  # N · H · W of them
        right = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
        np.testing.assert_allclose(y[:, c].ravel(), right, rtol=1e-10, atol=1e-12)
