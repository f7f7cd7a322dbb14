"""Padding."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.ZeroPad1d: [Example(lambda: nn.ZeroPad1d((2, -1)), (numbers(2, 2, 3),))],
    nn.ZeroPad2d: [
        Example(lambda: nn.ZeroPad2d(1), (numbers(2, 2, 2, 3),)),
        Example(lambda: nn.ZeroPad2d((-1, 2, 0, -1)), (numbers(2, 2, 3, 3),)),
    ],
    nn.ZeroPad3d: [Example(lambda: nn.ZeroPad3d((1, 0, 0, 1, 2, -1)), (numbers(2, 1, 2, 2, 2),))],
    nn.ConstantPad1d: [Example(lambda: nn.ConstantPad1d(1, 3.5), (numbers(2, 2, 3),))],
    nn.ConstantPad2d: [Example(lambda: nn.ConstantPad2d((1, -1, 0, 2), -0.1), (numbers(2, 2, 2, 3),))],
    nn.ConstantPad3d: [Example(lambda: nn.ConstantPad3d((1, 0, 0, 1, -1, 1), 2), (numbers(2, 1, 2, 2, 2),))],
    nn.ReflectionPad1d: [Example(lambda: nn.ReflectionPad1d((2, 1)), (numbers(2, 2, 3),))],
    nn.ReflectionPad2d: [Example(lambda: nn.ReflectionPad2d((2, 1, 1, 0)), (numbers(2, 2, 2, 3),))],
    nn.ReflectionPad3d: [Example(lambda: nn.ReflectionPad3d((1, 0, 0, 1, 1, 1)), (numbers(2, 1, 2, 2, 2),))],
    nn.ReplicationPad1d: [Example(lambda: nn.ReplicationPad1d((4, 1)), (numbers(2, 2, 3),))],
    nn.ReplicationPad2d: [Example(lambda: nn.ReplicationPad2d((2, 1, 3, 0)), (numbers(2, 2, 2, 3),))],
    nn.ReplicationPad3d: [Example(lambda: nn.ReplicationPad3d((1, 0, 0, 2, 1, 1)), (numbers(2, 1, 2, 2, 2),))],
    nn.CircularPad1d: [Example(lambda: nn.CircularPad1d((3, 1)), (numbers(2, 2, 3),))],
    nn.CircularPad2d: [Example(lambda: nn.CircularPad2d((2, 1, 1, 0)), (numbers(2, 2, 2, 3),))],
    nn.CircularPad3d: [Example(lambda: nn.CircularPad3d((1, 0, 0, 1, 1, 2)), (numbers(2, 1, 2, 2, 2),))],
}
