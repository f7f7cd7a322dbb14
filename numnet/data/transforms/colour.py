"""What colour pixels have."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DtypeError, OptionError, describe
from .image import Transform, is_pillow, pillow

__all__ = ["ColorJitter", "Grayscale"]

Rng = np.random.Generator | None
Range = float | tuple[float, float]


def _expect_pillow(image: Any) -> Any:
    if not is_pillow(image):
        raise DtypeError("an image of Pillow's", describe(image), "put it before transforms.ToTensor()")
    return image


class Grayscale(Transform):
    """Without colour, on images of Pillow's: 0.299 R + 0.587 G + 0.114 B.

    Args:
        num_output_channels: 1, or 3 that are equal.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        if num_output_channels not in (1, 3):
            raise OptionError("num_output_channels of 1 or 3", f"{num_output_channels!r}")
        self.num_output_channels = num_output_channels

    def __call__(self, image: Any) -> Any:
        """The image in grey."""
        grey = _expect_pillow(image).convert("L")
        return grey if self.num_output_channels == 1 else grey.convert("RGB")


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in random order, on images of Pillow's.

    Args:
        brightness, contrast, saturation: a factor drawn from (1 - b, 1 + b), or from a range given.
        hue: a shift of the hue drawn from (-h, h), in turns, at most 0.5; or from a range given.
        rng: where they are drawn from.
    """

    def __init__(
        self, brightness: Range = 0, contrast: Range = 0, saturation: Range = 0, hue: Range = 0, *, rng: Rng = None
    ) -> None:
        super().__init__(rng)
        self.brightness = _range("brightness", brightness, 1, (0, np.inf))
        self.contrast = _range("contrast", contrast, 1, (0, np.inf))
        self.saturation = _range("saturation", saturation, 1, (0, np.inf))
        self.hue = _range("hue", hue, 0, (-0.5, 0.5))

    def __call__(self, image: Any) -> Any:
        """The image in other colours."""
        _expect_pillow(image)
        draw = self._draw()
        enhance = pillow().ImageEnhance
        steps = [
            (self.brightness, lambda one, factor: enhance.Brightness(one).enhance(factor)),
            (self.contrast, lambda one, factor: enhance.Contrast(one).enhance(factor)),
            (self.saturation, lambda one, factor: enhance.Color(one).enhance(factor)),
            (self.hue, _turn_hue),
        ]
        for which in draw.permutation(4):
            limits, change = steps[which]
            if limits is not None:
                image = change(image, float(draw.uniform(*limits)))
        return image


def _range(name: str, value: Any, centre: float, bounds: tuple[float, float]) -> tuple[float, float] | None:
    if isinstance(value, (int, float)):
        if value < 0:
            raise OptionError(f"{name} of 0 or more, or a range", f"{name}={value!r}")
        low, high = max(centre - value, bounds[0]), centre + value
    else:
        low, high = value
    if not bounds[0] <= low <= high <= bounds[1]:
        raise OptionError(f"{name} within {bounds[0]} … {bounds[1]}", f"{name}={value!r}")
    return None if low == high == centre else (low, high)


def _turn_hue(image: Any, turns: float) -> Any:
    if image.mode in ("L", "1", "I", "F"):
        return image  # grey has no hue
    hue, saturation, value = image.convert("HSV").split()
    shifted = (np.asarray(hue, np.int16) + round(turns * 255)) % 256
    turned = pillow().Image.fromarray(shifted.astype(np.uint8))
    return pillow().Image.merge("HSV", (turned, saturation, value)).convert(image.mode)
