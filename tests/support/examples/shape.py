"""Layers that change the shape."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Identity: [Example(nn.Identity, (numbers(3, 4),))],
    nn.Flatten: [
        Example(nn.Flatten, (numbers(3, 2, 4),)),
        Example(lambda: nn.Flatten(0, 1), (numbers(3, 2, 4),)),
    ],
    nn.Unflatten: [
        Example(lambda: nn.Unflatten(1, (2, -1)), (numbers(3, 6),)),
        Example(lambda: nn.Unflatten(-2, (2, 2)), (numbers(2, 4, 3),)),
    ],
    nn.PixelShuffle: [Example(lambda: nn.PixelShuffle(2), (numbers(2, 4, 1, 3),))],
    nn.PixelUnshuffle: [Example(lambda: nn.PixelUnshuffle(2), (numbers(2, 1, 2, 4),))],
    nn.ChannelShuffle: [Example(lambda: nn.ChannelShuffle(2), (numbers(2, 6, 2),))],
    nn.Upsample: [
        Example(lambda: nn.Upsample(scale_factor=1.5), (numbers(2, 1, 3),)),
        Example(lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (numbers(2, 1, 2, 3),)),
        Example(lambda: nn.Upsample(5, mode="linear", align_corners=True), (numbers(2, 2, 3),)),
        Example(lambda: nn.Upsample(size=(3, 2), mode="bicubic"), (numbers(1, 2, 2, 3),)),
    ],
}
