"""The kinds of recurrent cells: the part in which recurrent layers differ.

A step gets what the input and the previous state contribute, u = W_ih xₜ + b_ih and v = W_hh hₜ₋₁ + b_hh, which are
products that all cells share, and makes the new state of them, number by number. The formulas are those of
:func:`numnet.kernels.reference.recurrent.recur`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ...arrays import Array
from ...errors import OptionError
from ...kernels.reference.recurrent import Cell

__all__ = ["GRU_STEP", "LSTM_STEP", "State", "Step", "elman_step"]

State: TypeAlias = tuple[Array, ...]  # (h,), or (h, c)


class Step(NamedTuple):
    """One kind of cell.

    Attributes:
        cell: its name among the kernels.
        gates: the letters of its gates, in the order of their blocks of H rows in the weights.
        states: the letters of the state.
    """

    cell: Cell
    gates: str
    states: tuple[str, ...]


TANH_STEP = Step("tanh", "z", ("h",))
RELU_STEP = Step("relu", "z", ("h",))
LSTM_STEP = Step("lstm", "ifgo", ("h", "c"))
GRU_STEP = Step("gru", "rzn", ("h",))


def elman_step(nonlinearity: str) -> Step:
    """The step with this f.

    Raises:
        OptionError: neither ``"tanh"`` nor ``"relu"``.
    """
    steps = {"tanh": TANH_STEP, "relu": RELU_STEP}
    if nonlinearity not in steps:
        raise OptionError('nonlinearity "tanh" or "relu"', repr(nonlinearity), "choose one of these")
    return steps[nonlinearity]
