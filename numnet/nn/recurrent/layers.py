"""RNN, LSTM and GRU: which step runs along time, its formulas and its settings."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .sequence import Recurrent
from .step import GRU_STEP, LSTM_STEP, elman_step

__all__ = ["GRU", "LSTM", "RNN"]


class RNN(Recurrent):
    """Recurrent network of Elman's kind over a sequence.

        zₜ = W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh        hₜ = tanh(zₜ)        or max(zₜ, 0)

        δhₜ = ∂J/∂outputₜ + W_hhᵀ δzₜ₊₁        δzₜ = δhₜ ⊙ (1 - hₜ²)        or δhₜ ⊙ [hₜ > 0]
        ∂J/∂W_ih = Σₜ Σₙ δzₜ xₜᵀ        ∂J/∂W_hh = Σₜ Σₙ δzₜ hₜ₋₁ᵀ        ∂J/∂b_ih = ∂J/∂b_hh = Σₜ Σₙ δzₜ
        ∂J/∂xₜ = W_ihᵀ δzₜ        ∂J/∂h₀ = W_hhᵀ δz₁

    ``rnn(x, h_0, lengths=…)`` returns (output, h_n). Layer l reads the output of layer l - 1; a second direction, with
    weights ``…_reverse``, goes from the end to the start, and its output stands beside that of the first.

    Shapes: x (T, N, in), with ``batch_first`` (N, T, in), or (T, in) without a batch; output as x with D · H for in;
    h_0 and h_n (layers · D, N, H) or (layers · D, H). D is 2 if ``bidirectional``, else 1. W_ih = ``weight_ih_l0``
    (H, in), for later layers ``weight_ih_l1`` (H, D · H) and so on, W_hh = ``weight_hh_l0`` (H, H),
    b_ih = ``bias_ih_l0`` and b_hh = ``bias_hh_l0`` (H,).

    Sequences of different lengths are padded to T steps, and ``lengths`` (N,), in any order, says how many of them
    count: beyond, the output is 0, the padding is not read, and h_n is the state at each sequence's own end, from
    where its second direction starts. These are the numbers of PyTorch's ``pack_padded_sequence``.

    Args:
        input_size: in.
        hidden_size: H.
        num_layers: how many layers.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: whether there are b_ih and b_hh.
        batch_first: whether the batch is the first axis of x and output (never of the state).
        dropout: the probability of dropping a number between two layers in training mode.
        bidirectional: whether there is a second direction.
        rng: where initial values and dropout are drawn from; the default generator if ``None``.

    Initial values: all uniform in ±1/√H.

    Raises:
        ShapeError: x, h_0 or lengths of another shape, or no time step. DtypeError: not of the parameters' dtype.
        OptionError: a size, probability or nonlinearity that cannot be; lengths outside 1 … T.

    Source: Elman, Finding structure in time, 1990; Werbos, Backpropagation through time, 1990.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.step = elman_step(nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, rng)
        self.nonlinearity = nonlinearity


class LSTM(Recurrent):
    """Long short-term memory over a sequence.

        zₜ = W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh
        i, f, o = σ(zᵢ), σ(z_f), σ(zₒ)        g = tanh(z_g)        cₜ = f ⊙ cₜ₋₁ + i ⊙ g
        mₜ = o ⊙ tanh(cₜ)        hₜ = W_hr mₜ, or mₜ itself without a projection

        δhₜ = ∂J/∂outputₜ + W_hhᵀ δzₜ₊₁        δmₜ = W_hrᵀ δhₜ        δcₜ = fₜ₊₁ ⊙ δcₜ₊₁ + δmₜ ⊙ o ⊙ (1 - tanh²(cₜ))
        δzᵢ = δcₜ ⊙ g ⊙ i ⊙ (1 - i)        δz_f = δcₜ ⊙ cₜ₋₁ ⊙ f ⊙ (1 - f)
        δz_g = δcₜ ⊙ i ⊙ (1 - g²)        δzₒ = δmₜ ⊙ tanh(cₜ) ⊙ o ⊙ (1 - o)
        ∂J/∂W_ih = Σₜ Σₙ δzₜ xₜᵀ        ∂J/∂W_hh = Σₜ Σₙ δzₜ hₜ₋₁ᵀ        ∂J/∂b_ih = ∂J/∂b_hh = Σₜ Σₙ δzₜ
        ∂J/∂W_hr = Σₜ Σₙ δhₜ mₜᵀ        ∂J/∂xₜ = W_ihᵀ δzₜ        ∂J/∂h₀ = W_hhᵀ δz₁        ∂J/∂c₀ = f₁ ⊙ δc₁

    ``lstm(x, (h_0, c_0), lengths=…)`` returns (output, (h_n, c_n)). Layers, directions, ``lengths`` and the names of
    the weights are those of :class:`RNN`.

    Shapes: x (T, N, in), with ``batch_first`` (N, T, in), or (T, in) without a batch; output as x with D · P for in;
    h_0 and h_n (layers · D, N, P), c_0 and c_n (layers · D, N, H). P is ``proj_size``, or H if that is 0.
    W_ih (4 H, in), W_hh (4 H, P), b_ih and b_hh (4 H,), their rows in the order i, f, g, o; W_hr = ``weight_hr_l0``
    (P, H).

    Args:
        input_size: in.
        hidden_size: H.
        num_layers: how many layers.
        bias: whether there are b_ih and b_hh.
        batch_first: whether the batch is the first axis of x and output (never of the state).
        dropout: the probability of dropping a number between two layers in training mode.
        bidirectional: whether there is a second direction.
        proj_size: P, to which W_hr projects h; 0 for no projection.
        rng: where initial values and dropout are drawn from; the default generator if ``None``.

    Initial values: all uniform in ±1/√H.

    Raises:
        ShapeError: x, h_0, c_0 or lengths of another shape, or no time step.
        DtypeError: not of the parameters' dtype, or no pair (h_0, c_0).
        OptionError: a size or probability that cannot be; lengths outside 1 … T.

    Source: Hochreiter and Schmidhuber, Long short-term memory, 1997; Gers, Schmidhuber and Cummins, Learning to
    forget, 2000; Sak, Senior and Beaufays, Long short-term memory recurrent neural network architectures, 2014
    (projection).
    """

    step = LSTM_STEP

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, rng)


