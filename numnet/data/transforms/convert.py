"""From pixels to numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import DtypeError, OptionError, ShapeError, describe
from ...tensor import Tensor
from .compose import Compose
from .image import Transform, is_pillow, on_array, pillow

__all__ = ["Normalize", "PILToTensor", "ToTensor", "many_at_once"]


def _channels_first(image: Any) -> np.ndarray:
    """The pixels, (C, H, W), of an image of Pillow's or of an array (H, W) or (H, W, C); a view where it can be."""
    if isinstance(image, np.ndarray):
        pixels = image
    elif isinstance(image, Tensor):
        cure = "leave it out: the image is a Tensor already"
        raise DtypeError("an image of Pillow's, or an array (H, W, C)", describe(image), cure)
    elif isinstance(image, pillow().Image.Image):
        pixels = np.asarray(image)
    else:
        raise DtypeError("an image of Pillow's, or an array (H, W, C)", describe(image))
    if pixels.ndim not in (2, 3):
        raise ShapeError("an image of shape (H, W) or (H, W, C)", f"shape {pixels.shape}")
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


class ToTensor(Transform):
    """A Tensor (C, H, W) of an image of Pillow's, or of an array (H, W) or (H, W, C).

        y = x / 255

    in float32 for bytes; black and white become 0 and 1; other numbers stay what they are.

    Raises:
        DtypeError: in a call, neither. ShapeError: in a call, an array of other axes.
    """

    def _apply(self, image: Any) -> Tensor:
        return _as_tensor(_channels_first(image))


def _as_tensor(pixels: np.ndarray) -> Tensor:
    """The numbers of a Tensor for pixels (…, C, H, W)."""
    if pixels.dtype == np.uint8:
        return Tensor(np.divide(pixels, 255, dtype=np.float32, order="C"))
    return Tensor(pixels.astype(np.float32 if pixels.dtype == bool else pixels.dtype, order="C"))


class PILToTensor(Transform):
    """A Tensor (C, H, W) of the pixels as they are: bytes stay bytes.

    Raises:
        DtypeError: in a call, neither an image of Pillow's nor an array. ShapeError: in a call, an array of other axes.
    """

    def _apply(self, image: Any) -> Tensor:
        return Tensor(_channels_first(image).copy(order="C"))


class Normalize(Transform):
    """Each channel of an array or Tensor (…, C, H, W) by a mean and a standard deviation of its own.

        y = (x - mean) / std

    Normalize((0.5,), (0.5,)) brings 0 … 1 to -1 … 1.

    Args:
        mean: one number for each channel, or one for all.
        std: the same, none of them 0.
        inplace: taken for torchvision's sake; the image that comes in is never written into.

    Raises:
        OptionError: a std of 0, numbers that are not finite. ShapeError: in a call, another number of channels.
        DtypeError: in a call, an image that is no floating-point array or Tensor.
    """

    def __init__(self, mean: Sequence[float] | float, std: Sequence[float] | float, inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std = mean, std
        self._mean, self._std = (np.atleast_1d(np.asarray(numbers, float))[:, None, None] for numbers in (mean, std))
        if not np.all(self._std) or not np.isfinite(self._std).all():
            raise OptionError("a std other than 0, to divide by, and finite", f"std={std!r}")
        if not np.isfinite(self._mean).all():
            raise OptionError("a finite mean", f"mean={mean!r}")

    def _apply(self, image: Any) -> Any:
        if is_pillow(image) or image.dtype.kind != "f":
            got = "an image of Pillow's" if is_pillow(image) else describe(image)
            cure = "transforms.ToTensor() before Normalize"
            raise DtypeError("a floating-point array or Tensor (…, C, H, W)", got, cure)
        channels = image.shape[-3]
        for name, numbers in (("mean", self._mean), ("std", self._std)):
            if len(numbers) not in (1, channels):
                expected = f"a {name} for each channel of the image, which has {channels}, or one for all"
                raise ShapeError(expected, f"{len(numbers)} numbers: {name}={getattr(self, name)!r}")
        mean, std = self._mean.astype(image.dtype), self._std.astype(image.dtype)  # (C, 1, 1)
        return on_array(image, lambda x: (x - mean) / std)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


def many_at_once(transform: Any, pixels: np.ndarray) -> Any:
    """A transform of many images of bytes, (N, H, W) or (N, H, W, C): the very bits that it gives one by one.

    ``NotImplemented`` where it cannot be had, or not the same: only ToTensor, Normalize, and Compose of them.
    """
    steps = transform.transforms if type(transform) is Compose else [transform]  # a subclass has a call of its own
    if not steps or type(steps[0]) is not ToTensor or any(type(step) is not Normalize for step in steps[1:]):
        return NotImplemented
    images: Any = _as_tensor(pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2))
    for step in steps[1:]:
        images = step(images)
    return images
