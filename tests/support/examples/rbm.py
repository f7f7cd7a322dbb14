"""The restricted Boltzmann machine, as a layer."""

from __future__ import annotations

from contract import RNG, Example

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.BernoulliRBM: [Example(lambda: nn.BernoulliRBM(3, 2), (RNG.random((4, 3)),))],
}
