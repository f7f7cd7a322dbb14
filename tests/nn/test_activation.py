from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DtypeError, OptionError, ShapeError

SHAPES = [(), (1,), (7,), (3, 5), (0, 4), (2, 3, 4, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["ReLU", "Sigmoid", "Tanh"])
def test_elementwise(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], name: str, shape: tuple[int, ...]
) -> None:
    agree(name, (), {}, numbers(*shape))


@pytest.mark.parametrize("shape, dim", [((5,), 0), ((3, 5), 1), ((3, 5), 0), ((2, 3, 4), -2), ((2, 1), 1), ((0, 4), 1)])
@pytest.mark.parametrize("name", ["Softmax", "LogSoftmax"])
def test_along_an_axis(
    agree: Callable[..., None], numbers: Callable[..., np.ndarray], name: str, shape: tuple[int, ...], dim: int
) -> None:
    agree(name, (dim,), {}, numbers(*shape))


@pytest.mark.parametrize("name", ["ReLU", "Sigmoid", "Tanh"])
def test_extremes(agree: Callable[..., None], dtype: type, name: str) -> None:
    agree(name, (), {}, np.array([-np.inf, -1e30, -200.0, -0.0, 0.0, 1e-30, 200.0, 1e30, np.inf], dtype))


def test_softmax_of_large_scores_does_not_overflow(agree: Callable[..., None], dtype: type) -> None:
    agree("Softmax", (1,), {}, np.array([[1e30, 1e30, -1e30], [0.0, 800.0, -800.0]], dtype))
    agree("LogSoftmax", (1,), {}, np.array([[0.0, 800.0, -800.0]], dtype))


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.Softmax(1), nn.LogSoftmax(1)], ids=repr)
def test_integers_are_refused(layer: nn.Layer) -> None:
    with pytest.raises(DtypeError, match=rf"(?s){type(layer).__name__}.*floating.*int64.*astype"):
        layer(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize("make", [nn.Softmax, nn.LogSoftmax])
def test_the_axis_has_to_be_given(make: type) -> None:
    with pytest.raises(OptionError, match=rf"(?s){make.__name__}.*dim=None.*{make.__name__}\(dim=1\)"):
        make()
    with pytest.raises(ShapeError, match=rf"(?s){make.__name__}.*axis 2.*\(3, 5\)"):
        make(2)(np.ones((3, 5)))


def test_writing_into_the_input_is_refused() -> None:
    assert repr(nn.ReLU(inplace=False)) == "ReLU()"
    with pytest.raises(OptionError, match=r"(?s)ReLU.*never writes.*inplace=True"):
        nn.ReLU(inplace=True)
