"""Max unpooling: what max pooling left over goes back to where it stood; for 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DtypeError, ShapeError, describe
from ..tape import apply
from ..window import per_axis
from .expect import expect_floating
from .layer import Layer
from .spatial import as_batch

__all__ = ["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _MaxUnpool(Layer):
    """Abstract: max unpooling over ``axes`` spatial axes. The formulas stand in the subclasses' docstrings."""

    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = per_axis("kernel_size", kernel_size, self.axes)
        self.stride = self.kernel_size if stride is None else per_axis("stride", stride, self.axes)
        self.padding = per_axis("padding", padding, self.axes, minimum=0)

    def forward(self, ctx: Ctx, x: Array, index: Array, output_size: Sequence[int] | None = None) -> Array:
        expect_floating(x)
        batch = as_batch(x, self.axes)  # (N, C, *in)
        spatial = self._spatial(batch.shape[2:], output_size)
        places = self._places(x, index, prod(spatial)).reshape(*batch.shape[:2], prod(batch.shape[2:]))  # (N, C, P)
        ctx.places, ctx.shape = places, x.shape
        xp, planes = array_module(x), prod(batch.shape[:2])
        y = xp.zeros(planes * prod(spatial), x.dtype)
        start = prod(spatial) * xp.arange(planes)[:, None]  # where each plane begins
        y[(start + places.reshape(planes, places.shape[2])).ravel()] = batch.ravel()
        return y.reshape(*x.shape[: -self.axes], *spatial)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, ...]:
        places = ctx.places
        d = delta.reshape(*places.shape[:2], prod(delta.shape[-self.axes :]))  # (N, C, ∏ out)
        delta_x = array_module(delta).take_along_axis(d, places, axis=2)  # (N, C, P)
        return (delta_x.reshape(ctx.shape), None, None)[: len(ctx.needs_input_grad)]

    def _run(self, x: Any, index: Any, output_size: Sequence[int] | None = None) -> Any:
        return apply(self, x, index) if output_size is None else apply(self, x, index, output_size)

    def _spatial(self, size: tuple[int, ...], output_size: Sequence[int] | None) -> tuple[int, ...]:
        """The spatial shape of y."""
        plain = tuple(
            (n - 1) * s - 2 * p + k
            for n, k, s, p in zip(size, self.kernel_size, self.stride, self.padding, strict=True)
        )
        if output_size is None:
            return plain
        asked = tuple(output_size)[-self.axes :]
        fits = len(output_size) in (self.axes, self.axes + 1, self.axes + 2)
        if not fits or any(abs(n - m) >= s for n, m, s in zip(asked, plain, self.stride, strict=True)):
            raise ShapeError(
                f"output_size less than stride={self.stride} away from {plain}",
                f"output_size={tuple(output_size)}",
                "give the shape of what was pooled",
            )
        return asked

    def _places(self, x: Array, index: Array, size: int) -> Array:
        """``index``, checked."""
        if not is_array(index) or index.dtype.kind not in "iu":
            cure = f"MaxPool{self.axes}d(…, return_indices=True) returns it behind y"
            raise DtypeError("index as an array of integers", describe(index), cure)
        if index.shape != x.shape:
            cure = "hand over what max pooling returned with this x"
            raise ShapeError(f"index of the shape of x, {x.shape}", f"shape {index.shape}", cure)
        if bool(((index < 0) | (index >= size)).any()):
            got = f"indices from {index.min()} to {index.max()}"
            cure = "give output_size, the shape of what was pooled"
            raise ShapeError(f"indices into a plane of {size} elements", got, cure)
        return index

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Every number put to the place where it stood before max pooling; 0 elsewhere.

        y[n, c, index[n, c, p]] = x[n, c, p]        0 at places that no index names

        ∂J/∂x[n, c, p] = δ[n, c, index[n, c, p]]

    Of numbers with one place the last stays; each still gets the δ of that place, as in PyTorch.

    Shapes: x and index (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with
    L' = (L - 1) · stride - 2 · padding + K.

    Args, Raises, Source, ``output_size``: those of :class:`MaxUnpool2d`.
    """

    axes = 1


class MaxUnpool2d(_MaxUnpool):
    """Every number put to the place where it stood before max pooling; 0 elsewhere.

        y[n, c, index[n, c, p]] = x[n, c, p]        0 at places that no index names

        ∂J/∂x[n, c, p] = δ[n, c, index[n, c, p]]

    Of numbers with one place the last stays; each still gets the δ of that place, as in PyTorch.

    Shapes: x and index (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with
    H' = (H - 1) · stride - 2 · padding + K, and so W'.

    Args:
        kernel_size: K of the max pooling, or one for each spatial axis, as for stride and padding.
        stride: its stride; ``kernel_size`` if ``None``.
        padding: its padding.

    ``forward(x, index, output_size=None)`` takes the shape of what was pooled, where max pooling takes several sizes to
    one: an H' and W' (batch and channels may stand in front), each less than ``stride`` away from the above.

    Raises:
        ShapeError: x has another number of axes, index another shape than x or places outside of y; an
            ``output_size`` that this pooling does not take to the size of x.
        DtypeError: x does not hold floating-point numbers, index no integers.

    Source: Zeiler, Taylor and Fergus, Adaptive deconvolutional networks for mid and high level feature learning, 2011.
    """

    axes = 2


class MaxUnpool3d(_MaxUnpool):
    """Every number put to the place where it stood before max pooling; 0 elsewhere.

        y[n, c, index[n, c, p]] = x[n, c, p]        0 at places that no index names

        ∂J/∂x[n, c, p] = δ[n, c, index[n, c, p]]

    Of numbers with one place the last stays; each still gets the δ of that place, as in PyTorch.

    Shapes: x and index (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with
    D' = (D - 1) · stride - 2 · padding + K, and so H' and W'.

    Args, Raises, Source, ``output_size``: those of :class:`MaxUnpool2d`.
    """

    axes = 3
