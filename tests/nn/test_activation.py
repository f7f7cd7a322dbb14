from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import manual_seed, nn
from numnet.errors import DtypeError, OptionError, ShapeError

SHAPES = [(), (1,), (7,), (3, 5), (0, 4), (2, 3, 4, 5)]

ELEMENTWISE: list[tuple[str, dict[str, Any]]] = [
    ("CELU", {}),
    ("CELU", {"alpha": 0.25}),
    ("CELU", {"alpha": -1.5}),
    ("ELU", {}),
    ("ELU", {"alpha": 2.5}),
    ("ELU", {"alpha": -0.5}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("Hardshrink", {}),
    ("Hardshrink", {"lambd": 1.5}),
    ("Hardshrink", {"lambd": -1.0}),
    ("Hardswish", {}),
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -2.5, "max_val": 0.5}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("LeakyReLU", {"negative_slope": -0.2}),
    ("LogSigmoid", {}),
    ("Mish", {}),
    ("PReLU", {}),
    ("PReLU", {"init": -0.1}),
    ("ReLU", {}),
    ("ReLU6", {}),
    ("SELU", {}),
    ("SiLU", {}),
    ("Sigmoid", {}),
    ("Softplus", {}),
    ("Softplus", {"beta": 3.0, "threshold": 2.0}),
    ("Softplus", {"beta": -2.0}),
    ("Softshrink", {}),
    ("Softshrink", {"lambd": 0.0}),
    ("Softshrink", {"lambd": 1.5}),
    ("Softsign", {}),
    ("Tanh", {}),
    ("Tanhshrink", {}),
    ("Threshold", {"threshold": 0.5, "value": 20.0}),
    ("Threshold", {"threshold": -0.5, "value": -1.0}),
]
WITH_INPLACE = ["CELU", "ELU", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "Mish", "RReLU", "ReLU", "ReLU6"]
WITH_INPLACE += ["SELU", "SiLU"]
every_elementwise = pytest.mark.parametrize("name, options", ELEMENTWISE, ids=str)


@pytest.mark.proves("C090", "C091", "C093")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@every_elementwise
def test_elementwise(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    name: str,
    options: dict[str, Any],
    shape: tuple[int, ...],
) -> None:
    agree(name, (), options, numbers(*shape))


@every_elementwise
def test_corners_and_ends(agree: Callable[..., None], dtype: type, name: str, options: dict[str, Any]) -> None:
    corners = [-6.0, -3.0, -2.5, -1.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.0 / 3, 3.0, 6.0]
    agree(name, (), options, np.array(corners, dtype))
    if options.get("alpha", 1) > 0 and options.get("beta", 1) > 0:
        for end in ([-200.0, -40.0], [40.0, 200.0]):
            agree(name, (), options, np.array(end, dtype))


def test_hardsigmoid(torch: ModuleType) -> None:
    """Its slope is 1/6 here; in PyTorch it is float32's 1/6 for float64 too."""
    x = np.array([-6.0, -3.0, -2.9, -0.0, 1.0, 3.0, 4.0])
    layer, theirs = nn.Hardsigmoid(), torch.from_numpy(x).requires_grad_()
    right = torch.nn.Hardsigmoid()(theirs)
    np.testing.assert_allclose(layer(x), right.detach(), rtol=1e-10)
    right.backward(torch.from_numpy(x))
    got = layer.backward(x)
    np.testing.assert_allclose(got, theirs.grad, rtol=1e-7)
    np.testing.assert_allclose(got, x * [0, 0, 1 / 6, 1 / 6, 1 / 6, 0, 0], rtol=1e-15)
    y = layer(x.astype(np.float32))
    assert y.dtype == layer.backward(y).dtype == np.float32


@every_elementwise
def test_nothing_overflows(dtype: type, name: str, options: dict[str, Any]) -> None:
    layer = getattr(nn, name)(**options).to(dtype)
    if options.get("alpha", 1) > 0 and options.get("beta", 1) > 0:
        y = layer(np.array([-1e30, 1e30], dtype))  # a warning of NumPy's would be an error
        assert np.isfinite(y).all()
        assert np.isfinite(layer.backward(np.ones_like(y))).all()


@every_elementwise
def test_nan_stays_nan(dtype: type, name: str, options: dict[str, Any]) -> None:
    y = getattr(nn, name)(**options).to(dtype)(np.array([1.0, np.nan], dtype))
    assert np.isnan(y).tolist() == [False, True]


@pytest.mark.parametrize("shape", [(2, 3), (4, 3, 2), (2, 3, 2, 4), (0, 3, 2)], ids=str)
def test_prelu_with_a_slope_for_each_channel(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], shape: tuple[int, ...]
) -> None:
    agree("PReLU", (3,), {"init": 0.4}, numbers(*shape))


@pytest.mark.parametrize("shape", [(3, 2), (5,), (3,)], ids=str)
def test_prelu_refuses_other_channels(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"(?s)PReLU.*C=3.*num_parameters"):
        nn.PReLU(3)(np.ones(shape, np.float32))


def test_rrelu_takes_the_mean_slope_in_evaluation(agree: Callable[..., None], numbers: Callable[..., Any]) -> None:
    agree("RReLU", (), {}, numbers(3, 5), train=False)
    agree("RReLU", (0.1, 0.4), {}, numbers(3, 5), train=False)
    agree("RReLU", (0.25, 0.25), {}, numbers(3, 5), train=True)  # nothing left to chance


