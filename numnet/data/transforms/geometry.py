"""Where pixels are: sizes, crops, flips, rotations."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ...errors import OptionError, ShapeError
from .image import Size, Transform, is_pillow, on_array, pair_of, pillow, probability, size_of, through_pillow

__all__ = [
    "CenterCrop",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
]

Rng = np.random.Generator | None
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
PADDING_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


def _interpolation(name: str) -> str:
    if name not in INTERPOLATIONS:
        raise OptionError(f"an interpolation among {', '.join(INTERPOLATIONS)}", repr(name))
    return name


def _resized(image: Any, height: int, width: int, interpolation: str) -> Any:
    how = getattr(pillow().Image.Resampling, interpolation.upper())
    return through_pillow(image, lambda one: one.resize((width, height), how))


def _cropped(image: Any, top: int, left: int, height: int, width: int) -> Any:
    if is_pillow(image):
        return image.crop((left, top, left + width, top + height))
    return on_array(image, lambda x: x[:, top : top + height, left : left + width])


def _padded(image: Any, padding: tuple[int, int, int, int], fill: float, mode: str) -> Any:
    """``padding``: left, top, right, bottom."""
    left, top, right, bottom = padding

    def pad(x: np.ndarray, around: tuple[tuple[int, int], ...]) -> np.ndarray:
        return np.pad(x, around, mode, **({"constant_values": fill} if mode == "constant" else {}))  # type: ignore[call-overload]

    rows, columns = (top, bottom), (left, right)
    if is_pillow(image):
        pixels = np.asarray(image)
        around = (rows, columns) if pixels.ndim == 2 else (rows, columns, (0, 0))
        return pillow().Image.fromarray(pad(pixels, around))
    return on_array(image, lambda x: pad(x, ((0, 0), rows, columns)))


class Resize(Transform):
    """The image in another size, smoothed where it shrinks.

    Args:
        size: height and width; of one number the shorter side, the other in proportion.
        interpolation: "bilinear", "nearest", "bicubic", …, as Pillow names them.
        max_size: the longer side at most, where ``size`` is one number.
    """

    def __init__(self, size: Size, interpolation: str = "bilinear", max_size: int | None = None) -> None:
        super().__init__()
        pair_of("size", size)
        self.size, self.interpolation, self.max_size = size, _interpolation(interpolation), max_size

    def __call__(self, image: Any) -> Any:
        """The image in its new size."""
        height, width = size_of(image)
        if not isinstance(self.size, int):
            return _resized(image, *pair_of("size", self.size), self.interpolation)
        short, long = min(height, width), max(height, width)
        new_short, new_long = self.size, int(self.size * long / short)
        if self.max_size is not None and new_long > self.max_size:
            new_short, new_long = int(self.max_size * new_short / new_long), self.max_size
        new = (new_short, new_long) if height <= width else (new_long, new_short)
        return image if new == (height, width) else _resized(image, *new, self.interpolation)


class CenterCrop(Transform):
    """The middle of the image; black around it where it is smaller.

    Args:
        size: height and width, or one number for both.
    """

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = pair_of("size", size)

    def __call__(self, image: Any) -> Any:
        """The middle."""
        image = _padded_to(image, self.size, 0, "constant")
        (height, width), (h, w) = size_of(image), self.size
        return _cropped(image, round((height - h) / 2), round((width - w) / 2), h, w)


def _padded_to(image: Any, size: tuple[int, int], fill: float, mode: str) -> Any:
    """At least of this size, the image in the middle."""
    rows, columns = (max(wanted - have, 0) for wanted, have in zip(size, size_of(image), strict=True))
    if not rows and not columns:
        return image
    return _padded(image, (columns // 2, rows // 2, (columns + 1) // 2, (rows + 1) // 2), fill, mode)


def _four(padding: Any) -> tuple[int, int, int, int]:
    numbers = (padding,) if isinstance(padding, int) else tuple(padding)
    if len(numbers) not in (1, 2, 4) or not all(isinstance(n, int) and n >= 0 for n in numbers):
        expected = "padding as a whole number, as (left and right, top and bottom), or as (left, top, right, bottom)"
        raise OptionError(expected, f"{padding!r}")
    left, top, right, bottom = (numbers * (4 // len(numbers)))[:4]
    return left, top, right, bottom


def _padding_mode(mode: str) -> str:
    if mode not in PADDING_MODES:
        raise OptionError(f"a padding_mode among {', '.join(PADDING_MODES)}", repr(mode))
    return mode


class Pad(Transform):
    """Pixels around the image.

    Args:
        padding: on all sides; (left and right, top and bottom); or (left, top, right, bottom).
        fill: their value, for "constant".
        padding_mode: "constant", "edge", "reflect" or "symmetric".
    """

    def __init__(self, padding: Any, fill: float = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        self.padding, self.fill, self.padding_mode = _four(padding), fill, _padding_mode(padding_mode)

    def __call__(self, image: Any) -> Any:
        """The larger image."""
        return _padded(image, self.padding, self.fill, self.padding_mode)


class RandomCrop(Transform):
    """A part of the image, anywhere.

    Args:
        size: height and width, or one number for both.
        padding: pixels around the image, before; as for :class:`Pad`.
        pad_if_needed: pad an image that is too small, where it would be an error.
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
        fill: float = 0,
        padding_mode: str = "constant",
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        self.size = pair_of("size", size)
        self.padding = None if padding is None else _four(padding)
        self.pad_if_needed, self.fill, self.padding_mode = pad_if_needed, fill, _padding_mode(padding_mode)

    def __call__(self, image: Any) -> Any:
        """The part."""
        if self.padding is not None:
            image = _padded(image, self.padding, self.fill, self.padding_mode)
        (height, width), (h, w) = size_of(image), self.size
        if self.pad_if_needed and (height < h or width < w):
            around = (max(w - width, 0), max(h - height, 0)) * 2
            image = _padded(image, around, self.fill, self.padding_mode)
            height, width = size_of(image)
        if height < h or width < w:
            cure = "padding=…, pad_if_needed=True, or Resize before it"
            raise ShapeError(f"an image of at least {h} × {w} to crop from", f"{height} × {width}", cure)
        draw = self._draw()
        top, left = int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1))
        return _cropped(image, top, left, h, w)


