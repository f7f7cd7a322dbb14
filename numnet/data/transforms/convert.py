"""From pixels to numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import DtypeError, OptionError, ShapeError, describe
from ...tensor import Tensor
from .image import Transform, is_pillow, on_array, pillow

__all__ = ["Normalize", "PILToTensor", "ToTensor"]


def _channels_first(image: Any) -> np.ndarray:
    """The pixels of an image of Pillow's, or of an array (H, W) or (H, W, C), as (C, H, W)."""
    if isinstance(image, np.ndarray):
        pixels = image
    elif isinstance(image, pillow().Image.Image):
        pixels = np.asarray(image)
    else:
        raise DtypeError("an image of Pillow's or an array (H, W, C)", describe(image), "it is a Tensor already?")
    if pixels.ndim not in (2, 3):
        raise ShapeError("an image of shape (H, W) or (H, W, C)", f"shape {pixels.shape}")
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


class ToTensor(Transform):
    """A Tensor (C, H, W): bytes 0 … 255 become float32 0 … 1, other numbers stay what they are.

    Of an image of Pillow's, or of an array (H, W) or (H, W, C).

    Raises:
        DtypeError: it is neither. ShapeError: an array of other axes.
    """

    def __call__(self, image: Any) -> Tensor:
        """The image as a Tensor."""
        pixels = _channels_first(image)
        if pixels.dtype == np.uint8:
            return Tensor(np.divide(pixels, 255, dtype=np.float32))
        return Tensor(pixels.astype(np.float32) if pixels.dtype == bool else pixels.copy())

    def __repr__(self) -> str:
        return "ToTensor()"


class PILToTensor(Transform):
    """A Tensor (C, H, W) of the pixels as they are: bytes stay bytes."""

    def __call__(self, image: Any) -> Tensor:
        """The image as a Tensor."""
        return Tensor(_channels_first(image))

    def __repr__(self) -> str:
        return "PILToTensor()"


class Normalize(Transform):
    """Each channel by a mean and a standard deviation of its own.

        y = (x - mean) / std

    Normalize((0.5,), (0.5,)) brings 0 … 1 to -1 … 1.

    Args:
        mean: one number for each channel, or one for all.
        std: the same, none of them 0.
        inplace: taken for torchvision's sake; the image that comes in is never written into.

    Raises:
        OptionError: a std of 0. DtypeError: in a call, an image that is no floating-point array or Tensor.
        ShapeError: in a call, another number of channels.
    """

    def __init__(self, mean: Sequence[float] | float, std: Sequence[float] | float, inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std = mean, std
        if not np.all(np.asarray(std) != 0):
            raise OptionError("a std other than 0, to divide by", f"std={std!r}")

    def __call__(self, image: Any) -> Any:
        """The image, channel by channel."""
        if is_pillow(image) or image.dtype.kind != "f":
            got = "an image of Pillow's" if is_pillow(image) else describe(image)
            raise DtypeError(
                "a floating-point array or Tensor (C, H, W)", got, "transforms.ToTensor() before Normalize"
            )
        mean, std = (np.atleast_1d(np.asarray(value, image.dtype)) for value in (self.mean, self.std))
        for name, value in (("mean", mean), ("std", std)):
            if len(value) not in (1, image.shape[0]):
                raise ShapeError(
                    f"{name} with 1 or {image.shape[0]} numbers, as the image has channels", f"{len(value)}"
                )
        return on_array(image, lambda x: (x - mean[:, None, None]) / std[:, None, None])

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"
