"""The multilayer perceptron: linear layers with activations between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import OptionError
from ..nn import BatchNorm1d, Dropout, Flatten, Linear, Module, ReLU, Sequential
from ..tensor import Tensor

__all__ = ["MLP"]


class MLP(Module):
    """Linear layers, and between any two an activation.

        a⁰ = flatten(x)        zˡ = fcˡ(aˡ⁻¹)        aˡ = dropˡ(actˡ(bnˡ(zˡ)))        y = zᴸ

        δᴸ = δ        δˡ = bnˡ.backward(actˡ.backward(dropˡ.backward(fcˡ⁺¹.backward(δˡ⁺¹))))

    Batch norm stands between z = x Wᵀ + b and the activation, dropout behind it; both only if asked for. The last
    layer has nothing behind it: its y are scores, as :class:`~numnet.nn.CrossEntropyLoss` takes them.

    ``MLP([784, 256, 10])`` has two layers: ``depth`` does not count the input.

    Shapes: x (N, …), each row of ``sizes[0]`` numbers once it is flattened, y and δ (N, ``sizes[-1]``).

    Args:
        sizes: how many numbers go in, how many units each layer has.
        activation: what makes an activation, such as ``nn.Sigmoid``.
        batch_norm: whether to normalise every z but the last.
        dropout: the probability of dropping an activation in training; 0 for no such layers.
        rng: where initial values and masks of dropout are drawn from; the default generator if ``None``.

    Raises:
        OptionError: fewer than two sizes, or one below 1. ShapeError, DtypeError: x does not fit.

    Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986; for batch norm
    Ioffe and Szegedy, Batch normalization, 2015, section 3.2.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Callable[[], Module] = ReLU,
        batch_norm: bool = False,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            expected = "two or more sizes, each at least 1: of the input and of every layer"
            raise OptionError(expected, f"sizes={sizes!r}", "MLP([784, 256, 10])")
        self.depth = len(sizes) - 1
        layers: dict[str, Module] = {"flatten": Flatten()}
        for number, size in enumerate(sizes[1:], 1):
            layers[f"fc{number}"] = Linear(sizes[number - 1], size, rng=rng)
            if number < self.depth:
                if batch_norm:
                    layers[f"bn{number}"] = BatchNorm1d(size)
                layers[f"act{number}"] = activation()
                if dropout:
                    layers[f"drop{number}"] = Dropout(dropout, rng=rng)
        self.layers = Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
