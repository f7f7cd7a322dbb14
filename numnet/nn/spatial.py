"""Arrays with spatial axes, as convolution and pooling take them: a batch, or one of its elements alone."""

from __future__ import annotations

from ..arrays import Array
from .expect import expect_shape

__all__ = ["as_batch"]

_LETTERS = {1: "N C L", 2: "N C H W", 3: "N C D H W"}


def as_batch(x: Array, axes: int, channels: int | None = None) -> Array:
    """``x`` with ``axes`` spatial axes as (N, C, *spatial); an (C, *spatial) alone becomes a batch of one.

    Raises:
        ShapeError: it is neither, or has not ``channels`` channels.
    """
    alone = x.ndim == axes + 1
    letters = _LETTERS[axes].removeprefix("N ") if alone else _LETTERS[axes]
    expect_shape(x, letters, {} if channels is None else {"C": channels}, _cure(x, axes, channels))
    return x[None] if alone else x


def _cure(x: Array, axes: int, channels: int | None) -> str:
    if x.ndim == axes and channels in (None, 1):
        return "x[None] gives an image its channel axis; x[:, None] if the first axis counts images"
    if x.ndim == axes + 2 and x.shape[-1] == channels:
        return f"np.moveaxis(x, -1, 1): numnet, as PyTorch, has the channels in front, {_LETTERS[axes]}"
    if x.ndim == 2:
        return "reshape the rows to images before this layer"
    return "make in_channels of this layer the size of x's channel axis"
