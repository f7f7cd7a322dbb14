"""Convolution (cross-correlation, as everywhere in deep learning), written once for 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import OptionError
from ..taps import padding_taps
from ..tensor import Parameter
from ..window import Window, per_axis
from . import init
from .expect import expect_floating
from .layer import Layer
from .spatial import as_batch

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Layer):
    """Abstract: what a convolution and its transpose have in common: options, parameters, what ``repr`` says."""

    axes: ClassVar[int]
    output_padding: tuple[int, ...] = ()  # which a transposed convolution alone has
    padding: Any  # one number for each axis, or a word
    padding_mode: str = "zeros"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int],
        dilation: int | Sequence[int],
        groups: int,
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise OptionError(
                f"{type(self).__name__} with groups that divide in_channels and out_channels",
                f"groups={groups}, in_channels={in_channels}, out_channels={out_channels}",
                "choose a common divisor of both; groups=in_channels filters every channel by itself",
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_axis("kernel_size", kernel_size, self.axes)
        self.stride = per_axis("stride", stride, self.axes)
        self.dilation = per_axis("dilation", dilation, self.axes)
        self.groups = groups

    def _draw_parameters(self, filters: int, channels: int, bias: bool, rng: np.random.Generator | None) -> None:
        self.weight = Parameter(np.empty((filters, channels // self.groups, *self.kernel_size), np.float32))
        self.bias = Parameter(np.empty(self.out_channels, np.float32)) if bias else None
        init.default_(self.weight, self.bias, rng=rng)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0,) * self.axes:
            parts += [f"padding={self.padding}"]
        if self.dilation != (1,) * self.axes:
            parts += [f"dilation={self.dilation}"]
        if any(self.output_padding):
            parts += [f"output_padding={self.output_padding}"]
        if self.groups != 1:
            parts += [f"groups={self.groups}"]
        if self.bias is None:
            parts += ["bias=False"]
        if self.padding_mode != "zeros":
            parts += [f"padding_mode={self.padding_mode}"]
        return ", ".join(parts)


class _Conv(_Convolution):
    """Abstract: convolution over ``axes`` spatial axes. The formulas stand in the subclasses' docstrings."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | Literal["same", "valid"] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        if padding_mode not in _PADDING_MODES:
            expected = f"{type(self).__name__} with a padding_mode among {', '.join(_PADDING_MODES)}"
            raise OptionError(expected, f"padding_mode={padding_mode!r}", "choose one of these")
        self.padding = padding if isinstance(padding, str) else per_axis("padding", padding, self.axes, minimum=0)
        self.padding_mode = padding_mode
        self.border = self._border()
        no_border = ((0, 0),) * self.axes
        inside = self.border if padding_mode == "zeros" else no_border  # what the kernel pads by itself
        self.window = Window(self.kernel_size, self.stride, inside, self.dilation)
        self._draw_parameters(out_channels, in_channels, bias, rng)

    def _border(self) -> tuple[tuple[int, int], ...]:
        """The padding (before, after) of each spatial axis."""
        if self.padding == "valid":
            return ((0, 0),) * self.axes
        if self.padding == "same":
            if self.stride != (1,) * self.axes:
                expected = f"{type(self).__name__} with stride=1, where padding='same'"
                raise OptionError(expected, f"stride={self.stride}", "give the padding in numbers: kernel_size // 2")
            totals = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
            return tuple((total // 2, total - total // 2) for total in totals)  # the odd one goes behind
        if isinstance(self.padding, str):
            expected = f"{type(self).__name__} with padding 'same', 'valid', or in numbers"
            raise OptionError(expected, f"padding={self.padding!r}", "choose one of these")
        return tuple((p, p) for p in self.padding)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        W, b = self.weight.array, None if self.bias is None else self.bias.array
        expect_floating(x, W.dtype)
        batch = as_batch(x, self.axes, self.in_channels)  # (N, C, *in)
        if self.padding_mode != "zeros":
            ctx.shape = batch.shape
            batch = kernels.resample(batch, padding_taps(ctx.shape, self.border, self.padding_mode))
        ctx.x, ctx.alone = batch, x.ndim == self.axes + 1
        z = kernels.conv(batch, W, b, self.window, self.groups)  # (N, F, *out)
        return z[0] if ctx.alone else z

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        x, W, b = ctx.x, self.weight, self.bias
        delta = delta[None] if ctx.alone else delta  # (N, F, *out)
        needs = (ctx.needs_input_grad[0], W.requires_grad, b is not None and b.requires_grad)
        delta_x, dW, db = kernels.conv_backward(x, W.array, delta, self.window, self.groups, needs)
        if dW is not None:
            W.accumulate(dW)
        if db is not None and b is not None:
            b.accumulate(db)
        if delta_x is None:
            return None
        if self.padding_mode != "zeros":
            border = padding_taps(ctx.shape, self.border, self.padding_mode)
            delta_x = kernels.resample(delta_x, [taps.transposed for taps in border])  # (N, C, *in)
        return delta_x[0] if ctx.alone else delta_x


class Conv1d(_Conv):
    """Every filter slid over every sequence of a batch.

        z[n, f, p] = Σ_k W[f, k] u[n, k, p] + b[f]        u = unfold(x): what the kernel sees at position p

        ∂J/∂W = Σₙ δₙ uₙᵀ        ∂J/∂b = Σₙₚ δ[n, f, p]        ∂J/∂x = fold(Wᵀ δ)

    u[n, k, p] is the element of x under tap k = (c, k₁) of the kernel standing at p: channel c, place
    p · stride + k₁ · dilation - padding. ``fold`` adds every element of u up where it came from.

    Shapes: x (N, C, L) or (C, L), z and δ (N, F, L') or (F, L'), W (F, C / groups, K), b (F,), with
    L' = ⌊(L + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1.

    Args, initial values, Raises: those of :class:`Conv2d`.

    Source: Waibel, Hanazawa, Hinton, Shikano and Lang, Phoneme recognition using time-delay neural networks, 1989.
    """

    axes = 1


class Conv2d(_Conv):
    """Every filter slid over every image of a batch.

        z[n, f, p] = Σ_k W[f, k] u[n, k, p] + b[f]        u = unfold(x): what the kernel sees at position p

        ∂J/∂W = Σₙ δₙ uₙᵀ        ∂J/∂b = Σₙₚ δ[n, f, p]        ∂J/∂x = fold(Wᵀ δ)

    u[n, k, p] is the element of x under tap k = (c, k₁, k₂) of the kernel standing at p = (i, j): channel c, row
    i · stride + k₁ · dilation - padding, and so the column. ``fold`` adds every element of u up where it came from.

    Shapes: x (N, C, H, W) or (C, H, W), z and δ (N, F, H', W') or (F, H', W'), W (F, C / groups, K, K), b (F,), with
    H' = ⌊(H + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1, and so W'.

    Args:
        in_channels: C.
        out_channels: the number of filters F.
        kernel_size: K, or one for each spatial axis, as for stride, padding and dilation.
        stride: how far the kernel moves from one position to the next.
        padding: the width of the border around x; ``"valid"`` for none; ``"same"`` for the one with which z is as
            large as x (where it is odd, the larger part goes behind; stride 1 only).
        dilation: the distance of neighbouring taps.
        groups: group g of the filters sees group g of the channels only.
        bias: whether there is a b.
        padding_mode: what the border is filled with: ``"zeros"``; ``"reflect"``, x mirrored at its first and last
            element; ``"replicate"``, the nearest element; ``"circular"``, x repeated.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: W and b uniform in ±1/√(K · K · C / groups), as PyTorch's.

    Raises:
        OptionError: ``groups`` does not divide the channels, ``"same"`` with a stride, no such padding mode.
        ShapeError: x has another number of axes or channels, or is smaller than the kernel.
        DtypeError: x is not of the parameters' dtype.

    Source: LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.A; geometry:
    Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016.
    """

    axes = 2


class Conv3d(_Conv):
    """Every filter slid over every volume of a batch.

        z[n, f, p] = Σ_k W[f, k] u[n, k, p] + b[f]        u = unfold(x): what the kernel sees at position p

        ∂J/∂W = Σₙ δₙ uₙᵀ        ∂J/∂b = Σₙₚ δ[n, f, p]        ∂J/∂x = fold(Wᵀ δ)

    u[n, k, p] is the element of x under tap k = (c, k₁, k₂, k₃) of the kernel standing at p: channel c, and on every
    axis a the place pₐ · stride + kₐ · dilation - padding. ``fold`` adds every element of u up where it came from.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), z and δ (N, F, D', H', W') or (F, D', H', W'),
    W (F, C / groups, K, K, K), b (F,), with D' = ⌊(D + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1, and so
    H' and W'.

    Args, initial values, Raises: those of :class:`Conv2d`.

    Source: Ji, Xu, Yang and Yu, 3D convolutional neural networks for human action recognition, 2010, section 2.1.
    """

    axes = 3
