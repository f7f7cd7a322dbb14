"""What a network consists of, as values for a file: so that a run goes on, bit for bit, after it was killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array
from ..errors import StateDictError
from ..nn.module import Module

__all__ = ["Best", "module_state", "restore_module"]


class Best(NamedTuple):
    """The best epoch so far."""

    epoch: int
    value: float
    weights: dict[str, Array]  # and running statistics: a state dict


def module_state(module: Module) -> dict[str, Any]:
    """Parameters, buffers (those that are in no state dict too), and where its random generators stand."""
    arrays = module.state_dict()
    transient = {path: buffer for path, buffer in module.named_buffers() if path not in arrays}
    return {
        "arrays": arrays,
        "transient": transient,
        "generators": {path: generator.bit_generator.state for path, generator in _generators(module)},
    }


def restore_module(module: Module, saved: Mapping[str, Any]) -> None:
    """Put all of it back. Raises StateDictError if the module is another one."""
    own = dict(_generators(module))
    if own.keys() != saved["generators"].keys():
        expected = f"generators at {', '.join(saved['generators']) or 'no place'}"
        cure = "build the network as it was built for the run that was saved, with the same rng= in the same layers"
        raise StateDictError(expected, ", ".join(own) or "none", cure)
    module.load_state_dict(saved["arrays"])
    for path, buffer in saved["transient"].items():
        owner, _, name = path.rpartition(".")
        setattr(module.get_submodule(owner), name, buffer)
    for path, generator in own.items():
        generator.bit_generator.state = saved["generators"][path]


def _generators(module: Module) -> Iterator[tuple[str, np.random.Generator]]:
    for path, part in module.named_modules():
        for name, value in vars(part).items():
            if isinstance(value, np.random.Generator):
                yield f"{path}.{name}" if path else name, value
