"""One module a family of layers, each with ``EXAMPLES``, on which the contract is checked; found by themselves."""

from __future__ import annotations

import importlib
import pkgutil

from contract import Example

from numnet import nn


def collect() -> dict[type[nn.Layer], list[Example]]:
    """The examples of all families."""
    found: dict[type[nn.Layer], list[Example]] = {}
    for module in pkgutil.iter_modules(__path__):
        for layer, examples in importlib.import_module(f"{__name__}.{module.name}").EXAMPLES.items():
            assert layer not in found, f"{layer.__name__} has examples in two modules"
            found[layer] = examples
    return found
