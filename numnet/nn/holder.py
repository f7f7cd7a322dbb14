"""What every container holds, and how: modules or parameters, as attributes, found by position or by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, overload

from ..arrays import is_array
from ..errors import DtypeError, OptionError, describe
from ..tensor import Parameter, Tensor
from .module import Module

__all__ = ["DictOf", "ListOf"]

T = TypeVar("T")


class _Holder(Module, Generic[T]):
    """Abstract: a module that holds things of one kind, each the attribute of its name."""

    _kind: ClassVar[Any] = Module  # the class T

    def forward(self, *inputs: Any) -> Any:
        name = type(self).__name__
        cure = "call what it holds, one by one, in the forward of your module; nn.Sequential runs one after the other"
        raise DtypeError("a module with a forward", f"{name}, which does nothing but hold", cure)

    def _held(self) -> dict[str, T]:
        return {name: value for name, value in vars(self).items() if isinstance(value, self._kind)}

    def _put(self, name: str, value: Any) -> None:
        """Make ``value`` the attribute ``name``: a new one, or one in the place of what was held there."""
        value = self._checked(name, value)
        is_new = not isinstance(vars(self).get(name), self._kind)
        if is_new and (not name or "." in name or hasattr(self, name)):
            cure = f"choose a name that is no attribute of {type(self).__name__} and has no dot"
            raise OptionError("a free name for each child", f"{name!r}", cure)
        vars(self)[name] = value

    def _checked(self, name: str, value: Any) -> T:
        if self._kind is Parameter and (is_array(value) or type(value) is Tensor):
            value = Parameter(value)
        if not isinstance(value, self._kind):
            holder, kind = type(self).__name__, self._kind.__name__
            if isinstance(value, type) and issubclass(value, Module):
                cure = f"nn.{value.__name__}() with parentheses"
            elif isinstance(value, (list, tuple)):
                cure = f"{holder}(*modules)"
            else:
                cure = "wrap a function in a Module" if kind == "Module" else "give it arrays or Parameters"
            raise DtypeError(f"a {kind} at position {name!r} of {holder}", describe(value), cure)
        return cast(T, value)

    def __len__(self) -> int:
        return len(self._held())

    def extra_repr(self) -> str:
        held = self._held().items() if self._kind is Parameter else ()
        return ", ".join(f"{name}: {describe(p.array)}" for name, p in held if isinstance(p, Parameter))


class ListOf(_Holder[T]):
    """Abstract: things in order, found by position; those that were given no name bear their number."""

    def __iter__(self) -> Iterator[T]:
        kind = self._kind
        return iter([value for value in vars(self).values() if isinstance(value, kind)])

    @overload
    def __getitem__(self, key: int | str) -> T: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: int | str | slice) -> Any:
        if isinstance(key, slice):
            return self._part(dict(list(self._held().items())[key]))
        return self._held()[self._name(key)]

    def __setitem__(self, key: int | str, value: Any) -> None:
        """Put ``value`` in the place of what is at ``key``."""
        name = self._name(key)
        if name not in self._held():
            raise DtypeError(f"a child of this {type(self).__name__}", repr(key), "append adds at the end")
        self._put(name, value)

    def __delitem__(self, key: int | str | slice) -> None:
        items = list(self._held().items())
        names = [name for name, _ in items[key]] if isinstance(key, slice) else [self._name(key)]
        self._arrange([(name, value) for name, value in items if name not in names])

    def append(self, value: Any) -> Self:
        """Add ``value`` at the end; returns itself."""
        self._put(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add each of ``values`` at the end; returns itself."""
        for value in list(values):
            self.append(value)
        return self

    def insert(self, index: int, value: Any) -> Self:
        """Put ``value`` before what is at ``index``, which moves on with all that follow; returns itself."""
        items: list[tuple[str, Any]] = list(self._held().items())
        items.insert(index, ("0", self._checked(str(index), value)))  # a number, which _arrange sets right
        self._arrange(items)
        return self

    def pop(self, key: int | str = -1) -> T:
        """Take out what is at ``key``, and return it."""
        value = self[key]
        del self[key]
        return value

    def _part(self, held: dict[str, T]) -> Self:
        """One of the same kind that shares ``held``."""
        return type(self)(held.values())

    def _name(self, key: int | str) -> str:
        if isinstance(key, str):
            return key
        names = list(self._held())
        if not -len(names) <= key < len(names):
            kind = self._kind.__name__.lower()
            raise IndexError(f"{type(self).__name__} has {len(names)} {kind}s; there is none at position {key}")
        return names[key]

    def _arrange(self, items: list[tuple[str, Any]]) -> None:
        """Hold these and nothing else, in this order, those that bear a number by their new one."""
        for name in self._held():
            delattr(self, name)
        for position, (name, value) in enumerate(items):
            self._put(str(position) if name.isdigit() else name, value)


class DictOf(_Holder[T]):
    """Abstract: things by name, as a ``dict``."""

    def __init__(self, named: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(named or {})

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())

    def __contains__(self, name: object) -> bool:
        return name in self._held()

    def __getitem__(self, name: str) -> T:
        return self._held()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._put(name, value)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def keys(self) -> KeysView[str]:
        """The names, in the order of their arrival."""
        return self._held().keys()

    def values(self) -> ValuesView[T]:
        """What is held."""
        return self._held().values()

    def items(self) -> ItemsView[str, T]:
        """Names and what is held under them."""
        return self._held().items()

    def get(self, name: str, default: Any = None) -> Any:
        """What is held under ``name``; ``default`` if nothing is."""
        return self._held().get(name, default)

    def update(self, named: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Take in all of ``named``, in the place of what had the same names."""
        for name, value in dict(named).items():
            self._put(name, value)

    def pop(self, name: str) -> T:
        """Take out what is held under ``name``, and return it. Raises KeyError if nothing is."""
        value = self._held()[name]
        delattr(self, name)
        return value

    def clear(self) -> None:
        """Hold nothing any more."""
        for name in self._held():
            delattr(self, name)
