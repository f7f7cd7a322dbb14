from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from numnet import manual_seed, nn
from numnet.errors import DtypeError, OptionError, ShapeError


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_masks_as_in_pytorch(agree: Callable[..., None], numbers: Callable[..., np.ndarray], p: float) -> None:
    agree("Dropout", (p,), {}, numbers(3, 4))


CHANNELS = [
    ("Dropout1d", (4, 6), (4, 1)),
    ("Dropout1d", (3, 4, 6), (3, 4, 1)),
    ("Dropout2d", (3, 4, 6), (3, 4, 1)),
    ("Dropout2d", (3, 4, 2, 3), (3, 4, 1, 1)),
    ("Dropout3d", (4, 2, 3, 2), (4, 1, 1, 1)),
    ("Dropout3d", (3, 4, 2, 3, 2), (3, 4, 1, 1, 1)),
    ("FeatureAlphaDropout", (3, 4), (3, 4)),
    ("FeatureAlphaDropout", (4, 2, 3, 2), (4, 2, 1, 1)),
    ("FeatureAlphaDropout", (3, 4, 2, 3, 2), (3, 4, 1, 1, 1)),
]


@pytest.mark.filterwarnings("ignore:dropout2d. Received a 3D input")  # PyTorch's
@pytest.mark.parametrize("name, shape, drawn", [*CHANNELS, ("AlphaDropout", (3, 4), (3, 4))], ids=str)
@pytest.mark.parametrize("p, train", [(0.0, True), (1.0, True), (0.5, False)], ids=str)
def test_certain_masks_of_channels_as_in_pytorch(
    agree: Callable[..., None],
    numbers: Callable[..., np.ndarray],
    name: str,
    shape: tuple[int, ...],
    drawn: tuple[int, ...],
    p: float,
    train: bool,
) -> None:
    agree(name, (p,), {}, numbers(*shape), train=train)


@pytest.mark.filterwarnings("ignore:dropout2d. Received a 3D input")
@pytest.mark.parametrize("name, shape, drawn", CHANNELS, ids=str)
def test_channels_are_dropped_as_a_whole(
    torch: ModuleType, dtype: type, name: str, shape: tuple[int, ...], drawn: tuple[int, ...]
) -> None:
    """In PyTorch and here the same numbers share their fate, and each has the one of two values."""
    axes = tuple(i for i, n in enumerate(drawn) if n == 1)
    x = np.ones(shape, dtype)
    values = set()
    for seed in range(20):
        layer = getattr(nn, name)(0.4, rng=np.random.default_rng(seed))
        torch.manual_seed(seed)
        for y in (layer(x), getattr(torch.nn, name)(0.4)(torch.from_numpy(x)).numpy()):
            assert y.dtype == dtype
            assert (y == y.max(axis=axes, keepdims=True)).all()
            values |= set(np.round(np.unique(y), 5).tolist())
    assert len(values) == 2
    masks = [getattr(nn, name)(0.4, rng=np.random.default_rng(seed))(x)[..., *(0,) * len(axes)] for seed in range(20)]
    assert all(len({mask[i] for mask in masks}) == 2 for i in np.ndindex(masks[0].shape)), "a channel never changes"


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(torch: ModuleType, p: float) -> None:
    x = np.random.default_rng(1).normal(size=100_000)
    layer = nn.AlphaDropout(p, rng=np.random.default_rng(0))
    y = layer(x)
    assert abs(y.mean()) < 0.03
    assert abs(y.var() - 1) < 0.03
    a, b = np.polyfit(x[kept := layer.backward(np.ones_like(x)) != 0], y[kept], 1)  # kept numbers: y = a x + b
    torch.manual_seed(0)
    right = torch.nn.AlphaDropout(p)(torch.from_numpy(x)).numpy()
    _, which, times = np.unique(right, return_inverse=True, return_counts=True)
    lost = times[which] > 1  # the one value that comes again and again
    right_a, right_b = np.polyfit(x[~lost], right[~lost], 1)
    np.testing.assert_allclose([a, b, y[~kept][0]], [right_a, right_b, right[lost][0]], rtol=1e-9, atol=1e-9)
    assert abs(kept.mean() - (1 - p)) < 0.01


