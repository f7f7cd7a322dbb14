"""Linear maps."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Linear: [
        Example(lambda: nn.Linear(4, 3), (numbers(5, 4),)),
        Example(lambda: nn.Linear(4, 1, bias=False), (numbers(2, 3, 4),)),
        Example(lambda: nn.Linear(17, 19), (numbers(3, 17),)),
    ],
    nn.Bilinear: [
        Example(lambda: nn.Bilinear(2, 3, 4), (numbers(5, 2), numbers(5, 3))),
        Example(lambda: nn.Bilinear(2, 2, 1, bias=False), (numbers(2, 3, 2), numbers(2, 3, 2))),
    ],
    nn.Maxout: [
        Example(lambda: nn.Maxout(3, 2), (numbers(4, 3),)),
        Example(lambda: nn.Maxout(3, 2, pieces=3, bias=False), (numbers(2, 2, 3),)),
    ],
}
