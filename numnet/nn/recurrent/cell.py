"""Recurrent cells: one time step as a layer, for a loop of one's own."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Literal

import numpy as np

from ...arrays import Array, array_module
from ...call import Ctx
from ...tape import apply
from ...tensor import Parameter
from ..expect import expect_floating, expect_shape
from .base import RecurrentBase
from .step import GRU_STEP, LSTM_STEP, elman_step
from .sweep import Factors, input_delta, sweep, sweep_backward

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class _Cell(RecurrentBase):
    """Abstract: a sweep over a single time step. A subclass says which step."""

    state_names = ("h", "c")
    bias_ih: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool, rng: np.random.Generator | None) -> None:
        super().__init__()
        self._check_sizes(input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self._make_weights("", input_size, bias, 0, rng)

    def _run(self, x: Any, hx: Any = None) -> Any:
        return apply(self, x, *self._parts(hx))

    def forward(self, ctx: Ctx, x: Array, *state: Array | None) -> Any:
        W = self._weights("")
        expect_floating(x, W.ih.dtype)
        letters = "in" if x.ndim == 1 else "N in"
        expect_shape(x, letters, {"in": self.input_size}, "make input_size of this cell the size of x's last axis")
        ctx.shape = x.shape
        leading, H = x.shape[:-1], self.hidden_size
        N = prod(leading)  # 1, if there is no batch
        before = self._initial(state, ((*leading, H),) * 2, x)
        if before is not None:
            before = tuple([s.reshape(N, H) for s in before])
        x = x.reshape(1, N, self.input_size)  # a single time step
        _, after, ctx.past = sweep(self.step, W, x, before, None, False, ctx.recording)
        return self._joined(tuple([s.reshape(*leading, H) for s in after]))

    def backward(self, ctx: Ctx, delta: Any) -> tuple[Array | None, ...]:
        return self._back(ctx, delta if isinstance(delta, tuple) else (delta,), self._accumulate)

    def _back(
        self, ctx: Ctx, delta: tuple[Array | None, ...], visit: Callable[[str, Factors], None], keep: bool = False
    ) -> tuple[Array | None, ...]:
        W, past = self._weights(""), ctx.past
        like = past.h[0]  # (N, H)
        rows = [array_module(like).zeros_like(like) if d is None else d.reshape(like.shape) for d in delta]
        needs_state = any(ctx.needs_input_grad[1:])
        factors, before = sweep_backward(self.step, W, past, None, tuple(rows), keep=keep, needs_state=needs_state)
        visit("", factors)
        delta_x = input_delta(W, factors).reshape(ctx.shape) if ctx.needs_input_grad[0] else None
        delta_state = [None if d is None else d.reshape(*ctx.shape[:-1], self.hidden_size) for d in before]
        return self._asked(ctx, (delta_x, *delta_state))

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias_ih is not None else ", bias=False")


class RNNCell(_Cell):
    """One step of a recurrent network of Elman's kind.

        z = W_ih x + b_ih + W_hh h + b_hh        h′ = tanh(z)        or max(z, 0)

        δz = δ ⊙ (1 - h′²)        or δ ⊙ [h′ > 0]
        ∂J/∂W_ih = Σₙ δz xᵀ        ∂J/∂W_hh = Σₙ δz hᵀ        ∂J/∂b_ih = ∂J/∂b_hh = Σₙ δz
        ∂J/∂x = W_ihᵀ δz        ∂J/∂h = W_hhᵀ δz

    ``cell(x, h)`` returns h′; h is 0 if it is left out.

    Shapes: x (N, in) or (in,), h, h′ and δ (N, H) or (H,), W_ih = ``weight_ih`` (H, in), W_hh = ``weight_hh`` (H, H),
    b_ih = ``bias_ih`` and b_hh = ``bias_hh`` (H,).

    Args:
        input_size: in.
        hidden_size: H.
        bias: whether there are b_ih and b_hh.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: all uniform in ±1/√H.

    Raises:
        ShapeError: x or h of another shape. DtypeError: not of the parameters' dtype.
        OptionError: a size below 1, or an unknown nonlinearity.

    Source: Elman, Finding structure in time, 1990.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.step = elman_step(nonlinearity)
        super().__init__(input_size, hidden_size, bias, rng)
        self.nonlinearity = nonlinearity

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of long short-term memory.

        z = W_ih x + b_ih + W_hh h + b_hh
        i, f, o = σ(zᵢ), σ(z_f), σ(zₒ)        g = tanh(z_g)        c′ = f ⊙ c + i ⊙ g        h′ = o ⊙ tanh(c′)

        δc′ = ∂J/∂c′ + δh′ ⊙ o ⊙ (1 - tanh²(c′))
        δzᵢ = δc′ ⊙ g ⊙ i ⊙ (1 - i)        δz_f = δc′ ⊙ c ⊙ f ⊙ (1 - f)
        δz_g = δc′ ⊙ i ⊙ (1 - g²)        δzₒ = δh′ ⊙ tanh(c′) ⊙ o ⊙ (1 - o)
        ∂J/∂W_ih = Σₙ δz xᵀ        ∂J/∂W_hh = Σₙ δz hᵀ        ∂J/∂b_ih = ∂J/∂b_hh = Σₙ δz
        ∂J/∂x = W_ihᵀ δz        ∂J/∂h = W_hhᵀ δz        ∂J/∂c = f ⊙ δc′

    ``cell(x, (h, c))`` returns (h′, c′); both states are 0 if they are left out.

    Shapes: x (N, in) or (in,), h, c, h′ and c′ (N, H) or (H,), W_ih = ``weight_ih`` (4 H, in), W_hh = ``weight_hh``
    (4 H, H), b_ih = ``bias_ih`` and b_hh = ``bias_hh`` (4 H,), their rows in the order i, f, g, o.

    Args:
        input_size: in.
        hidden_size: H.
        bias: whether there are b_ih and b_hh.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: all uniform in ±1/√H.

    Raises:
        ShapeError: x, h or c of another shape. DtypeError: not of the parameters' dtype, or no pair (h, c).
        OptionError: a size below 1.

    Source: Hochreiter and Schmidhuber, Long short-term memory, 1997; Gers, Schmidhuber and Cummins, Learning to
    forget, 2000.
    """

    step = LSTM_STEP

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, rng: np.random.Generator | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, rng)


class GRUCell(_Cell):
    """One step of a gated recurrent unit.

        u = W_ih x + b_ih        v = W_hh h + b_hh
        r, z = σ(u_r + v_r), σ(u_z + v_z)        n = tanh(uₙ + r ⊙ vₙ)        h′ = (1 - z) ⊙ n + z ⊙ h

        ∂J/∂uₙ = δ ⊙ (1 - z) ⊙ (1 - n²)        ∂J/∂vₙ = r ⊙ ∂J/∂uₙ
        ∂J/∂u_r = ∂J/∂v_r = ∂J/∂uₙ ⊙ vₙ ⊙ r ⊙ (1 - r)        ∂J/∂u_z = ∂J/∂v_z = δ ⊙ (h - n) ⊙ z ⊙ (1 - z)
        ∂J/∂W_ih = Σₙ ∂J/∂u xᵀ        ∂J/∂W_hh = Σₙ ∂J/∂v hᵀ        ∂J/∂b_ih = Σₙ ∂J/∂u        ∂J/∂b_hh = Σₙ ∂J/∂v
        ∂J/∂x = W_ihᵀ ∂J/∂u        ∂J/∂h = W_hhᵀ ∂J/∂v + z ⊙ δ

    ``cell(x, h)`` returns h′; h is 0 if it is left out.

    Shapes: x (N, in) or (in,), h, h′ and δ (N, H) or (H,), W_ih = ``weight_ih`` (3 H, in), W_hh = ``weight_hh``
    (3 H, H), b_ih = ``bias_ih`` and b_hh = ``bias_hh`` (3 H,), their rows in the order r, z, n.

    Args:
        input_size: in.
        hidden_size: H.
        bias: whether there are b_ih and b_hh.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: all uniform in ±1/√H.

    Raises:
        ShapeError: x or h of another shape. DtypeError: not of the parameters' dtype.
        OptionError: a size below 1.

    Source: Cho et al., Learning phrase representations using RNN encoder-decoder, 2014, section 2.3; there r stands
    before the product with W_hh, here behind it as in PyTorch.
    """

    step = GRU_STEP

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, rng: np.random.Generator | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, rng)
