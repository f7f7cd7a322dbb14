"""Connectionist temporal classification: a sequence of labels for a longer sequence of inputs, unaligned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DomainError, DtypeError, LabelError, NonFiniteError, OptionError, ShapeError, describe
from .expect import conversion, expect_floating
from .reduction import Reduced, Reduction, refuse

__all__ = ["CTCLoss"]


class CTCLoss(Reduced):
    """Negative log-probability of a sequence of labels, over all ways of spreading it on T time steps.

        l = blank, y₁, blank, y₂, …, blank                S = 2 L + 1 states
        α[t, s] = x[t, l_s] + log (e^α[t-1, s] + e^α[t-1, s-1] + e^α[t-1, s-2])
        β[t, s] = log (e^(β[t+1, s] + x[t+1, l_s]) + e^(β[t+1, s+1] + x[t+1, l_s+1]) + e^(β[t+1, s+2] + x[t+1, l_s+2]))
        log p = log (e^α[T-1, S-1] + e^α[T-1, S-2])
        J = -Σₙ log pₙ / max(Lₙ, 1) / N

        ∂J/∂x[t, c] = -δ Σ_{s: l_s = c} e^(α[t, s] + β[t, s] - log p) / max(L, 1) / N

    The last of the three terms is there only where l_s, or l_s+2, is a label other than that two states before. α
    begins with x[0, l₀] and x[0, l₁], β with 0 in the last two states; all else begins with log 0. The gradient is the
    probability of being in class c at step t, given the labels.

    It is the gradient with respect to x as it stands. PyTorch returns eˣ more, the gradient with respect to the scores
    under a log-softmax; behind :class:`LogSoftmax`, whose own backward adds it, both are the same.

    Shapes: x, the log-probabilities, (T, N, C) or (T, C); y (N, L), filled up with anything behind its labels, or all
    labels one after the other; ``input_lengths`` and ``target_lengths`` (N,), or () and () for (T, C). J one number,
    or (N,) or () with ``reduction="none"``.

    Args:
        blank: the class that stands for no label.
        reduction: ``"mean"``; ``"sum"``, without the division by L and N; ``"none"``, without the sum over n too.
        zero_infinity: whether a sequence too long for its input counts 0; otherwise J = ∞, which has no gradient.

    Raises:
        LabelError: a label outside 0 … C - 1, or the blank.
        ShapeError: y or the lengths do not fit x, or there is no sequence to take the mean of.
        DomainError: no way to spread some sequence on its input, found by the backward; or x is the output of a
            softmax, without its logarithm.
        DtypeError: labels or lengths that are not integers, x that is not floating-point.
        NonFiniteError: NaN in x.
        OptionError: no such reduction, or a negative blank.

    Source: Graves et al., Connectionist temporal classification, 2006, equations 6 to 15.
    """

    def __init__(self, blank: int = 0, reduction: Reduction = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        if blank < 0:
            raise OptionError("CTCLoss with blank ≥ 0", f"blank={blank!r}", "blank=0 is usual")
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, ctx: Ctx, x: Array, y: Array, input_lengths: Array, target_lengths: Array) -> Array:
        expect_floating(x)
        if x.ndim not in (2, 3) or len(x) == 0 or not self.blank < x.shape[-1]:
            expected = f"log-probabilities x of shape (T, N, C) or (T, C), T ≥ 1 and C > {self.blank} with the blank"
            raise ShapeError(expected, f"shape {x.shape}", "x.transpose(1, 0, 2) makes (T, N, C) of (N, T, C)")
        batch = x if x.ndim == 3 else x[:, None]  # (T, N, C)
        times = _lengths("input_lengths", input_lengths, batch.shape[1], 1, len(x))  # (N,)
        path = _path(y, target_lengths, batch.shape[1], batch.shape[2], self.blank)
        xp = array_module(x)
        emission = _emission(batch, path.labels)  # (T, N, S)
        n = xp.arange(batch.shape[1])
        last = 2 * path.lengths  # (N,): the last state, a blank
        with np.errstate(invalid="ignore"):  # a NaN in x is found below
            alpha = _alpha(emission, path)  # (T, N, S)
            label = xp.where(path.lengths > 0, alpha[times - 1, n, last - 1], -np.inf)
            log_p = xp.logaddexp(alpha[times - 1, n, last], label)  # (N,)
        counts = xp.ones(log_p.shape, x.dtype)  # (N,): what a sequence counts
        if self.zero_infinity:
            counts = (log_p != -np.inf).astype(x.dtype)
        if self.reduction == "mean":
            counts = counts / xp.maximum(path.lengths, 1).astype(x.dtype)
        J = -xp.where(counts > 0, log_p, 0) * counts  # (N,)
        ctx.x, ctx.path, ctx.times, ctx.alpha, ctx.log_p, ctx.counts = x, path, times, alpha, log_p, counts
        return self._reduced(ctx, J.reshape(x.shape[1:-1]), batch.shape[1], x=x)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, None, None, None]:
        x, path, times, log_p, counts = ctx.x, ctx.path, ctx.times, ctx.log_p, ctx.counts
        xp = array_module(x)
        cure = "give it more time steps, or say zero_infinity=True"
        impossible = (log_p == -np.inf) & (counts > 0)
        refuse(DomainError, "labels that can be spread on their time steps", "log p", log_p, impossible, cure)
        d = self._spread(ctx, delta, log_p.shape) * counts  # (N,)
        batch = x if x.ndim == 3 else x[:, None]  # (T, N, C)
        beta = _beta(_emission(batch, path.labels), path, times)  # (T, N, S)
        share = xp.exp(ctx.alpha + beta - xp.where(counts > 0, log_p, 0)[:, None])  # (T, N, S)
        delta_x = xp.zeros(batch.shape, x.dtype)  # (T, N, C)
        t, n = xp.arange(len(x))[:, None, None], xp.arange(batch.shape[1])[:, None]
        xp.add.at(delta_x, (t, n, path.labels), -d[:, None] * share)  # a class may hold several states
        return delta_x.reshape(x.shape), None, None, None

    def _find_fault(self, *, x: Array) -> None:
        if bool(((x >= 0) & (x <= 1)).all()):
            cure = "use nn.LogSoftmax(dim=-1) in the place of nn.Softmax(dim=-1)"
            refuse(DomainError, "log-probabilities in x", "x", x, x > 0, cure, ": x looks like probabilities")
        cure = "look for it in the data; if the network made it, lower the learning rate"
        refuse(NonFiniteError, "log-probabilities in x, finite or -inf", "x", x, (x != x) | (x == np.inf), cure)


class _Path(NamedTuple):
    """The states that a sequence passes through, label and blank in turn."""

    labels: Array  # (N, S)
    skips: Array  # (N, S): whether the state may be entered from two states before
    lengths: Array  # (N,): of the labels


def _lengths(name: str, lengths: Array, count: int, least: int, most: int) -> Array:
    """``lengths`` as (N,), checked."""
    if not is_array(lengths) or lengths.dtype.kind not in "iu":
        raise DtypeError(f"integers in {name}", describe(lengths), conversion(name, lengths, "int64"))
    if lengths.size != count or lengths.ndim > 1:
        raise ShapeError(f"{name} of shape ({count},)", f"shape {lengths.shape}", "give one length for each sequence")
    flat = lengths.reshape(count)
    wrong = (flat < least) | (flat > most)
    refuse(ShapeError, f"lengths {least} … {most} in {name}", name, flat, wrong, "no sequence is longer than its array")
    return flat


def _path(y: Array, target_lengths: Array, count: int, classes: int, blank: int) -> _Path:
    if not is_array(y) or y.dtype.kind not in "iu":
        raise DtypeError("integer class labels in y", describe(y), conversion("y", y, "int64"))
    xp = array_module(y)
    padded = y.ndim == 2 and len(y) == count
    if not padded and y.ndim != 1:
        cure = "fill the sequences up to one length, or put one after the other"
        raise ShapeError(f"labels y of shape ({count}, L), or (Σ L,)", f"shape {y.shape}", cure)
    lengths = _lengths("target_lengths", target_lengths, count, 0, y.shape[-1])
    longest = int(lengths.max()) if count else 0
    steps = xp.arange(longest)
    inside = steps < lengths[:, None]  # (N, L)
    if padded:
        labels = xp.where(inside, y[:, :longest], -1)
    else:
        total = int(lengths.sum())
        if total != y.size:
            cure = "with labels one after the other, the lengths add up to their number"
            raise ShapeError(f"{total} labels in y, the sum of target_lengths", f"shape {y.shape}", cure)
        starts = (xp.cumsum(lengths) - lengths)[:, None]  # (N, 1)
        labels = xp.where(inside, y[xp.where(inside, starts + steps, 0)], -1) if longest else xp.zeros((count, 0), int)
    wrong = inside & ((labels < 0) | (labels >= classes) | (labels == blank))
    cure = "count the classes from 0, leave one for the blank, and never name it in y"
    refuse(LabelError, f"class labels 0 … {classes - 1} other than the blank {blank}", "y", labels, wrong, cure)
    states = xp.full((count, 2 * longest + 1), blank, np.int64)
    states[:, 1::2] = xp.where(inside, labels, blank)
    skips = xp.zeros(states.shape, bool)
    skips[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    return _Path(states, skips, lengths)


def _emission(x: Array, labels: Array) -> Array:
    """x[t, l_s] of every state: (T, N, S)."""
    xp = array_module(x)
    return x[:, xp.arange(x.shape[1])[:, None], labels]


def _alpha(emission: Array, path: _Path) -> Array:
    """log probability of all ways to state s at step t, that step included: (T, N, S)."""
    xp = array_module(emission)
    alpha = xp.full(emission.shape, -np.inf, emission.dtype)
    alpha[0, :, :2] = emission[0, :, :2]
    for t in range(1, len(alpha)):
        before = alpha[t - 1]  # (N, S)
        ways = before.copy()
        ways[:, 1:] = xp.logaddexp(ways[:, 1:], before[:, :-1])
        ways[:, 2:] = xp.where(path.skips[:, 2:], xp.logaddexp(ways[:, 2:], before[:, :-2]), ways[:, 2:])
        alpha[t] = emission[t] + ways
    return alpha


def _beta(emission: Array, path: _Path, times: Array) -> Array:
    """log probability of all ways on from state s at step t, that step left out: (T, N, S)."""
    xp = array_module(emission)
    beta = xp.full(emission.shape, -np.inf, emission.dtype)
    states, last = xp.arange(emission.shape[2]), 2 * path.lengths[:, None]  # (S,), (N, 1)
    ends = xp.where((states == last) | (states == last - 1), emission.dtype.type(0), emission.dtype.type(-np.inf))
    beta[-1] = xp.where((times == len(beta))[:, None], ends, beta[-1])
    for t in range(len(beta) - 2, -1, -1):
        after = beta[t + 1] + emission[t + 1]  # (N, S)
        ways = after.copy()
        ways[:, :-1] = xp.logaddexp(ways[:, :-1], after[:, 1:])
        ways[:, :-2] = xp.where(path.skips[:, 2:], xp.logaddexp(ways[:, :-2], after[:, 2:]), ways[:, :-2])
        beta[t] = xp.where((times == t + 1)[:, None], ends, ways)
    return beta
