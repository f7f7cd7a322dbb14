"""Which way an image lies: flips, rotations, affine maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...errors import OptionError
from ..sampler import Rng
from .image import Fill, Transform, expect_range, is_pillow, on_array, pillow, probability, size_of, through_pillow
from .sizes import InterpolationMode, interpolation_mode

__all__ = ["RandomAffine", "RandomHorizontalFlip", "RandomRotation", "RandomVerticalFlip"]

SMOOTHNESS = ("nearest", "bilinear", "bicubic")


class _RandomFlip(Transform):
    """Abstract: a flip with probability p. A subclass says in which axis."""

    _axis: ClassVar[int]  # of (…, C, H, W)
    _pillow: ClassVar[str]

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        super().__init__(rng)
        self.p = probability(p)

    def _apply(self, image: Any) -> Any:
        of_pillow = is_pillow(image)
        if self._draw().random() >= self.p:
            return image
        if of_pillow:
            return image.transpose(pillow().Image.Transpose[self._pillow])
        return on_array(image, lambda x: np.flip(x, self._axis))


class RandomHorizontalFlip(_RandomFlip):
    """Left and right exchanged, with probability p.

    Args:
        p: the probability. rng: where it is drawn from.
    """

    _axis = -1
    _pillow = "FLIP_LEFT_RIGHT"


class RandomVerticalFlip(_RandomFlip):
    """Top and bottom exchanged, with probability p.

    Args:
        p: the probability. rng: where it is drawn from.
    """

    _axis = -2
    _pillow = "FLIP_TOP_BOTTOM"


class RandomRotation(Transform):
    """Turned by an angle drawn from a range, against the clock.

    Args:
        degrees: (least, largest) angle in degrees; one number d for (-d, d).
        interpolation: "nearest", "bilinear" or "bicubic".
        expand: whether the image grows so that no corner is lost.
        center: what stays in place, (x, y) in pixels from the upper left corner; the middle if left out.
        fill: the value of pixels from outside: a number, or one for each channel.
        rng: where the angle is drawn from.
    """

    def __init__(
        self,
        degrees: float | tuple[float, float],
        interpolation: str = InterpolationMode.NEAREST,
        expand: bool = False,
        center: tuple[float, float] | None = None,
        fill: Fill = 0,
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        self.degrees = _plus_minus("degrees", degrees)
        self.interpolation = interpolation_mode(interpolation, SMOOTHNESS)
        self.expand, self.center, self.fill = expand, _center(center), fill

    def _apply(self, image: Any) -> Any:
        how = pillow().Image.Resampling[self.interpolation.upper()]
        angle = float(self._draw().uniform(*self.degrees))
        return through_pillow(
            image,
            lambda one, fill: one.rotate(angle, how, self.expand, self.center, fillcolor=fill),
            self.fill,
        )


class RandomAffine(Transform):
    """Turned, moved, scaled and sheared, each by a number drawn from a range; the size stays.

        p′ = c + t + s · R(angle) · Y(shear_y) · X(shear_x) · (p − c)

    for a pixel at p; R turns with the clock, X = (1, −tan; 0, 1) and Y = (1, 0; −tan, 1) shear.

    Args:
        degrees: (least, largest) angle; one number d for (-d, d); 0 for none.
        translate: the largest movement (a, b) as a share of width and height, there or back, in whole pixels.
        scale: (least, largest) factor.
        shear: one number d for x in (-d, d); (least, largest) for x; or four, for x and for y; in degrees.
        interpolation: "nearest", "bilinear" or "bicubic".
        fill: the value of pixels from outside: a number, or one for each channel.
        center: c, (x, y) in pixels from the upper left corner; the middle if left out.
        rng: where the numbers are drawn from.
    """

    def __init__(
        self,
        degrees: float | tuple[float, float],
        translate: tuple[float, float] | None = None,
        scale: tuple[float, float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: str = InterpolationMode.NEAREST,
        fill: Fill = 0,
        center: tuple[float, float] | None = None,
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(rng)
        self.degrees = _plus_minus("degrees", degrees)
        if translate is not None and (len(translate) != 2 or not all(0 <= share <= 1 for share in translate)):
            raise OptionError("translate as two shares, of width and height, from 0 to 1", f"translate={translate!r}")
        self.translate = translate
        self.scale = None if scale is None else expect_range("scale", scale, np.finfo(float).tiny, np.inf)
        self.shear = shear
        _shears(shear)
        self.interpolation = interpolation_mode(interpolation, SMOOTHNESS)
        self.fill, self.center = fill, _center(center)

    def _apply(self, image: Any) -> Any:
        height, width = size_of(image)
        draw = self._draw()
        angle = draw.uniform(*self.degrees)
        most = (0.0, 0.0) if self.translate is None else (self.translate[0] * width, self.translate[1] * height)
        moved = [round(draw.uniform(-reach, reach)) for reach in most]
        scale = 1.0 if self.scale is None else draw.uniform(*self.scale)
        shear_x, shear_y = (math.tan(math.radians(draw.uniform(*limits))) for limits in _shears(self.shear))
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        forward = scale * np.array([[cos, -sin], [sin, cos]]) @ [[1, 0], [-shear_y, 1]] @ [[1, -shear_x], [0, 1]]
        back = np.linalg.inv(forward)  # Pillow asks where a pixel comes from
        center = np.array(self.center if self.center is not None else (width / 2, height / 2))
        start = center - back @ (center + moved)
        numbers = (*back[0], start[0], *back[1], start[1])
        how = pillow().Image.Resampling[self.interpolation.upper()]
        affine = pillow().Image.Transform.AFFINE
        return through_pillow(
            image,
            lambda one, fill: one.transform((width, height), affine, numbers, how, fillcolor=fill),
            self.fill,
        )


def _plus_minus(name: str, value: Any) -> tuple[float, float]:
    if isinstance(value, (int, float)):
        if value < 0:
            raise OptionError(f"{name} as a number of 0 or more, or as (least, largest)", f"{name}={value!r}")
        return -value, value
    return expect_range(name, value, -np.inf, np.inf)


def _shears(shear: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    if shear is None:
        return (0, 0), (0, 0)
    if isinstance(shear, (tuple, list)) and len(shear) == 4:
        return expect_range("shear", shear[:2], -90, 90), expect_range("shear", shear[2:], -90, 90)
    return _plus_minus("shear", shear), (0, 0)


def _center(center: Any) -> tuple[float, float] | None:
    if center is not None and (not isinstance(center, (tuple, list)) or len(center) != 2):
        raise OptionError("center as (x, y), in pixels", f"center={center!r}")
    return None if center is None else (center[0], center[1])
