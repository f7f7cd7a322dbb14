"""What transforms know of images: Pillow's, and arrays or Tensors (…, C, H, W)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ...arrays import is_array
from ...errors import DtypeError, MissingExtraError, NumnetError, OptionError, ShapeError, describe
from ...random import default_rng
from ...tensor import Tensor
from ..sampler import Rng, expect_generator

__all__ = [
    "Fill",
    "Size",
    "Transform",
    "expect_range",
    "fill_of",
    "is_pillow",
    "on_array",
    "pair_of",
    "pillow",
    "probability",
    "size_of",
    "through_pillow",
]

Size: TypeAlias = int | tuple[int, int]
Fill: TypeAlias = float | Sequence[float]


class Transform:
    """Abstract: something that is called with an image and returns one. A subclass writes ``_apply``.

    What is drawn comes from ``rng``, else from :func:`numnet.random.default_rng`, asked for anew in every call: a
    :class:`~numnet.data.DataLoader` gives each sample of each epoch numbers of its own, the same for any number of
    workers. A generator handed over is used up call by call, and every worker has a copy of it: leave it out there.
    """

    def __init__(self, rng: Rng = None) -> None:
        self.rng = expect_generator(rng)

    def __call__(self, image: Any) -> Any:
        """The transformed image. Errors of numnet's name the transform."""
        try:
            return self._apply(image)
        except NumnetError as error:
            error.where = error.where or repr(self)
            raise

    def _apply(self, image: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no _apply(self, image)")

    def _draw(self) -> np.random.Generator:
        return default_rng() if self.rng is None else self.rng

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in vars(self).items() if name != "rng")
        return f"{type(self).__name__}({settings})"


def pillow() -> Any:
    """The package PIL. Raises MissingExtraError if it is not installed."""
    try:
        import PIL.Image
        import PIL.ImageEnhance
        import PIL.ImageOps
    except ImportError as error:
        raise MissingExtraError("pillow", "data") from error
    return PIL


def is_pillow(image: Any) -> bool:
    """Whether this is an image of Pillow's, and not an array or Tensor; an error where it is no image at all.

    Raises:
        DtypeError: neither Pillow's nor an array or Tensor. ShapeError: an array without axes (C, H, W).
    """
    if is_array(image) or isinstance(image, Tensor):
        if image.ndim < 3:
            cure = "image[None] from (H, W); image.transpose(2, 0, 1) from (H, W, C)"
            raise ShapeError("an image of shape (…, C, H, W)", f"shape {tuple(image.shape)}", cure)
        return False
    if isinstance(image, pillow().Image.Image):
        return True
    raise DtypeError("an image of Pillow's, or an array or Tensor (…, C, H, W)", describe(image))


def size_of(image: Any) -> tuple[int, int]:
    """Height and width. Raises ShapeError where one is 0."""
    size = (image.height, image.width) if is_pillow(image) else (int(image.shape[-2]), int(image.shape[-1]))
    if 0 in size:
        raise ShapeError("an image of 1 × 1 pixels or more", f"{size[0]} × {size[1]}")
    return size


def on_array(image: Any, function: Callable[[np.ndarray], np.ndarray]) -> Any:
    """An array or Tensor with a function of arrays applied, in its own kind."""
    if isinstance(image, Tensor):
        return Tensor(np.ascontiguousarray(function(image.detach().numpy())))
    return np.ascontiguousarray(function(image))


def through_pillow(image: Any, function: Callable[[Any, Any], Any], fill: Fill = 0) -> Any:
    """``function(image, fill)`` of Pillow's images, on an image of any kind.

    Arrays go through it channel by channel: bytes as bytes, other numbers as float32. They come back in their dtype.
    """
    if is_pillow(image):
        return function(image, fill_of(fill, image))

    def by_channels(x: np.ndarray) -> np.ndarray:
        colours = fill_of(fill, x)  # (C, 1, 1)
        made = pillow().Image.fromarray
        planes = x.reshape(-1, *x.shape[-2:]).astype(np.uint8 if x.dtype == np.uint8 else np.float32, copy=False)
        y = np.stack(
            [
                np.asarray(function(made(np.ascontiguousarray(plane)), colours[n % len(colours)].item()))
                for n, plane in enumerate(planes)
            ]
        )
        y = y if x.dtype.kind == "f" or x.dtype == np.uint8 else np.rint(y)
        return y.astype(x.dtype, copy=False).reshape(*x.shape[:-2], *y.shape[-2:])

    return on_array(image, by_channels)


def fill_of(fill: Fill, image: Any) -> Any:
    """The colour ``fill`` for an image of Pillow's, as Pillow wants it; for an array, as an array (C, 1, 1).

    Raises:
        ShapeError: not one number, nor one for each channel.
    """
    numbers = [fill] if isinstance(fill, (int, float)) else list(fill)
    channels = len(image.getbands()) if is_pillow(image) else image.shape[-3]
    if len(numbers) not in (1, channels):
        expected = f"fill as one number, or as {channels}: as many as the image has channels"
        raise ShapeError(expected, f"{len(numbers)} numbers, {fill!r}")
    numbers = numbers * (channels // len(numbers))
    if not is_pillow(image):
        return np.array(numbers).astype(image.dtype)[:, None, None]
    if image.mode != "F":
        numbers = [int(number) for number in numbers]
    return tuple(numbers) if channels > 1 else numbers[0]


def pair_of(name: str, size: Any) -> tuple[int, int]:
    """A height and width: one number for both, or two. Raises OptionError for anything else."""
    pair = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if len(pair) not in (1, 2) or not all(_is_whole(n) and n > 0 for n in pair):
        raise OptionError(f"{name} as a positive whole number, or as (height, width)", f"{name}={size!r}")
    return int(pair[0]), int(pair[-1])


def _is_whole(n: Any) -> bool:
    return isinstance(n, (int, np.integer)) and not isinstance(n, bool)


def probability(p: float) -> float:
    """A probability. Raises OptionError outside 0 … 1."""
    if not isinstance(p, (int, float)) or not 0 <= p <= 1:
        raise OptionError("a probability p from 0 to 1", f"p={p!r}")
    return p


def expect_range(name: str, value: Any, least: float, most: float) -> tuple[float, float]:
    """``value`` as (least, largest) within bounds. Raises OptionError."""
    numbers = tuple(value) if isinstance(value, (tuple, list)) else ()
    if (
        len(numbers) == 2
        and all(isinstance(n, (int, float)) for n in numbers)
        and least <= numbers[0] <= numbers[1] <= most
    ):
        return numbers
    bounds = f"at least {least:.3g}" if most == np.inf else f"from {least:g} to {most:g}"
    expected = f"{name} as (least, largest){', ' + bounds if least > -np.inf else ''}"
    raise OptionError(expected, f"{name}={value!r}")
