"""Summary: a network as a table, layer by layer, with shapes, parameters, work and memory."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array, as_dtype, is_array
from ..call import Ctx, observe, set_grad_enabled
from ..errors import DtypeError, OptionError, ShapeError, describe
from ..io.atomic import replacing
from ..nn import Module
from ..random import undisturbed
from ..tensor import Parameter, Tensor
from .multiply_adds import multiply_adds
from .visits import Page, Visits, light_copy

__all__ = ["Summary", "SummaryRow", "summary"]

WIDTH = 80  # of the text


@dataclass(slots=True)
class SummaryRow:
    """One module.

    What is counted is the module's own: its parameters, and what ran in it but in no module inside of it. A row that
    stands for everything inside (``depth``) has the sums.

    Attributes:
        path: as in ``named_modules``; empty for the network itself.
        kind: the name of the class.
        depth: 0 for the network itself.
        calls: how often it was called.
        output_shapes: of its latest call, one for each output; empty if it was not called.
        trainable: how many numbers its parameters hold that a training changes.
        frozen: how many that have ``requires_grad=False``.
        shared: where parameters that it shares with an earlier row are counted: its name, and the earlier path.
        multiply_adds: of all its calls; see :func:`numnet.inspect.multiply_adds`.
        output_bytes: of the arrays that it returned, without those that are views of what it got.
        kept_bytes: what it keeps for its backward, without what an earlier row keeps already.
    """

    path: str
    kind: str
    depth: int
    calls: int = 0
    output_shapes: tuple[tuple[int, ...], ...] = ()
    trainable: int = 0
    frozen: int = 0
    shared: tuple[tuple[str, str], ...] = ()
    multiply_adds: int = 0
    output_bytes: int = 0
    kept_bytes: int = 0

    @property
    def parameters(self) -> int:
        """How many numbers its parameters hold."""
        return self.trainable + self.frozen

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Summary:
    """What :func:`summary` found; printed, it is a table, and in a notebook an HTML one.

    Attributes:
        rows: one for each module, containers included, each before what is in it.
        input_bytes: of the inputs.
        parameter_bytes, buffer_bytes: of the network.
        gradient_bytes: of the gradients of all trainable parameters, once there are any.
    """

    rows: tuple[SummaryRow, ...]
    input_bytes: int
    parameter_bytes: int
    buffer_bytes: int
    gradient_bytes: int

    @property
    def parameters(self) -> int:
        """How many numbers all parameters hold; what is shared is counted once."""
        return sum(row.parameters for row in self.rows)

    @property
    def trainable(self) -> int:
        """How many of them a training changes."""
        return sum(row.trainable for row in self.rows)

    @property
    def frozen(self) -> int:
        """How many of them have ``requires_grad=False``."""
        return sum(row.frozen for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Of one forward of these inputs."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def output_bytes(self) -> int:
        """Of everything that a forward computes."""
        return sum(row.output_bytes for row in self.rows)

    @property
    def kept_bytes(self) -> int:
        """Of what stays in memory between forward and backward, besides inputs and parameters."""
        return sum(row.kept_bytes for row in self.rows)

    def __getitem__(self, path: str) -> SummaryRow:
        """The row of the module at ``path``.

        Raises:
            OptionError: there is none.
        """
        for row in self.rows:
            if row.path == path:
                return row
        raise OptionError(f"a path among {[row.path for row in self.rows]}", repr(path))

    def __str__(self) -> str:
        cells = [_HEAD, *[_cells(row) for row in self.rows]]
        widths = [max(len(line[i]) for line in cells) for i in range(len(_HEAD))]
        widths[0] = max(12, min(widths[0], WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1)))
        lines = [_line(line, widths) for line in cells]
        rule = "─" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:], rule, *self._totals()])

    def _totals(self) -> list[str]:
        size = _bytes
        return [
            f"{self.parameters:,} parameters: {self.trainable:,} trainable, {self.frozen:,} frozen",
            f"{self.multiply_adds:,} multiply-adds in one forward{_in_words(self.multiply_adds)}",
            f"memory: {size(self.input_bytes)} of inputs, {size(self.parameter_bytes + self.buffer_bytes)} of weights",
            f"  forward:  {size(self.output_bytes)} of outputs",
            f"  backward: {size(self.kept_bytes)} kept for it, {size(self.gradient_bytes)} of gradients",
        ]

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table as HTML, for notebooks."""
        lines = [f"<tr>{''.join(f'<th>{html.escape(cell)}</th>' for cell in _HEAD)}</tr>"]
        for row in self.rows:
            _, *others = _cells(row)
            name = f"{html.escape(row.name)} <b>{html.escape(row.kind)}</b>".strip()
            first = f'<td style="text-align:left;padding-left:{0.5 + 1.2 * row.depth:.1f}em">{name}</td>'
            lines.append(f"<tr>{first}{''.join(f'<td>{html.escape(cell)}</td>' for cell in others)}</tr>")
        totals = "<br>".join(html.escape(line) for line in self._totals())
        return f"<table>\n{chr(10).join(lines)}\n</table>\n<p>{totals}</p>"

    def to_html(self, path: str | Path) -> None:
        """Write the table into a page of its own, which needs no network."""
        style = (
            "body{font:14px/1.4 system-ui,sans-serif;margin:2em;color-scheme:light dark}"
            "table{border-collapse:collapse}td,th{padding:.15em .8em;text-align:right;border-bottom:1px solid #8884}"
        )
        title = html.escape(f"Summary of {self.rows[0].kind}")
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
        page = f'<!doctype html>\n<html lang="en"><head>{head}<style>{style}</style></head>\n<body>\n'
        with replacing(path) as aside:
            aside.write_text(f"{page}<h1>{title}</h1>\n{self._repr_html_()}\n</body></html>\n", encoding="utf-8")


