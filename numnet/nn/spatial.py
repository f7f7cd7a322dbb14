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
    letters = _LETTERS[axes].replace(" ", ", ")
    if x.ndim == axes and channels in (None, 1):
        return "x[None] gives an image its channel axis; x[:, None] if the first axis counts images"
    if x.ndim not in (axes + 1, axes + 2):
        return f"reshape x to a batch ({letters}) before this layer"
    if channels is not None and x.shape[-1] == channels:
        return f"np.moveaxis(x, -1, {x.ndim - axes - 1}): channels stand in front of the spatial axes, ({letters})"
    return "make in_channels of this layer the number of channels of x"
