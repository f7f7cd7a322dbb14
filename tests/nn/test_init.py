"""Initial weights: their bounds and distributions by formula, and the exact ones against PyTorch."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats

import numnet
from numnet.errors import OptionError, ShapeError
from numnet.nn import init

SHAPES = [(40, 50), (20, 10, 9), (16, 8, 3, 5)]
SLOPE = sqrt(5)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(8)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    return torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


def assert_drawn_from(numbers: np.ndarray, distribution: stats.rv_continuous) -> None:
    """Of the right form, and the standard deviation right to 10 %. The seeds are fixed: always or never."""
    assert stats.kstest(numbers.ravel(), distribution.cdf).pvalue > 0.001
    assert numbers.std() == pytest.approx(distribution.std(), rel=0.1)


@pytest.mark.proves("C178")
def test_uniform(rng):
    x = init.uniform_(np.empty((60, 50)), -2, 5, rng=rng)
    assert_drawn_from(x, stats.uniform(-2, 7))
    assert x.min() >= -2
    assert x.max() <= 5


@pytest.mark.proves("C180")
def test_normal(rng):
    assert_drawn_from(init.normal_(np.empty((60, 50)), 3, 0.5, rng=rng), stats.norm(3, 0.5))


@pytest.mark.parametrize("mean, std, a, b", [(0, 1, -2, 2), (1, 2, 0, 1.5), (0, 0.02, -2, 2), (5, 1, -2, 2)])
def test_trunc_normal(mean, std, a, b, rng):
    x = init.trunc_normal_(np.empty((60, 50)), mean, std, a, b, rng=rng)
    assert_drawn_from(x, stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std))
    assert a <= x.min() <= x.max() <= b


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gain", [1.0, 5 / 3])
def test_xavier(shape, gain, rng):
    std = gain * sqrt(2 / sum(fans(shape)))
    bound = sqrt(3) * std
    x = init.xavier_uniform_(np.empty(shape), gain, rng=rng)
    assert_drawn_from(x, stats.uniform(-bound, 2 * bound))
    assert np.abs(x).max() <= bound
    assert_drawn_from(init.xavier_normal_(np.empty(shape), gain, rng=rng), stats.norm(0, std))


@pytest.mark.proves("C182")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("nonlinearity, a, gain", [("leaky_relu", SLOPE, sqrt(1 / 3)), ("relu", 0, sqrt(2))])
def test_kaiming(shape, mode, nonlinearity, a, gain, rng):
    std = gain / sqrt(fans(shape)[mode == "fan_out"])
    bound = sqrt(3) * std
    x = init.kaiming_uniform_(np.empty(shape), a, mode, nonlinearity, rng=rng)
    assert_drawn_from(x, stats.uniform(-bound, 2 * bound))
    assert np.abs(x).max() <= bound
    assert_drawn_from(init.kaiming_normal_(np.empty(shape), a, mode, nonlinearity, rng=rng), stats.norm(0, std))


@pytest.mark.proves("C179")
def test_the_default_of_layers(rng):
    W, b = np.empty((40, 50)), np.empty(1000)
    init.default_(W, b, rng=rng)
    bound = 1 / sqrt(50)
    for x in (W, b):
        assert_drawn_from(x, stats.uniform(-bound, 2 * bound))
    init.default_(W, None, rng=rng)
    init.default_(np.empty((3, 0)), b, rng=rng)
    assert np.abs(b).max() <= 1


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (5, 2, 3), (1, 1)])
@pytest.mark.parametrize("gain", [1, 0.5])
def test_orthogonal(shape, gain, rng):
    W = init.orthogonal_(np.empty(shape), gain, rng=rng).reshape(shape[0], -1)
    product = W @ W.T if shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-14)


def test_orthogonal_is_drawn_evenly(rng):
    """Rotations and reflections come equally often, and the first entry is the cosine of a uniform angle."""
    draws = np.array([init.orthogonal_(np.empty((2, 2)), rng=rng) for _ in range(1500)])
    assert stats.binomtest(int((np.linalg.det(draws) > 0).sum()), 1500).pvalue > 0.01
    assert_drawn_from(draws[:, 0, 0], stats.arcsine(-1, 2))


@pytest.mark.proves("C184")
@pytest.mark.parametrize("sparsity, zeros", [(0, 0), (0.1, 1), (0.25, 2), (1, 7)])
def test_sparse(sparsity, zeros, rng):
    W = init.sparse_(np.empty((7, 300)), sparsity, 0.5, rng=rng)
    np.testing.assert_array_equal((W == 0).sum(axis=0), zeros)
    if 0 < zeros < 7:
        assert stats.chisquare((W == 0).sum(axis=1)).pvalue > 0.01  # every row is hit as often as any other
    if zeros < 7:
        assert_drawn_from(W[W != 0], stats.norm(0, 0.5))


@pytest.mark.proves("C176", "C177")
def test_constants():
    x = np.empty((2, 3), np.float32)
    np.testing.assert_array_equal(init.constant_(x, 0.25), np.full((2, 3), 0.25))
    np.testing.assert_array_equal(init.ones_(x), np.ones((2, 3)))
    np.testing.assert_array_equal(init.zeros_(x), np.zeros((2, 3)))


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_eye(shape):
    np.testing.assert_array_equal(init.eye_(np.full(shape, 7.0)), np.eye(*shape))


@pytest.mark.parametrize(
    "shape, groups", [((4, 3, 3), 1), ((6, 4, 3, 2), 2), ((6, 2, 3, 2), 2), ((6, 2, 4, 4, 4), 3), ((4, 5, 5), 2)]
)
def test_dirac_is_that_of_torch(shape, groups):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    theirs = torch.nn.init.dirac_(torch.ones(shape), groups)
    np.testing.assert_array_equal(init.dirac_(np.ones(shape), groups), theirs.numpy())


@pytest.mark.parametrize(
    "nonlinearity, param",
    [
        *((name, None) for name in ("linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "selu")),
        *(("leaky_relu", slope) for slope in (None, 0, 0.3)),
    ],
)
def test_gains_are_those_of_torch(nonlinearity, param):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    assert init.calculate_gain(nonlinearity, param) == pytest.approx(torch.nn.init.calculate_gain(nonlinearity, param))


FILLS = [
    init.uniform_,
    init.normal_,
    init.trunc_normal_,
    init.xavier_uniform_,
    init.xavier_normal_,
    init.kaiming_uniform_,
    init.kaiming_normal_,
    init.orthogonal_,
    lambda tensor, **options: init.sparse_(tensor, 0.3, **options),
]


@pytest.mark.parametrize("fill", FILLS)
def test_one_seed_is_one_network_in_either_precision(fill):
    double = fill(np.empty((4, 5)), rng=np.random.default_rng(3))
    single = fill(np.empty((4, 5), np.float32), rng=np.random.default_rng(3))
    np.testing.assert_array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("fill", FILLS)
def test_the_default_generator_follows_manual_seed(fill):
    numnet.manual_seed(5)
    first = fill(np.empty((4, 5)))
    second = fill(np.empty((4, 5)))
    numnet.manual_seed(5)
    np.testing.assert_array_equal(fill(np.empty((4, 5))), first)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("fill", [*FILLS, init.ones_, init.zeros_, init.eye_])
def test_parameters_and_views_are_filled_in_place(fill):
    whole = np.full((8, 5), np.nan, np.float32)
    assert fill(view := whole[::2]) is view
    assert np.isfinite(whole[::2]).all()
    assert np.isnan(whole[1::2]).all()
    parameter = numnet.nn.Parameter(np.full((4, 5), np.nan, np.float32))
    data = parameter.array
    assert fill(parameter) is parameter
    assert parameter.array is data
    assert np.isfinite(data).all()


@pytest.mark.parametrize("fill", FILLS[:8])
def test_a_weight_without_elements_stays_so(fill):
    assert fill(np.empty((0, 3))).shape == (0, 3)
    assert fill(np.empty((3, 0))).shape == (3, 0)


def test_what_does_not_fit_is_refused():
    for fill in (init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_):
        with pytest.raises(ShapeError, match="bias"):
            fill(np.empty(3))
    for fill in (init.orthogonal_, init.eye_, init.dirac_, FILLS[-1]):
        with pytest.raises(ShapeError):
            fill(np.empty(3))
    with pytest.raises(ShapeError, match="eye_"):
        init.dirac_(np.empty((3, 3)))
    with pytest.raises(OptionError, match="groups"):
        init.dirac_(np.empty((3, 3, 3)), 2)
    with pytest.raises(OptionError, match="sparsity"):
        init.sparse_(np.empty((3, 3)), 1.5)
    with pytest.raises(OptionError, match="fan_out"):
        init.kaiming_uniform_(np.empty((3, 3)), mode="fan_avg")
    with pytest.raises(OptionError, match="leaky_relu"):
        init.calculate_gain("swish")
