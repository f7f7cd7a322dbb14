"""The rules of convolution: the patch under the kernel, and the filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...window import Window
from .explanation import Rule
from .expression import Expression, plus, product, total
from .page import Index, Page, Rules, places
from .symbols import Outside, exact

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
        self.with_zeros = False

    @classmethod
    def zeros(cls, window: Window, spatial: Index, out: Index) -> Geometry:
        """With a border of padding that counts nothing; the end of a last window that hangs over too."""
        sources = []
        for n, (before, after), extent in zip(spatial, window.padding, window.extent, strict=True):
            sources.append([-1] * before + list(range(n)) + [-1] * (after + extent))
        geometry = cls(window, spatial, out, sources)
        geometry.with_zeros = True
        return geometry

    def source(self, p: Index, k: Index) -> Index | None:
        """The place of x under tap k of the window at p; ``None`` in the padding."""
        w = self.window
        padded = [a * s + b * d for a, s, b, d in zip(p, w.stride, k, w.dilation, strict=True)]
        found = tuple([axis[i] for axis, i in zip(self.sources, padded, strict=True)])
        return None if -1 in found else found

    def seen(self, p: Index, k: Index) -> Index:
        """The place of x under tap k of the window at p, of which one or both may be symbols.

        Raises:
            Outside: it lies in the padding.
        """
        if self.with_zeros:
            w = self.window
            borders = [before for before, _ in w.padding]
            return tuple([a * s + b * d - e for a, s, b, d, e in zip(p, w.stride, k, w.dilation, borders, strict=True)])
        found = self.source(p, k)
        if found is None:
            raise Outside
        return found

    def position(self, i: Index, k: Index) -> Index:
        """The position of the window whose tap k lies on the place i of x; all may be symbols.

        Raises:
            Outside: there is none.
        """
        w = self.window
        borders = [before for before, _ in w.padding]
        return tuple(
            [exact(a + e - b * d, s) for a, s, b, d, e in zip(i, w.stride, k, w.dilation, borders, strict=True)]
        )

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
        z = page.total(
            (group, *geometry.window.kernel),
            lambda c, *k: product(page.parameter("weight", (f, c, *k)), page.x((*n, first + c, *geometry.seen(p, k)))),
        )
        symbols = f"Σ W[{f}, c, k] · x[{_of(n)}c, p · stride + k · dilation − padding]"
        if page.has("bias"):
            z = plus(z, page.parameter("bias", (f,)))
            symbols += f" + b[{f}]"
        return Rule(symbols, z, f"the patch of x under filter {f} at p = {_place(p)}")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        n, c, i = _split(index, layer.axes)
        group, filters = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        first = c // group * filters

        def term(f: Any, k: Index, p: Index) -> Expression:
            return product(page.parameter("weight", (first + f, c % group, *k)), page.delta((*n, first + f, *p)))

        if geometry.with_zeros:
            sizes = filters, *geometry.window.kernel
            found = page.total(sizes, lambda f, *k: term(f, k, geometry.position(i, k)))
        else:
            found = total(term(f, k, p) for f in range(filters) for k, p in geometry.over(i))
        symbols = f"Σ W[f, {c % group}, k] · δ[{_of(n)}f, p]"
        return Rule(symbols, found, f"over all filters f, and the p at which tap k lies on {_place(i)}")

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        batch = page.x_shape[: len(page.x_shape) - layer.axes - 1]
        if part == "bias":
            (f,) = index
            summed = page.total((*batch, *geometry.out), lambda *i: page.delta((*i[: len(batch)], f, *i[len(batch) :])))
            return Rule(f"Σ δ[n, {f}, p] over all n and p", summed)
        f, c, *k = index
        group = layer.in_channels // layer.groups
        channel = f // (layer.out_channels // layer.groups) * group + c

        def term(*at: Any) -> Expression:
            n, p = at[: len(batch)], at[len(batch) :]
            return product(page.delta((*n, f, *p)), page.x((*n, channel, *geometry.seen(p, tuple(k)))))

        symbols = f"Σ δ[n, {f}, p] · x[n, {channel}, p · stride + k · dilation − padding], k = {_place(tuple(k))}"
        note = "over all n and p: the filter's tap met another x at each p"
        return Rule(symbols, page.total((*batch, *geometry.out), term), note)


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
        y = page.total(
            (channels, *geometry.window.kernel),
            lambda c, *k: product(
                page.parameter("weight", (first + c, f % group, *k)),
                page.x((*n, first + c, *geometry.position(i, k))),
            ),
        )
        symbols = f"Σ W[c, {f % group}, k] · x[{_of(n)}c, p]"
        if page.has("bias"):
            y = plus(y, page.parameter("bias", (f,)))
            symbols += f" + b[{f}]"
        return Rule(symbols, y, f"over the p from which tap k reaches {_place(i)}")

    def input_delta(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        n, c, p = _split(index, layer.axes)
        group = layer.out_channels // layer.groups
        first = c // (layer.in_channels // layer.groups) * group
        found = page.total(
            (group, *geometry.window.kernel),
            lambda f, *k: product(
                page.parameter("weight", (c, f, *k)), page.delta((*n, first + f, *geometry.seen(p, k)))
            ),
        )
        return Rule(f"Σ W[{c}, f, k] · δ[{_of(n)}f, p · stride + k · dilation − padding]", found)

    def gradient(self, page: Page, part: str, index: Index) -> Rule | None:
        layer, geometry = page.layer, self._geometry(page)
        batch = page.x_shape[: len(page.x_shape) - layer.axes - 1]
        if part == "bias":
            (f,) = index
            summed = page.total(
                (*batch, *geometry.spatial), lambda *i: page.delta((*i[: len(batch)], f, *i[len(batch) :]))
            )
            return Rule(f"Σ δ[n, {f}, p] over all n and p", summed)
        c, f, *k = index
        group = layer.out_channels // layer.groups
        filter_ = c // (layer.in_channels // layer.groups) * group + f

        def term(*at: Any) -> Expression:
            n, p = at[: len(batch)], at[len(batch) :]
            return product(page.x((*n, c, *p)), page.delta((*n, filter_, *geometry.seen(p, tuple(k)))))

        symbols = f"Σ x[n, {c}, p] · δ[n, {filter_}, p · stride + k · dilation − padding]"
        return Rule(symbols, page.total((*batch, *geometry.out), term))


def _split(index: Index, axes: int) -> tuple[Index, int, Index]:
    """The batch's part of an index (empty for a sample alone), the channel, and the place."""
    return index[: -axes - 1], index[-axes - 1], index[-axes:]


def _of(n: Index) -> str:
    return "".join(f"{i}, " for i in n)


def _place(i: Index) -> str:
    return str(i[0]) if len(i) == 1 else f"({', '.join(map(str, i))})"
