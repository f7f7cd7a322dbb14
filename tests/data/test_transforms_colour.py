"""Transforms of colour: held against Pillow, colorsys and the formulas by hand."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numnet import Tensor
from numnet.data import transforms as T  # noqa: N812
from numnet.errors import DtypeError, ShapeError

Image = pytest.importorskip("PIL.Image", reason='Pillow is not installed: pip install ".[data]"')
ImageEnhance = pytest.importorskip("PIL.ImageEnhance")

X = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
PICTURE = Image.fromarray(X)


def hand(x: np.ndarray) -> np.ndarray:
    """(H, W, 3) of an array or Tensor (3, H, W)."""
    return np.asarray(x.numpy() if isinstance(x, Tensor) else x).transpose(1, 2, 0)


def test_grey_is_pillows() -> None:
    expected = np.asarray(PICTURE.convert("L"))
    assert np.array_equal(np.asarray(T.Grayscale()(PICTURE)), expected)
    assert np.array_equal(np.asarray(T.Grayscale(3)(PICTURE)), np.repeat(expected[..., None], 3, 2))
    of_bytes = T.Grayscale()(X.transpose(2, 0, 1))
    assert (of_bytes.dtype, of_bytes.shape) == (np.uint8, (1, 6, 5))
    assert abs(of_bytes[0].astype(int) - expected).max() <= 1
    of_floats = T.Grayscale(3)(T.ToTensor()(PICTURE))
    assert isinstance(of_floats, Tensor)
    np.testing.assert_allclose(of_floats.numpy()[1], X @ [0.299, 0.587, 0.114] / 255, rtol=1e-5)
    grey = np.ones((1, 2, 2), np.float32)
    np.testing.assert_array_equal(T.Grayscale(3)(grey), np.ones((3, 2, 2)))


@pytest.mark.proves("C045")
@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.7])
@pytest.mark.parametrize(
    "name, enhance", [("brightness", "Brightness"), ("contrast", "Contrast"), ("saturation", "Color")]
)
def test_brightness_contrast_and_saturation_are_pillows(name: str, enhance: str, factor: float) -> None:
    jitter = T.ColorJitter(**{name: (factor, factor)})
    expected = np.asarray(getattr(ImageEnhance, enhance)(PICTURE).enhance(factor)).astype(int)
    np.testing.assert_array_equal(np.asarray(jitter(PICTURE)), expected)
    assert abs(hand(jitter(X.transpose(2, 0, 1))).astype(int) - expected).max() <= 2  # Pillow rounds grey, too
    assert abs(hand(jitter(T.ToTensor()(PICTURE))) * 255 - expected).max() <= 2


@pytest.mark.proves("C045")
@pytest.mark.parametrize("turns", [-0.5, -0.2, 0.1, 1 / 3, 0.5])
def test_hue_is_colorsyss(turns: float) -> None:
    def turned(pixel: np.ndarray) -> tuple[float, float, float]:
        h, s, v = colorsys.rgb_to_hsv(*pixel)
        return colorsys.hsv_to_rgb((h + turns) % 1, s, v)

    expected = np.apply_along_axis(turned, 2, X / 255)
    jitter = T.ColorJitter(hue=(turns, turns))
    of_floats = jitter(X.transpose(2, 0, 1) / 255)
    assert of_floats.dtype == np.float64
    np.testing.assert_allclose(hand(of_floats), expected, atol=1e-12)
    assert abs(hand(jitter(X.transpose(2, 0, 1))) - 255 * expected).max() <= 0.51
    assert abs(np.asarray(jitter(PICTURE)) - 255 * expected).max() <= 13  # Pillow has 256 hues, 6 of 255 apart


@given(st.lists(st.floats(0, 1, width=32), min_size=12, max_size=12), st.floats(-0.5, 0.5))
def test_a_turn_of_the_hue_there_and_back(numbers: list[float], turns: float) -> None:
    x = np.array(numbers).reshape(3, 2, 2)
    there = T.ColorJitter(hue=(turns, turns))(x)
    np.testing.assert_allclose(there.max(0), x.max(0), atol=1e-12)
    np.testing.assert_allclose(there.min(0), x.min(0), atol=1e-12)
    np.testing.assert_allclose(T.ColorJitter(hue=(-turns, -turns))(there), x, atol=1e-6)


def test_grey_has_no_hue_and_no_saturation() -> None:
    grey = np.random.default_rng(0).random((1, 4, 4))
    np.testing.assert_allclose(T.ColorJitter(saturation=0.9, hue=0.5)(grey), grey)
    three = np.repeat(grey, 3, 0)
    np.testing.assert_allclose(T.ColorJitter(saturation=0.9, hue=0.5)(three), three, atol=1e-12)
    image = PICTURE.convert("L")
    assert T.ColorJitter(saturation=0.9, hue=0.5)(image).tobytes() == image.tobytes()


def test_contrast_of_a_stack_is_that_of_each() -> None:
    x = np.random.default_rng(0).random((4, 3, 5, 5)).astype(np.float32)
    jitter = T.ColorJitter(contrast=(0.5, 0.5), hue=(0.2, 0.2), rng=np.random.default_rng(0))
    whole = jitter(x)
    jitter.rng = np.random.default_rng(0)
    np.testing.assert_allclose(whole[2], jitter(x[2]), rtol=1e-5)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "CMYK", "1"])
def test_colours_of_images_of_other_modes(mode: str) -> None:
    image = PICTURE.convert("L").convert(mode) if mode == "LA" else PICTURE.convert(mode)
    if mode == "RGBA":
        image.putalpha(77)
    turned = T.ColorJitter(hue=(0.3, 0.3))(image)
    assert turned.mode == mode
    if mode == "RGBA":
        assert set(turned.getchannel("A").tobytes()) == {77}


def test_factors_fill_their_range_and_orders_differ() -> None:
    half = np.full((3, 2, 2), 0.5)
    jitter = T.ColorJitter(brightness=0.4, rng=np.random.default_rng(0))
    factors = [jitter(half)[0, 0, 0] / 0.5 for _ in range(2000)]
    assert 0.6 <= min(factors) < 0.61
    assert 1.39 < max(factors) <= 1.4
    assert abs(np.mean(factors) - 1) < 4 * 0.8 / np.sqrt(12 * 2000)
    assert T.ColorJitter(brightness=3).brightness == (0, 4)
    x = np.random.default_rng(0).random((3, 4, 4))
    both = T.ColorJitter(brightness=(1.8, 1.8), contrast=(0.3, 0.3), rng=np.random.default_rng(0))
    assert len({both(x).round(9).tobytes() for _ in range(30)}) == 2  # one before the other, or the other way round


def test_arrays_that_are_no_colours_are_refused() -> None:
    with pytest.raises(ShapeError, match="1 or 3 channels"):
        T.ColorJitter(0.1)(np.zeros((4, 2, 2)))
    with pytest.raises(DtypeError, match="int64"):
        T.Grayscale()(np.zeros((3, 2, 2), np.int64))
