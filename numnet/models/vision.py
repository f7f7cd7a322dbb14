"""What the models of images share: widths, and the initial values of convolutions before ReLUs."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..nn import Conv2d, Module, init

__all__ = ["he_normal", "scaled"]


def scaled(channels: int, width: float) -> int:
    """``channels`` times ``width``, at least 1."""
    return max(1, round(channels * width))


def he_normal(net: Module, mode: Literal["fan_in", "fan_out"], rng: np.random.Generator | None) -> None:
    """Give every convolution of ``net`` normal weights that keep the variance through ReLUs, and the bias 0.

    With ``"fan_in"`` it is the variance of the activations that is kept, with ``"fan_out"`` that of the deltas.

    Source: He et al., Delving deep into rectifiers, 2015, equations 10 and 14.
    """
    for module in net.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu", rng=rng)
            if module.bias is not None:
                init.zeros_(module.bias)
