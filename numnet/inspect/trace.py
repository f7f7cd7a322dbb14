"""Trace: one step of training, written down number by number, to be looked at afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array, is_array
from ..call import observe
from ..errors import OptionError
from ..io.atomic import replacing
from ..nested import flatten
from ..nn import Loss, Module
from ..optim import Optimizer
from ..tensor import Parameter, Tensor
from .delta_budget import Budget, budget_of
from .explain import Explanation, explain, walk
from .names import names_of, resolve
from .page import in_notebook, page
from .plain import plain
from .plots import plot_trace
from .record import ArrayRecord, UpdateRecord
from .recorder import Recorder, Room
from .recording import ParameterTotal, Recording
from .source import Watch
from .step import steps_of
from .stepper import step as step_through

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Trace", "trace"]


class Trace(Recording):
    """What :func:`trace` wrote down. It iterates over the calls; ``trace["encoder.fc1"]`` is the first at this path.

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

    @property
    def input_delta(self) -> Array | None:
        """∂J/∂x; of the first input, if there are several; ``None`` for integers."""
        first = next(iter(self.input_deltas.values()), None)
        return None if first is None else first.numbers

    def names(self) -> list[str]:
        """The names of all arrays, as :meth:`array` and :meth:`explain` take them."""
        return [name for name, named in names_of(self).items() if not named.alias]

    def array(self, name: str) -> ArrayRecord:
        """The array called ``name``.

        Raises:
            OptionError: there is none; the message lists what there is.
        """
        return resolve(self, name)[1].record

    def explain(self, name: str, index: Any = ()) -> Explanation:
        """One number with the arithmetic that made it.

        Args:
            name: of an array: ``"2.weight.grad"``, ``"0.delta"``, ``"J"``.
            index: where in it: ``(3, 5)``; an int for an array with one axis, nothing for a single number.

        Raises:
            OptionError: no such array, no such place in it, or it was not kept.
        """
        return explain(self, name, index)

    def walk(self, name: str, index: Any = ()) -> list[Explanation]:
        """From one number to the loss: each explanation is that of the largest operand of the one before.

        In a term it goes on with the factor that came from the loss (a δ or a gradient), if there is one.
        """
        return walk(self, name, index)

    def budget(self) -> Budget:
        """What each layer does to the size of δ, and why; see :func:`numnet.inspect.budget_of`."""
        return budget_of(self.calls)

    def step(self, commands: Iterable[str] | None = None) -> None:
        """Step through it in the terminal, as in a debugger: ``h`` lists the commands, ``q`` leaves.

        Keys and colours where there are a terminal and rich; plain lines over a pipe, with NO_COLOR, or without rich.

        Args:
            commands: run these instead, ``["n", "e 0.delta 0 2"]``, and print the transcript, always plain.
        """
        step_through(self, commands)

    def plot(
        self, sample: int | None = 0, layers: Sequence[str] | None = None, batch_first: bool | None = None
    ) -> Figure:
        """δ of one sample at the output of every layer as images, and beneath them ‖a‖, ‖δ‖ and ‖∂J/∂W‖ of the batch.

        Images are tiled by channel, units stand in a strip, sequences (N, T, F) are time × unit. Orange pushes J up,
        purple down; each image has its own scale, written above it. The norms stand on a logarithmic axis, ‖∂J/∂W‖ of
        all parameters of a layer together.

        Args:
            sample: its number in the batch; ``None`` for a step without a batch axis.
            layers: the names of the calls to show, ``["0", "fc1"]``; by default all that change δ, or of more than 48
                images every second, third, …
            batch_first: whether an array with three axes is (N, T, F), not (T, N, F). Left out, it is, unless a
                recurrent layer of the network says otherwise.

        Returns:
            The figure; ``figure.savefig(path)`` writes it.

        Raises:
            OptionError: no such sample, no such call, or no δ anywhere. MissingExtraError: matplotlib is not installed.
        """
        return plot_trace(self, sample, layers, batch_first)

    def to_dict(self, numbers: int = 64) -> dict[str, Any]:
        """Everything as plain data that ``json.dumps`` takes.

        Args:
            numbers: how many numbers of an array are written out; of a larger one the first ones.
        """
        return plain(self, numbers)

    def to_html(self, path: str | os.PathLike[str], limit: int = 4_000_000) -> None:
        """Write the step as one HTML file: the network, every step with formula, code and heat maps, any number
        with its arithmetic. It opens from the disk, needs no network, and speaks English and Chinese.

        Args:
            path: the file, ``"deltas.html"``.
            limit: how many bytes of numbers it may hold; of arrays beyond it, the largest, the page has the digest.
        """
        with replacing(path) as aside:
            aside.write_text(page(self, limit), encoding="utf-8")

    def _repr_html_(self) -> str:
        """The same page inside a notebook, where it steps by keys and clicks without a server."""
        return in_notebook(self, 2_000_000)

    def __repr__(self) -> str:
        return f"<Trace of {self.net_name}: {len(self.calls)} calls, {len(self.steps)} steps, J = {self.loss:.6g}>"