def test_rrelu_draws_its_slopes(dtype: type) -> None:
    layer, x = nn.RReLU(0.2, 0.6, rng=np.random.default_rng(0)), np.linspace(-2, 1, 30_001, dtype=dtype)
    a = layer(x)
    slope = layer.backward(np.ones_like(x))
    assert slope.dtype == dtype
    np.testing.assert_allclose(a, slope * x, rtol=1e-6)
    np.testing.assert_array_equal(slope[x > 0], 1)
    drawn = slope[x < 0]
    assert 0.2 <= drawn.min() < 0.201
    assert 0.599 < drawn.max() <= 0.6
    np.testing.assert_allclose([drawn.mean(), drawn.std()], [0.4, 0.4 / np.sqrt(12)], rtol=0.02)
    assert not np.array_equal(layer(x), a)  # drawn anew
    manual_seed(3)
    a = nn.RReLU()(x.astype(np.float64))
    manual_seed(3)
    np.testing.assert_allclose(nn.RReLU()(x.astype(np.float32)), a, rtol=1e-6)


@pytest.mark.parametrize("dim", [0, 1, -1, -2])
@pytest.mark.parametrize("shape", [(4, 2), (2, 4, 6), (2, 2, 2, 4)], ids=str)
def test_glu(agree: Callable[..., None], numbers: Callable[..., np.ndarray], shape: tuple[int, ...], dim: int) -> None:
    agree("GLU", (dim,), {}, numbers(*shape))
    agree("GLU", (), {}, numbers(6))


def test_glu_refuses_what_has_no_halves() -> None:
    for shape, dim in [((3, 5), 1), ((4,), 1), ((), 0)]:
        with pytest.raises(ShapeError, match=rf"(?s)GLU.*even number.*axis {dim}.*{re.escape(str(shape))}"):
            nn.GLU(dim)(np.ones(shape))


@pytest.mark.parametrize("shape", [(2, 3, 2, 4), (3, 2, 4), (0, 3, 2, 2)], ids=str)
def test_softmax2d(agree: Callable[..., None], numbers: Callable[..., np.ndarray], shape: tuple[int, ...]) -> None:
    agree("Softmax2d", (), {}, numbers(*shape))


def test_softmax2d_refuses_what_is_no_image() -> None:
    with pytest.raises(ShapeError, match=r"(?s)Softmax2d.*\(N, C, H, W\)"):
        nn.Softmax2d()(np.ones((3, 4)))


@pytest.mark.proves("C095")
@pytest.mark.parametrize("shape, dim", [((5,), 0), ((3, 5), 1), ((3, 5), 0), ((2, 3, 4), -2), ((2, 1), 1), ((0, 4), 1)])
@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax", "Softmin"])
def test_along_an_axis(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], name: str, shape: tuple[int, ...], dim: int
) -> None:
    agree(name, (dim,), {}, numbers(*shape))


@pytest.mark.proves("C086", "C090", "C091")
@pytest.mark.parametrize("name", ["ReLU", "Sigmoid", "Tanh"])
def test_extremes(agree: Callable[..., None], dtype: type, name: str) -> None:
    agree(name, (), {}, np.array([-np.inf, -1e30, -200.0, -0.0, 0.0, 1e-30, 200.0, 1e30, np.inf], dtype))


@pytest.mark.proves("C095")
def test_softmax_of_large_scores_does_not_overflow(agree: Callable[..., None], dtype: type) -> None:
    agree("Softmax", (1,), {}, np.array([[1e30, 1e30, -1e30], [0.0, 800.0, -800.0]], dtype))
    agree("LogSoftmax", (1,), {}, np.array([[0.0, 800.0, -800.0]], dtype))


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.SiLU(), nn.GLU(), nn.Softmax(1), nn.RReLU()], ids=repr)
def test_integers_are_refused(layer: nn.Layer) -> None:
    with pytest.raises(DtypeError, match=rf"(?s){type(layer).__name__}.*floating.*int64.*astype"):
        layer(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize("make", [nn.Softmax, nn.LogSoftmax, nn.Softmin])
def test_the_axis_has_to_be_given(make: type) -> None:
    with pytest.raises(OptionError, match=rf"(?s){make.__name__}.*dim=None.*{make.__name__}\(dim=1\)"):
        make()
    with pytest.raises(ShapeError, match=rf"(?s){make.__name__}.*axis 2.*\(3, 5\)"):
        make(2)(np.ones((3, 5)))


@pytest.mark.parametrize("name", WITH_INPLACE)
def test_writing_into_the_input_is_refused(name: str) -> None:
    make = getattr(nn, name)
    assert "inplace" not in repr(make(inplace=False))
    with pytest.raises(OptionError, match=rf"(?s){name}.*never writes.*inplace=True"):
        make(inplace=True)


@pytest.mark.parametrize(
    "make, complaint",
    [
        (lambda: nn.CELU(0), "CELU.*alpha=0"),
        (lambda: nn.GELU("erf"), "GELU.*'erf'"),  # type: ignore[arg-type]
        (lambda: nn.Hardtanh(1, 1), "Hardtanh.*min_val=1, max_val=1"),
        (lambda: nn.RReLU(0.5, 0.2), "RReLU.*lower=0.5, upper=0.2"),
        (lambda: nn.Softplus(0), "Softplus.*beta=0"),
        (lambda: nn.Softshrink(-1), "Softshrink.*lambd=-1"),
        (lambda: nn.Threshold(0.1, 1.0, inplace=True), "Threshold.*never writes"),
    ],
    ids=["CELU", "GELU", "Hardtanh", "RReLU", "Softplus", "Softshrink", "Threshold"],
)
def test_options_that_cannot_be(make: Callable[[], nn.Layer], complaint: str) -> None:
    with pytest.raises(OptionError, match=f"(?s){complaint}"):
        make()
