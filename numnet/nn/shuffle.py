"""Layers that carry numbers from channels to pixels and back, or from channel to channel, and change none of them."""

from __future__ import annotations

from math import prod

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..window import Window
from .expect import expect_floating
from .layer import Layer

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Layer):
    """Every r² channels become one of r times the height and width: the upsampling of sub-pixel convolution.

        y[…, c, h r + i, w r + j] = x[…, c r² + i r + j, h, w]

        ∂J/∂x[…, c r² + i r + j, h, w] = δ[…, c, h r + i, w r + j]

    Shapes: x (…, C · r², H, W), y and δ (…, C, H · r, W · r).

    Args:
        upscale_factor: r.

    Raises:
        OptionError: r is less than 1.
        ShapeError: x has less than three axes, or a number of channels that r² does not divide.
        DtypeError: x does not hold floating-point numbers.

    Source: Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network, 2016, equation 4.
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = _at_least_one(self, "upscale_factor", upscale_factor)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        r = self.upscale_factor
        if x.ndim < 3 or x.shape[-3] % (r * r):
            cure = f"let the layer before make {r * r} channels for each one that is wanted"
            raise ShapeError(f"x of shape (…, C · {r * r}, H, W)", f"shape {tuple(x.shape)}", cure)
        return _to_pixels(x, r)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return _to_channels(delta, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Layer):
    """Every r × r pixels become one with r² times the channels; it undoes :class:`PixelShuffle`.

        y[…, c r² + i r + j, h, w] = x[…, c, h r + i, w r + j]

        ∂J/∂x[…, c, h r + i, w r + j] = δ[…, c r² + i r + j, h, w]

    Shapes: x (…, C, H · r, W · r), y and δ (…, C · r², H, W).

    Args:
        downscale_factor: r.

    Raises:
        OptionError: r is less than 1.
        ShapeError: x has less than three axes, or a height or width that r does not divide.
        DtypeError: x does not hold floating-point numbers.

    Source: Shi et al., 2016, equation 4, from right to left.
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = _at_least_one(self, "downscale_factor", downscale_factor)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        r = self.downscale_factor
        if x.ndim < 3 or x.shape[-2] % r or x.shape[-1] % r:
            cure = f"pad or crop the images to a multiple of {r}"
            raise ShapeError(f"x of shape (…, C, H · {r}, W · {r})", f"shape {tuple(x.shape)}", cure)
        return _to_channels(x, r)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return _to_pixels(delta, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Layer):
    """The channels of g groups dealt out in turn, so that the next grouped convolution mixes what was apart.

        y[n, k g + i] = x[n, i C/g + k]

        ∂J/∂x[n, i C/g + k] = δ[n, k g + i]

    Shapes: x, y and δ (N, C, …), with one axis or more behind the channels.

    Args:
        groups: g.

    Raises:
        OptionError: g is less than 1.
        ShapeError: x has less than three axes, or a number of channels that g does not divide.
        DtypeError: x does not hold floating-point numbers.

    Source: Zhang, Zhou, Lin and Sun, ShuffleNet, 2018, section 3.1.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = _at_least_one(self, "groups", groups)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        if x.ndim < 3 or x.shape[1] % self.groups:
            cure = "choose groups that divide the number of channels"
            raise ShapeError(f"x of shape (N, C · {self.groups}, …)", f"shape {tuple(x.shape)}", cure)
        return _dealt(x, self.groups)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return _dealt(delta, delta.shape[1] // self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


def _to_pixels(x: Array, r: int) -> Array:
    *lead, C, H, W = x.shape
    c, size = C // (r * r), (H * r, W * r)
    windows = x.reshape(prod(lead), c, r, r, H, W)  # side by side
    return kernels.fold(windows, Window((r, r), (r, r), ((0, 0), (0, 0)), (1, 1)), size).reshape(*lead, c, *size)


def _to_channels(x: Array, r: int) -> Array:
    *lead, C, H, W = x.shape
    n = len(lead)
    parts = x.reshape(*lead, C, H // r, r, W // r, r)  # (…, c, h, i, w, j)
    return parts.transpose(*range(n), n, n + 2, n + 4, n + 1, n + 3).reshape(*lead, C * r * r, H // r, W // r)


def _dealt(x: Array, groups: int) -> Array:
    N, C, *rest = x.shape
    return x.reshape(N, groups, C // max(groups, 1), *rest).swapaxes(1, 2).reshape(x.shape)


def _at_least_one(layer: object, name: str, number: int) -> int:
    if number < 1:
        layer_name = type(layer).__name__
        raise OptionError(f"{layer_name} with {name} of 1 or more", f"{name}={number}", f"{layer_name}(2)")
    return number
