"""The compiled recurrent kernels, held against their reference twins, on every instruction set here."""

from __future__ import annotations

import itertools
from functools import partial

import compiled
import numpy as np
import pytest

from numnet import kernels
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.kernels import reference

recurrent = compiled.module("recurrent")
check = partial(compiled.check, recurrent)

GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}
SHAPES = [(1, 1, 1), (4, 20, 33), (2, 3, 900), (5, 1, 140), (1, 18, 9)]  # T, N, H; DEPTH of a product is at most 888
every_cell = pytest.mark.parametrize("cell", GATES)


def arguments(draw, cell, shape, bias=True, mask=None, backwards=False, keep=True, from_zero=False, width=0):
    """Of recur; with a width, h is projected to it."""
    T, N, H = shape
    P = width or H
    state = None if from_zero else (draw(N, P), draw(N, H)) if cell == "lstm" else (draw(N, P),)
    W, projection = draw(GATES[cell] * H, P) / P**0.5, draw(P, H) / H**0.5 if width else None
    W.flags.writeable = False
    b = draw(GATES[cell] * H) if bias else None
    return draw(T, N, GATES[cell] * H), state, W, b, projection, mask, cell, backwards, keep


def way_back(draw, forward, delta_y=True, keep=True, needs_state=True):
    """The arguments of recur_backward, from those of recur."""
    u, _, W, _, projection, mask, cell, backwards, _ = forward
    past = reference.recur(*forward[:-1], True)
    T, N, P, H = *u.shape[:2], W.shape[1], len(W) // GATES[cell]
    delta_state = (draw(N, P), draw(N, H)) if cell == "lstm" else (draw(N, P),)
    how = cell, backwards, keep, needs_state
    return *past, W, projection, mask, draw(T, N, P) if delta_y else None, delta_state, *how


def test_every_kernel_is_here():
    names = {"recur", "recur_backward", "recur_sums"}
    assert {name for name in reference.__all__ if hasattr(recurrent, name)} == names


@every_cell
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("masked", [False, True])
def test_shapes_and_options(cell, shape, masked, isa, draw, rng):
    mask = rng.random((*shape[:2], 1)) < 0.6 if masked else None
    for backwards, keep in itertools.product([False, True], repeat=2):  # draw gives each another layout
        there = backwards == keep
        forward = arguments(draw, cell, shape, there, mask, backwards, keep, from_zero=keep)
        check("recur", *forward)
        check("recur_backward", *way_back(draw, forward, there, keep, needs_state=keep))


@pytest.mark.parametrize("shape, width", [((1, 1, 2), 1), ((4, 20, 33), 7), ((3, 3, 260), 40), ((5, 1, 140), 100)])
@pytest.mark.parametrize("masked", [False, True])
def test_projections(shape, width, masked, isa, draw, rng):
    mask = rng.random((*shape[:2], 1)) < 0.6 if masked else None
    for backwards, keep in itertools.product([False, True], repeat=2):
        how = {"mask": mask, "backwards": backwards, "from_zero": keep, "width": width}
        forward = arguments(draw, "lstm", shape, keep=keep, **how)
        check("recur", *forward)
        check("recur_backward", *way_back(draw, forward, keep, keep, needs_state=backwards))


@every_cell
def test_layouts_of_a_batch_that_comes_first(cell, isa, draw):
    """u and δ with strides of a step and a row of their own are read where they lie."""
    u, *rest = arguments(draw, cell, (4, 3, 9))
    forward = (np.ascontiguousarray(u.swapaxes(0, 1)).swapaxes(0, 1), *rest)
    check("recur", *forward)
    back = list(way_back(draw, forward))
    back[8] = draw(3, 4, 18)[:, :, 9:].swapaxes(0, 1)
    check("recur_backward", *back)


@every_cell
def test_far_from_0(cell, isa, dtype):
    """No gate overflows, and NaN passes."""
    numbers = np.array([0, -0.0, 1e-6, -1e-6, 3, -30, 90, -90, 800, -800, np.inf, -np.inf, np.nan], dtype)
    u = np.repeat(numbers, GATES[cell])[None, :, None] * np.ones((1, 1, GATES[cell]), dtype)  # every unit its own row
    state = tuple(np.linspace(-2, 2, u.shape[1], dtype=dtype)[:, None] for _ in range(2 if cell == "lstm" else 1))
    W = np.zeros((GATES[cell], 1), dtype)
    check("recur", u, state, W, None, None, None, cell, False, True)


@every_cell
def test_what_has_ended_is_out_of_play(cell, isa, draw):
    """The δ of a state that stays is handed on as it is: an infinite weight has no part in it."""
    mask = np.array([[True, False, True]] * 4)[..., None]
    back = list(way_back(draw, arguments(draw, cell, (4, 3, 20), mask=mask)))
    W, state = back[5].copy(), back[9]
    W[3, 5] = np.inf
    back[5] = W
    check("recur_backward", *back)
    first = recurrent.recur_backward(*back)[4]
    assert first[1].tobytes() == state[0][1].tobytes()
    assert not np.isfinite(first[0]).all()


def factors(draw, T, N, inputs, width, gated):
    """Of recur_sums, but for what is needed."""
    delta_u = draw(T, N, gated)
    return draw(T, N, inputs), draw(T, N, width), delta_u, delta_u


@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1, 1), (2, 3, 5, 9, 70), (29, 21, 28, 13, 33), (3, 200, 1, 260, 20)], ids=str
)
def test_sums_over_time(shape, isa, draw):
    x, h, delta_u, same = factors(draw, *shape)
    check("recur_sums", x, h, delta_u, same, (True,) * 4)
    check("recur_sums", x, h, delta_u, draw(*delta_u.shape), (True,) * 4)