@pytest.mark.proves("C100", "F2")
@pytest.mark.parametrize("name", ["Dropout", "Dropout1d"])
def test_the_classic_form_scales_in_evaluation(dtype: type, name: str) -> None:
    x = np.full((50, 40, 2), 10, dtype)
    for classic, trained, evaluated in ((False, [0, 12.5], 10), (True, [0, 10], 8)):
        layer = getattr(nn, name)(0.2, classic=classic, rng=np.random.default_rng(0))
        np.testing.assert_allclose(np.unique(layer(x)), trained, rtol=1e-6)
        y = layer.eval()(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, np.full_like(x, evaluated), rtol=1e-6)
        np.testing.assert_allclose(layer.backward(x), y, rtol=1e-6)
    assert repr(layer) == f"{name}(p=0.2, inplace=False, classic=True)"


@pytest.mark.parametrize(
    "name, shape", [("Dropout1d", (3,)), ("Dropout2d", (3, 4)), ("Dropout3d", (3, 4, 5)), ("FeatureAlphaDropout", (3,))]
)
def test_channels_that_are_not_there(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=rf"(?s){name}, forward.*x of shape \(.*Dropout drops single numbers"):
        getattr(nn, name)()(np.ones(shape, np.float32))


@pytest.mark.parametrize("shape", [(), (5,), (0, 3), (2, 3, 4)], ids=str)
def test_evaluation_is_the_identity(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], shape: tuple[int, ...]
) -> None:
    agree("Dropout", (0.5,), {}, numbers(*shape), train=False)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_what_is_kept_is_scaled_and_delta_goes_the_same_way(dtype: type, p: float) -> None:
    layer = nn.Dropout(p, rng=np.random.default_rng(0))
    x = np.ones((200, 500), dtype)
    y = layer(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - p)], rtol=1e-6)
    assert abs((y == 0).mean() - p) < 5 * np.sqrt(p * (1 - p) / x.size)  # five standard deviations
    np.testing.assert_array_equal(layer.backward(3 * x), 3 * y)


def test_every_call_draws_anew_and_keeps_its_own_mask() -> None:
    layer = nn.Dropout(0.5)
    x = np.ones(1000, np.float32)
    first, second = nn.Call(layer), nn.Call(layer)
    y, other = first.forward(x), second.forward(x)
    assert (y != other).any()
    np.testing.assert_array_equal(first.backward(x), y)
    np.testing.assert_array_equal(second.backward(x), other)


def test_the_same_seed_drops_the_same_numbers_whatever_the_dtype() -> None:
    layer = nn.Dropout(0.3)
    outputs = []
    for dtype in (np.float32, np.float64):
        manual_seed(7)
        outputs.append(layer(np.ones((20, 30), dtype)))
    np.testing.assert_array_equal(outputs[0] == 0, outputs[1] == 0)
    own = [nn.Dropout(0.3, rng=np.random.default_rng(7))(np.ones(50)) for _ in range(2)]
    np.testing.assert_array_equal(*own)


def test_text_and_refusals() -> None:
    assert repr(nn.Dropout()) == "Dropout(p=0.5, inplace=False)"
    for p in (-0.1, 1.5, float("nan")):
        with pytest.raises(OptionError, match=rf"(?s)Dropout.*from 0 to 1.*p={p}"):
            nn.Dropout(p)
    with pytest.raises(OptionError, match=r"(?s)Dropout.*never writes.*inplace=True"):
        nn.Dropout(0.5, inplace=True)
    with pytest.raises(DtypeError, match=r"(?s)Dropout, forward.*floating.*int64.*astype"):
        nn.Dropout()(np.arange(3))
