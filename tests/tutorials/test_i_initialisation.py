"""Initial weights: the functions of tutorial 004, and what the layers take by default."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from numnet import nn
from numnet.nn import init


@pytest.mark.proves("C176", "C177")
def test_ones_zeros_and_a_constant() -> None:
    linear = nn.Linear(5, 3)
    for fill, value in [(init.ones_, 1), (init.zeros_, 0), (lambda w: init.constant_(w, 5), 5)]:
        assert fill(linear.weight) is linear.weight
        np.testing.assert_array_equal(linear.weight.data, np.full((3, 5), value, np.float32))


@pytest.mark.proves("C179")
@given(st.integers(1, 400), st.integers(1, 20), st.integers(0, 1000))
def test_linear_starts_within_one_over_the_root_of_its_inputs(d: int, out: int, seed: int) -> None:
    layer = nn.Linear(d, out, rng=np.random.default_rng(seed))
    bound = np.float32(1 / np.sqrt(d))
    assert np.abs(layer.weight.data).max() <= bound
    assert np.abs(layer.bias.data).max() <= bound


@pytest.mark.proves("C181")
def test_normal_weights_through_apply() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Sequential(nn.Linear(256, 10)))

    def init_weights(m: nn.Module) -> None:
        if type(m) is nn.Linear:
            init.normal_(m.weight, std=0.01)

    net.apply(init_weights)
    for layer in (net[1], net[3][0]):
        assert layer.weight.data.std() == pytest.approx(0.01, rel=0.05)
        assert abs(layer.weight.data.mean()) < 0.001


def spread_through_ten_layers(fill: Callable[[nn.Parameter], object], rng: np.random.Generator) -> tuple[float, float]:
    """How much the variance of a and that of δ change through ten layers of 200 units, as factors."""
    net = nn.Sequential(*[nn.Linear(200, 200, bias=False) for _ in range(10)]).double()
    for parameter in net.parameters():
        fill(parameter)
    x, delta = rng.normal(size=(2, 500, 200))
    return float(net(x).var() / x.var()), float(net.backward(delta).var() / delta.var())


@pytest.mark.proves("C183")
def test_xavier_keeps_the_variance_forward_and_backward(rng: np.random.Generator) -> None:
    for fill in (init.xavier_normal_, init.xavier_uniform_):
        for factor in spread_through_ten_layers(fill, rng):
            assert 0.6 < factor < 1.6
    forward, backward = spread_through_ten_layers(lambda w: init.normal_(w, std=0.01), rng)
    assert max(forward, backward) < 1e-15


@pytest.mark.proves("C182")
def test_kaiming_keeps_the_mean_square_through_relu(rng: np.random.Generator) -> None:
    for fill in (init.kaiming_normal_, init.kaiming_uniform_):
        layers = [layer for _ in range(10) for layer in (nn.Linear(200, 200, bias=False), nn.ReLU())]
        net = nn.Sequential(*layers).double()
        for parameter in net.parameters():
            fill(parameter, nonlinearity="relu")
            assert parameter.data.var() == pytest.approx(2 / 200, rel=0.05)
        x = rng.normal(size=(500, 200))
        assert 0.4 < (net(x) ** 2).mean() < 2.5
        np.testing.assert_allclose((net(x) ** 2).mean() / (x**2).mean(), 1, atol=0.8)


@pytest.mark.proves("C185")
def test_biases_of_zero() -> None:
    layer = nn.Linear(5, 3)
    init.zeros_(layer.bias)
    assert not layer.bias.data.any()
    assert nn.Linear(5, 3, bias=False).bias is None
    for zero_by_default in (nn.BatchNorm1d(4).bias, nn.LayerNorm(4).bias, nn.MultiheadAttention(4, 2).in_proj_bias):
        assert not zero_by_default.data.any()


LAYERS: list[tuple[str, tuple[Any, ...]]] = [
    ("Linear", (40, 60)),
    ("Bilinear", (20, 10, 30)),
    ("Conv1d", (8, 40, 5)),
    ("Conv2d", (4, 40, 5)),
    ("Conv3d", (3, 20, 3)),
    ("ConvTranspose1d", (20, 30, 3)),
    ("ConvTranspose2d", (20, 30, 3)),
    ("ConvTranspose3d", (10, 20, 3)),
    ("BatchNorm2d", (16,)),
    ("GroupNorm", (4, 16)),
    ("LayerNorm", (16,)),
    ("RMSNorm", (16,)),
    ("PReLU", (16,)),
    ("Embedding", (60, 40)),
    ("RNN", (30, 40, 2)),
    ("LSTM", (30, 40)),
    ("GRU", (30, 40)),
    ("LSTMCell", (30, 40)),
    ("MultiheadAttention", (40, 4)),
    ("TransformerEncoderLayer", (40, 4, 60)),
]


@pytest.mark.proves("C187")
@pytest.mark.parametrize("name, arguments", LAYERS, ids=[name for name, _ in LAYERS])
def test_every_layer_starts_as_pytorchs(torch: ModuleType, name: str, arguments: tuple[Any, ...]) -> None:
    torch.manual_seed(0)
    theirs = dict(getattr(torch.nn, name)(*arguments).named_parameters())
    ours = dict(getattr(nn, name)(*arguments).named_parameters())
    assert list(ours) == list(theirs)
    for key, parameter in ours.items():
        right = theirs[key].detach().numpy()
        assert parameter.shape == right.shape
        if np.unique(right).size == 1:
            np.testing.assert_array_equal(parameter.data, right, err_msg=key)
        else:
            assert ks_2samp(parameter.data.ravel(), right.ravel()).pvalue > 1e-3, key
            if right.size >= 1000:
                assert np.abs(parameter.data).max() == pytest.approx(np.abs(right).max(), rel=0.25), key
