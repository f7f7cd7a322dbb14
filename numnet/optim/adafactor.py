"""Adafactor: Adam's division by the mean square, whose memory is a row and a column instead of a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arrays import Array, array_module
from ..errors import OptionError
from ..tensor import Tensor
from .optimizer import Optimizer, expect_at_least_zero, remembered

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor: the mean squares of a matrix of gradients, estimated from those of its rows and of its columns.

        d = ∂J/∂W                                       (-∂J/∂W with ``maximize``)
        W ← (1 - η λ) W
        R ← R + tᵞ (mean of d² along each row - R)      C ← C + tᵞ (mean of d² along each column - C)
        V = R C / max(mean of R, ε₁)                    (V ← V + tᵞ (d² - V) for a vector or a number)
        U = d / √max(V, ε₁²)
        W ← W - α U / max(1, rms(U) / D)                α = max(ε₂, rms(W)) · min(η, 1 / √t)

    t counts the steps of this parameter from 1; rms is the root mean square, and rms(W) that of W before it is
    decayed. Of more than two axes the last two are rows and columns.

    Args:
        params: parameters, or groups of them; see :class:`Optimizer`.
        lr: η, the largest step relative to the size of the weights.
        beta2_decay: γ, at most 0: 1 - tᵞ is how much of the running means stays at step t.
        eps: (ε₁, ε₂): against a division by 0, by default the machine epsilon of the parameter's dtype; and the
            smallest rms(W), below which the steps shrink no further.
        d: D, the rms of U above which it is scaled down.
        weight_decay: λ, how much of the weights, times η, goes at each step.
        maximize: climb instead of descending.

    Raises:
        OptionError: a negative number, ``beta2_decay`` above 0, ``d`` below 1; see also :class:`Optimizer`.

    Source: Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, 2018, algorithms 4 and 5,
    in the form of ``torch.optim.Adafactor``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check(self, options: dict[str, Any]) -> None:
        expect_at_least_zero(options, "lr", "weight_decay")
        eps, decay, d = options["eps"], options["beta2_decay"], options["d"]
        if len(eps) != 2 or not (eps[0] is None or eps[0] >= 0) or eps[1] is None or not eps[1] >= 0:
            raise OptionError("eps as two numbers of at least 0, or None and one", f"eps={eps!r}", "eps=(None, 1e-3)")
        if not decay <= 0:
            raise OptionError("beta2_decay of at most 0", f"beta2_decay={decay!r}", "beta2_decay=-0.8")
        if not d >= 1:
            raise OptionError("d of at least 1", f"d={d!r}", "d=1.0")

    def _memory_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if name == "row_var":
            return (*shape[:-1], 1)
        return (*shape[:-2], 1, shape[-1]) if name == "col_var" else shape

    def _update(self, parameter: Tensor, delta: Array, state: dict[str, Any], options: dict[str, Any]) -> None:
        W = parameter.array
        xp = array_module(W)
        t = state["step"] = state.get("step", 0) + 1
        if not W.size:
            return
        lr, rest = float(options["lr"]), float(t ** options["beta2_decay"])
        eps1, eps2 = options["eps"]
        eps1 = float(np.finfo(W.dtype).eps if eps1 is None else eps1)
        d = -delta if options["maximize"] else delta

        alpha = max(float(eps2), _rms(W)) * min(lr, 1 / t**0.5)
        W *= 1 - lr * float(options["weight_decay"])
        if W.ndim > 1:
            for name, axis in (("row_var", -1), ("col_var", -2)):
                if name not in state:
                    state[name] = xp.zeros(self._memory_shape(name, W.shape), W.dtype)
                state[name] += rest * ((d * d).mean(axis=axis, keepdims=True) - state[name])
            R, C = state["row_var"], state["col_var"]  # (…, rows, 1), (…, 1, columns)
            V = R @ C / xp.maximum(R.mean(axis=-2, keepdims=True), eps1)
        else:
            V = remembered(state, "variance", parameter)
            V += rest * (d * d - V)
        U = d / xp.sqrt(xp.maximum(V, eps1 * eps1))
        W -= alpha / max(1.0, _rms(U) / float(options["d"])) * U


def _rms(x: Array) -> float:
    """√(mean of x²)."""
    return float((x * x).mean()) ** 0.5
