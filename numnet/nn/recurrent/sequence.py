"""Whole sequences, in several layers and both directions: backpropagation through time, for every kind of step."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import kernels
from ...arrays import Array, array_module, is_array
from ...call import Ctx
from ...errors import DtypeError, OptionError, ShapeError, describe
from ...tape import apply
from ...tensor import Tensor
from ..dropout import inverted_mask
from ..expect import expect_floating, expect_shape
from .base import NAMES, RecurrentBase
from .step import State
from .sweep import Factors, Weights, input_delta, parameter_gradients, sweep, sweep_backward

__all__ = ["Recurrent"]


class Recurrent(RecurrentBase):
    """Abstract: a sweep over time for each direction of each layer. A subclass says which step."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        rng: np.random.Generator | None,
    ) -> None:
        super().__init__()
        self._check_sizes(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if not 0 <= proj_size < hidden_size:
            cure = "leave it at 0 for none"
            raise OptionError(f"proj_size from 1 to hidden_size - 1 = {hidden_size - 1}", f"{proj_size}", cure)
        if not 0 <= dropout <= 1:
            raise OptionError("a dropout probability from 0 to 1", f"dropout={dropout!r}", "dropout=0.5")
        if dropout > 0 and num_layers == 1:
            message = f"dropout={dropout} acts between layers, and this {type(self).__name__} has one: it does nothing"
            warnings.warn(message, stacklevel=3)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self.rng = rng
        for k, suffix in enumerate(self._suffixes):
            width = self._width * self._directions
            self._make_weights(suffix, input_size if k < self._directions else width, bias, proj_size, rng)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _width(self) -> int:
        """P, the size of h."""
        return self.proj_size or self.hidden_size

    @property
    def _suffixes(self) -> list[str]:
        """Of the weights' names, by k = layer · directions + direction."""
        return [f"_l{i}{way}" for i in range(self.num_layers) for way in ("", "_reverse")[: self._directions]]

    def _run(self, x: Any, hx: Any = None, lengths: Any = None) -> Any:
        lengths = lengths.array if isinstance(lengths, Tensor) else lengths
        if lengths is not None and not is_array(lengths):
            lengths = np.asarray(lengths)
        output, *state = apply(self, x, *self._parts(hx), lengths)
        return output, self._joined(tuple(state))

    # ------------------------------------------------------------------ forward

    def forward(self, ctx: Ctx, x: Array, *others: Array | None) -> tuple[Array, ...]:
        n, D = len(self.step.states), self._directions
        parts, lengths = others[:n], others[n] if len(others) > n else None
        expect_floating(x, self._weights(self._suffixes[0]).ih.dtype)
        ctx.batched = self._expect(x)
        x = kernels.contiguous(self._steps_first(x, ctx.batched))  # (T, N, in)
        T, N = x.shape[:2]
        leading = (self.num_layers * D, N) if ctx.batched else (self.num_layers * D,)
        state = self._initial(parts, ((*leading, self._width), (*leading, self.hidden_size)), x)
        if state is not None and not ctx.batched:
            state = tuple([s[:, None] for s in state])  # each (layers · D, N, …)
        mask = None if lengths is None else _mask(lengths, T, N, ctx.batched, x)
        ctx.pasts, ctx.noises, ends = [], [], []
        for layer in range(self.num_layers):
            noise = None
            if layer and self.training and self.dropout:
                noise = inverted_mask(x.shape, self.dropout, self.rng, x)
                x = x * noise
            ctx.noises.append(noise)
            outputs = []
            for k in range(layer * D, (layer + 1) * D):
                W, first = self._weights(self._suffixes[k]), state and tuple([s[k] for s in state])
                y, end, past = sweep(self.step, W, x, first, mask, bool(k % D), ctx.recording)
                outputs.append(y)
                ends.append(end)
                ctx.pasts.append(past)
            x = outputs[0] if D == 1 else array_module(x).concatenate(outputs, axis=2)  # (T, N, D · P)
        return self._by_batch(x, ctx.batched), *self._stacked(ends, ctx.batched)

    # ------------------------------------------------------------------ backward

    def backward(self, ctx: Ctx, delta: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
        return self._back(ctx, delta, self._accumulate)

    def time_shares(self, ctx: Ctx, delta: tuple[Array | None, ...], chunk: int = 0) -> dict[str, Array]:
        """The share of every time step in the gradient of every weight.

            share[t] = ∂J/∂vₜᵀ hₜ₋₁ for W_hh;  their sum over t is ∂J/∂W_hh

        It reads what forward saved and adds nothing to any ``grad``.

        Args:
            ctx: of a call: ``call = nn.Call(rnn); call.forward(x); rnn.time_shares(call.ctx, (delta, None))``.
            delta: δ for each output: (δ of the output, of h_n[, of c_n]), ``None`` for zero.
            chunk: if not 0, the shares of truncated backpropagation, where δ does not pass from one chunk of so many
                time steps to the one before it.

        Returns:
            By the parameter's name an array (T, *shape of the parameter).
        """
        shares: dict[str, list[Array]] = {}

        def collect(suffix: str, factors: Factors) -> None:
            W, names = self._weights(suffix), [name + suffix for name in NAMES]
            there = Weights(*[a is not None for a in W])
            for t in range(len(factors.x)):
                gradients = parameter_gradients(W, factors.at(t), there)
                for name, gradient in zip(names, gradients, strict=True):
                    if gradient is not None:
                        shares.setdefault(name, []).append(gradient)

        self._back(ctx, delta, collect, chunk=chunk)
        return {name: array_module(p.array).stack(shares[name]) for name, p in self.named_parameters()}

    def _back(
        self,
        ctx: Ctx,
        delta: tuple[Array | None, ...],
        visit: Callable[[str, Factors], None],
        keep: bool = False,
        chunk: int = 0,
    ) -> tuple[Array | None, ...]:
        """The way back, from the last layer to the first; what becomes of the factors is up to ``visit``."""
        delta_y, *delta_last = delta
        D, P = self._directions, self._width
        delta_x = None if delta_y is None else self._steps_first(delta_y, ctx.batched)  # (T, N, D · P)
        ends = self._last_deltas(delta_last, ctx.pasts[0].x)
        needs_state = any(ctx.needs_input_grad[1 : 1 + len(delta_last)])
        starts: list[tuple[Array | None, ...]] = [()] * len(ctx.pasts)
        for layer in reversed(range(self.num_layers)):
            delta_y, delta_x = delta_x, None
            for k in range(layer * D, (layer + 1) * D):
                W, way = self._weights(self._suffixes[k]), k % D
                own = None if delta_y is None else delta_y[:, :, way * P : (way + 1) * P]
                last = tuple([s[k] for s in ends])
                how = (chunk, keep, needs_state)
                factors, starts[k] = sweep_backward(self.step, W, ctx.pasts[k], own, last, *how)
                visit(self._suffixes[k], factors)
                if layer or ctx.needs_input_grad[0]:
                    through = input_delta(W, factors)
                    delta_x = through if delta_x is None else delta_x + through
            if delta_x is not None and ctx.noises[layer] is not None:
                delta_x = delta_x * ctx.noises[layer]
        if delta_x is not None:
            delta_x = self._by_batch(delta_x, ctx.batched)
        delta_first = self._stacked(starts, ctx.batched) if needs_state else [None] * len(delta_last)
        return self._asked(ctx, (delta_x, *delta_first, None))

    def _stacked(self, states: list[Any], batched: bool) -> list[Array]:
        """The state of each k = layer · directions + direction, in one array for each of its letters."""
        arrays = [array_module(parts[0]).stack(parts) for parts in zip(*states, strict=True)]  # (layers · D, N, …)
        return arrays if batched else [a[:, 0] for a in arrays]

    def _last_deltas(self, deltas: list[Array | None], x: Array) -> State:
        """∂J/∂h_n (and ∂J/∂c_n) with a batch axis, 0 where there is none."""
        shapes = [(self.num_layers * self._directions, x.shape[1], width) for width in (self._width, self.hidden_size)]
        pairs = zip(deltas, shapes, strict=False)
        return tuple([array_module(x).zeros(s, x.dtype) if d is None else d.reshape(s) for d, s in pairs])

    # ------------------------------------------------------------------ shapes

    def _expect(self, x: Array) -> bool:
        """Whether there is a batch."""
        letters = "T in" if x.ndim == 2 else "N T in" if self.batch_first else "T N in"
        cure = f"make input_size of this {type(self).__name__} the size of x's last axis"
        expect_shape(x, letters, {"in": self.input_size}, cure)
        if x.shape[letters.split().index("T")] == 0:
            raise ShapeError("at least one time step", f"x of shape {x.shape}", f"x is read as ({letters})")
        return bool(x.ndim == 3)

    def _steps_first(self, a: Array, batched: bool) -> Array:
        """A view (T, N, features), whatever the layout."""
        return self._swapped(a) if batched else a[:, None]

    def _by_batch(self, a: Array, batched: bool) -> Array:
        """The layout that was given, from (T, N, features)."""
        return self._swapped(a) if batched else a[:, 0]

    def _swapped(self, a: Array) -> Array:
        return a.swapaxes(0, 1) if self.batch_first else a

    def extra_repr(self) -> str:
        defaults = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        defaults["bidirectional"] = False
        others = [f", {name}={getattr(self, name)}" for name, usual in defaults.items() if getattr(self, name) != usual]
        return f"{self.input_size}, {self.hidden_size}{''.join(others)}"


def _mask(lengths: Array, T: int, N: int, batched: bool, like: Array) -> Array:
    """(T, N, 1), True before the end of each sequence."""
    cure = "lengths has one integer a sequence of the batch: how many of its time steps count"
    if lengths.dtype.kind not in "iu":
        raise DtypeError("lengths of integers", describe(lengths), cure)
    if not batched or lengths.shape != (N,):
        expected = f"lengths of shape ({N},)" if batched else "a batch of sequences, where lengths are given"
        raise ShapeError(expected, f"lengths of shape {lengths.shape}", cure)
    if N and not 1 <= int(lengths.min()) <= int(lengths.max()) <= T:
        raise OptionError(f"lengths from 1 to T = {T}", f"{int(lengths.min())} to {int(lengths.max())}", cure)
    xp = array_module(like)
    return xp.arange(T)[:, None, None] < xp.asarray(lengths)[:, None]
