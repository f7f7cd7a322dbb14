"""Containers: modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ..errors import OptionError, ShapeError
from ..functions import cat
from ..tensor import Parameter, Tensor
from .holder import DictOf, ListOf
from .module import Module

__all__ = ["Branches", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Residual", "Sequential"]


class _Network(ListOf[Module]):
    """Abstract: modules in order, each by its number or a name of its own."""

    def _take(self, modules: tuple[Any, ...]) -> None:
        named = modules[0].items() if len(modules) == 1 and isinstance(modules[0], Mapping) else enumerate(modules)
        for name, module in named:
            self._put(str(name), module)


class Sequential(_Network):
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
        self._take(modules)

    def _part(self, held: dict[str, Module]) -> Sequential:
        return Sequential(held)

    def forward(self, x: Tensor) -> Tensor:
        for module in self:
            x = module._run(x) if type(x) is Tensor else module(x)  # which inside of another module is the same
        return x


class Branches(_Network):
    """Modules side by side: all get the same x, and their outputs are put together or added.

        y = [branch₁(x), branch₂(x), …] along the axis dim        or, with join="sum", branch₁(x) + branch₂(x) + …

        ∂J/∂x = Σᵢ branchᵢ.backward(δᵢ)        δᵢ the part of δ that branchᵢ made; all of it with join="sum"

    An Inception block is ``Branches(one, three, five, pooled)``, each branch a Sequential of convolutions.

    Shapes: those of the branches; their outputs are of one shape, but for ``dim`` where they are put together.

    Args:
        modules: the branches in order, or one mapping of names to modules.
        join: ``"concat"``, or ``"sum"``.
        dim: the axis along which outputs are put together: 1, the channels.

    Raises:
        OptionError: no branches, or another ``join``. DtypeError: something that is not a Module.
        ShapeError: outputs whose shapes do not go together.

    Source: Szegedy et al., Going deeper with convolutions, 2015, section 4.
    """

    def __init__(self, *modules: Any, join: Literal["concat", "sum"] = "concat", dim: int = 1) -> None:
        super().__init__()
        if join not in ("concat", "sum"):
            raise OptionError('Branches with join="concat" or "sum"', f"join={join!r}", "choose one of these")
        self.join = join
        self.dim = dim
        self._take(modules)

    def _part(self, held: dict[str, Module]) -> Branches:
        return Branches(held, join=self.join, dim=self.dim)

    def forward(self, x: Tensor) -> Tensor:
        outputs = [branch(x) for branch in self]
        if not outputs:
            raise OptionError("Branches with one branch or more", "none", "Branches(nn.Linear(4, 3), nn.Linear(4, 3))")
        axis = None if self.join == "sum" else self.dim % outputs[0].ndim
        _expect_to_join([y.shape for y in outputs], axis)
        if axis is not None:
            return cat(outputs, axis)
        total = outputs[0]
        for y in outputs[1:]:
            total = total + y
        return total

    def extra_repr(self) -> str:
        return f"join={self.join!r}" + (f", dim={self.dim}" if self.join == "concat" else "")


def _expect_to_join(shapes: list[tuple[int, ...]], axis: int | None) -> None:
    fixed = {tuple(n for i, n in enumerate(shape) if i != axis) for shape in shapes}
    if len(fixed) > 1 or len({len(shape) for shape in shapes}) > 1:
        expected = "branches that end in one shape" + ("" if axis is None else f", but for axis {axis}")
        cure = "pad the convolutions of each branch so that it keeps height and width"
        error = ShapeError(expected, ", ".join(map(str, shapes)), cure)
        error.where = "Branches, forward"
        raise error


class ModuleList(ListOf[Module]):
    """Modules in a list: found by ``parameters()`` and ``state_dict()``, as those in a plain list are not.

    It runs nothing: call its modules in the ``forward`` of yours. Indexing, slices, ``append``, ``extend``, ``insert``,
    ``pop`` and ``del`` are a list's.

    Args:
        modules: the modules in order.

    Raises:
        DtypeError: something that is not a Module, or a call.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, modules: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *modules])


class ModuleDict(DictOf[Module]):
    """Modules by name: found by ``parameters()`` and ``state_dict()``, as those in a plain ``dict`` are not.

    It runs nothing: call its modules in the ``forward`` of yours. It is used as a ``dict`` is.

    Args:
        named: names and modules, a mapping or pairs.

    Raises:
        DtypeError: something that is not a Module, or a call. OptionError: a name that is an attribute of ModuleDict.
    """


class ParameterList(ListOf[Parameter]):
    """Parameters in a list: found by ``parameters()`` and ``state_dict()``, as those in a plain list are not.

    Args:
        values: Parameters; arrays and Tensors become Parameters.

    Raises:
        DtypeError: something that is none of these, or a call.
    """

    _kind = Parameter

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)


class ParameterDict(DictOf[Parameter]):
    """Parameters by name: found by ``parameters()`` and ``state_dict()``, as those in a plain ``dict`` are not.

    Args:
        named: names and Parameters, a mapping or pairs; arrays and Tensors become Parameters.

    Raises:
        DtypeError: something that is none of these, or a call.
        OptionError: a name that is an attribute of ParameterDict.
    """

    _kind = Parameter


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