_HEAD = ("layer", "output", "parameters", "multiply-adds", "kept")


def summary(
    net: Module,
    input_shape: Sequence[int] | Sequence[Sequence[int]] | None = None,
    *,
    dtypes: Any = None,
    inputs: Any = None,
    depth: int | None = None,
) -> Summary:
    """A network as a table: shapes, parameters, multiply-adds and memory of every module.

    A copy of the network runs once on inputs of these shapes, in the mode in which the network is. The network
    itself, its gradients, running statistics and random generators stay as they are.

    Args:
        net: any module.
        input_shape: the shape of the input with its batch axis; a list of shapes for several inputs.
        dtypes: the dtype of the input, or one for each; that of the parameters if it is left out. Inputs of integers
            are 0, for an embedding; floating ones 1.
        inputs: the input itself, an array, or a tuple of several, in the place of ``input_shape``.
        depth: how many levels of modules get a row of their own; all if ``None``.

    Returns:
        The summary: print it, or read its numbers.

    Raises:
        OptionError: neither ``input_shape`` nor ``inputs``, or both. ShapeError, DtypeError: no shape, or an input that
            does not fit the network. Other errors of the network pass through.
    """
    if (input_shape is None) == (inputs is None):
        got = "both" if inputs is not None else "neither"
        raise OptionError("input_shape or inputs", got, "summary(net, (1, 3, 224, 224))")
    given = _made_up(net, input_shape, dtypes) if inputs is None else _as_inputs(inputs)
    copied = light_copy(net)
    visits = Visits(copied)
    with undisturbed(), set_grad_enabled(True), observe(visits):
        result = copied(*[Tensor(x, requires_grad=x.dtype.kind == "f") if is_array(x) else x for x in given])
    rows = _rows(copied, visits, given)
    del result  # until here it held the tape, and so everything that is kept
    if depth is not None:
        rows = _cut(rows, depth)
    return Summary(
        tuple(rows),
        input_bytes=sum(x.nbytes for x in given if is_array(x)),
        parameter_bytes=sum(p.array.nbytes for p in net.parameters()),
        buffer_bytes=sum(buffer.nbytes for buffer in net.buffers()),
        gradient_bytes=sum(p.array.nbytes for p in net.parameters() if p.requires_grad),
    )


def _made_up(net: Module, input_shape: Any, dtypes: Any) -> tuple[Array, ...]:
    shapes = list(input_shape) if input_shape and not isinstance(input_shape[0], int | np.integer) else [input_shape]
    for shape in shapes:
        if not isinstance(shape, Sequence) or not all(isinstance(n, int | np.integer) and n > 0 for n in shape):
            cure = "(1, 3, 224, 224): the batch first; for several inputs a list of shapes"
            raise ShapeError("input_shape of whole numbers from 1 on", repr(input_shape), cure)
    if not isinstance(dtypes, list | tuple):
        usual = next((p.dtype for p in net.parameters()), np.dtype(np.float32))
        dtypes = [usual if dtypes is None else dtypes] * len(shapes)
    if len(dtypes) != len(shapes):
        raise OptionError(f"{len(shapes)} dtypes, one for each input", f"{len(dtypes)}")
    return tuple(
        np.full(tuple(shape), dtype.kind == "f", dtype)
        for shape, dtype in zip(shapes, map(as_dtype, dtypes), strict=True)
    )


