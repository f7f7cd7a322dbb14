"""Window geometry: where a sliding window stands, written once for convolution and pooling in 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from .errors import OptionError, ShapeError

__all__ = ["Window", "per_axis"]


def per_axis(name: str, value: int | Sequence[int], axes: int, minimum: int = 1) -> tuple[int, ...]:
    """``value`` as one integer per axis: ``3`` becomes ``(3, 3)`` for two axes.

    Raises:
        OptionError: not an integer or ``axes`` integers, or one below ``minimum``.
    """
    values: tuple[Any, ...] = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    whole = all(isinstance(v, Integral) and not isinstance(v, bool) for v in values)  # NumPy's integers too
    if len(values) != axes or not whole or any(v < minimum for v in values):
        cure = f"{name}={max(minimum, 1)}, or one integer for each spatial axis"
        raise OptionError(f"{name}: an integer or {axes} integers, each at least {minimum}", f"{name}={value!r}", cure)
    return tuple([int(v) for v in values])


@dataclass(frozen=True, slots=True)
class Window:
    """A window sliding over the spatial axes of an (N, C, *spatial) array.

        out = ⌊(in + before + after - dilation · (kernel - 1) - 1) / stride⌋ + 1

    With ``ceil_mode`` the division rounds up, but no window starts in the padding behind the last element.
    Every field has one entry per spatial axis.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, relationship 6.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]  # (before, after) per axis
    dilation: tuple[int, ...]
    ceil_mode: bool = False

    @property
    def axes(self) -> int:
        """The number of spatial axes."""
        return len(self.kernel)

    @property
    def extent(self) -> tuple[int, ...]:
        """How many elements the window spans per axis, holes of the dilation included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def output_shape(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """The number of positions of the window per axis.

        Raises:
            ShapeError: the padded input is smaller than the window.
        """
        out = []
        for size, extent, stride, (before, after) in zip(spatial, self.extent, self.stride, self.padding, strict=True):
            room = size + before + after - extent
            steps = -(-room // stride) if self.ceil_mode else room // stride
            if size == 0 or steps < 0:
                raise ShapeError(
                    f"spatial size, padding included, of at least {self.extent}",
                    f"spatial size {tuple(spatial)} with padding {self.padding}",
                    "use a larger input, more padding, or a smaller kernel_size or dilation",
                )
            if self.ceil_mode and steps * stride >= size + before:
                steps -= 1
            out.append(steps + 1)
        return tuple(out)
