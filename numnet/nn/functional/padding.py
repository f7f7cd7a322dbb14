"""Padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...errors import OptionError
from ..layer import Layer
from ..padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    _ConstantPad,
)
from .run import Input, run

__all__ = ["pad"]

_MAKE: dict[str, list[type[Layer]]] = {
    "reflect": [ReflectionPad1d, ReflectionPad2d, ReflectionPad3d],
    "replicate": [ReplicationPad1d, ReplicationPad2d, ReplicationPad3d],
    "circular": [CircularPad1d, CircularPad2d, CircularPad3d],
}


class _ConstantPadding(_ConstantPad):
    """As the constant paddings, of as many axes as there are pairs."""

    def __init__(self, padding: Sequence[int], value: float) -> None:
        self.axes = len(padding) // 2
        super().__init__(padding, value)


def pad(
    input: Input,
    pad: Sequence[int],
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant",
    value: float | None = None,
) -> Any:
    """A border around the last axes, two numbers for each, those of the last axis first: as, in their modes,
    :class:`~numnet.nn.ConstantPad2d`, :class:`~numnet.nn.ReflectionPad2d`, :class:`~numnet.nn.ReplicationPad2d` and
    :class:`~numnet.nn.CircularPad2d`, of 1 to 3 axes, or, in the mode ``"constant"``, any number of them.

    Raises:
        OptionError: no such mode, an odd or too large number of widths, a ``value`` in a mode that takes none.
        ShapeError, DtypeError: as for the layers.
    """
    if len(pad) % 2 or (mode in _MAKE and len(pad) not in (2, 4, 6)):
        expected = "pad with two widths for each axis, and for at most 3 axes unless they are constant"
        raise OptionError(expected, f"pad={tuple(pad)}", "give (before, after) of the last axis first")
    if mode == "constant":
        return run(_ConstantPadding(pad, 0.0 if value is None else value), input)
    if mode not in _MAKE:
        expected = f"pad with a mode among constant, {', '.join(_MAKE)}"
        raise OptionError(expected, f"mode={mode!r}", "choose one of these")
    if value:
        expected = "pad with a value in the mode 'constant' alone"
        raise OptionError(expected, f"value={value!r}, mode={mode!r}", "leave it out")
    return run(_MAKE[mode][len(pad) // 2 - 1](pad), input)