class GRU(Recurrent):
    """Gated recurrent units over a sequence.

        uₜ = W_ih xₜ + b_ih        vₜ = W_hh hₜ₋₁ + b_hh
        r, z = σ(u_r + v_r), σ(u_z + v_z)        n = tanh(uₙ + r ⊙ vₙ)        hₜ = (1 - z) ⊙ n + z ⊙ hₜ₋₁

        δhₜ = ∂J/∂outputₜ + W_hhᵀ ∂J/∂vₜ₊₁ + zₜ₊₁ ⊙ δhₜ₊₁
        ∂J/∂uₙ = δhₜ ⊙ (1 - z) ⊙ (1 - n²)        ∂J/∂vₙ = r ⊙ ∂J/∂uₙ
        ∂J/∂u_r = ∂J/∂v_r = ∂J/∂uₙ ⊙ vₙ ⊙ r ⊙ (1 - r)        ∂J/∂u_z = ∂J/∂v_z = δhₜ ⊙ (hₜ₋₁ - n) ⊙ z ⊙ (1 - z)
        ∂J/∂W_ih = Σₜ Σₙ ∂J/∂uₜ xₜᵀ        ∂J/∂W_hh = Σₜ Σₙ ∂J/∂vₜ hₜ₋₁ᵀ
        ∂J/∂b_ih = Σₜ Σₙ ∂J/∂uₜ        ∂J/∂b_hh = Σₜ Σₙ ∂J/∂vₜ
        ∂J/∂xₜ = W_ihᵀ ∂J/∂uₜ        ∂J/∂h₀ = W_hhᵀ ∂J/∂v₁ + z₁ ⊙ δh₁

    ``gru(x, h_0, lengths=…)`` returns (output, h_n). Layers, directions, ``lengths`` and the names of the weights are
    those of :class:`RNN`.

    Shapes: x (T, N, in), with ``batch_first`` (N, T, in), or (T, in) without a batch; output as x with D · H for in;
    h_0 and h_n (layers · D, N, H). W_ih (3 H, in), W_hh (3 H, H), b_ih and b_hh (3 H,), their rows in the order
    r, z, n.

    Args:
        input_size: in.
        hidden_size: H.
        num_layers: how many layers.
        bias: whether there are b_ih and b_hh.
        batch_first: whether the batch is the first axis of x and output (never of the state).
        dropout: the probability of dropping a number between two layers in training mode.
        bidirectional: whether there is a second direction.
        rng: where initial values and dropout are drawn from; the default generator if ``None``.

    Initial values: all uniform in ±1/√H.

    Raises:
        ShapeError: x, h_0 or lengths of another shape, or no time step. DtypeError: not of the parameters' dtype.
        OptionError: a size or probability that cannot be; lengths outside 1 … T.

    Source: Cho et al., Learning phrase representations using RNN encoder-decoder, 2014, section 2.3; there r stands
    before the product with W_hh, here behind it as in PyTorch.
    """

    step = GRU_STEP

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, rng)
