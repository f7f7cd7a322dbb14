"""Filters of a convolution, and the maps that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ... import nn
from ...arrays import Array
from ...errors import OptionError, ShapeError
from ..recording import Recording
from .canvas import host, largest, new_figure, picture, show_signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_feature_maps", "plot_filters"]

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)


def plot_filters(net: nn.Module, path: str = "", rgb: bool = False, most: int = 64) -> Figure:
    """The filters of a convolution: one image for each, its channels tiled in it; in one dimension channel × tap.

    Orange is positive, purple negative; all filters have one scale, that of the bar.

    Args:
        net: a convolution, or a network with the convolution at ``path``.
        path: as in ``net.named_modules()``.
        rgb: draw filters over three channels in colours, red, green and blue; 0 is mid-grey.
        most: how many filters to draw; of more, the first ones.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.

    Raises:
        OptionError: no convolution at ``path``, ``rgb`` without three channels, ``most`` below 1.
        MissingExtraError: matplotlib is not installed.
    """
    modules = dict(net.named_modules())
    layer = modules.get(path)
    if not isinstance(layer, _CONVOLUTIONS):
        known = ", ".join(repr(name) for name, module in modules.items() if isinstance(module, _CONVOLUTIONS))
        there = f"{path!r} is a {type(layer).__name__}" if layer is not None else f"nothing at {path!r}"
        cure = f"path = one of {known}" if known else "this network has no convolution"
        raise OptionError("the path of a convolution", there, cure)
    filters = _filters(layer)  # (F, C, *kernel)
    if rgb and (filters.shape[1] != 3 or filters.ndim != 4):
        raise OptionError("rgb for filters (F, 3, height, width)", f"{filters.shape}", "leave rgb out")
    name = f"{path} {type(layer).__name__}".strip()
    if rgb:
        heading = f"filters of {name}: W in red, green, blue; 0 is mid-grey"
    else:
        channels = filters.shape[1]
        heading = f"filters of {name}" + (f", each with its {channels} channels" if channels > 1 else "")
    return _many(filters, heading, "W", "filter", most, rgb)


def plot_feature_maps(trace: Recording, path: str, sample: int = 0, most: int = 64) -> Figure:
    """What a layer made of one sample: one image for each of its maps; in one dimension channel × position.

    Orange is positive, purple negative; all maps have one scale, that of the bar.

    Args:
        trace: what :func:`numnet.inspect.trace` recorded for a batch.
        path: the name of the call, ``"0"`` or ``"conv#2"``.
        sample: the number of the sample in the batch.
        most: how many maps to draw; of more, the first ones.

    Returns:
        The figure; ``figure.savefig(path)`` writes it.

    Raises:
        OptionError: no such call or sample, the output was not kept, ``most`` below 1. ShapeError: the output has no
            maps. MissingExtraError: matplotlib is not installed.
    """
    with_maps = [call.name for call in trace.calls if len(call.outputs[0].shape) in (3, 4, 5)]
    try:
        call = trace[path]
    except KeyError:
        raise OptionError(f"a call among {[call.name for call in trace.calls]}", repr(path)) from None
    shape = call.outputs[0].shape
    if len(shape) not in (3, 4, 5):
        cure = f"path = one of {', '.join(map(repr, with_maps))}" if with_maps else "trace.plot() shows units"
        raise ShapeError("an output with maps, (N, C, H, W)", f"shape {shape} of {path!r}", cure)
    if not 0 <= sample < shape[0]:
        raise OptionError(f"a sample from 0 to {shape[0] - 1}", f"sample={sample}")
    maps = host(call.output)[sample]
    if maps.ndim == 2:
        maps = maps[None]
    heading = f"output of {call.name} {call.kind} for sample {sample}"
    return _many(maps, heading, "a", "" if len(shape) == 3 else "map", most)


def _filters(layer: Any) -> Array:
    """(F, C, *kernel): of a transposed convolution too, whose weight has them the other way round."""
    W: Array = host(layer.weight.array)
    if not isinstance(layer, _TRANSPOSED):
        return W
    groups = layer.groups
    per_group = W.reshape(groups, W.shape[0] // groups, *W.shape[1:])  # (G, C, F / G, *kernel)
    return np.swapaxes(per_group, 1, 2).reshape(-1, *per_group.shape[1:2], *W.shape[2:])


def _many(items: Array, heading: str, letter: str, word: str, most: int, rgb: bool = False) -> Figure:
    """A near-square grid with one image for each item, all on one scale."""
    if most < 1:
        raise OptionError("most of at least 1", f"most={most}", "most=64")
    total, shown = len(items), items[:most]
    count = len(shown)
    few = max(round((count / 1.6) ** 0.5), 1)
    down = few if count % few == 0 or count % (few + 1) else few + 1  # a grid without a gap, if there is one near
    across = -(-count // down)
    if total > count:
        heading += f"; the first {count} of {total}"
    wrong = int((~np.isfinite(shown)).sum())
    if wrong:
        heading += f"; {wrong} NaN or inf"
    tall, wide = (1, 1) if rgb else picture(shown[0]).shape
    width = min(max(min(8 / across, 6 / down), 1.1), 3.2)  # inches of one image
    height = width * min(max(tall / wide, 0.5), 2)
    figure = new_figure(max(width * across + 1.2, 4.5), (height + 0.25) * down + 0.8)
    figure.suptitle(heading, fontsize=11)
    grid = figure.subplots(down, across, squeeze=False)
    limit = largest(shown)
    image = None
    for number, axes in enumerate(grid.flat):
        if number >= count:
            axes.remove()
            continue
        if rgb:
            axes.imshow(0.5 + np.moveaxis(shown[number], 0, -1).astype(np.float64) / (2 * limit))
            axes.set_xticks([])
            axes.set_yticks([])
        else:
            one = shown[number]
            image = show_signed(axes, one[0] if one.ndim == 3 and len(one) == 1 else one, limit)
            axes.set_aspect("equal" if one.ndim > 1 and max(one.shape[-2:]) < 8 * min(one.shape[-2:]) else "auto")
        if word:
            axes.set_title(str(number), fontsize=8, pad=2)
    if word and count > 1:
        figure.supxlabel(f"number of the {word}", fontsize=9)
    if image is not None:
        left = [axes for axes in grid.flat if axes.figure is not None]
        figure.colorbar(image, ax=left, label=letter, shrink=0.9, aspect=25)
    return figure