def _as_inputs(inputs: Any) -> tuple[Any, ...]:
    given = tuple(x.array if isinstance(x, Tensor) else x for x in (inputs if isinstance(inputs, tuple) else (inputs,)))
    if not any(is_array(x) for x in given):
        raise DtypeError("inputs as an array, or a tuple of arrays", describe(inputs), "inputs=(x, mask)")
    return given


# ---------------------------------------------------------------------- rows


def _rows(net: Module, visits: Visits, given: tuple[Any, ...]) -> list[SummaryRow]:
    rows: list[SummaryRow] = []
    counted: dict[int, str] = {}
    owned = [*(x for x in given if is_array(x)), *(p.array for p in net.parameters()), *net.buffers()]
    kept = {id(_root(a)) for a in owned}
    modules = {id(module): path for path, module in net.named_modules()}
    for path, module in net.named_modules():
        row = SummaryRow(path, type(module).__name__, path.count(".") + 1 if path else 0)
        for name, parameter in vars(module).items():
            if isinstance(parameter, Parameter):
                if id(parameter) in counted:
                    row.shared += ((name, counted[id(parameter)]),)
                    continue
                counted[id(parameter)] = path
                size = int(parameter.array.size)
                row.trainable += size if parameter.requires_grad else 0
                row.frozen += 0 if parameter.requires_grad else size
        rows.append(row)
    by_path = {row.path: row for row in rows}
    for visit in visits.visits:
        row = by_path[modules[id(visit.module)]]
        row.calls += 1
        row.output_shapes = tuple(tuple(y.shape) for y in visit.outputs)
        for page in visit.pages:
            row.multiply_adds += multiply_adds(page.formulas, page.inputs, page.outputs)
            row.output_bytes += _fresh_bytes(page)
            row.kept_bytes += _kept_bytes(page.ctx, kept)
    return rows


def _cut(rows: Iterable[SummaryRow], depth: int) -> list[SummaryRow]:
    """The rows down to ``depth``, each with the sums of those that are left out below it."""
    shown: list[SummaryRow] = []
    for row in rows:
        if row.depth <= depth:
            shown.append(row)
            continue
        above = next(r for r in reversed(shown) if r.path == "" or row.path.startswith(f"{r.path}."))
        for name in ("trainable", "frozen", "multiply_adds", "output_bytes", "kept_bytes"):
            setattr(above, name, getattr(above, name) + getattr(row, name))
    return shown


def _root(a: Array) -> Array:
    """The array that owns the memory of ``a``."""
    while is_array(getattr(a, "base", None)):
        a = a.base
    return a


def _fresh_bytes(page: Page) -> int:
    given = {id(_root(x)) for x in page.inputs if is_array(x)}
    return sum(int(y.nbytes) for y in page.outputs if id(_root(y)) not in given)


def _kept_bytes(value: Any, kept: set[int]) -> int:
    """The memory that ``value`` holds on to, if it is in no array of ``kept``, where it is put down."""
    if is_array(value):
        root = _root(value)
        if id(root) in kept:
            return 0
        kept.add(id(root))
        return int(root.nbytes)
    if isinstance(value, Ctx):
        return sum(_kept_bytes(part, kept) for part in vars(value).values())
    if isinstance(value, dict):
        return sum(_kept_bytes(part, kept) for part in value.values())
    if isinstance(value, list | tuple):
        return sum(_kept_bytes(part, kept) for part in value)
    return 0


# ---------------------------------------------------------------------- text


def _cells(row: SummaryRow) -> tuple[str, str, str, str, str]:
    label = "  " * row.depth + f"{row.name} {row.kind}".strip() + (f" ×{row.calls}" if row.calls > 1 else "")
    shape = _shape(row.output_shapes[0]) if row.output_shapes else ""
    more = f" +{len(row.output_shapes) - 1}" if len(row.output_shapes) > 1 else ""
    count = f"{row.parameters:,}" if row.parameters else ""
    if row.frozen and not row.trainable:
        count = f"({count})"
    if row.shared and not count:
        count = f"as {row.shared[0][1]}"
    return label, shape + more, count, _count(row.multiply_adds), _bytes(row.kept_bytes) if row.kept_bytes else ""


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "1"


def _count(n: int) -> str:
    return f"{n:,}" if n else ""


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, second, *others = cells
    if len(first) > widths[0]:
        first = first[: widths[0] - 1] + "…"
    right = [cell.rjust(width) for cell, width in zip(others, widths[2:], strict=True)]
    return "  ".join([first.ljust(widths[0]), second.ljust(widths[1]), *right]).rstrip()


def _bytes(n: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n} B"


def _in_words(n: int) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if n >= size:
            return f" ({n / size:.2f} {unit})"
    return ""
