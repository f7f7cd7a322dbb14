"""Images reshaped and resized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle
from ..upsample import Mode, Upsample
from .run import Input, run

__all__ = ["channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle"]


def channel_shuffle(input: Input, groups: int) -> Any:
    """The channels of all groups dealt out in turn: :class:`~numnet.nn.ChannelShuffle`."""
    return run(ChannelShuffle(groups), input)


def interpolate(
    input: Input,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: Mode = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Any:
    """Every image resized: :class:`~numnet.nn.Upsample`."""
    return run(Upsample(size, scale_factor, mode, align_corners, recompute_scale_factor), input)


def pixel_shuffle(input: Input, upscale_factor: int) -> Any:
    """Channels turned into pixels: :class:`~numnet.nn.PixelShuffle`."""
    return run(PixelShuffle(upscale_factor), input)


def pixel_unshuffle(input: Input, downscale_factor: int) -> Any:
    """Pixels turned into channels: :class:`~numnet.nn.PixelUnshuffle`."""
    return run(PixelUnshuffle(downscale_factor), input)
