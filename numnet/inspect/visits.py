"""Visits: every call of every module, containers included, watched on a copy of the network."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..arrays import Array
from ..call import Call, Ctx
from ..nested import flatten, unflatten
from ..nn import Identity, Module
from ..tape import apply
from ..tensor import Tensor

__all__ = ["Page", "Visit", "Visits", "light_copy"]


class Page(NamedTuple):
    """One application of formulas: what ran, on what, to what, and what it kept for its backward."""

    formulas: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Array, ...]
    ctx: Ctx | None


@dataclass(slots=True)
class Visit:
    """One call of one module.

    Attributes:
        path: as in ``named_modules``; the second call of a module is ``path#2``.
        module: which module (of the copy).
        begun, ended: running numbers: what lies between them ran inside of it.
        inputs, options: what it got, by position and by name.
        outputs: what it returned, laid flat.
        pages: the applications of formulas in it that were in no visit inside of it.
    """

    path: str
    module: Module
    begun: int
    ended: int = 0
    inputs: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    outputs: list[Any] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)


class Visits:
    """The observer that lists the visits of ``net``, whose modules it changes for good: give it a copy.

    Args:
        net: a copy of a network.
        marked: put an identity before and behind every module, so that the δ of each of its inputs and outputs is its
            own, whoever else reads the same tensor; without, the tape is the network's.

    Attributes:
        visits: in the order of their beginning.
        deltas: δ by place, ``(number of a call, output)``, once a backward has run.
    """

    def __init__(self, net: Module, marked: bool = False) -> None:
        self.visits: list[Visit] = []
        self.deltas: dict[tuple[int, int], Array | None] = {}
        self._marked = marked
        self._open: list[Visit] = []
        self._clock = itertools.count(1)
        self._counts: Counter[str] = Counter()
        for path, module in net.named_modules():
            vars(module)["_run"] = self._watched(path, module, module._run)

    def _watched(self, path: str, module: Module, run: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*inputs: Any, **options: Any) -> Any:
            self._counts[path] += 1
            number = self._counts[path]
            visit = Visit(path if number == 1 else f"{path}#{number}", module, next(self._clock))
            self.visits.append(visit)
            inputs = tuple(self._mark(x) for x in inputs)
            visit.inputs, visit.options = inputs, options
            self._open.append(visit)
            try:
                result = run(*inputs, **options)
            finally:
                self._open.pop()
            result = self._mark(result)
            visit.outputs = [y for y in flatten(result) if isinstance(y, Tensor)]
            visit.ended = next(self._clock)
            return result

        return watched

    def _mark(self, value: Any) -> Any:
        if not self._marked or type(value) not in (tuple, Tensor):
            return value
        return unflatten(value, [_marked(x) if isinstance(x, Tensor) else x for x in flatten(value)])

    def delta(self, tensor: Any) -> Array | None:
        """δ at an input or output of a visit; ``None`` where none came."""
        if not isinstance(tensor, Tensor) or tensor.grad_fn is None:
            return None
        return self.deltas.get((tensor.grad_fn.number, tensor._output))

    def forward(self, call: Call, inputs: tuple[Any, ...], outputs: tuple[Array, ...]) -> None:
        if self._open:
            self._open[-1].pages.append(Page(call.layer, inputs, outputs, call.ctx))

    def backward(self, call: Call, deltas: tuple[Array | None, ...], input_deltas: tuple[Array | None, ...]) -> None:
        for output, delta in enumerate(deltas):
            self.deltas[call.number, output] = delta


def _marked(x: Tensor) -> Tensor:
    return apply(Identity(), x) if x.requires_grad else x


def light_copy(net: Module) -> Module:
    """A copy whose parameters share their numbers with those of ``net``, and nothing else; without gradients."""
    shared = [a for p in net.parameters() for a in (p.array, p.grad_array) if a is not None]
    copied = copy.deepcopy(net, {id(a): a for a in shared})
    copied.zero_grad()
    return copied
