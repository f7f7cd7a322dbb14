"""Convolutions."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Conv2d: [
        Example(lambda: nn.Conv2d(2, 3, 3), (numbers(2, 2, 5, 4),)),
        Example(lambda: nn.Conv2d(2, 4, (2, 3), stride=2, padding=(1, 0), groups=2), (numbers(2, 2, 5, 6),)),
        Example(lambda: nn.Conv2d(1, 2, 2, padding="same", dilation=2, bias=False), (numbers(2, 1, 4, 5),)),
        Example(lambda: nn.Conv2d(1, 1, 1, padding=2, padding_mode="reflect"), (numbers(1, 1, 4, 4),)),
        Example(lambda: nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), (numbers(2, 1, 3, 3),)),
        Example(lambda: nn.Conv2d(1, 2, 3, padding=(2, 1), padding_mode="replicate"), (numbers(2, 1, 3, 4),)),
    ],
}
