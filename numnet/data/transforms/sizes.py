"""How large an image is: sizes, margins, crops."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any

import numpy as np

from ...errors import OptionError, ShapeError
from ..sampler import Rng
from .image import (
    Fill,
    Size,
    Transform,
    expect_range,
    fill_of,
    is_pillow,
    on_array,
    pair_of,
    pillow,
    size_of,
    through_pillow,
)

__all__ = [
    "CenterCrop",
    "InterpolationMode",
    "Pad",
    "RandomCrop",
    "RandomResizedCrop",
    "Resize",
    "interpolation_mode",
]

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


class InterpolationMode(StrEnum):
    """How pixels are made from others. The words do as well: ``Resize(28, "bicubic")``."""

    NEAREST = "nearest"
    BOX = "box"
    BILINEAR = "bilinear"
    HAMMING = "hamming"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"


def interpolation_mode(name: str, among: tuple[str, ...] = tuple(InterpolationMode)) -> str:
    """The name, checked. Raises OptionError."""
    if name not in among:
        raise OptionError(f"interpolation among {', '.join(among)}", f"interpolation={name!r}")
    return str(name)


def _resized(image: Any, height: int, width: int, interpolation: str) -> Any:
    how = pillow().Image.Resampling[interpolation.upper()]
    return through_pillow(image, lambda one, fill: one.resize((width, height), how))


def _cropped(image: Any, top: int, left: int, height: int, width: int) -> Any:
    if is_pillow(image):
        return image.crop((left, top, left + width, top + height))
    return on_array(image, lambda x: x[..., top : top + height, left : left + width])


def _padded(image: Any, padding: tuple[int, int, int, int], fill: Fill, mode: str) -> Any:
    """``padding``: left, top, right, bottom."""
    left, top, right, bottom = padding
    height, width = size_of(image)
    if mode == "constant":
        colour = fill_of(fill, image)
        if is_pillow(image):
            return pillow().ImageOps.expand(image, padding, colour)

        def framed(x: np.ndarray) -> np.ndarray:
            y = np.empty((*x.shape[:-2], top + height + bottom, left + width + right), x.dtype)
            y[...] = colour
            y[..., top : top + height, left : left + width] = x
            return y

        return on_array(image, framed)
    rows = _continued(height, top, bottom, mode)
    columns = _continued(width, left, right, mode)
    if not is_pillow(image):
        return on_array(image, lambda x: x[..., rows[:, None], columns])
    planes = [
        pillow().Image.fromarray(np.asarray(band)[rows[:, None], columns])  # (H, W) each, whatever the colours mean
        for band in image.split()
    ]
    made = planes[0] if len(planes) == 1 else pillow().Image.merge(image.mode, planes)
    if image.mode == "P":
        made.putpalette(image.getpalette())
    return made


def _continued(length: int, before: int, after: int, mode: Any) -> np.ndarray:
    """Which of ``length`` pixels stand in a row that goes on before and after."""
    if mode == "reflect" and max(before, after) >= length:
        raise ShapeError(
            f"an image of more than {max(before, after)} pixels to reflect", f"{length}", "Resize before it"
        )
    return np.pad(np.arange(length), (before, after), mode)


class Resize(Transform):
    """The image in another size, smoothed where it shrinks.

    Args:
        size: (height, width); of one number the shorter side, and the other in proportion.
        interpolation: "bilinear", "nearest", "bicubic", …: an :class:`InterpolationMode`.
        max_size: the longer side at most, where ``size`` is one number.
        antialias: smoothing, which is always done.

    Raises:
        OptionError: a size, interpolation or ``max_size`` that cannot be, or ``antialias=False``.
        ShapeError: in a call, an image without a pixel.
    """

    def __init__(
        self,
        size: Size | tuple[int],
        interpolation: str = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool = True,
    ) -> None:
        super().__init__()
        height, width = pair_of("size", size)
        self.size: Size = (height, width) if isinstance(size, (tuple, list)) and len(size) == 2 else height
        self.interpolation = interpolation_mode(interpolation)
        self.max_size = max_size
        self.antialias = antialias
        if max_size is not None and (not isinstance(self.size, int) or not max_size > self.size):
            expected = "max_size greater than size, where size is one number: the shorter side"
            raise OptionError(expected, f"max_size={max_size!r} and size={size!r}")
        if antialias is False:
            raise OptionError("antialias=True", "antialias=False", 'interpolation="nearest" does not smooth')

    def _apply(self, image: Any) -> Any:
        height, width = size_of(image)
        if isinstance(self.size, int):
            short, long = sorted((height, width))
            new_short, new_long = self.size, int(self.size * long / short)
            if self.max_size is not None and new_long > self.max_size:
                new_short, new_long = max(int(self.max_size * new_short / new_long), 1), self.max_size
            new = (new_short, new_long) if height <= width else (new_long, new_short)
        else:
            new = self.size
        return image if new == (height, width) else _resized(image, *new, self.interpolation)


class CenterCrop(Transform):
    """The middle of the image; black around it where it is smaller.

    Args:
        size: (height, width), or one number for both.
    """

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = pair_of("size", size)

    def _apply(self, image: Any) -> Any:
        h, w = self.size
        height, width = size_of(image)
        rows, columns = max(h - height, 0), max(w - width, 0)
        if rows or columns:
            image = _padded(image, (columns // 2, rows // 2, (columns + 1) // 2, (rows + 1) // 2), 0, "constant")
            height, width = size_of(image)
        return _cropped(image, round((height - h) / 2), round((width - w) / 2), h, w)


def _four(padding: Any) -> tuple[int, int, int, int]:
    """``padding`` as left, top, right, bottom."""
    numbers = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,)
    if len(numbers) not in (1, 2, 4) or not all(isinstance(n, int) and n >= 0 for n in numbers):
        expected = "padding as a whole number, as (left and right, top and bottom), or as (left, top, right, bottom)"
        raise OptionError(expected, f"padding={padding!r}")
    left, top, right, bottom = numbers * (4 // len(numbers))
    return left, top, right, bottom


def _padding_mode(mode: str) -> str:
    if mode not in PADDING_MODES:
        raise OptionError(f"padding_mode among {', '.join(PADDING_MODES)}", f"padding_mode={mode!r}")
    return mode


class Pad(Transform):
    """Pixels around the image.

    Args:
        padding: on all sides; (left and right, top and bottom); or (left, top, right, bottom).
        fill: their value for "constant": a number, or one for each channel.
        padding_mode: "constant"; "edge", the outermost pixel again and again; "reflect", a mirror on it, which
            comes once; or "symmetric", a mirror beside it, which comes twice.

    Raises:
        OptionError: a padding or mode that cannot be. ShapeError: in a call, too many numbers in ``fill``, or more to
            reflect than there is.
    """

    def __init__(self, padding: Any, fill: Fill = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        self.padding, self.fill, self.padding_mode = padding, fill, _padding_mode(padding_mode)
        _four(padding)

    def _apply(self, image: Any) -> Any:
        return _padded(image, _four(self.padding), self.fill, self.padding_mode)


class RandomCrop(Transform):
    """A part of the image, anywhere.

    Args:
        size: (height, width), or one number for both.
        padding: pixels around the image, before; as for :class:`Pad`.
        pad_if_needed: pad an image that is too small, on both sides by what it lacks.
        fill, padding_mode: of the padding.
        rng: where the place is drawn from.

    Raises:
        ShapeError: in a call, an image that is smaller.
    """

    def __init__(
        self,
        size: Size,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Fill = 0,
        padding_mode: str = "constant",
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        self.size = pair_of("size", size)
        self.padding = padding
        self.pad_if_needed, self.fill, self.padding_mode = pad_if_needed, fill, _padding_mode(padding_mode)
        if padding is not None:
            _four(padding)

    def _apply(self, image: Any) -> Any:
        if self.padding is not None:
            image = _padded(image, _four(self.padding), self.fill, self.padding_mode)
        (height, width), (h, w) = size_of(image), self.size
        if self.pad_if_needed and (height < h or width < w):
            rows, columns = max(h - height, 0), max(w - width, 0)
            image = _padded(image, (columns, rows, columns, rows), self.fill, self.padding_mode)
            height, width = size_of(image)
        if height < h or width < w:
            cure = "padding=…, pad_if_needed=True, or Resize before it"
            raise ShapeError(f"an image of at least {h} × {w} to crop from", f"{height} × {width}", cure)
        draw = self._draw()
        top, left = int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1))
        return _cropped(image, top, left, h, w)


class RandomResizedCrop(Transform):
    """A part of the image of a random area and aspect, brought to one size.

    Ten tries are made to find a part that fits; then it is the middle, as near to ``ratio`` as can be.

    Args:
        size: (height, width), or one number for both.
        scale: the area, as a share of the whole: (least, largest).
        ratio: width over height: (least, largest). Its logarithm is uniform.
        interpolation, antialias: as for :class:`Resize`.
        rng: where they are drawn from.

    Source: Szegedy et al., Going deeper with convolutions, 2014, section 6.
    """

    def __init__(
        self,
        size: Size,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = InterpolationMode.BILINEAR,
        antialias: bool = True,
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        tiny = np.finfo(float).tiny
        self.size = pair_of("size", size)
        self.scale, self.ratio = expect_range("scale", scale, tiny, np.inf), expect_range("ratio", ratio, tiny, np.inf)
        self.interpolation = Resize(self.size, interpolation, None, antialias).interpolation

    def _apply(self, image: Any) -> Any:
        return _resized(_cropped(image, *self._place(*size_of(image))), *self.size, self.interpolation)

    def _place(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of the part."""
        draw = self._draw()
        for _ in range(10):
            area = height * width * draw.uniform(*self.scale)
            aspect = math.exp(draw.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                return int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1)), h, w
        aspect = min(max(width / height, self.ratio[0]), self.ratio[1])
        w, h = max(min(width, round(height * aspect)), 1), max(min(height, round(width / aspect)), 1)
        return (height - h) // 2, (width - w) // 2, h, w
