"""Sizes: the formula for the output shape of a convolution or pooling, with its numbers put in."""

from __future__ import annotations

from typing import Any

from ...nn import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ...window import Window

__all__ = ["size_formulas"]

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def size_formulas(layer: Any, shape: tuple[int, ...], output: tuple[int, ...]) -> list[str]:
    """``["height  ⌊(28 + 2·2 − 5) / 1⌋ + 1 = 28", …]``; nothing for a layer without a sliding window.

    Args:
        layer: a convolution, its transpose or a pooling.
        shape, output: of its input and its output.
    """
    window = getattr(layer, "window", None)
    if not isinstance(window, Window) or len(shape) < window.axes:
        return []
    sizes, results = shape[-window.axes :], output[-window.axes :]
    return _by_axis(
        [
            (name, f"{_arithmetic(layer, window, axis, sizes[axis])} = {results[axis]}")
            for axis, name in enumerate(_AXES[window.axes])
        ]
    )


def _by_axis(rows: list[tuple[str, str]]) -> list[str]:
    """One line an axis; one for all where they are the same."""
    if len({text for _, text in rows}) == 1:
        return [f"{' and '.join(name for name, _ in rows)}  {rows[0][1]}"]
    return [f"{name}  {text}" for name, text in rows]


def _arithmetic(layer: Any, window: Window, axis: int, size: int) -> str:
    kernel, stride, dilation = window.kernel[axis], window.stride[axis], window.dilation[axis]
    extent = str(kernel) if dilation == 1 else f"({dilation}·({kernel} − 1) + 1)"
    if isinstance(layer, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)):
        padding, more = layer.padding[axis], layer.output_padding[axis]
        beside = (f" − 2·{padding}" if padding else "") + f" + {extent}" + (f" + {more}" if more else "")
        return f"({size} − 1)·{stride}{beside}"
    before, after = getattr(layer, "border", window.padding)[axis]
    padding = f" + 2·{before}" if before == after else f" + {before} + {after}"
    opened, closed = ("⌈", "⌉") if window.ceil_mode else ("⌊", "⌋")
    room = size + before + after - window.extent[axis]
    if room % stride == 0:
        opened = closed = ""
    return f"{opened}({size}{padding if before or after else ''} − {extent})/{stride}{closed} + 1"
