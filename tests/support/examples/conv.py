"""Convolutions and their transposes; Unfold and Fold."""

from __future__ import annotations

from contract import Example, numbers

from numnet import nn

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Conv1d: [
        Example(lambda: nn.Conv1d(2, 3, 3, padding=1), (numbers(2, 2, 5),)),
        Example(lambda: nn.Conv1d(2, 2, 2, stride=2, groups=2, padding=1, padding_mode="reflect"), (numbers(2, 2, 4),)),
    ],
    nn.Conv2d: [
        Example(lambda: nn.Conv2d(2, 3, 3), (numbers(2, 2, 5, 4),)),
        Example(lambda: nn.Conv2d(2, 4, (2, 3), stride=2, padding=(1, 0), groups=2), (numbers(2, 2, 5, 6),)),
        Example(lambda: nn.Conv2d(1, 2, 2, padding="same", dilation=2, bias=False), (numbers(2, 1, 4, 5),)),
        Example(lambda: nn.Conv2d(1, 1, 1, padding=2, padding_mode="reflect"), (numbers(1, 1, 4, 4),)),
        Example(lambda: nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), (numbers(2, 1, 3, 3),)),
        Example(lambda: nn.Conv2d(1, 2, 3, padding=(2, 1), padding_mode="replicate"), (numbers(2, 1, 3, 4),)),
    ],
    nn.Conv3d: [
        Example(lambda: nn.Conv3d(1, 2, 2, padding=(0, 1, 0)), (numbers(2, 1, 2, 2, 3),)),
        Example(lambda: nn.Conv3d(2, 2, (1, 2, 2), stride=2, groups=2, bias=False), (numbers(2, 2, 2, 3, 2),)),
    ],
    nn.ConvTranspose1d: [
        Example(lambda: nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), (numbers(2, 2, 3),)),
        Example(lambda: nn.ConvTranspose1d(2, 2, 2, dilation=3, output_padding=2, bias=False), (numbers(2, 2, 3),)),
    ],
    nn.ConvTranspose2d: [
        Example(lambda: nn.ConvTranspose2d(2, 1, 2), (numbers(2, 2, 2, 3),)),
        Example(lambda: nn.ConvTranspose2d(2, 4, (2, 3), stride=2, padding=(1, 0), groups=2), (numbers(2, 2, 3, 2),)),
    ],
    nn.ConvTranspose3d: [
        Example(lambda: nn.ConvTranspose3d(1, 2, 2, padding=(0, 1, 0)), (numbers(2, 1, 2, 2, 1),)),
        Example(lambda: nn.ConvTranspose3d(2, 2, (1, 2, 1), stride=2, groups=2), (numbers(2, 2, 1, 2, 2),)),
    ],
    nn.Unfold: [
        Example(lambda: nn.Unfold((2, 3), padding=1), (numbers(2, 2, 3, 2),)),
        Example(lambda: nn.Unfold(2, dilation=2, stride=2), (numbers(2, 1, 5, 4),)),
        Example(lambda: nn.Unfold(1), (numbers(2, 1, 2, 2),)),
    ],
    nn.Fold: [
        Example(lambda: nn.Fold((3, 2), (2, 3), padding=1), (numbers(2, 12, 8),)),
        Example(lambda: nn.Fold((5, 4), 2, dilation=2, stride=2), (numbers(2, 4, 2),)),
    ],
}
