"""Recording: all that a trace wrote down of one step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..nn import Module
from .record import ArrayRecord, CallRecord, UpdateRecord
from .recorder import Recorder, Room
from .step import Step

__all__ = ["ParameterTotal", "Recording"]


class Recording:
    """Abstract: the data of a :class:`~numnet.inspect.Trace`, which names, rules and views read.

    Attributes:
        calls: one record for each application of formulas, in the order of forward; the loss comes last.
        steps: what a debugger stops at: forward, loss, backward, update.
        updates: what the optimiser did to each parameter; empty without one.
        order_back: the numbers of the calls in the order of their backwards.
        consumers: by the name of an array, ``"0.output"``: who read it and hands δ back to it, as (call, input name).
        parameters: every parameter's gradient: the shares by use, in the order of the walk back, and the total.
        given: what the network and the loss were given: ``"x"``, ``"target"``, by name.
        output: what the network returned.
        loss: J.
        input_delta: ∂J/∂x.
        named: every array by its name, once it was asked for; see :func:`numnet.inspect.names.names_of`.
        keep, kept: how many bytes of arrays it was allowed to keep, and how many it keeps.
    """

    def __init__(self, recorder: Recorder, room: Room, net: Module) -> None:
        self.calls: list[CallRecord] = recorder.calls
        self.order_back: list[int] = recorder.order_back
        self.consumers: dict[str, list[tuple[CallRecord, str]]] = recorder.consumers
        self.net_name = type(net).__name__
        self.steps: list[Step] = []
        self.updates: list[UpdateRecord] = []
        self.parameters: dict[str, ParameterTotal] = {}
        self.given: dict[str, ArrayRecord] = {}
        self.input_deltas: dict[str, ArrayRecord] = {}
        self.output: Any = None
        self.loss = float("nan")
        self.keep, self.kept = room.keep, room.used
        self.named: dict[str, Any] = {}

    def __iter__(self) -> Iterator[CallRecord]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)

    def __getitem__(self, path: str) -> CallRecord:
        """The call at ``path``, the first if there are several; ``"rnn#2"`` is the second. Raises KeyError."""
        for call in self.calls:
            if path in (call.name, f"{call.path}#{call.use}"):
                return call
        raise KeyError(f"{path!r}; the calls are {[call.name for call in self.calls]}")


class ParameterTotal:
    """A parameter and its gradient over the whole step.

    Attributes:
        name: as in ``named_parameters``.
        value: W during the step.
        before: ``grad`` before the step; ``None`` if there was none.
        shares: (call, name in the call, what it added), in the order of the walk back.
        after: ``grad`` after the step; ``None`` if nothing came.
        aliases: other names of the same parameter.
    """

    def __init__(self, name: str, value: ArrayRecord) -> None:
        self.name = name
        self.value = value
        self.aliases: list[str] = []
        self.before: ArrayRecord | None = None
        self.shares: list[tuple[CallRecord, str, ArrayRecord]] = []
        self.after: ArrayRecord | None = None