def trace(
    net: Module,
    x: Array | tuple[Array, ...],
    target: Array | None,
    loss: Loss,
    optimizer: Optimizer | None = None,
    keep: int = 2**29,
) -> Trace:
    """Take one ordinary step and write down every number of it.

        z = net(x);  J = loss(z, target);  net.backward(loss.backward())

    With an optimiser, ``zero_grad`` comes before and ``step`` behind. The network, its gradients and the optimiser are
    as after that step without a trace, to the bit.

    Args:
        net: any module.
        x: a batch; a tuple for a network of several inputs.
        target: what ``loss`` compares with; ``None`` for a loss that takes z alone.
        loss: a loss with ``reduction="mean"`` or ``"sum"``. Of a network with several outputs it gets the first.
        optimizer: if given, its step is taken and written down too.
        keep: how many bytes of arrays to keep, each memory once, half of them for forward. What comes when the room is
            used up is kept as a digest alone, and says so. What the step itself needs comes on top, as always.

    Raises:
        OptionError: ``keep`` below 0, or ``loss`` with one number a sample.
    """
    if keep < 0:
        raise OptionError("keep of at least 0 bytes", f"keep={keep}", "keep=0 keeps digests alone")
    inputs = tuple([a.array if isinstance(a, Tensor) else a for a in (x if isinstance(x, tuple) else (x,))])
    targets = () if target is None else (target.array if isinstance(target, Tensor) else target,)
    names = ["x"] if len(inputs) == 1 else [f"x{i}" for i in range(len(inputs))]
    given = {n: a for n, a in zip([*names, "target"], (*inputs, *targets), strict=False) if is_array(a)}
    named: dict[str, Parameter] = {}
    aliases: dict[str, str] = {}
    first: dict[int, str] = {}
    for prefix, module in (("", net), (f"{type(loss).__name__}.", loss)):
        for name, p in module.named_parameters(remove_duplicate=False):
            if id(p) in first:
                aliases.setdefault(prefix + name, first[id(p)])
            else:
                named[prefix + name] = p
                first[id(p)] = prefix + name
    if optimizer is not None:
        optimizer.zero_grad()
    before = {name: p.grad_array for name, p in named.items()}
    for p in named.values():
        p.grad_array = None
    room, watch = Room(keep), Watch()
    recorder = Recorder(named, room, watch, given)
    totals = before
    try:
        room.limit = keep // 2
        with observe(recorder), watch.watching():
            z = net(*inputs)
            recorder.seal()
            recorder.in_loss = True
            first, *others = flatten(z)
            J = loss(first, *targets)
            recorder.seal()
            if np.size(J) != 1:
                cure = 'give the loss reduction="mean" or "sum"'
                raise OptionError("a loss that is one number", f"{np.size(J)} numbers", cure)
            copies = {name: room.record(p.array.copy()) for name, p in named.items()}
            recorder.values(copies)
            room.limit = keep
            delta = loss.backward()
            input_delta = net.backward((delta, *[None for y in others if y is not None]) if others else delta)
        totals = recorder.totals(before)
    finally:
        for name, p in named.items():
            total = totals[name]
            p.grad = total if total is None or total is before[name] else total.copy()
    found = Trace(recorder, room, net)
    found.output, found.loss = z, float(np.reshape(J, ()))
    found.given = {name: room.record(a) for name, a in given.items()}
    for name, d in zip(names, flatten(input_delta), strict=False):
        if d is not None:
            found.input_deltas[name] = room.record(d)
    for name in named:
        entry = found.parameters[name] = ParameterTotal(name, copies[name])
        entry.before, entry.after = (None if a is None else room.record(a) for a in (before[name], totals[name]))
        entry.shares = [(c, key, c.parameters[key].share or room.record(g)) for c, key, g in recorder.events[name]]
    for alias, name in aliases.items():
        found.parameters[name].aliases.append(alias)
    if optimizer is not None:
        found.updates = _updates(optimizer, named, copies, room)
    found.steps = steps_of(found.calls, found.order_back, found.updates)
    found.kept = room.used
    return found


def _updates(
    optimizer: Optimizer, named: dict[str, Parameter], copies: dict[str, ArrayRecord], room: Room
) -> list[UpdateRecord]:
    """Take the optimiser's step, and write down what it did to each parameter."""
    names = {id(p): name for name, p in named.items()}
    updates = []
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.requires_grad and p.grad_array is not None and id(p) in names:
                options = {name: value for name, value in group.items() if name != "params"}
                name = names[id(p)]
                gradient, memory = room.record(p.grad_array.copy()), _copied(optimizer.state.get(p, {}), room)
                updates.append(
                    (p, UpdateRecord(name, optimizer, options, copies[name], gradient, gradient, memory, {}))
                )
    optimizer.step()
    for p, update in updates:
        update.after = room.record(p.array.copy())
        update.memory = _copied(optimizer.state.get(p, {}), room)
    return [update for _, update in updates]


def _copied(memory: dict[str, Any], room: Room) -> dict[str, Any]:
    return {name: room.record(value.copy()) if is_array(value) else value for name, value in memory.items()}
