"""Layers that change the shape."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Identity: [Example(nn.Identity, (numbers(3, 4),))],
    nn.Flatten: [
        Example(nn.Flatten, (numbers(3, 2, 4),)),
        Example(lambda: nn.Flatten(0, 1), (numbers(3, 2, 4),)),
    ],
}
