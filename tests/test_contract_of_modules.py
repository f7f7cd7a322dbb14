"""Modules made of layers hold the contract too, as far as it speaks of them: found by themselves, as layers are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from contract import (
    Example,
    check_called_twice,
    check_dtype,
    check_float32,
    check_gradients,
    check_layouts,
    check_nothing_left,
    check_threads,
    check_twins,
    numbers,
)

from numnet import _ext, manual_seed, nn

HOLDERS = {nn.Module, nn.ModuleDict, nn.ModuleList, nn.ParameterDict, nn.ParameterList}  # nothing to call


EXAMPLES: dict[type[nn.Module], list[Example]] = {
    nn.Sequential: [Example(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), (numbers(5, 3),))],
    nn.Residual: [
        Example(lambda: nn.Residual(nn.Linear(3, 3)), (numbers(4, 3),)),
        Example(lambda: nn.Residual(nn.Linear(3, 2), nn.Linear(3, 2)), (numbers(4, 3),)),
    ],
    nn.Branches: [
        Example(lambda: nn.Branches(nn.Linear(3, 2), nn.Tanh()), (numbers(4, 3),)),
        Example(lambda: nn.Branches(nn.Linear(3, 3), nn.Sigmoid(), join="sum"), (numbers(4, 3),)),
    ],
    nn.MultiheadAttention: [
        Example(lambda: nn.MultiheadAttention(4, 2), (numbers(3, 2, 4), numbers(5, 2, 4), numbers(5, 2, 4))),
    ],
    nn.TransformerEncoderLayer: [
        Example(lambda: nn.TransformerEncoderLayer(4, 2, 5, dropout=0.0, activation="gelu"), (numbers(3, 2, 4),)),
    ],
    nn.TransformerDecoderLayer: [
        Example(
            lambda: nn.TransformerDecoderLayer(4, 2, 5, dropout=0.0, activation="gelu", norm_first=True),
            (numbers(3, 2, 4), numbers(2, 2, 4)),
        ),
    ],
    nn.TransformerEncoder: [
        Example(
            lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 5, dropout=0.0, activation="gelu"), 2),
            (numbers(3, 2, 4),),
        ),
    ],
    nn.TransformerDecoder: [
        Example(
            lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 5, dropout=0.0, activation="gelu"), 2),
            (numbers(2, 1, 4), numbers(3, 1, 4)),
        ),
    ],
    nn.Transformer: [
        Example(lambda: nn.Transformer(4, 2, 1, 1, 5, 0.0, "gelu"), (numbers(2, 1, 4), numbers(3, 1, 4))),
    ],
    nn.TripletMarginWithDistanceLoss: [
        Example(
            lambda: nn.TripletMarginWithDistanceLoss(margin=9.0), (numbers(3, 4), numbers(3, 4), 2 * numbers(3, 4))
        ),
    ],
}
CHECKS = [
    check_gradients,
    check_called_twice,
    check_layouts,
    check_dtype,
    check_float32,
    check_nothing_left,
    check_twins,
]
CASES = [pytest.param(e, id=f"{cls.__name__}-{i}") for cls, found in EXAMPLES.items() for i, e in enumerate(found)]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    manual_seed(0)


def test_every_module_has_an_example() -> None:
    public = {cls for name in nn.__all__ if isinstance(cls := getattr(nn, name), type) and issubclass(cls, nn.Module)}
    assert {cls for cls in public if not issubclass(cls, nn.Layer)} - HOLDERS == set(EXAMPLES)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("example", CASES)
def test_contract(example: Example, check: Callable[[nn.Module, tuple[np.ndarray, ...]], None]) -> None:
    check(example.make().double(), example.inputs)


@pytest.mark.parametrize("example", CASES)
@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built, so there are no threads")
def test_threads(example: Example) -> None:
    check_threads(example.make().double(), example.inputs)
