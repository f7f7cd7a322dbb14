"""Transposed convolution: a convolution run backwards, written once for 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..window import Window, per_axis
from .conv import _Convolution
from .expect import expect_floating
from .spatial import as_batch

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class _ConvTranspose(_Convolution):
    """Abstract: transposed convolution over ``axes`` spatial axes. The formulas stand in the subclasses' docstrings.

    z is to x what ∂J/∂x of a convolution is to its δ; so its own ∂J/∂x is that convolution, run on δ.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int | Sequence[int] = 1,
        padding_mode: Literal["zeros"] = "zeros",
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, dilation, groups)
        if padding_mode != "zeros":
            expected = f"{type(self).__name__} with padding_mode='zeros'"
            raise OptionError(expected, f"padding_mode={padding_mode!r}", "leave it out")
        self.padding = per_axis("padding", padding, self.axes, minimum=0)
        self.output_padding = per_axis("output_padding", output_padding, self.axes, minimum=0)
        if any(o >= max(s, d) for o, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True)):
            raise OptionError(
                f"{type(self).__name__} with output_padding smaller than stride or dilation",
                f"output_padding={self.output_padding}, stride={self.stride}, dilation={self.dilation}",
                "it only chooses among the sizes that a convolution of this stride makes equal",
            )
        # Of the elements that output_padding adds, the window of the convolution leaves out a last step by itself.
        border = [(p, p - o + o % s) for p, o, s in zip(self.padding, self.output_padding, self.stride, strict=True)]
        self.window = Window(self.kernel_size, self.stride, tuple(border), self.dilation)
        self._draw_parameters(in_channels, out_channels, bias, rng)

    def _output_shape(self, spatial: Sequence[int]) -> tuple[int, ...]:
        out = tuple(
            (n - 1) * s - 2 * p + e + o
            for n, s, p, e, o in zip(
                spatial, self.stride, self.padding, self.window.extent, self.output_padding, strict=True
            )
        )
        if min(*spatial, *out) < 1:
            got = f"spatial size {tuple(spatial)}, which would make {out}"
            raise ShapeError("x large enough to leave something", got, "use less padding, or a larger input")
        return out

    def forward(self, ctx: Ctx, x: Array) -> Array:
        W, b = self.weight.array, None if self.bias is None else self.bias.array
        expect_floating(x, W.dtype)
        batch = as_batch(x, self.axes, self.in_channels)  # (N, C, *in)
        ctx.x, ctx.alone = batch, x.ndim == self.axes + 1
        shape = (len(batch), self.out_channels, *self._output_shape(batch.shape[2:]))  # (N, F, *out)
        xp = array_module(x)
        like_z = xp.broadcast_to(xp.zeros((), x.dtype), shape)  # of which the shape alone is read
        z: Array = kernels.conv_backward(like_z, W, batch, self.window, self.groups, (True, False, False))[0]
        if b is not None:
            z = z + b.reshape(-1, *(1,) * self.axes)
        return z[0] if ctx.alone else z

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        x, W, b = ctx.x, self.weight, self.bias
        delta = delta[None] if ctx.alone else delta  # (N, F, *out)
        if W.requires_grad:
            _, dW, _ = kernels.conv_backward(delta, W.array, x, self.window, self.groups, (False, True, False))
            W.accumulate(dW)
        if b is not None and b.requires_grad:
            b.accumulate(delta.sum(axis=(0, *range(2, delta.ndim))))
        if not ctx.needs_input_grad[0]:
            return None
        delta_x = kernels.conv(delta, W.array, None, self.window, self.groups)  # (N, C, *in)
        return delta_x[0] if ctx.alone else delta_x


class ConvTranspose1d(_ConvTranspose):
    """Every element of every sequence sends a copy of the filter, weighted by itself, into z.

        z = fold(Wᵀ x) + b        that is ∂J/∂x of the Conv1d whose δ is x, with the same W

        ∂J/∂W = Σₙ xₙ uₙᵀ        ∂J/∂b = Σₙₚ δ[n, f, p]        ∂J/∂x = W u        u = unfold(δ)

    ``unfold`` lays out what the kernel sees of δ at each position, ``fold`` adds such a layout up where it came from:
    see :class:`Conv1d`.

    Shapes: x (N, C, L) or (C, L), z and δ (N, F, L') or (F, L'), W (C, F / groups, K), b (F,), with
    L' = (L - 1) · stride - 2 · padding + dilation · (K - 1) + output_padding + 1.

    Args, initial values, Raises, Source: those of :class:`ConvTranspose2d`.
    """

    axes = 1


class ConvTranspose2d(_ConvTranspose):
    """Every element of every image sends a copy of the filter, weighted by itself, into z.

        z = fold(Wᵀ x) + b        that is ∂J/∂x of the Conv2d whose δ is x, with the same W

        ∂J/∂W = Σₙ xₙ uₙᵀ        ∂J/∂b = Σₙₚ δ[n, f, p]        ∂J/∂x = W u        u = unfold(δ)

    ``unfold`` lays out what the kernel sees of δ at each position, ``fold`` adds such a layout up where it came from:
    see :class:`Conv2d`.

    Shapes: x (N, C, H, W) or (C, H, W), z and δ (N, F, H', W') or (F, H', W'), W (C, F / groups, K, K), b (F,), with
    H' = (H - 1) · stride - 2 · padding + dilation · (K - 1) + output_padding + 1, and so W'.

    Args:
        in_channels: C.
        out_channels: F.
        kernel_size: K, or one for each spatial axis, as for stride, padding, output_padding and dilation.
        stride: how far apart neighbouring elements of x set the filter.
        padding: how much of z is cut off at each side.
        output_padding: how much z is larger behind. A convolution with a stride takes several sizes to one; this
            says which of them z has. Smaller than ``stride`` or ``dilation``. (PyTorch's ``output_size`` of forward,
            which chooses it anew in every call, is left out.)
        groups: group g of the channels of x reaches group g of the channels of z only.
        bias: whether there is a b.
        dilation: the distance of neighbouring taps.
        padding_mode: ``"zeros"``, the only one, as in PyTorch.
        rng: where the initial values are drawn from; the default generator if ``None``.

    Initial values: W and b uniform in ±1/√(K · K · F / groups), as PyTorch's.

    Raises:
        OptionError: ``groups`` does not divide the channels, ``output_padding`` is too large, another padding mode.
        ShapeError: x has another number of axes or channels, or ``padding`` cuts everything off.
        DtypeError: x is not of the parameters' dtype.

    Source: Zeiler, Krishnan, Taylor and Fergus, Deconvolutional networks, 2010; geometry: Dumoulin and Visin, A guide
    to convolution arithmetic for deep learning, 2016, chapter 4.
    """

    axes = 2


class ConvTranspose3d(_ConvTranspose):
    """Every element of every volume sends a copy of the filter, weighted by itself, into z.

        z = fold(Wᵀ x) + b        that is ∂J/∂x of the Conv3d whose δ is x, with the same W

        ∂J/∂W = Σₙ xₙ uₙᵀ        ∂J/∂b = Σₙₚ δ[n, f, p]        ∂J/∂x = W u        u = unfold(δ)

    ``unfold`` lays out what the kernel sees of δ at each position, ``fold`` adds such a layout up where it came from:
    see :class:`Conv3d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), z and δ (N, F, D', H', W') or (F, D', H', W'),
    W (C, F / groups, K, K, K), b (F,), with
    D' = (D - 1) · stride - 2 · padding + dilation · (K - 1) + output_padding + 1, and so H' and W'.

    Args, initial values, Raises, Source: those of :class:`ConvTranspose2d`.
    """

    axes = 3
