"""Containers: modules made of modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, overload

from ..errors import DtypeError, OptionError, ShapeError, describe
from ..tensor import Tensor
from .module import Module

__all__ = ["Residual", "Sequential"]


class Sequential(Module):
    """Modules one after the other.

        aˡ⁺¹ = layerˡ⁺¹(aˡ)

        δˡ = layerˡ⁺¹.backward(δˡ⁺¹)

    Args:
        modules: the modules in order, or one mapping of names to modules (an ``OrderedDict``).

    ``net[0]``, ``net[-1]``, ``net["fc1"]`` and ``net.fc1`` give a child; ``net[1:3]`` a Sequential that shares its
    children.

    Raises:
        DtypeError: something that is not a Module. OptionError: a name that is taken.
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named = modules[0].items() if len(modules) == 1 and isinstance(modules[0], Mapping) else enumerate(modules)
        for name, module in named:
            self._add(str(name), module)

    def _add(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            is_class = isinstance(module, type) and issubclass(module, Module)
            cure = f"nn.{module.__name__}() with parentheses" if is_class else "wrap a function in a Module"
            raise DtypeError(f"a Module at position {name!r} of Sequential", describe(module), cure)
        if not name or "." in name or hasattr(self, name):
            cure = "choose a name that is no attribute of Module and has no dot"
            raise OptionError("a free name for each child", f"{name!r}", cure)
        setattr(self, name, module)

    def forward(self, x: Tensor) -> Tensor:
        for module in self:
            x = module(x)
        return x

    def append(self, module: Module) -> Sequential:
        """Add ``module`` at the end; returns itself."""
        self._add(str(len(self)), module)
        return self

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self.children()))

    @overload
    def __getitem__(self, key: int | str) -> Module: ...
    @overload
    def __getitem__(self, key: slice) -> Sequential: ...
    def __getitem__(self, key: int | str | slice) -> Module:
        named = list(self.named_children())
        if isinstance(key, slice):
            return Sequential(dict(named[key]))
        if isinstance(key, str):
            return dict(named)[key]
        if not -len(named) <= key < len(named):
            raise IndexError(f"Sequential has {len(named)} modules; there is none at position {key}")
        return named[key][1]


class Residual(Module):
    """A body and a way around it.

        y = body(x) + shortcut(x)

        ∂J/∂x = body.backward(δ) + shortcut.backward(δ)

    Args:
        body: what learns the difference from the shortcut.
        shortcut: the way around, such as a 1 × 1 convolution where shapes change; the identity if ``None``.

    Raises:
        ShapeError: the two ways end in different shapes.

    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016, equation 1.
    """

    def __init__(self, body: Module, shortcut: Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        around = x if self.shortcut is None else self.shortcut(x)
        through = self.body(x)
        if through.shape != around.shape:
            error = ShapeError(
                f"a shortcut that ends in the body's shape {through.shape}",
                f"shape {around.shape}",
                "give Residual a shortcut that changes the shape as the body does, such as nn.Conv2d(…, kernel_size=1)",
            )
            error.where = "Residual, forward"
            raise error
        return through + around
