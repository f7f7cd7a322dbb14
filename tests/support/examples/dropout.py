"""Dropout."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Dropout: [
        Example(lambda: nn.Dropout(0.4), (numbers(4, 6),)),
        Example(lambda: nn.Dropout(0.4).eval(), (numbers(4, 6),)),
        Example(lambda: nn.Dropout(1.0), (numbers(2, 3),)),
        Example(lambda: nn.Dropout(0.4, classic=True), (numbers(4, 6),)),
        Example(lambda: nn.Dropout(0.4, classic=True).eval(), (numbers(2, 3),)),
    ],
    nn.Dropout1d: [Example(lambda: nn.Dropout1d(0.4), (numbers(3, 4, 2),))],
    nn.Dropout2d: [Example(lambda: nn.Dropout2d(0.4), (numbers(3, 4, 2, 1),))],
    nn.Dropout3d: [Example(lambda: nn.Dropout3d(0.4), (numbers(3, 4, 1, 2, 1),))],
    nn.AlphaDropout: [
        Example(lambda: nn.AlphaDropout(0.4), (numbers(4, 6),)),
        Example(lambda: nn.AlphaDropout(0.4).eval(), (numbers(2, 3),)),
        Example(lambda: nn.AlphaDropout(1.0), (numbers(2, 3),)),
    ],
    nn.FeatureAlphaDropout: [Example(lambda: nn.FeatureAlphaDropout(0.4), (numbers(4, 3, 2),))],
}
