"""What transforms know of images: Pillow's, and arrays or Tensors (C, H, W)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays import is_array
from ...errors import DtypeError, MissingExtraError, OptionError, ShapeError, describe
from ...random import default_rng
from ...tensor import Tensor

__all__ = ["Transform", "is_pillow", "on_array", "pair_of", "pillow", "probability", "size_of", "through_pillow"]

Size = int | tuple[int, int]


class Transform:
    """Abstract: something that is called with an image and returns one. A subclass writes ``__call__``.

    What is drawn comes from ``rng``, else from the default generator, which a loader sets anew for each sample.
    """

    def __init__(self, rng: np.random.Generator | None = None) -> None:
        self.rng = rng

    def __call__(self, image: Any) -> Any:
        """The transformed image."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(self, image)")

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
    except ImportError as error:
        raise MissingExtraError("pillow", "data") from error
    return PIL


def is_pillow(image: Any) -> bool:
    """Whether this is an image of Pillow's; an error where it is no image at all.

    Raises:
        DtypeError: neither Pillow's nor an array or Tensor. ShapeError: an array without axes (C, H, W).
    """
    if is_array(image) or isinstance(image, Tensor):
        if image.ndim != 3:
            cure = "image.transpose(2, 0, 1) from (H, W, C); image[None] from (H, W)"
            raise ShapeError("an image of shape (C, H, W)", f"shape {tuple(image.shape)}", cure)
        return False
    if isinstance(image, pillow().Image.Image):
        return True
    raise DtypeError("an image of Pillow's, or an array or Tensor (C, H, W)", describe(image))


def size_of(image: Any) -> tuple[int, int]:
    """Height and width."""
    if is_pillow(image):
        return image.height, image.width
    return tuple(image.shape[1:])


def on_array(image: Any, function: Callable[[np.ndarray], np.ndarray]) -> Any:
    """An array or Tensor with a function of arrays applied, in its own kind."""
    if isinstance(image, Tensor):
        return Tensor(np.ascontiguousarray(function(np.asarray(image.detach().numpy()))))
    return np.ascontiguousarray(function(image))


def through_pillow(image: Any, function: Callable[[Any], Any]) -> Any:
    """A function of Pillow's images, on an image of any kind; arrays go channel by channel, in their dtype."""
    if is_pillow(image):
        return function(image)

    def by_channels(x: np.ndarray) -> np.ndarray:
        kind = np.uint8 if x.dtype == np.uint8 else np.float32
        channels = [np.asarray(function(pillow().Image.fromarray(channel.astype(kind)))) for channel in x]
        return np.stack(channels).astype(x.dtype)

    return on_array(image, by_channels)


def pair_of(name: str, size: Any) -> tuple[int, int]:
    """A height and width: one number for both, or two. Raises OptionError for anything else."""
    pair = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, (tuple, list)) else ()
    if len(pair) == 1:
        pair = pair * 2
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
        raise OptionError(f"{name} as a positive whole number, or as (height, width)", f"{size!r}")
    return pair


def probability(p: float) -> float:
    """A probability. Raises OptionError outside 0 … 1."""
    if not 0 <= p <= 1:
        raise OptionError("a probability p from 0 to 1", f"p={p!r}")
    return p
