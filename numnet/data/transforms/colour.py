"""What colour pixels have."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DtypeError, OptionError, ShapeError, describe
from ..sampler import Rng
from .image import Transform, expect_range, is_pillow, on_array, pillow

__all__ = ["ColorJitter", "Grayscale"]

Range = float | tuple[float, float]
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R recommendation 601, as Pillow has it


def _expect_colours(image: Any) -> bool:
    """Whether this is an image of Pillow's. Raises as :func:`is_pillow`; and ShapeError, DtypeError for an array."""
    if is_pillow(image):
        return True
    if image.shape[-3] not in (1, 3):
        raise ShapeError("an image of 1 or 3 channels, (…, C, H, W)", f"shape {tuple(image.shape)}")
    if image.dtype.kind != "f" and image.dtype != np.uint8:
        raise DtypeError("floating-point numbers 0 … 1, or bytes 0 … 255", describe(image), "transforms.ToTensor()")
    return False


def _grey(x: np.ndarray) -> np.ndarray:
    """0.299 R + 0.587 G + 0.114 B, (…, 1, H, W); grey as it is."""
    if x.shape[-3] == 1:
        return x
    red, green, blue = LUMA.astype(x.dtype)
    return red * x[..., :1, :, :] + green * x[..., 1:2, :, :] + blue * x[..., 2:, :, :]


class Grayscale(Transform):
    """Without colour: 0.299 R + 0.587 G + 0.114 B.

    Args:
        num_output_channels: 1, or 3 that are equal.

    Raises:
        OptionError: neither. ShapeError: in a call, an array that has not 1 or 3 channels.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        if num_output_channels not in (1, 3):
            raise OptionError("num_output_channels of 1 or 3", f"num_output_channels={num_output_channels!r}")
        self.num_output_channels = num_output_channels

    def _apply(self, image: Any) -> Any:
        if _expect_colours(image):
            grey = image.convert("L")
            return grey if self.num_output_channels == 1 else grey.convert("RGB")
        return on_array(image, lambda x: np.repeat(_in_floats(x, _grey), self.num_output_channels, axis=-3))


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in random order.

        brightness  f x        contrast  f x + (1 − f) mean(grey)        saturation  f x + (1 − f) grey

    each within the range of the pixels; hue turns the colours on their circle.

    Args:
        brightness, contrast, saturation: f is drawn from (1 - b, 1 + b), but not below 0; or from a range given.
        hue: a part of a turn drawn from (-h, h), with h at most 0.5; or from a range given.
        rng: where they are drawn from.

    Raises:
        OptionError: a range that cannot be. ShapeError: in a call, an array that has not 1 or 3 channels.
        DtypeError: in a call, an array neither of floating-point numbers nor of bytes; an image of Pillow's that has no
        colours to mix (mode P, 1, I or F).
    """

    def __init__(
        self, brightness: Range = 0, contrast: Range = 0, saturation: Range = 0, hue: Range = 0, *, rng: Rng = None
    ) -> None:
        super().__init__(rng)
        self.brightness = _range("brightness", brightness, 1, 0, np.inf)
        self.contrast = _range("contrast", contrast, 1, 0, np.inf)
        self.saturation = _range("saturation", saturation, 1, 0, np.inf)
        self.hue = _range("hue", hue, 0, -0.5, 0.5)

    def _apply(self, image: Any) -> Any:
        changes = _OF_PILLOW if _expect_colours(image) else _OF_ARRAYS
        draw = self._draw()
        for which in draw.permutation(4):
            limits = (self.brightness, self.contrast, self.saturation, self.hue)[which]
            if limits is not None:
                image = changes[which](image, float(draw.uniform(*limits)))
        return image


def _range(name: str, value: Any, centre: float, least: float, most: float) -> tuple[float, float] | None:
    """The range to draw from; ``None`` where nothing changes."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise OptionError(f"{name} of 0 or more, or (least, largest)", f"{name}={value!r}")
        value = (max(centre - value, least) if centre else -value, centre + value)
    low, high = expect_range(name, value, least, most)
    return None if low == high == centre else (low, high)


# ---------------------------------------------------------------------- on images of Pillow's


def _enhanced(name: str) -> Any:
    def enhance(image: Any, factor: float) -> Any:
        try:
            return getattr(pillow().ImageEnhance, name)(image).enhance(factor)
        except ValueError as error:  # Pillow mixes bytes alone, and no numbers of a palette
            expected, got = "an image whose colours can be mixed, such as RGB or L", f"one of mode {image.mode}"
            raise DtypeError(expected, got, 'image.convert("RGB") before it') from error

    return enhance


def _turned(image: Any, turns: float) -> Any:
    if image.mode in ("1", "L", "I", "F", "LA"):
        return image  # grey has no hue
    hue, saturation, value = image.convert("RGB").convert("HSV").split()
    shifted = (np.asarray(hue, np.int16) + int(turns * 255)) % 256
    turned = pillow().Image.fromarray(shifted.astype(np.uint8))
    made = pillow().Image.merge("HSV", (turned, saturation, value)).convert("RGB").convert(image.mode)
    if "A" in image.getbands():
        made.putalpha(image.getchannel("A"))
    return made


_OF_PILLOW = (_enhanced("Brightness"), _enhanced("Contrast"), _enhanced("Color"), _turned)


# ---------------------------------------------------------------------- on arrays and Tensors


def _in_floats(x: np.ndarray, function: Any) -> np.ndarray:
    """A function of pixels 0 … 1, on such; or on bytes 0 … 255, which come back rounded."""
    if x.dtype.kind == "f":
        return np.asarray(function(x), x.dtype)
    y = function(np.divide(x, 255, dtype=np.float32))
    return np.rint(y * 255).astype(np.uint8)


def _mixed(other: Any) -> Any:
    """f x + (1 − f) other(x), within 0 … 1."""

    def mix(image: Any, factor: float) -> Any:
        return on_array(
            image,
            lambda x: _in_floats(x, lambda x: np.clip(factor * x + (1 - factor) * other(x), 0, 1)),
        )

    return mix


def _turned_array(image: Any, turns: float) -> Any:
    return on_array(image, lambda x: x if x.shape[-3] == 1 else _in_floats(x, lambda x: _turned_hue(x, turns)))


def _turned_hue(x: np.ndarray, turns: float) -> np.ndarray:
    """The hue h is where a colour lies between its largest part v and its smallest v − c: in sixths of a turn."""
    red, green, blue = (x[..., n, :, :] for n in range(3))
    v = x.max(axis=-3)  # (…, H, W)
    c = v - x.min(axis=-3)
    divisor = np.where(c == 0, 1, c)  # grey has no hue; its c = 0 keeps it grey below
    h = np.select(
        [v == red, v == green],
        [(green - blue) / divisor, 2 + (blue - red) / divisor],
        4 + (red - green) / divisor,
    )
    k = (np.array([5, 3, 1], x.dtype)[:, None, None] + h[..., None, :, :] + x.dtype.type(6 * turns)) % 6
    return v[..., None, :, :] - c[..., None, :, :] * np.clip(np.minimum(k, 4 - k), 0, 1)


_OF_ARRAYS = (
    _mixed(np.zeros_like),
    _mixed(lambda x: _grey(x).mean((-3, -2, -1), keepdims=True)),
    _mixed(_grey),
    _turned_array,
)
