"""The contract of a layer (docs/design.md), held by every layer of the package.

The layers are found by themselves; one without an example in ``support/examples`` fails. The checks stand in
``support/contract.py``, and are each broken on purpose in ``test_contract_can_fail.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import examples
import numpy as np
import pytest
from contract import ON_INPUTS, Example, check_text, check_threads, concrete_layers

from numnet import _ext, manual_seed, nn

EXAMPLES = examples.collect()
LAYERS = sorted(set(concrete_layers()), key=lambda cls: cls.__name__)
CASES = [pytest.param(e, id=f"{cls.__name__}-{i}") for cls in LAYERS for i, e in enumerate(EXAMPLES.get(cls, []))]
every_example = pytest.mark.parametrize("example", CASES)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    manual_seed(0)


def test_every_layer_has_an_example() -> None:
    without = {cls.__name__ for cls in LAYERS} ^ {cls.__name__ for cls in EXAMPLES}
    assert not without, "each layer, and nothing else, has examples in a module of tests/support/examples"
    assert all(EXAMPLES.values())


def test_every_public_layer_is_final() -> None:
    """A class is abstract, and then no name of ``nn``, or final: so no layer escapes by being a base of another."""
    public = {cls for name in nn.__all__ if isinstance(cls := getattr(nn, name), type) and issubclass(cls, nn.Layer)}
    assert public - {nn.Layer, nn.Loss} == set(LAYERS)


@pytest.mark.parametrize("cls", LAYERS)
def test_text(cls: type) -> None:
    check_text(cls)


@pytest.mark.proves("C002")  # by its check_dtype
@pytest.mark.parametrize("check", ON_INPUTS, ids=lambda check: check.__name__.removeprefix("check_"))
@every_example
def test_contract(example: Example, check: Callable[[nn.Layer, tuple[np.ndarray, ...]], None]) -> None:
    check(example.make().double(), example.inputs)


@every_example
@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built, so there are no threads")
def test_threads(example: Example) -> None:
    check_threads(example.make().double(), example.inputs)
