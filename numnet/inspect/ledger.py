"""The recurrent ledger: ∂J/∂W as an account with a row for each time step."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import OptionError
from ..nn import Loss, Module
from .time_shares import TimeShares, time_shares

__all__ = ["Ledger", "LedgerRow", "ledger"]

WIDTH = 80  # of the text


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What one time step adds.

    Attributes:
        step: t, from 0.
        share: what it adds to ∂J/∂W, of W's shape.
        norm: ‖share‖.
        part: Σ share ⊙ ∂J/∂W / ‖∂J/∂W‖², its part in the sum: these add up to 1, and one below 0 works against it.
        so_far: ‖sum‖ of this row and those before it on the way back.
        truncated: ‖share‖ in truncated backpropagation; ``None`` unless asked for.
    """

    step: int
    share: Array
    norm: float
    part: float
    so_far: float
    truncated: float | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What :func:`ledger` found; printed, it is a table, in the order of the way back.

    Attributes:
        path: of the recurrent layer; ``path#2`` in its second call.
        parameter: the name of W in it.
        rows: one for each time step, the first the way back comes to first.
        gradient: ∂J/∂W, the sum of the shares.
        truncated: ∂J/∂W of truncated backpropagation; ``None`` unless asked for.
        chunk: the time steps between two cuts; 0 for none.
        total_norm: the norm of all gradients of the network together.
        clip_norm: what it is clipped to; ``None`` if it is not.
        clips: (step, size) of the steps of a training that were clipped, as given.
    """

    path: str
    parameter: str
    rows: tuple[LedgerRow, ...]
    gradient: Array
    truncated: Array | None
    chunk: int
    total_norm: float
    clip_norm: float | None
    clips: tuple[tuple[int, float], ...]

    @property
    def norm(self) -> float:
        """‖∂J/∂W‖."""
        return _norm(self.gradient)

    @property
    def clipped(self) -> bool:
        """Whether clipping shortens the gradient of this batch."""
        return self.clip_norm is not None and self.total_norm > self.clip_norm

    @property
    def clip_factor(self) -> float:
        """What clipping multiplies every row by: c / (norm + 10⁻⁶), or 1."""
        return 1.0 if self.clip_norm is None or not self.clipped else self.clip_norm / (self.total_norm + 1e-6)

    def __str__(self) -> str:
        names = ["t", "‖share‖", "part of the sum", "‖sum so far‖"]
        names += [f"cut every {self.chunk}"] if self.chunk else []
        names += ["clipped"] if self.clipped else []
        lines = [names]
        for row in self.rows:
            cells = [str(row.step), f"{row.norm:.2e}", f"{row.part:z.1%}", f"{row.so_far:.2e}"]
            cells += [f"{row.truncated:.2e}"] if row.truncated is not None else []
            cells += [f"{row.norm * self.clip_factor:.2e}"] if self.clipped else []
            lines.append(cells)
        total = ["sum", f"{self.norm:.2e}", "100.0%", f"{self.norm:.2e}"]
        total += [f"{_norm(self.truncated):.2e}"] if self.truncated is not None else []
        total += [f"{self.norm * self.clip_factor:.2e}"] if self.clipped else []
        lines.append(total)
        widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
        head = f"∂J/∂{self.parameter} of {self.path}, in the order of the way back"
        table = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
        text = []
        if self.truncated is not None:
            apart = _norm(self.truncated - self.gradient) / (self.norm or 1.0)
            text.append(f"truncated after {self.chunk} steps it is off by {apart:.1%} of its length")
        if self.clip_norm is not None:
            verdict = f"every row is multiplied by {self.clip_factor:.3g}" if self.clipped else "it is not clipped"
            sign = ">" if self.clipped else "≤"
            text.append(
                f"clip: the norm of all gradients is {self.total_norm:.3g} {sign} {self.clip_norm:g}: {verdict}"
            )
        if self.clips:
            events = ", ".join(f"{step} ({size:.3g})" for step, size in self.clips[:8])
            more = f" and {len(self.clips) - 8} more" if len(self.clips) > 8 else ""
            text.append(f"clipped steps of the training, with the size before: {events}{more}")
        return "\n".join([head, *table, *[textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in text]])

    __repr__ = __str__


def ledger(
    net: Module,
    x: Array,
    target: Array,
    loss: Loss,
    parameter: str = "weight_hh_l0",
    *,
    path: str | None = None,
    chunk: int = 0,
    clip_norm: float | None = None,
    clips: Iterable[tuple[int, float]] = (),
) -> Ledger:
    """∂J/∂W of a recurrent layer as an account: one row for each time step, and the rows add up to the gradient.

        ∂J/∂W_hh = Σₜ share[t]        share[t] = ∂J/∂vₜᵀ hₜ₋₁

    The gradients of the network stay as they were.

    Args:
        net: a module with RNN, LSTM or GRU layers in it, whose output is what ``loss`` takes.
        x: a batch.
        target: what ``loss`` compares with.
        loss: a loss with ``reduction="mean"`` or ``"sum"``.
        parameter: the name of W in the layer: ``"weight_hh_l0"``, ``"bias_ih_l1_reverse"``.
        path: of the recurrent layer, ``path#2`` for its second call; the first there is if it is left out.
        chunk: if not 0, truncated backpropagation beside the full one: δ is cut between chunks of so many time steps.
        clip_norm: the norm that the gradients of the network are clipped to.
        clips: the clipped steps of a training, ``history.clips``, to stand below the account.

    Returns:
        The ledger: print it, or read its rows.

    Raises:
        OptionError: no recurrent layer, no such path or parameter, or a ``clip_norm`` that is not above 0.
    """
    if clip_norm is not None and not clip_norm > 0:
        raise OptionError("clip_norm above 0", f"clip_norm={clip_norm!r}", "None for no clipping")
    found = _named(time_shares(net, x, target, loss, chunk))
    if path is not None and path not in found:
        raise OptionError(f"a recurrent layer among {list(found)}", repr(path))
    name = path if path is not None else next(iter(found))
    account = found[name]
    if parameter not in account.shares:
        raise OptionError(f"a parameter among {list(account.shares)}", repr(parameter))
    shares = account.shares[parameter]
    truncated = account.truncated.get(parameter)
    gradient = shares.sum(axis=0)
    square = float(np.square(gradient, dtype=np.float64).sum()) or 1.0
    rows = []
    so_far: Any = np.zeros_like(gradient)
    steps = range(len(shares)) if parameter.endswith("_reverse") else reversed(range(len(shares)))
    for t in steps:
        so_far = so_far + shares[t]
        part = float(np.multiply(shares[t], gradient, dtype=np.float64).sum()) / square
        cut = None if truncated is None else _norm(truncated[t])
        rows.append(LedgerRow(t, shares[t], _norm(shares[t]), part, _norm(so_far), cut))
    return Ledger(
        path=name,
        parameter=parameter,
        rows=tuple(rows),
        gradient=gradient,
        truncated=None if truncated is None else truncated.sum(axis=0),
        chunk=chunk,
        total_norm=account.total_norm,
        clip_norm=clip_norm,
        clips=tuple(clips),
    )


def _named(accounts: Iterable[TimeShares]) -> dict[str, TimeShares]:
    found: dict[str, TimeShares] = {}
    for account in accounts:
        uses = sum(name.partition("#")[0] == account.path for name in found)
        found[f"{account.path}#{uses + 1}" if uses else account.path] = account
    return found


def _norm(a: Array) -> float:
    return float(np.sqrt(np.square(a, dtype=np.float64).sum()))
