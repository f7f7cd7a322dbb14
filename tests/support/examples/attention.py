"""Attention."""

from __future__ import annotations

import numpy as np
from contract import Example, numbers

from numnet import nn

HIDES_A_ROW = np.array([[True, False, True], [False, False, False]])

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.ScaledDotProductAttention: [
        Example(nn.ScaledDotProductAttention, (numbers(2, 2, 3), numbers(2, 3, 3), numbers(2, 3, 2))),
        Example(
            lambda: nn.ScaledDotProductAttention(dropout_p=0.3),
            (numbers(2, 2, 3), numbers(2, 3, 3), numbers(2, 3, 2), numbers(2, 3)),
        ),
        Example(nn.ScaledDotProductAttention, (numbers(2, 2, 3), numbers(3, 3), numbers(2, 3, 2), HIDES_A_ROW)),
        Example(
            lambda: nn.ScaledDotProductAttention(is_causal=True, scale=0.7, enable_gqa=True),
            (numbers(2, 4, 3, 2), numbers(2, 2, 2, 2), numbers(2, 2, 2, 1)),
        ),
    ],
}
