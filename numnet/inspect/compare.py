"""The parity microscope: where a network's numbers part from PyTorch's, by how much, and why."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..arrays import Array, is_floating
from ..errors import DtypeError, OptionError, StateDictError, describe
from ..nn import CrossEntropyLoss, Loss, Module, MSELoss
from .dialect_search import explanation
from .numbers import Key, Run, import_torch, run_numnet, run_torch

__all__ = ["Comparison", "Parting", "compare_with_torch"]

WIDTH = 80  # of the text
RELATIVE = 1e-10  # what rounding in float64 does not reach, and another formula exceeds
SHAKEN = 4e-15  # how far weights are moved to see what rounding may do to each array …
FACTOR = 1e3  # … and how many times that counts as rounding


@dataclass(frozen=True, slots=True)
class Parting:
    """One array in both networks.

    Attributes:
        path: of the module (``path#2`` in its second call), or the class of the loss.
        what: ``"input"``, ``"output"``, ``"δ"`` at the output, ``"∂J/∂input"``, ``"∂J/∂weight"``, the name of a buffer
            or weight; of a loss ``"J"``.
        verdict: of this array.
        ulp: the largest difference, in units in the last place of the largest number of the array (of the terms that it
            was summed from, where they cancel).
        index: the first element that parts: by more than rounding, if there is such a one; ``None`` if the shapes part.
        ours, theirs: the two numbers there, or the shapes.
    """

    path: str
    what: str
    verdict: str
    ulp: float
    index: tuple[int, ...] | None = None
    ours: Any = None
    theirs: Any = None

    def __str__(self) -> str:
        place = f"{self.path or 'the network'}, {self.what}"
        if self.index is None:
            return f"{place}: {self.ours} here, {self.theirs} in PyTorch"
        at = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        apart = "" if self.ours.dtype.kind != "f" else f", {_ulp_text(_ulps(self.ours, self.theirs))} ULP apart"
        return f"{place}{at}: {self.ours!s} here, {self.theirs!s} in PyTorch{apart}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What :func:`compare_with_torch` found; printed, it is a table.

    Attributes:
        verdict: ``"equal"``, ``"same formula in another order"`` or ``"different formula"``: the worst of all arrays.
        first: the first array that parts by more than rounding; if there is none, the first that parts at all.
        why: what explains it, tried out; empty if nothing that was tried does.
        dialect: numnet's layer that speaks as PyTorch's does, for :func:`numnet.explain_difference`.
        arrays: everything compared, in the order of computation.
        kinds: the class of each module compared, by path.
        only_numnet, only_torch: the modules (and weights) that have no counterpart.
        failed: what ended one of the two runs, if anything did.
    """

    verdict: str
    first: Parting | None
    why: str
    dialect: Module | None
    arrays: tuple[Parting, ...]
    kinds: dict[str, str]
    only_numnet: tuple[str, ...]
    only_torch: tuple[str, ...]
    failed: str
    dtype: np.dtype[Any]

    def __getitem__(self, place: tuple[str, str]) -> Parting:
        """``comparison["conv1", "output"]``. Raises KeyError if that was not compared."""
        for part in self.arrays:
            if (part.path, part.what) == place:
                return part
        raise KeyError(place)

    def __str__(self) -> str:
        cells = [("", "layer", "output", "δ", "gradients", "buffers"), *self._cells()]
        widths = [max(len(line[i]) for line in cells) for i in range(6)]
        widths[1] = min(widths[1], WIDTH - sum(widths) + widths[1] - 10)
        lines = []
        for mark, name, *others in cells:
            name = name if len(name) <= widths[1] else name[: widths[1] - 1] + "…"
            right = [cell.rjust(width) for cell, width in zip(others, widths[2:], strict=True)]
            lines.append("  ".join([mark.ljust(widths[0]), name.ljust(widths[1]), *right]).rstrip())
        head = f"numnet and PyTorch in {self.dtype}: largest differences, in ULP of the largest number"
        remarks = [f"verdict: {self.verdict}"]
        if self.first is not None:
            remarks.append(f"first at {self.first}")
        if self.verdict == _DIFFERENT:
            remarks.append(f"why: {self.why or 'no setting that was tried explains it'}")
        for side, names in (("numnet", self.only_numnet), ("PyTorch", self.only_torch)):
            if names:
                remarks.append(f"only in {side}: {', '.join(names)}")
        if self.failed:
            remarks.append(self.failed)
        wrapped = [textwrap.fill(remark, WIDTH, subsequent_indent="  ") for remark in remarks]
        return "\n".join([head, *lines, *wrapped])

    __repr__ = __str__

    def _cells(self) -> Iterator[tuple[str, ...]]:
        for path, kind in self.kinds.items():
            parts = [part for part in self.arrays if part.path == path]
            columns: list[list[Parting]] = [[], [], [], []]
            for part in parts:
                if not part.what.startswith("input"):  # what another module has returned
                    columns[_column(part.what)].append(part)
            worst = max((_VERDICTS.index(part.verdict) for part in parts), default=0)
            yield (
                "=≈≠"[worst],
                f"{path} {kind}".strip(),
                *(_ulp_text(max(part.ulp for part in column)) if column else "" for column in columns),
            )


_EQUAL, _ORDER, _DIFFERENT = _VERDICTS = ["equal", "same formula in another order", "different formula"]


def compare_with_torch(
    net: Module,
    torch_net: Any,
    x: Any,
    y: Any = None,
    loss: Loss | None = None,
    *,
    torch_loss: Any = None,
    weights: Literal["torch", "numnet", "own"] = "torch",
) -> Comparison:
    """Where the numbers of a network part from those of its counterpart in PyTorch, by how much, and why.

    Copies of both run forward and backward on the same batch with the same weights, once in their own dtype, for the
    differences in ULP (units in the last place), and once in float64, for the verdict: there, rounding stays below a
    relative 10⁻¹⁰ and another formula does not. How much rounding can do to an array that nearly cancels is measured,
    by moving the weights a little. Modules are matched by their paths; neither network changes.

    Args:
        net: a module.
        torch_net: a ``torch.nn.Module`` whose modules and weights have the same names.
        x: the batch, an array; a tuple of arrays for several inputs.
        y: what the loss compares with.
        loss: numnet's loss; cross-entropy if it is left out and y holds integers, the mean squared error if y holds
            floating numbers; without y the backward starts from δ = 1.
        torch_loss: PyTorch's loss; the one of the same name and arguments if it is left out.
        weights: whose weights both get, ``"torch"`` or ``"numnet"``; with ``"own"`` each keeps its own, and they are
            compared.

    Returns:
        The comparison: print it, or read its numbers.

    Raises:
        OptionError: a network that draws random numbers, as dropout in training mode does; a loss that PyTorch does not
            have. StateDictError: not one weight in common. DtypeError: x is no array.
        MissingExtraError: PyTorch is not installed. What ends both networks' runs passes through.
    """
    torch = import_torch()
    inputs = x if isinstance(x, tuple) else (x,)
    if not all(isinstance(a, np.ndarray) for a in inputs):
        raise DtypeError("x as an array, or a tuple of arrays", describe(x), "np.asarray(x, dtype=np.float32)")
    if loss is None and y is not None:
        loss = MSELoss() if is_floating(np.asarray(y)) else CrossEntropyLoss()
    if loss is not None and torch_loss is None:
        torch_loss = _twin(torch, loss)
    net, torch_net, unmatched = _with_weights(torch, net, torch_net, weights)
    floating = [a.dtype for a in inputs if is_floating(a)] or [p.dtype for p in net.parameters()]
    dtype = np.dtype(floating[0]) if floating else np.dtype(np.float32)

    arrays = [*(_weights_apart(net, torch_net) if weights == "own" else ())]
    ours, theirs = run_numnet(net, inputs, y, loss), run_torch(torch_net, inputs, y, torch_loss)
    doubles = net.double(), torch_net.double()
    exact_x, exact_y = tuple(_double(a) for a in inputs), None if y is None else _double(np.asarray(y))
    exact_losses = None if loss is None else copy.deepcopy(loss).double(), _double_loss(torch_loss)
    exact = run_numnet(doubles[0], exact_x, exact_y, exact_losses[0])
    exact_theirs = run_torch(doubles[1], exact_x, exact_y, exact_losses[1])
    for side, run in (("net", ours), ("torch_net", theirs)):
        if run.drew:
            cure = "net.eval() and torch_net.eval(), or dropout of probability 0"
            raise OptionError("networks that draw no random numbers", f"{side} drew some", cure)
    if loss is not None:
        for run in (theirs, exact_theirs):
            if Key("", "J") in run.numbers:
                run.numbers[Key(type(loss).__name__, "J")] = run.numbers.pop(Key("", "J"))
    noise = [run_numnet(_shaken(doubles[0], seed), exact_x, exact_y, exact_losses[0]) for seed in (0, 1)]

    for key, a in ours.numbers.items():
        if key in theirs.numbers and key in exact.numbers and key in exact_theirs.numbers:
            pair, exact_pair = (a, theirs.numbers[key]), (exact.numbers[key], exact_theirs.numbers[key])
            arrays.append(_parting(key, *pair, *exact_pair, [run.numbers.get(key) for run in noise]))
    first = next((p for p in arrays if p.verdict == _DIFFERENT), None)
    failed = _failure(ours, theirs, first)
    verdict = _VERDICTS[max((_VERDICTS.index(p.verdict) for p in arrays), default=0)]
    why, dialect = None, None
    if first is not None:
        why, dialect = explanation(Key(first.path, first.what), doubles, exact_losses[0], exact, exact_theirs, exact_y)
    matched = {path: kind for path, kind in ours.kinds.items() if path in theirs.kinds or not kind}
    return Comparison(
        verdict=verdict,
        first=first or next((p for p in arrays if p.verdict != _EQUAL), None),
        why=why or "",
        dialect=dialect,
        arrays=tuple(arrays),
        kinds=matched,
        only_numnet=(*(p for p in ours.kinds if p not in matched), *unmatched[0]),
        only_torch=(*(p for p in theirs.kinds if p not in matched), *unmatched[1]),
        failed=failed,
        dtype=dtype,
    )


# ---------------------------------------------------------------------- the same start for both


def _twin(torch: Any, loss: Loss) -> Any:
    """PyTorch's loss of the same name and arguments."""
    name = type(loss).__name__
    args, options = loss._arguments or ((), {})
    try:
        tensors = [torch.from_numpy(np.array(a)) if isinstance(a, np.ndarray) else a for a in args]
        named = {k: torch.from_numpy(np.array(v)) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        twin = getattr(torch.nn, name)(*tensors, **named)
    except (AttributeError, TypeError) as error:
        raise OptionError(f"a loss that torch.nn has too: {error}", repr(loss), "give torch_loss=…") from error
    reduction = getattr(twin, "reduction", "mean")
    if reduction not in ("mean", "sum", "none", "batchmean"):
        cure = "torch_loss=lambda z, y: … says what it is to be compared with"
        raise OptionError("a loss with a reduction that PyTorch has", f"reduction={reduction!r}", cure)
    return twin


def _with_weights(torch: Any, net: Module, torch_net: Any, weights: str) -> tuple[Module, Any, tuple[list[str], ...]]:
    """Copies of both with the same weights, and the names of those that have no counterpart of their shape."""
    if weights not in ("torch", "numnet", "own"):
        raise OptionError('weights="torch", "numnet" or "own"', f"weights={weights!r}", "choose one of these")
    net, torch_net = copy.deepcopy(net), copy.deepcopy(torch_net)
    ours, theirs = net.state_dict(), {name: t.detach().numpy() for name, t in torch_net.state_dict().items()}
    common = [name for name in ours if name in theirs and ours[name].shape == theirs[name].shape]
    if ours and theirs and not common:
        raise StateDictError(
            f"a network with weights named as numnet's are: {', '.join(list(ours)[:4])}, …",
            f"{', '.join(list(theirs)[:4])}, …",
            "give the modules of both networks the same names",
        )
    if weights == "torch":
        net.load_state_dict({name: theirs[name] for name in common}, strict=False)
    elif weights == "numnet":
        torch_net.load_state_dict({name: torch.from_numpy(np.array(ours[name])) for name in common}, strict=False)
    apart = []
    for own, other in ((ours, theirs), (theirs, ours)):
        missing = [name for name in own if name not in other]
        apart.append(missing + [f"{name} {own[name].shape}" for name in own if name in other and name not in common])
    return net, torch_net, tuple(apart)


def _double(a: Array) -> Array:
    return a.astype(np.float64) if is_floating(a) else a


def _double_loss(torch_loss: Any) -> Any:
    return copy.deepcopy(torch_loss).double() if hasattr(torch_loss, "double") else torch_loss


def _shaken(net: Module, seed: int) -> Module:
    net, rng = copy.deepcopy(net), np.random.default_rng(seed)
    for _, p in net.named_parameters():
        p.array = p.array * (1 + SHAKEN * rng.uniform(-1, 1, p.array.shape))
    return net


# ---------------------------------------------------------------------- differences


def _weights_apart(net: Module, torch_net: Any) -> Iterator[Parting]:
    theirs = {name: t.detach().numpy() for name, t in torch_net.state_dict().items()}
    for name, a in net.state_dict().items():
        if name in theirs:
            path, _, what = name.rpartition(".")
            yield _parting(Key(path, what), a, theirs[name], a, theirs[name], [])


def _parting(key: Key, a: Array, b: Array, exact_a: Array, exact_b: Array, noise: list[Array | None]) -> Parting:
    if a.shape != b.shape:
        return Parting(*key, _DIFFERENT, np.inf, None, f"shape {a.shape}", f"shape {b.shape}")
    same = (a == b) | ((a != a) & (b != b))
    with np.errstate(invalid="ignore", over="ignore"):
        scale = np.max(np.abs(exact_b), initial=0.0, where=np.isfinite(exact_b))
        shaken = [np.abs(n - exact_a) for n in noise if n is not None and n.shape == exact_a.shape]
        rounding = max((float(np.max(d, initial=0.0, where=np.isfinite(d))) for d in shaken), default=0.0)
        apart = ~(np.abs(exact_a - exact_b) <= RELATIVE * scale + FACTOR * rounding)
    apart &= ~((exact_a == exact_b) | ((exact_a != exact_a) & (exact_b != exact_b)))
    verdict = _DIFFERENT if apart.any() else _EQUAL if same.all() else _ORDER
    if verdict == _EQUAL:
        return Parting(*key, verdict, 0.0)
    where = apart if verdict == _DIFFERENT else ~same
    index = tuple(int(i) for i in np.argwhere(where)[0])
    unit = rounding / SHAKEN if rounding > SHAKEN * 100 * scale else 0.0  # the size of terms that cancel
    return Parting(*key, verdict, _ulps_of_array(a, b, unit), index, a[index], b[index])


def _ulps_of_array(a: Array, b: Array, terms: float) -> float:
    if a.dtype.kind != "f":
        return float(np.abs(a - b).max())
    largest = np.max(np.abs(b), initial=terms, where=np.isfinite(b)).astype(a.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        same = (a == b) | ((a != a) & (b != b))
        difference = np.where(same, 0.0, np.abs(a.astype(np.float64) - b.astype(np.float64)))
    return float(np.max(np.nan_to_num(difference, nan=np.inf, posinf=np.inf)) / np.spacing(largest))


def _ulps(a: Any, b: Any) -> float:
    return float(abs(float(a) - float(b)) / np.spacing(max(abs(a), abs(b))))


def _ulp_text(ulp: float) -> str:
    return f"{ulp:.0f}" if ulp < 1e5 else f"{ulp:.0e}"


def _column(what: str) -> int:
    if what.startswith(("output", "J")):
        return 0
    if what.startswith(("δ", "∂J/∂input")):
        return 1
    return 2 if what.startswith("∂J/∂") else 3


def _failure(ours: Run, theirs: Run, first: Parting | None) -> str:
    for side, run in (("numnet", ours), ("PyTorch", theirs)):
        if run.failed is not None:
            if first is None:
                raise run.failed
            return f"{side} stopped there: {str(run.failed).strip().splitlines()[0]}"
    return ""
