"""The compiled cells of recurrent networks, held against their reference twins, on every instruction set here."""

from __future__ import annotations

from functools import partial

import compiled
import numpy as np
import pytest

from numnet import kernels
from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference

recurrent = compiled.module("recurrent")
check = partial(compiled.check, recurrent)

WIDTHS = {  # of each argument, in units
    "tanh_cell": (1, 1),
    "relu_cell": (1, 1),
    "lstm_cell": (4, 4, 1),
    "lstm_cell_backward": (4, 1, 1, 1, 1),
    "gru_cell": (3, 3, 1),
    "gru_cell_backward": (3, 1, 1, 1),
}
SHAPES = [(1, 1), (3, 7), (2, 8), (5, 33), (32, 50), (0, 4), (4, 0)]
every_cell = pytest.mark.parametrize("name", WIDTHS)


def test_every_kernel_is_here():
    assert {name for name in reference.__all__ if hasattr(recurrent, name)} == set(WIDTHS)


@every_cell
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes_and_layouts(name, shape, isa, draw):
    rows, H = shape
    for _ in range(4):  # each of the layouts of draw
        check(name, *[draw(rows, width * H) for width in WIDTHS[name]])


@every_cell
def test_far_from_0(name, isa, dtype):
    """No gate overflows, and NaN passes."""
    numbers = np.array([0, -0.0, 1e-6, -1e-6, 3, -30, 90, -90, 800, -800, np.inf, -np.inf, np.nan], dtype)
    pairs = np.stack(np.meshgrid(numbers, numbers), -1).reshape(-1, 2)  # of u and v
    first = np.concatenate([pairs[:, :1]] * WIDTHS[name][0], axis=1)
    rest = [np.concatenate([pairs[:, 1:]] * width, axis=1) for width in WIDTHS[name][1:]]
    if not name.endswith("_backward"):
        check(name, first, *rest)


@every_cell
def test_the_bits_do_not_depend_on_the_number_of_threads(name, isa, dtype, rng, threads):
    arguments = tuple(rng.standard_normal((301, width * 130)).astype(dtype) for width in WIDTHS[name])
    found = []
    for count in (1, 2, 3):
        threads(count)
        found.append(compiled.bits(recurrent, name, arguments))
    assert found[0] == found[1] == found[2]


@every_cell
def test_what_does_not_fit_is_left_to_the_reference(name, draw, dtype):
    good = [draw(3, width * 5) for width in WIDTHS[name]]
    other = np.float32 if dtype == np.float64 else np.float64
    for i, a in enumerate(good):
        for bad, error in ((a[:, :-1], ShapeError), (a[1:], ShapeError), (a.astype(other), DtypeError)):
            arguments = [*good[:i], bad, *good[i + 1 :]]
            assert getattr(recurrent, name)(*arguments) is NotImplemented
            with pytest.raises(error):
                getattr(kernels, name)(*arguments)
