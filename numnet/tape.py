"""The walk back along the tape: which call's backward runs when, and where its δ goes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

from . import kernels
from .arrays import Array
from .call import Call

__all__ = ["backpropagate", "owned"]


def owned(delta: Array | None, given: Iterable[Array | None]) -> Array | None:
    """``delta`` itself where nobody else holds it; a copy where it is a view, or one of those that the caller gave."""
    if delta is None or (delta.base is None and all(delta is not other for other in given)):
        return delta
    return delta.copy()


def backpropagate(origins: Sequence[tuple[Any, Array | None]], retain_graph: bool = False, lender: Any = None) -> None:
    """Walk the tape back from ``origins``: every call once, consumers before producers.

        δ(output) = Σ over its consumers of the ∂J/∂input that their backwards return

    Calls are numbered in the order of their making, so the highest number waiting has no consumer left to wait for.

    Args:
        origins: pairs of a place and the δ that starts there. A place is a leaf, which has ``accumulate``, or
            ``(call, output index)``, as in :attr:`numnet.nn.Call.parents`.
        retain_graph: keep what the forwards saved, for a further walk.
        lender: a leaf whose ``grad`` is handed on and never written into, as that of a module's input: it takes its δ
            as it comes, where that is an array of its own. Any other leaf gets a copy.
    """
    waiting: dict[int, tuple[Call, list[Array | None]]] = {}  # number -> the call and the δ arrived at its outputs
    numbers: list[int] = []  # a heap of the waiting numbers, negated: the highest first

    handed: Iterable[tuple[Any, Array | None]] = origins
    while True:
        for place, delta in handed:
            if place is None or delta is None:
                continue
            if not isinstance(place, tuple):  # a leaf; the δ may be a view, or others'
                if place.grad_array is None:
                    delta = owned(delta, [given for _, given in origins]) if place is lender else delta.copy()
                place.accumulate(delta)
                continue
            call, output = place
            if call.number not in waiting:
                waiting[call.number] = (call, [None] * len(call.output_shapes))
                heapq.heappush(numbers, -call.number)
            arrived = waiting[call.number][1]
            earlier = arrived[output]
            arrived[output] = delta if earlier is None else kernels.add(earlier, delta)
        if not numbers:
            return
        call, arrived = waiting.pop(-heapq.heappop(numbers))
        parents = call.parents
        result = call._backward(tuple(arrived), retain_graph)
        while not numbers and len(parents) == 1 and isinstance(parents[0], tuple) and result is not None:
            call = parents[0][0]  # its only consumer, of all that are asked, was the one before
            if call.returns_tuple:
                break
            parents = call.parents
            result = call._backward((result,), retain_graph)
        handed = zip(parents, result if len(parents) != 1 else (result,), strict=True)
