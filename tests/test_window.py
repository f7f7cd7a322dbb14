"""The window's positions, against a count by hand and against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numnet.errors import OptionError, ShapeError
from numnet.window import Window, per_axis


def positions(size: int, extent: int, stride: int, before: int, after: int, ceil_mode: bool) -> int:
    """Slide the window along one axis, and count."""
    count, start, end = 0, -before, size + after
    while start + extent <= end:
        count, start = count + 1, start + stride
    if ceil_mode:
        left_over = start - stride + extent < end
        return sum(i * stride - before < size for i in range(count + left_over))
    return count


@given(
    size=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 5),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    dilation=st.integers(1, 3),
    ceil_mode=st.booleans(),
)
def test_output_shape_counts_the_positions(size, kernel, stride, before, after, dilation, ceil_mode):
    extent = dilation * (kernel - 1) + 1
    assume(not ceil_mode or max(before, after) <= extent)  # pooling allows half of that
    window = Window((kernel,), (stride,), ((before, after),), (dilation,), ceil_mode)
    expected = positions(size, extent, stride, before, after, ceil_mode)
    if expected == 0:
        with pytest.raises(ShapeError, match="smaller kernel_size"):
            window.output_shape((size,))
    else:
        assert window.output_shape((size,)) == (expected,)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [2, 3])
def test_output_shape_is_that_of_torch(kernel, stride, padding, ceil_mode):
    torch = pytest.importorskip("torch", reason="the comparison is with PyTorch")
    for size in range(1, 12):
        window = Window((kernel,), (stride,), ((padding, padding),), (1,), ceil_mode)
        x = torch.zeros(1, 1, size)
        try:
            y = torch.nn.functional.max_pool1d(x, kernel, stride, padding, ceil_mode=ceil_mode)
        except RuntimeError:
            with pytest.raises(ShapeError):
                window.output_shape((size,))
        else:
            assert window.output_shape((size,)) == tuple(y.shape[2:])


def test_axes_are_independent():
    window = Window((3, 2), (1, 2), ((0, 2), (1, 0)), (2, 1))
    assert window.axes == 2
    assert window.extent == (5, 2)
    assert window.output_shape((6, 5)) == (4, 3)


def test_an_axis_without_elements_has_no_positions():
    with pytest.raises(ShapeError):
        Window((1,), (1,), ((1, 1),), (1,)).output_shape((0,))


def test_per_axis_repeats_a_number_and_keeps_a_sequence():
    assert per_axis("kernel_size", 3, 2) == (3, 3)
    assert per_axis("kernel_size", [3, 4], 2) == (3, 4)
    assert per_axis("padding", 0, 3, minimum=0) == (0, 0, 0)
    of_numpy = per_axis("kernel_size", np.int64(3), 2)
    assert of_numpy == (3, 3)
    assert all(type(n) is int for n in of_numpy)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, (1, 2, 3), (1,), ("1", "2"), None])
def test_per_axis_refuses_what_is_no_size(value):
    with pytest.raises(OptionError, match="stride"):
        per_axis("stride", value, 2)
