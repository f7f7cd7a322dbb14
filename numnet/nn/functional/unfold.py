"""What a sliding window sees, side by side, and added up again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..unfold import Fold, Unfold
from .run import Input, run

__all__ = ["fold", "unfold"]


def unfold(
    input: Input,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Any:
    """What the window sees at each position, as columns: :class:`~numnet.nn.Unfold`."""
    return run(Unfold(kernel_size, dilation, padding, stride), input)


def fold(
    input: Input,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Any:
    """The columns of :func:`unfold` added up where they came from: :class:`~numnet.nn.Fold`."""
    return run(Fold(output_size, kernel_size, dilation, padding, stride), input)