@pytest.mark.parametrize("needs", list(itertools.product([False, True], repeat=4)), ids=str)
def test_sums_that_nobody_asks_for(needs, isa, draw):
    x, h, delta_u, same = factors(draw, 4, 5, 3, 11, 44)
    check("recur_sums", x, h, delta_u, same, needs)
    check("recur_sums", x, h, delta_u, draw(4, 5, 44), needs)
    ours = [a for a in recurrent.recur_sums(x, h, delta_u, same, needs) if a is not None]
    assert not any(np.shares_memory(a, b) for a, b in itertools.combinations(ours, 2))


def test_the_bits_of_sums_do_not_depend_on_the_number_of_threads(isa, draw, threads):
    x, h, delta_u, same = factors(draw, 30, 20, 28, 64, 100)
    found = []
    for count in (1, 2, 3):
        threads(count)
        found.append(compiled.bits(recurrent, "recur_sums", (x, h, delta_u, same, (True,) * 4)))
    assert found[0] == found[1] == found[2]


def test_sums_that_do_not_fit_are_left_to_the_reference(draw, dtype):
    good = factors(draw, 3, 4, 5, 6, 12)
    other = np.float32 if dtype == np.float64 else np.float64
    for i, change in itertools.product(range(4), (lambda a: a[:-1], lambda a: a[:, :-1], lambda a: a.astype(other))):
        bad = (*good[:i], change(good[i]), *good[i + 1 :], (True,) * 4)
        assert recurrent.recur_sums(*bad) is NotImplemented
        with pytest.raises((ShapeError, DtypeError)):
            kernels.recur_sums(*bad)


@pytest.mark.parametrize("cell, projected", [*[(cell, 0) for cell in GATES], ("lstm", 0.6)])
@pytest.mark.parametrize("rows", [1, 37, 4000])  # of 4000 there are fewer units than threads could share
@pytest.mark.parametrize("steps", [1, 3])
def test_the_bits_do_not_depend_on_the_number_of_threads(cell, projected, rows, steps, isa, draw, threads):
    H = int((3e6 / GATES[cell] / rows) ** 0.5)  # work enough for threads
    forward = arguments(draw, cell, (steps, rows, H), width=int(projected * H))
    back = way_back(draw, forward)
    found = []
    for count in (1, 2, 3):
        threads(count)
        found.append(compiled.bits(recurrent, "recur", forward) + compiled.bits(recurrent, "recur_backward", back))
    assert found[0] == found[1] == found[2]


@every_cell
def test_a_sequence_in_pieces_has_the_same_bits(cell, isa, draw):
    """Truncated backpropagation and the recorder of the trace go back piece by piece."""
    u, state, *rest = arguments(draw, cell, (5, 4, 19))
    h, c = recurrent.recur(u, state, *rest)[:2]
    middle = (h[2],) if c is None else (h[2], c[2])
    again = recurrent.recur(u[2:], middle, *rest)
    assert again[0].tobytes() == h[2:].tobytes()


@every_cell
def test_what_does_not_fit_is_left_to_the_reference(cell, draw, dtype):
    forward = arguments(draw, cell, (3, 4, 5), mask=np.ones((3, 4, 1), bool))
    back = way_back(draw, forward)
    other = np.float32 if dtype == np.float64 else np.float64
    gated = GATES[cell] > 1
    cases = [("recur", forward, i) for i in (0, 1, 2, 3, 5)]
    cases += [("recur_backward", back, i) for i in (0, 5, 7, 8, 9)]
    cases += [("recur_backward", back, i) for i in ((1, 2, 3) if cell == "lstm" else (2, 3) if gated else ())]
    for name, good, i in cases:
        for change in (lambda a: a[:-1], lambda a: a.astype(other)):
            old = good[i]
            if old is forward[5] and change(old).shape == old.shape:
                continue  # a mask has no such dtype
            new = tuple(change(a) for a in old) if isinstance(old, tuple) else change(old)
            bad = (*good[:i], new, *good[i + 1 :])
            assert getattr(recurrent, name)(*bad) is NotImplemented, (name, i)
            with pytest.raises((ShapeError, DtypeError)):
                getattr(kernels, name)(*bad)
    for name, good, i in (("recur", forward, 6), ("recur_backward", back, 10)):
        bad = (*good[:i], "peephole", *good[i + 1 :])
        assert getattr(recurrent, name)(*bad) is NotImplemented
        with pytest.raises(OptionError):
            getattr(kernels, name)(*bad)


def test_projections_that_do_not_fit_are_left_to_the_reference(draw, dtype):
    forward = arguments(draw, "lstm", (3, 4, 8), width=5)
    back = way_back(draw, forward)
    other = np.float32 if dtype == np.float64 else np.float64
    for name, good, i in (("recur", forward, 4), ("recur_backward", back, 4), ("recur_backward", back, 6)):
        for change in (lambda a: a[:-1], lambda a: a[..., :-1], lambda a: a.astype(other)):
            bad = (*good[:i], change(good[i]), *good[i + 1 :])
            assert getattr(recurrent, name)(*bad) is NotImplemented, (name, i)
            with pytest.raises((ShapeError, DtypeError)):
                getattr(kernels, name)(*bad)


@pytest.mark.parametrize("shape", [(3, 0, 4), (0, 2, 4)], ids=str)
def test_nothing_at_all(shape, draw):
    forward = arguments(draw, "lstm", shape)
    assert recurrent.recur(*forward) is NotImplemented
    h = kernels.recur(*forward)[0]
    assert h.shape == (shape[0] + 1, *shape[1:])
