from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import OptionError, ShapeError
from numnet.kernels import reference
from numnet.taps import Taps, padding_taps, spans

TORCH_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def pad(x, padding, mode):
    return reference.resample(x, padding_taps(x.shape, padding, mode))


def pad_backward(delta, x_shape, padding, mode):
    return reference.resample(delta, [taps.transposed for taps in padding_taps(x_shape, padding, mode)])


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
    close(pad(x, padding, mode), y)
    close(pad_backward(delta, x.shape, padding, mode), delta_x)


@pytest.mark.parametrize("mode", ["zeros", "replicate"])
def test_wide_padding(mode, draw, close, by_torch):
    import torch

    x = draw(2, 1, 2)
    y, delta, (delta_x,) = by_torch(lambda x: torch.nn.functional.pad(x, [7, 5], TORCH_MODES[mode]), draw, x)
    close(pad(x, [(7, 5)], mode), y)
    close(pad_backward(delta, x.shape, [(7, 5)], mode), delta_x)


def test_one_element(draw):
    x = draw(1, 1, 1)
    for mode in ("replicate", "circular"):
        np.testing.assert_array_equal(pad(x, [(1, 1)], mode), np.repeat(x, 3, axis=2))


def test_no_images(draw):
    for mode in TORCH_MODES:
        assert pad(draw(0, 2, 4), [(1, 2)], mode).shape == (0, 2, 7)
        assert pad_backward(draw(0, 2, 7), (0, 2, 4), [(1, 2)], mode).shape == (0, 2, 4)


def test_without_padding_the_result_is_a_copy(draw):
    x = draw(1, 2, 3)
    for mode in TORCH_MODES:
        y = pad(x, [(0, 0)], mode)
        assert not np.shares_memory(x, y)
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    "mode, padding", [("reflect", (4, 0)), ("reflect", (0, 4)), ("circular", (5, 0)), ("zeros", (-3, -2))]
)
def test_too_much_is_refused(mode, padding, draw):
    with pytest.raises(ShapeError, match="cure"):
        pad(draw(1, 1, 4), [padding], mode)


def test_an_unknown_mode_is_refused(draw):
    with pytest.raises(OptionError, match="reflect, replicate, circular"):
        pad(draw(1, 1, 4), [(1, 1)], "mirror")


def matrix(taps):
    """The taps as the matrix that they are."""
    dense = np.zeros((taps.out, taps.size))
    np.add.at(dense, (taps.output, taps.place), taps.weight)
    return dense


SPARSE = [
    Taps.of(4, np.array([2, 0, 2, 2]), np.array([3, 1, 0, 3]), np.array([1.0, -2.0, 0.5, 3.0]), 5),
    Taps.of(3, np.zeros(0, int), np.zeros(0, int), np.zeros(0), 2),
    Taps.padding(5, 2, 1, "reflect"),
    Taps.regions(7, 3),
    Taps.regions(3, 7),
]


@pytest.mark.parametrize("taps", SPARSE, ids=lambda taps: f"{taps.size} to {taps.out}")
def test_taps_are_a_matrix_and_its_transpose(taps, draw, close):
    x, delta = draw(2, taps.size, 3), draw(2, taps.out, 3)
    same = Taps.padding(3, 0, 0, "zeros")
    close(reference.resample(x, [taps, same]), np.einsum("oi,nij->noj", matrix(taps), x).astype(x.dtype))
    np.testing.assert_array_equal(matrix(taps.transposed), matrix(taps).T)
    close(
        reference.resample(delta, [taps.transposed, same]),
        np.einsum("oi,noj->nij", matrix(taps), delta).astype(x.dtype),
    )


def test_shared_taps_cannot_be_written_to():
    taps = Taps.padding(5, 2, 1, "reflect")
    assert Taps.padding(5, 2, 1, "reflect") is taps
    for array in (taps.start, taps.place, taps.weight, taps.transposed.weight):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_what_has_no_taps_gets_the_value(draw):
    y = reference.resample(draw(1, 2), [Taps.padding(2, 1, 2, "zeros")], 7.5)
    np.testing.assert_array_equal(y[0, [0, 3, 4]], 7.5)


def test_an_empty_output_has_its_own_taps_alone(dtype):
    x = np.array([[np.inf, 1, 2]], dtype)  # no weight of 0 meets the infinity
    np.testing.assert_array_equal(reference.resample(x, [Taps.padding(3, 0, 2, "replicate")])[0, 1:], [1, 2, 2, 2])


def test_taps_for_another_size_are_refused(draw):
    with pytest.raises(ShapeError, match="last axes"):
        reference.resample(draw(2, 5), [Taps.regions(4, 2)])


def test_regions_cover_everything():
    assert spans(7, 3) == [(0, 3), (2, 5), (4, 7)]
    with pytest.raises(ShapeError, match="elements"):
        Taps.regions(0, 3)
