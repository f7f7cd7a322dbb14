"""Dropout."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Dropout: [
        Example(lambda: nn.Dropout(0.4), (numbers(4, 6),)),
        Example(lambda: nn.Dropout(0.4).eval(), (numbers(4, 6),)),
        Example(lambda: nn.Dropout(1.0), (numbers(2, 3),)),
    ],
}
