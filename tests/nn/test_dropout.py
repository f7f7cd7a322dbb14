from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from numnet import manual_seed, nn
from numnet.errors import DtypeError, OptionError


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_masks_as_in_pytorch(agree: Callable[..., None], numbers: Callable[..., np.ndarray], p: float) -> None:
    agree("Dropout", (p,), {}, numbers(3, 4))


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
