"""A part of the image lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import DtypeError, OptionError, ShapeError
from ..sampler import Rng
from .image import Transform, expect_range, is_pillow, on_array, probability

__all__ = ["RandomErasing"]


class RandomErasing(Transform):
    """A rectangle of the image replaced, with probability p; on arrays and Tensors (…, C, H, W).

    Ten tries are made to find a rectangle that is lower and narrower than the image; then it stays as it is.

    Args:
        p: the probability.
        scale: the area of the rectangle, as a share of the whole: (least, largest).
        ratio: its height over its width: (least, largest). Its logarithm is uniform.
        value: what is put there: a number, one for each channel, or "random" for normal numbers.
        inplace: taken for torchvision's sake; the image that comes in is never written into.
        rng: where it is drawn from.

    Raises:
        DtypeError: in a call, an image of Pillow's. ShapeError: in a call, too many numbers in ``value``.

    Source: Zhong et al., Random erasing data augmentation, 2017.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        value: float | tuple[float, ...] | str = 0,
        inplace: bool = False,
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        self.p = probability(p)
        self.scale = expect_range("scale", scale, 0, 1)
        self.ratio = expect_range("ratio", ratio, np.finfo(float).tiny, np.inf)
        if isinstance(value, str) and value != "random":
            raise OptionError('value as a number, one for each channel, or "random"', f"value={value!r}")
        self.value, self.inplace = value, inplace

    def _apply(self, image: Any) -> Any:
        if is_pillow(image):
            cure = "put it behind transforms.ToTensor()"
            raise DtypeError("an array or Tensor (…, C, H, W)", "an image of Pillow's", cure)
        draw = self._draw()
        if draw.random() >= self.p:
            return image
        channels, height, width = image.shape[-3:]
        for _ in range(10):
            area = height * width * draw.uniform(*self.scale)
            aspect = math.exp(draw.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < h < height and 0 < w < width:
                break
        else:
            return image
        top, left = int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1))
        new = self._filling(draw, channels, h, w)

        def erase(x: np.ndarray) -> np.ndarray:
            x = x.copy()
            x[..., top : top + h, left : left + w] = new
            return x

        return on_array(image, erase)

    def _filling(self, draw: np.random.Generator, channels: int, height: int, width: int) -> np.ndarray:
        """(C, h, w), or (C, 1, 1), or (1, 1, 1)."""
        if isinstance(self.value, str):
            return draw.standard_normal((channels, height, width))
        new = np.atleast_1d(np.asarray(self.value, float))
        if len(new) not in (1, channels):
            raise ShapeError(f"value as one number, or as {channels}: one for each channel", f"value={self.value!r}")
        return new[:, None, None]
