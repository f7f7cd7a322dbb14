"""Layers of weights: penalties, and weights written another way."""

from __future__ import annotations

import numpy as np
from contract import RNG, Example, numbers

from numnet import nn

W = RNG.normal(size=(4, 3))
CUBE = RNG.normal(size=(4, 2, 3))

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.L1Penalty: [Example(lambda: nn.L1Penalty(0.3), (numbers(4, 3), numbers(4)))],
    nn.L2Penalty: [Example(lambda: nn.L2Penalty(0.3), (numbers(4, 3), numbers(4)))],
    nn.ElasticPenalty: [
        Example(lambda: nn.ElasticPenalty(0.3, 0.2), (numbers(4, 3), numbers(4))),
        Example(lambda: nn.ElasticPenalty(0.0, 0.2), (numbers(5),)),
    ],
    nn.WeightNorm: [
        Example(nn.WeightNorm, (RNG.uniform(1, 2, (4, 1)), W)),
        Example(lambda: nn.WeightNorm(1), (RNG.uniform(1, 2, (1, 3)), W)),
    ],
    nn.SpectralNorm: [
        Example(lambda: nn.SpectralNorm(W, rng=np.random.default_rng(0)).eval(), (W + 0.1,)),
        Example(lambda: nn.SpectralNorm(CUBE, dim=1, rng=np.random.default_rng(0)).eval(), (CUBE + 0.1,)),
    ],
}
