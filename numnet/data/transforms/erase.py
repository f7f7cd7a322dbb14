"""A part of the image lost."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ...errors import DtypeError, OptionError
from .image import Transform, is_pillow, on_array, probability

__all__ = ["RandomErasing"]


class RandomErasing(Transform):
    """A rectangle of the image replaced, with probability p; on arrays and Tensors (C, H, W).

    Args:
        p: the probability.
        scale: the area of the rectangle, as a share of the whole: least and largest.
        ratio: its height over its width: least and largest.
        value: what is put there: a number, one for each channel, or "random" for normal numbers.
        inplace: taken for torchvision's sake; the image that comes in is never written into.
        rng: where it is drawn from.

    Source: Zhong et al., Random erasing data augmentation, 2017.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: tuple[float, float] = (0.02, 0.33),
        ratio: tuple[float, float] = (0.3, 3.3),
        value: float | tuple[float, ...] | Literal["random"] = 0,
        inplace: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(rng)
        self.p = probability(p)
        if not 0 <= scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise OptionError("scale within 0 … 1 and ratio above 0, each (least, largest)", f"{scale!r} and {ratio!r}")
        if isinstance(value, str) and value != "random":
            raise OptionError('a number, one for each channel, or "random"', f"value={value!r}")
        self.scale, self.ratio, self.value = scale, ratio, value

    def __call__(self, image: Any) -> Any:
        """The image, with a hole or as it is."""
        if is_pillow(image):
            raise DtypeError(
                "an array or Tensor (C, H, W)", "an image of Pillow's", "put it behind transforms.ToTensor()"
            )
        draw = self._draw()
        if draw.random() >= self.p:
            return image
        channels, height, width = image.shape
        for _ in range(10):
            area = height * width * draw.uniform(*self.scale)
            aspect = math.exp(draw.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if h < height and w < width:
                break
        else:
            return image
        top, left = int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1))
        new = draw.standard_normal((channels, h, w)) if isinstance(self.value, str) else np.asarray(self.value, float)

        def erase(x: np.ndarray) -> np.ndarray:
            x = x.copy()
            x[:, top : top + h, left : left + w] = new[:, None, None] if new.ndim == 1 else new
            return x

        return on_array(image, erase)
