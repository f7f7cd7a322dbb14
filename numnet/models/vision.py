"""What the models of images share: widths, and the initial values of convolutions before ReLUs."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..errors import OptionError
from ..nn import Conv2d, Module, init

__all__ = ["expect_sizes", "he_normal", "scaled"]


def scaled(channels: int, width: float) -> int:
    """``channels`` times ``width``, at least 1."""
    return max(1, round(channels * width))


def expect_sizes(width: float = 1.0, **sizes: int) -> None:
    """Refuse a width that is not positive, and sizes below 1.

    Raises:
        OptionError: naming what is wrong.
    """
    if not width > 0:
        raise OptionError("a positive width, the factor for the channels of every layer", f"width={width}", "width=1.0")
    for name, size in sizes.items():
        if size < 1:
            raise OptionError(f"{name} of at least 1", f"{name}={size}", f"{name}=10")


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
