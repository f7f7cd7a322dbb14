"""The compiled steps of optimisers, held against their reference twins, on every instruction set here.

They are called past the dispatch: an answer ``NotImplemented``, which hands the call to the reference, shows here.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from numnet import _ext, kernels
from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference

if not {"runtime", "steps"} <= set(_ext.modules):
    pytest.skip(f"the extension is not there: {_ext.reason}", allow_module_level=True)
steps = _ext.modules["steps"]
BOTH = (False, True)
SHAPES = pytest.mark.parametrize("shape", [(), (0,), (3, 7), (1000,)], ids=str)

SGD = [
    (momentum, dampening, decay, nesterov, maximize, first)
    for momentum, dampening, nesterov in [(0.0, 0.0, False), (0.9, 0.0, False), (0.9, 0.3, False), (0.9, 0.0, True)]
    for decay, maximize, first in product((0.0, 0.1), BOTH, BOTH)
]
# name: how many arrays are remembered, how many of them may be None, and the numbers, in the order of the reference
CASES: dict[str, tuple[int, int, list[tuple[Any, ...]]]] = {
    "sgd_step": (1, 1, [(0.1, *options) for options in SGD]),
    "asgd_step": (1, 0, list(product((0.1,), (1.0, 0.3), (0.0, 0.2), (0.0, 0.1), BOTH))),
    "rprop_step": (2, 0, [(0.5, 1.2, 0.1, 0.9, maximize) for maximize in BOTH]),
    "adagrad_step": (1, 0, list(product((1, 7), (0.1,), (0.0, 0.3), (1e-10,), (0.0, 0.1), BOTH))),
    "adadelta_step": (2, 0, list(product((0.7,), (0.9,), (1e-6, 0.1), (0.0, 0.1), BOTH))),
    "rmsprop_step": (3, 2, list(product((0.1,), (0.9,), (1e-8, 0.1), (0.0, 0.1), (0.9,), BOTH, BOTH))),
    "adamax_step": (2, 0, list(product((1, 7, 100000), (0.1,), (0.9,), (0.999,), (1e-8,), (0.0, 0.1), BOTH))),
    "adam_step": (3, 1, list(product((1, 7, 100000), (0.1,), (0.9,), (0.999,), (1e-8,), (0.0, 0.1), BOTH, BOTH, BOTH))),
    "nadam_step": (2, 0, [(7, 0.5, 0.6, 0.3, 0.1, 0.9, 0.99, 1e-8, *o) for o in product((0.0, 0.1), BOTH, BOTH)]),
    "radam_step": (2, 0, list(product((1, 7, 100000), (0.1,), (0.9,), (0.3, 0.999), (1e-8,), (0.0, 0.1), BOTH, BOTH))),
}  # fmt: skip
SIGNED = {"sgd_step": {0}, "asgd_step": {0}, "rprop_step": {0}, "rmsprop_step": {1, 2}}  # the others begin with m
for _name in ("adamax_step", "adam_step", "nadam_step", "radam_step"):
    SIGNED[_name] = {0}


def draw(name: str, shape: tuple[int, ...], dtype: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """p, g and what is remembered, as it can be: squares and sizes are not below 0."""
    p, g = (np.asarray(rng.standard_normal(shape), dtype) for _ in range(2))
    remembered = [np.asarray(rng.standard_normal(shape), dtype) for _ in range(CASES[name][0])]
    remembered = [a if i in SIGNED.get(name, ()) else np.asarray(np.square(a)) for i, a in enumerate(remembered)]
    if name == "rmsprop_step":
        remembered[0] += 2 * np.square(remembered[1])  # the mean of squares is never below the square of the mean
    return [p, g, *remembered]


def present(name: str, arrays: list[np.ndarray], numbers: tuple[Any, ...]) -> list[list[np.ndarray | None]]:
    """The arrays with ``None`` in the places where it may be."""
    must = len(arrays) - CASES[name][1]
    if name == "sgd_step":
        return [[*arrays[:must], arrays[2] if numbers[1] else None]]
    if name == "adam_step":
        return [[*arrays[:must], arrays[4] if numbers[6] else None]]
    choices = product(*[(None, a) for a in arrays[must:]])
    return [[*arrays[:must], *choice] for choice in choices]


def run(twin: Any, name: str, arrays: list[np.ndarray | None], numbers: tuple[Any, ...]) -> list[np.ndarray | None]:
    arrays = [None if a is None else a.copy() for a in arrays]
    assert arrays[1] is not None
    arrays[1].flags.writeable = False
    assert getattr(twin, name)(*arrays, *numbers) is None
    return arrays


def test_every_step_has_its_cases() -> None:
    names = {name for name in reference.__all__ if name.endswith("_step")}
    assert names == set(CASES) == {name for name in dir(steps) if name.endswith("_step")}


@SHAPES
@pytest.mark.parametrize("name", CASES)
def test_a_step_is_that_of_the_reference(name, shape, isa, dtype, rng) -> None:
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for numbers in CASES[name][2]:
        for arrays in present(name, draw(name, shape, dtype, rng), numbers):
            ours, theirs = run(steps, name, arrays, numbers), run(reference, name, arrays, numbers)
            for a, b in zip(ours, theirs, strict=True):
                if b is not None:
                    assert np.all(np.isfinite(b))
                    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=f"{name}{numbers}")


@pytest.mark.parametrize("name", CASES)
def test_not_a_number_stays_in_its_place(name, isa, dtype, rng) -> None:
    numbers = CASES[name][2][-1]
    for at in range(2 + CASES[name][0]):
        arrays = draw(name, (50,), dtype, rng)
        arrays[at][::7] = np.nan
        for given in present(name, arrays, numbers):
            with np.errstate(invalid="ignore"):
                theirs = run(reference, name, given, numbers)
            for a, b in zip(run(steps, name, given, numbers), theirs, strict=True):
                if b is not None:
                    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))


@pytest.mark.parametrize("name", CASES)
def test_the_bits_do_not_depend_on_the_number_of_threads(name, isa, dtype, rng, threads) -> None:
    numbers = CASES[name][2][-1]
    for arrays in present(name, draw(name, (300_001,), dtype, rng), numbers)[-1:]:
        bits = []
        for count in (1, 2, 3):
            threads(count)
            bits.append([a.tobytes() for a in run(steps, name, arrays, numbers) if a is not None])
        assert bits[0] == bits[1] == bits[2]


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_fit_is_left_to_the_reference(name, isa, dtype, rng) -> None:
    numbers = CASES[name][2][-1]
    kernel, whole = getattr(steps, name), draw(name, (4, 5), dtype, rng)
    before = [a.copy() for a in whole]
    other = np.float32 if dtype == np.float64 else np.float64
    for at in range(len(whole)):
        for wrong in (whole[at][0], whole[at].astype(other), whole[at].tolist()):
            assert kernel(*whole[:at], wrong, *whole[at + 1 :], *numbers) is NotImplemented
        if at != 1:  # the gradient is only read, in any order
            read_only = whole[at].copy()
            read_only.flags.writeable = False
            for wrong in (np.asfortranarray(whole[at]), read_only, whole[at][::-1]):
                assert kernel(*whole[:at], wrong, *whole[at + 1 :], *numbers) is NotImplemented
    for a, b in zip(whole, before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ShapeError, match="of shape"):
        getattr(kernels, name)(whole[0], whole[1], *(a[0] for a in whole[2:]), *numbers)
    with pytest.raises(DtypeError, match="g of dtype"):
        getattr(kernels, name)(whole[0], whole[1].astype(other), *whole[2:], *numbers)


@pytest.mark.parametrize("name", CASES)
def test_a_gradient_in_any_memory_order(name, isa, dtype, rng) -> None:
    numbers = CASES[name][2][-1]
    arrays = draw(name, (4, 6), dtype, rng)
    expected = run(steps, name, arrays, numbers)
    for g in (np.asfortranarray(arrays[1]), np.repeat(arrays[1], 2, axis=1)[:, ::2]):
        for a, b in zip(run(steps, name, [arrays[0], g, *arrays[2:]], numbers), expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_target_that_cannot_be_written_in_place_goes_to_the_reference(isa, dtype, rng) -> None:
    p = np.asfortranarray(rng.standard_normal((4, 5)).astype(dtype))
    g, expected = rng.standard_normal((4, 5)).astype(dtype), p.copy()
    numbers = (None, 0.1, 0.0, 0.0, 0.0, False, False, False)
    kernels.sgd_step(p, g, *numbers)
    reference.sgd_step(expected, g, *numbers)
    np.testing.assert_array_equal(p, expected)
    p.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kernels.sgd_step(p, g, *numbers)


@pytest.mark.parametrize("name", CASES)
def test_arrays_that_share_memory_go_to_the_reference(name, isa, dtype, rng) -> None:
    numbers = CASES[name][2][-1]
    ours, theirs = (draw(name, (20,), dtype, np.random.default_rng(1)) for _ in range(2))
    for twin, arrays in ((kernels, ours), (reference, theirs)):
        memory = np.concatenate([arrays[0], arrays[0][:1]])
        arrays[:2] = memory[1:], memory[:-1]  # the gradient is the parameter, moved by one
        getattr(twin, name)(*arrays, *numbers)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    assert getattr(steps, name)(*ours, *numbers) is NotImplemented


def test_the_first_step_of_sgd_does_not_read_the_buffer(isa, dtype, rng) -> None:
    p, g, buffer = draw("sgd_step", (50,), dtype, rng)
    buffer[...] = np.nan
    assert steps.sgd_step(p, g, buffer, 0.1, 0.9, 0.0, 0.0, False, False, True) is None
    np.testing.assert_array_equal(buffer, g)
    assert np.all(np.isfinite(p))


def test_a_step_below_1_is_left_to_the_reference(dtype, rng) -> None:
    for name in ("adamax_step", "adam_step", "nadam_step", "radam_step"):
        arrays = draw(name, (3,), dtype, rng)
        assert getattr(steps, name)(*arrays, 0, *CASES[name][2][-1][1:]) is NotImplemented