class RandomResizedCrop(Transform):
    """A part of the image of a random area and aspect, brought to one size.

    Args:
        size: height and width, or one number for both.
        scale: the area, as a share of the whole: least and largest.
        ratio: width over height: least and largest.
        interpolation: as for :class:`Resize`.
        rng: where they are drawn from.

    Source: Szegedy et al., Going deeper with convolutions, 2014, section 6.
    """

    def __init__(
        self,
        size: Size,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        interpolation: str = "bilinear",
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        for name, (low, high) in (("scale", scale), ("ratio", ratio)):
            if not 0 < low <= high:
                raise OptionError(f"{name} as (least, largest), above 0", f"{name}={(low, high)!r}")
        self.size, self.scale, self.ratio = pair_of("size", size), scale, ratio
        self.interpolation = _interpolation(interpolation)

    def __call__(self, image: Any) -> Any:
        """The part, resized."""
        height, width = size_of(image)
        draw = self._draw()
        for _ in range(10):
            area = height * width * draw.uniform(*self.scale)
            aspect = math.exp(draw.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                top, left = int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1))
                break
        else:  # no part fits: the middle, as near to the wanted aspects as can be
            aspect = min(max(width / height, self.ratio[0]), self.ratio[1])
            w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
            top, left = (height - h) // 2, (width - w) // 2
        return _resized(_cropped(image, top, left, h, w), *self.size, self.interpolation)


class _RandomFlip(Transform):
    """Abstract: a flip with probability p. A subclass says in which axis."""

    _axis: ClassVar[int]  # of (C, H, W)
    _pillow: ClassVar[str]

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        super().__init__(rng)
        self.p = probability(p)

    def __call__(self, image: Any) -> Any:
        """The image, flipped or as it is."""
        if self._draw().random() >= self.p:
            return image
        if is_pillow(image):
            return image.transpose(getattr(pillow().Image.Transpose, self._pillow))
        return on_array(image, lambda x: np.flip(x, self._axis))


class RandomHorizontalFlip(_RandomFlip):
    """Left and right exchanged, with probability p.

    Args:
        p: the probability. rng: where it is drawn from.
    """

    _axis = 2
    _pillow = "FLIP_LEFT_RIGHT"


class RandomVerticalFlip(_RandomFlip):
    """Top and bottom exchanged, with probability p.

    Args:
        p: the probability. rng: where it is drawn from.
    """

    _axis = 1
    _pillow = "FLIP_TOP_BOTTOM"


class RandomRotation(Transform):
    """Turned by an angle drawn from a range, against the clock.

    Args:
        degrees: least and largest angle in degrees; one number d for (-d, d).
        interpolation: "nearest", "bilinear" or "bicubic".
        expand: whether the image grows so that no corner is lost.
        fill: the value of pixels from outside.
        rng: where the angle is drawn from.
    """

    def __init__(
        self,
        degrees: float | tuple[float, float],
        interpolation: str = "nearest",
        expand: bool = False,
        fill: float = 0,
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        low, high = (-degrees, degrees) if isinstance(degrees, (int, float)) else degrees
        if not low <= high:
            raise OptionError("degrees as a number of 0 or more, or as (least, largest)", f"degrees={degrees!r}")
        if interpolation not in ("nearest", "bilinear", "bicubic"):
            raise OptionError('interpolation "nearest", "bilinear" or "bicubic"', repr(interpolation))
        self.degrees, self.interpolation, self.expand, self.fill = (low, high), interpolation, expand, fill

    def __call__(self, image: Any) -> Any:
        """The image, turned."""
        angle = float(self._draw().uniform(*self.degrees))
        how = getattr(pillow().Image.Resampling, self.interpolation.upper())

        def turn(one: Any) -> Any:
            fill = (int(self.fill),) * len(one.getbands()) if len(one.getbands()) > 1 else self.fill
            return one.rotate(angle, how, self.expand, fillcolor=fill)

        return through_pillow(image, turn)
