"""Unfold and Fold: what a sliding window sees laid out side by side, and added up again."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import ShapeError
from ..window import Window, per_axis
from .expect import expect_floating
from .layer import Layer
from .spatial import as_batch

__all__ = ["Fold", "Unfold"]


class _Sliding(Layer):
    """Abstract: a window over the two axes of images."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        dilation: int | Sequence[int],
        padding: int | Sequence[int],
        stride: int | Sequence[int],
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride
        self.window = Window(
            per_axis("kernel_size", kernel_size, 2),
            per_axis("stride", stride, 2),
            tuple((p, p) for p in per_axis("padding", padding, 2, minimum=0)),
            per_axis("dilation", dilation, 2),
        )

    def _unfold(self, x: Array) -> Array:
        """(N, C, H, W) → (N, C · K · K, P)."""
        u = kernels.unfold(x, self.window)  # (N, C, K, K, H', W')
        return u.reshape(len(x), prod(u.shape[1:4]), prod(u.shape[4:]))

    def _fold(self, u: Array, spatial: tuple[int, int]) -> Array:
        """(N, C · K · K, P) → (N, C, H, W), for (H, W) = ``spatial``."""
        kernel = self.window.kernel
        out = self.window.output_shape(spatial)
        return kernels.fold(u.reshape(len(u), u.shape[1] // prod(kernel), *kernel, *out), self.window, spatial)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Unfold(_Sliding):
    """What the window sees at each of its positions, as a column of a matrix for each image.

        y[n, k, p] = x[n, c, i · stride + k₁ · dilation - padding, j · stride + k₂ · dilation - padding]

        ∂J/∂x = fold(δ)        every element of δ added up where it came from

    k counts (c, k₁, k₂) and p counts the positions (i, j), each with the last letter running fastest. Outside of x
    stands 0. A convolution is a matrix product with y.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C · K · K, P) or (C · K · K, P), P = H' · W' with
    H' = ⌊(H + 2 · padding - dilation · (K - 1) - 1) / stride⌋ + 1, and so W'.

    Args:
        kernel_size: K, or one for each spatial axis, as for dilation, padding and stride.
        dilation: the distance of neighbouring elements under the window.
        padding: the width of the border of zeros around x.
        stride: how far the window moves from one position to the next.

    Raises:
        OptionError: a size below 1, a negative padding.
        ShapeError: x has another number of axes, or is smaller than the window.
        DtypeError: x does not hold floating-point numbers.

    Source: Chellapilla, Puri and Simard, High performance convolutional neural networks for document processing, 2006.
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        dilation: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        stride: int | Sequence[int] = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        batch = as_batch(x, 2)  # (N, C, H, W)
        ctx.shape, ctx.spatial = x.shape, batch.shape[2:]
        y = self._unfold(batch)
        return y if x.ndim == 4 else y[0]

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return self._fold(delta if len(ctx.shape) == 4 else delta[None], ctx.spatial).reshape(ctx.shape)


class Fold(_Sliding):
    """The columns that :class:`Unfold` makes, every element added up where it came from.

        y[n, c, h, w] = Σ x[n, k, p]        over all k, p that unfold takes from h, w of channel c

        ∂J/∂x = unfold(δ)

    Where windows overlap, fold(unfold(x)) counts an element as often as a window sees it.

    Shapes: x (N, C · K · K, P) or (C · K · K, P), y and δ (N, C, H, W) or (C, H, W) with (H, W) = ``output_size``, and
    P as for :class:`Unfold`.

    Args:
        output_size: H and W, or one number for both.
        kernel_size, dilation, padding, stride: those of the :class:`Unfold` whose columns these are.

    Raises:
        OptionError: a size below 1, a negative padding.
        ShapeError: the rows of x are no multiple of K · K, or its columns not as many as the window has positions.
        DtypeError: x does not hold floating-point numbers.

    Source: that of :class:`Unfold`.
    """

    def __init__(
        self,
        output_size: int | Sequence[int],
        kernel_size: int | Sequence[int],
        dilation: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        stride: int | Sequence[int] = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size
        height, width = per_axis("output_size", output_size, 2)
        self.spatial = height, width

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        taps, positions = prod(self.window.kernel), prod(self.window.output_shape(self.spatial))
        if x.ndim not in (2, 3) or x.shape[-2] % taps or x.shape[-1] != positions:
            raise ShapeError(
                f"x of shape (N, C · {taps}, {positions}) for this output_size",
                f"shape {x.shape}",
                "give the output_size that the Unfold was given as its input, and its other arguments",
            )
        y = self._fold(x if x.ndim == 3 else x[None], self.spatial)  # (N, C, H, W)
        return y if x.ndim == 3 else y[0]

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        delta_x = self._unfold(delta if delta.ndim == 4 else delta[None])
        return delta_x if delta.ndim == 4 else delta_x[0]

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"
