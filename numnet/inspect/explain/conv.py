"""The rules of convolution: the patch under the kernel, and the filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...window import Window
from .explanation import Rule
from .expression import Expression, product, total
from .page import Index, Page, Rules, places

__all__ = ["ConvRules", "ConvTransposeRules", "Geometry"]

_NUMPYS: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class Geometry:
    """Where the taps of a window fall, axis by axis, borders of every kind included.

    Args:
        window: its geometry.
        spatial: the shape of the input's spatial axes.
        out: that of the output's.
        sources: for each axis and each place of the padded input, the place of x that it is; -1 for padding.
    """

    def __init__(self, window: Window, spatial: Index, out: Index, sources: list[list[int]]) -> None:
        self.window, self.spatial, self.out = window, spatial, out
        self.sources = sources

    @classmethod
    def zeros(cls, window: Window, spatial: Index, out: Index) -> Geometry:
        """With a border of padding that counts nothing; the end of a last window that hangs over too."""
        sources = []
        for n, (before, after), extent in zip(spatial, window.padding, window.extent, strict=True):
            sources.append([-1] * before + list(range(n)) + [-1] * (after + extent))
        return cls(window, spatial, out, sources)

    def source(self, p: Index, k: Index) -> Index | None:
        """The place of x under tap k of the window at p; ``None`` in the padding."""
        w = self.window
        padded = [a * s + b * d for a, s, b, d in zip(p, w.stride, k, w.dilation, strict=True)]
        found = tuple([axis[i] for axis, i in zip(self.sources, padded, strict=True)])
        return None if -1 in found else found

    def under(self, p: Index) -> list[tuple[Index, Index]]:
        """(tap, place of x) for the window at p."""
        found = [(k, self.source(p, k)) for k in places(self.window.kernel)]
        return [(k, i) for k, i in found if i is not None]

    def over(self, i: Index) -> list[tuple[Index, Index]]:
        """(tap, position of the window) for every way in which a window sees the place i of x."""
        axes = []
        for a, n in enumerate(self.out):
            stride, dilation = self.window.stride[a], self.window.dilation[a]
            axes.append(
                [
                    (k, p)
                    for k in range(self.window.kernel[a])
                    for p in range(n)
                    if self.sources[a][p * stride + k * dilation] == i[a]
                ]
            )
        combined: list[tuple[Index, Index]] = [((), ())]
        for found in axes:
            combined = [((*ks, k), (*ps, p)) for ks, ps in combined for k, p in found]
        return combined


class ConvRules(Rules):
    """z[n, f, p] = Σ_k W[f, k] u[n, k, p] + b[f]."""

    @staticmethod
    def _geometry(page: Page) -> Geometry:
        layer = page.layer
        spatial, out = page.x_shape[-layer.axes :], page.y_shape[-layer.axes :]
        if layer.padding_mode == "zeros":
            return Geometry.zeros(layer.window, spatial, out)
        sources = [
            np.pad(np.arange(n), border, mode=_NUMPYS[layer.padding_mode]).tolist()
            for n, border in zip(spatial, layer.border, strict=True)
        ]
        return Geometry(layer.window, spatial, out, sources)

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        n, f, p = _split(index, layer.axes)
        group = layer.in_channels // layer.groups
        first = f // (layer.out_channels // layer.groups) * group
        terms: list[Expression] = [
            product(page.parameter("weight", (f, c, *k)), page.x((*n, first + c, *i)))
            for c in range(group)
            for k, i in geometry.under(p)
        ]
        symbols = f"Σ W[{f}, c, k] · x[{_of(n)}c, p · stride + k · dilation − padding]"
        if page.has("bias"):
            terms.append(page.parameter("bias", (f,)))
            symbols += f" + b[{f}]"
        return Rule(symbols, total(terms), f"the patch of x under filter {f} at p = {_place(p)}")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        n, c, i = _split(index, layer.axes)
        group, filters = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        first = c // group * filters
        terms = [
            product(page.parameter("weight", (f, c % group, *k)), page.delta((*n, f, *p)))
            for f in range(first, first + filters)
            for k, p in geometry.over(i)
        ]
        symbols = f"Σ W[f, {c % group}, k] · δ[{_of(n)}f, p]"
        return Rule(symbols, total(terms), f"over all filters f, and the p at which tap k lies on {_place(i)}")

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        batch = list(places(page.x_shape[: len(page.x_shape) - layer.axes - 1]))
        if part == "bias":
            (f,) = index
            found = [page.delta((*n, f, *p)) for n in batch for p in places(geometry.out)]
            return Rule(f"Σ δ[n, {f}, p] over all n and p", total(found))
        f, c, *k = index
        group = layer.in_channels // layer.groups
        channel = f // (layer.out_channels // layer.groups) * group + c
        terms = []
        for n in batch:
            for p in places(geometry.out):
                i = geometry.source(p, tuple(k))
                if i is not None:
                    terms.append(product(page.delta((*n, f, *p)), page.x((*n, channel, *i))))
        symbols = f"Σ δ[n, {f}, p] · x[n, {channel}, p · stride + k · dilation − padding], k = {_place(tuple(k))}"
        return Rule(symbols, total(terms), "over all n and p: the filter's tap met another x at each p")


class ConvTransposeRules(Rules):
    """Convolution with the roles of x and z changed: what its δ does, x does here."""

    @staticmethod
    def _geometry(page: Page) -> Geometry:
        axes = page.layer.axes
        return Geometry.zeros(page.layer.window, page.y_shape[-axes:], page.x_shape[-axes:])

    def output(self, page: Page, index: Index, number: int) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        n, f, i = _split(index, layer.axes)
        group, channels = layer.out_channels // layer.groups, layer.in_channels // layer.groups
        first = f // group * channels
        terms: list[Expression] = [
            product(page.parameter("weight", (c, f % group, *k)), page.x((*n, c, *p)))
            for c in range(first, first + channels)
            for k, p in geometry.over(i)
        ]
        symbols = f"Σ W[c, {f % group}, k] · x[{_of(n)}c, p]"
        if page.has("bias"):
            terms.append(page.parameter("bias", (f,)))
            symbols += f" + b[{f}]"
        return Rule(symbols, total(terms), f"over the p from which tap k reaches {_place(i)}")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        n, c, p = _split(index, layer.axes)
        group = layer.out_channels // layer.groups
        first = c // (layer.in_channels // layer.groups) * group
        terms = [
            product(page.parameter("weight", (c, f, *k)), page.delta((*n, first + f, *i)))
            for f in range(group)
            for k, i in geometry.under(p)
        ]
        return Rule(f"Σ W[{c}, f, k] · δ[{_of(n)}f, p · stride + k · dilation − padding]", total(terms))

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        batch = list(places(page.x_shape[: len(page.x_shape) - layer.axes - 1]))
        if part == "bias":
            (f,) = index
            found = [page.delta((*n, f, *i)) for n in batch for i in places(geometry.spatial)]
            return Rule(f"Σ δ[n, {f}, p] over all n and p", total(found))
        c, f, *k = index
        group = layer.out_channels // layer.groups
        filter_ = c // (layer.in_channels // layer.groups) * group + f
        terms = []
        for n in batch:
            for p in places(geometry.out):
                i = geometry.source(p, tuple(k))
                if i is not None:
                    terms.append(product(page.x((*n, c, *p)), page.delta((*n, filter_, *i))))
        return Rule(f"Σ x[n, {c}, p] · δ[n, {filter_}, p · stride + k · dilation − padding]", total(terms))


def _split(index: Index, axes: int) -> tuple[Index, int, Index]:
    """The batch's part of an index (empty for a sample alone), the channel, and the place."""
    return index[: -axes - 1], index[-axes - 1], index[-axes:]


def _of(n: Index) -> str:
    return "".join(f"{i}, " for i in n)


def _place(i: Index) -> str:
    return str(i[0]) if len(i) == 1 else f"({', '.join(map(str, i))})"
