from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import OptionError, ShapeError
from numnet.kernels import reference

TORCH_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@pytest.mark.parametrize("mode", TORCH_MODES)
@pytest.mark.parametrize(
    "size, padding",
    [
        ((4,), ((1, 2),)),
        ((4,), ((3, 3),)),
        ((4,), ((0, 0),)),
        ((5,), ((-1, 2),)),
        ((5,), ((1, -3),)),
        ((3, 5), ((2, 1), (0, 4))),
        ((3, 5), ((-1, 1), (2, -2))),
        ((3, 4, 5), ((1, 2), (2, 0), (3, 4))),
    ],
)
def test_pad(mode, size, padding, draw, close, by_torch):
    import torch

    backwards = [n for pair in reversed(padding) for n in pair]  # PyTorch starts with the last axis
    x = draw(2, 3, *size)
    y, delta, (delta_x,) = by_torch(lambda x: torch.nn.functional.pad(x, backwards, TORCH_MODES[mode]), draw, x)
    close(reference.pad(x, padding, mode), y)
    close(reference.pad_backward(delta, padding, mode), delta_x)


@pytest.mark.parametrize("mode", ["zeros", "replicate"])
def test_wide_padding(mode, draw, close, by_torch):
    import torch

    x = draw(2, 1, 2)
    y, delta, (delta_x,) = by_torch(lambda x: torch.nn.functional.pad(x, [7, 5], TORCH_MODES[mode]), draw, x)
    close(reference.pad(x, [(7, 5)], mode), y)
    close(reference.pad_backward(delta, [(7, 5)], mode), delta_x)


def test_one_element(draw):
    x = draw(1, 1, 1)
    for mode in ("replicate", "circular"):
        np.testing.assert_array_equal(reference.pad(x, [(1, 1)], mode), np.repeat(x, 3, axis=2))


def test_no_images(draw):
    for mode in TORCH_MODES:
        assert reference.pad(draw(0, 2, 4), [(1, 2)], mode).shape == (0, 2, 7)
        assert reference.pad_backward(draw(0, 2, 7), [(1, 2)], mode).shape == (0, 2, 4)


def test_without_padding_the_result_is_a_copy(draw):
    x = draw(1, 2, 3)
    for mode in TORCH_MODES:
        y = reference.pad(x, [(0, 0)], mode)
        assert not np.shares_memory(x, y)
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    "mode, padding", [("reflect", (4, 0)), ("reflect", (0, 4)), ("circular", (5, 0)), ("zeros", (-3, -2))]
)
def test_too_much_is_refused(mode, padding, draw):
    with pytest.raises(ShapeError, match="cure"):
        reference.pad(draw(1, 1, 4), [padding], mode)


def test_an_unknown_mode_is_refused(draw):
    with pytest.raises(OptionError, match="reflect, replicate, circular"):
        reference.pad(draw(1, 1, 4), [(1, 1)], "mirror")
