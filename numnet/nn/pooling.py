"""Pooling: one number for each window, written once for 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, prod
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError
from ..window import Window, per_axis
from .expect import expect_floating
from .layer import Layer
from .spatial import as_batch

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _Pool(Layer):
    """Abstract: a window over ``axes`` spatial axes of every channel by itself."""

    axes: ClassVar[int]
    stride: int | Sequence[int] | None

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None,
        padding: int | Sequence[int],
        dilation: int | Sequence[int],
        ceil_mode: bool,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        step = kernel_size if stride is None else stride
        self.stride = step
        self.padding = padding
        self.ceil_mode = ceil_mode
        kernel = per_axis("kernel_size", kernel_size, self.axes)
        border = per_axis("padding", padding, self.axes, minimum=0)
        if any(2 * p > k for p, k in zip(border, kernel, strict=True)):
            raise OptionError(
                f"{type(self).__name__} with padding of at most half of kernel_size, so that every window sees x",
                f"padding={padding!r}, kernel_size={kernel_size!r}",
                "use less padding, or pad before this layer",
            )
        self.window = Window(
            kernel,
            per_axis("stride", step, self.axes),
            tuple((p, p) for p in border),
            per_axis("dilation", dilation, self.axes),
            ceil_mode,
        )


class _MaxPool(_Pool):
    """Abstract: max pooling over ``axes`` spatial axes. The formulas stand in the subclasses' docstrings."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode)
        self.dilation = dilation
        self.return_indices = return_indices

    def forward(self, ctx: Ctx, x: Array) -> Array | tuple[Array, Array]:
        expect_floating(x)
        batch = as_batch(x, self.axes)  # (N, C, *in)
        y, index = kernels.max_pool(batch, self.window)  # (N, C, *out)
        ctx.shape, ctx.index = x.shape, index
        if x.ndim == self.axes + 1:
            y, index = y[0], index[0]
        return (y, index) if self.return_indices else y

    def backward(self, ctx: Ctx, delta: Any) -> Array:
        d = delta[0] if self.return_indices else delta  # an index has no gradient
        batch = (*ctx.index.shape[:2], *ctx.shape[-self.axes :])  # (N, C, *in)
        return kernels.max_pool_backward(d.reshape(ctx.index.shape), ctx.index, batch).reshape(ctx.shape)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class _AvgPool(_Pool):
    """Abstract: average pooling over ``axes`` spatial axes. The formulas stand in the subclasses' docstrings."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, 1, ceil_mode)
        if divisor_override == 0:
            raise OptionError(
                f"{type(self).__name__} with a divisor other than 0", "divisor_override=0", "leave it out"
            )
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        batch = as_batch(x, self.axes)  # (N, C, *in)
        ctx.shape, ctx.batch = x.shape, batch.shape
        y = kernels.avg_pool(batch, self.window, self.count_include_pad, self.divisor_override)  # (N, C, *out)
        return y[0] if x.ndim == self.axes + 1 else y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        d = delta if len(ctx.shape) == len(ctx.batch) else delta[None]  # (N, C, *out)
        options = self.window, self.count_include_pad, self.divisor_override
        return kernels.avg_pool_backward(d, ctx.batch, *options).reshape(ctx.shape)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _LPPool(_Pool):
    """Abstract: power-average pooling over ``axes`` spatial axes. The formulas stand in the subclasses' docstrings."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, 0, 1, ceil_mode)
        if norm_type == 0 or not isfinite(norm_type):
            raise OptionError(
                f"{type(self).__name__} with a norm_type other than 0, and finite",
                f"norm_type={norm_type!r}",
                f"the largest element, which is the limit of a large norm_type, comes from MaxPool{self.axes}d",
            )
        self.norm_type = norm_type
        self.stride = stride

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        batch = as_batch(x, self.axes)  # (N, C, *in)
        with np.errstate(divide="ignore", invalid="ignore"):  # a root that is not real is NaN
            powers = batch ** float(self.norm_type)
            s = prod(self.window.kernel) * kernels.avg_pool(powers, self.window, True, None)  # (N, C, *out)
            y = s ** (1 / self.norm_type)
        ctx.x, ctx.s = x, s
        return y[0] if x.ndim == self.axes + 1 else y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        x, s, p = ctx.x, ctx.s, float(self.norm_type)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = prod(self.window.kernel) * delta.reshape(s.shape) * s ** (1 / p - 1)
            share = array_module(s).where(s == 0, s, share)  # where the slope is infinite, PyTorch takes 0
            batch = (*s.shape[:2], *x.shape[-self.axes :])  # (N, C, *in)
            spread = kernels.avg_pool_backward(share, batch, self.window, True, None)
            return x ** (p - 1) * spread.reshape(x.shape)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element under each window.

        y[n, c, p] = max_k x[n, c, p · stride + k · dilation - padding]

        ∂J/∂x[n, c, i] = Σ_p δ[n, c, p] [the largest of window p stands at i]

    Of equals the first counts. The padding never wins. δ of overlapping windows adds up where one element won twice.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with
    L' = ⌊(L + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1.

    Args, Raises, Source: those of :class:`MaxPool2d`.
    """

    axes = 1


class MaxPool2d(_MaxPool):
    """The largest element under each window.

        y[n, c, p] = max_k x[n, c, p · stride + k · dilation - padding]

        ∂J/∂x[n, c, i] = Σ_p δ[n, c, p] [the largest of window p stands at i]

    Of equals the first counts. The padding never wins. δ of overlapping windows adds up where one element won twice.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with
    H' = ⌊(H + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1, and so W'.

    Args:
        kernel_size: K, or one for each spatial axis, as for stride, padding and dilation.
        stride: how far the window moves from one position to the next; ``kernel_size`` if ``None``.
        padding: the width of the border of -∞ around x, at most half of ``kernel_size``.
        dilation: the distance of neighbouring elements under the window.
        return_indices: return (y, index), where index tells the winner's place in the plane, counted row by row.
        ceil_mode: round H' up: a last window may hang over, as long as it starts inside x or the padding before it.

    Raises:
        OptionError: too much padding.
        ShapeError: x has another number of axes, or is smaller than the window.
        DtypeError: x does not hold floating-point numbers.

    Source: Ranzato, Huang, Boureau and LeCun, Unsupervised learning of invariant feature hierarchies, 2007.
    """

    axes = 2


class MaxPool3d(_MaxPool):
    """The largest element under each window.

        y[n, c, p] = max_k x[n, c, p · stride + k · dilation - padding]

        ∂J/∂x[n, c, i] = Σ_p δ[n, c, p] [the largest of window p stands at i]

    Of equals the first counts. The padding never wins. δ of overlapping windows adds up where one element won twice.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with
    D' = ⌊(D + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1, and so H' and W'.

    Args, Raises, Source: those of :class:`MaxPool2d`; an index counts layer by layer, row by row.
    """

    axes = 3


class AvgPool1d(_AvgPool):
    """The mean of the elements under each window.

        y[n, c, p] = Σ_k x[n, c, p · stride + k - padding] / count[p]

        ∂J/∂x[n, c, i] = Σ_p δ[n, c, p] / count[p]        over the windows p that see i

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with
    L' = ⌊(L + 2 · padding - K) / stride⌋ + 1.

    Args, Raises, Source: those of :class:`AvgPool2d`, without ``divisor_override``.
    """

    axes = 1

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        kernel = per_axis("kernel_size", kernel_size, 1)
        stride = kernel if stride is None else per_axis("stride", stride, 1)
        super().__init__(kernel, stride, per_axis("padding", padding, 1, minimum=0), ceil_mode, count_include_pad)


class AvgPool2d(_AvgPool):
    """The mean of the elements under each window.

        y[n, c, p] = Σ_k x[n, c, p · stride + k - padding] / count[p]

        ∂J/∂x[n, c, i] = Σ_p δ[n, c, p] / count[p]        over the windows p that see i

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with
    H' = ⌊(H + 2 · padding - K) / stride⌋ + 1, and so W'.

    Args:
        kernel_size: K, or one for each spatial axis, as for stride and padding.
        stride: how far the window moves from one position to the next; ``kernel_size`` if ``None``.
        padding: the width of the border of zeros around x, at most half of ``kernel_size``.
        ceil_mode: round H' up: a last window may hang over, as long as it starts inside x or the padding before it.
        count_include_pad: whether the zeros of the padding count. What hangs over beyond it never does.
        divisor_override: divide by this number instead of count.

    Raises:
        OptionError: too much padding, or a divisor of 0.
        ShapeError: x has another number of axes, or is smaller than the window.
        DtypeError: x does not hold floating-point numbers.

    Source: LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.A.
    """

    axes = 2


class AvgPool3d(_AvgPool):
    """The mean of the elements under each window.

        y[n, c, p] = Σ_k x[n, c, p · stride + k - padding] / count[p]

        ∂J/∂x[n, c, i] = Σ_p δ[n, c, p] / count[p]        over the windows p that see i

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with
    D' = ⌊(D + 2 · padding - K) / stride⌋ + 1, and so H' and W'.

    Args, Raises, Source: those of :class:`AvgPool2d`.
    """

    axes = 3


class LPPool1d(_LPPool):
    """The norm of the elements under each window.

        s[n, c, p] = K · mean_k x[n, c, p · stride + k]^norm_type        y = s^(1 / norm_type)

        ∂J/∂x[n, c, i] = x[n, c, i]^(norm_type - 1) Σ_p δ[n, c, p] s[n, c, p]^(1 / norm_type - 1) K / count[p]

    Σ_p is over the windows p that see i. The mean is over the count[p] elements of x that window p sees: all K, so
    that s is their sum, but for a window that hangs over. Where s = 0, δ counts as 0.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with
    L' = ⌊(L - K) / stride⌋ + 1.

    Args, Raises, Source: those of :class:`LPPool2d`.
    """

    axes = 1


class LPPool2d(_LPPool):
    """The norm of the elements under each window.

        s[n, c, p] = K² · mean_k x[n, c, p · stride + k]^norm_type        y = s^(1 / norm_type)

        ∂J/∂x[n, c, i] = x[n, c, i]^(norm_type - 1) Σ_p δ[n, c, p] s[n, c, p]^(1 / norm_type - 1) K² / count[p]

    Σ_p is over the windows p that see i. The mean is over the count[p] elements of x that window p sees: all K², so
    that s is their sum, but for a window that hangs over. Where s = 0, δ counts as 0.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with
    H' = ⌊(H - K) / stride⌋ + 1, and so W'.

    Args:
        norm_type: the exponent: 1 gives the sum, 2 the root of the sum of squares; for an odd one x should not be
            negative, as the root of a negative s is NaN.
        kernel_size: K, or one for each spatial axis, as for stride.
        stride: how far the window moves from one position to the next; ``kernel_size`` if ``None``.
        ceil_mode: round H' up: a last window may hang over, as long as it starts inside x.

    Raises:
        OptionError: a norm_type of 0 or ∞.
        ShapeError: x has another number of axes, or is smaller than the window.
        DtypeError: x does not hold floating-point numbers.

    Source: Sermanet, Chintala and LeCun, Convolutional neural networks applied to house numbers digit classification,
    2012, section 2.2.
    """

    axes = 2


class LPPool3d(_LPPool):
    """The norm of the elements under each window.

        s[n, c, p] = K³ · mean_k x[n, c, p · stride + k]^norm_type        y = s^(1 / norm_type)

        ∂J/∂x[n, c, i] = x[n, c, i]^(norm_type - 1) Σ_p δ[n, c, p] s[n, c, p]^(1 / norm_type - 1) K³ / count[p]

    Σ_p is over the windows p that see i. The mean is over the count[p] elements of x that window p sees: all K³, so
    that s is their sum, but for a window that hangs over. Where s = 0, δ counts as 0.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with
    D' = ⌊(D - K) / stride⌋ + 1, and so H' and W'.

    Args, Raises, Source: those of :class:`LPPool2d`.
    """

    axes = 3
