"""The compiled binary cross-entropy, held against its reference twin, on every instruction set here."""

from __future__ import annotations

from functools import partial

import compiled
import numpy as np
import pytest

from numnet.kernels import reference

elementwise = compiled.module("elementwise")
check = partial(compiled.check, elementwise)

SHAPES = [(), (0,), (1,), (3, 5, 7), (127,), (128,), (1000,)]


def probabilities(x):
    return reference.sigmoid(x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes_and_layouts(shape, isa, draw):
    def three():
        return (draw(*shape) if shape else draw(1).reshape(()) for _ in range(3))

    for _ in range(4 if shape else 1):  # each of the layouts of draw
        x, y, delta = three()
        p, t = probabilities(x), probabilities(y)
        check("binary_cross_entropy", p, t)
        check("binary_cross_entropy_backward", p, t, delta)
        check("binary_cross_entropy_with_logits", x, t, None)
        check("binary_cross_entropy_with_logits_backward", x, t, None, delta)


def test_special_values(isa, dtype):
    tiny, eps = np.finfo(dtype).tiny, np.finfo(dtype).eps
    p = np.array([0, 1, tiny, tiny / 8, np.finfo(dtype).smallest_subnormal, 1 - eps, 1 - eps / 2, 0.5, np.nan], dtype)
    far = np.array([0, -0.0, np.nan, np.inf, -np.inf, 700, -700, 89, -89, 1e-5, 3], dtype)
    for target in (0, 1, 0.25):
        y, t = np.full_like(p, target), np.full_like(far, target)
        check("binary_cross_entropy", p, y, mixed=True)
        check("binary_cross_entropy_backward", p, y, np.full_like(p, -2.5), mixed=True)
        check("binary_cross_entropy_with_logits", far, t, None, mixed=True)
        check("binary_cross_entropy_with_logits_backward", far, t, None, np.full_like(far, -2.5), mixed=True)


def test_what_is_no_probability_is_nan_or_negative(isa, dtype):
    """So that a loss notices, and looks for what is wrong."""
    x = np.array([-0.5, 1.5, -np.inf, np.inf, 3.0, -1e-30], dtype)
    for y in (0.0, 1.0, 0.5):
        assert not (elementwise.binary_cross_entropy(x[:-1], np.full(5, y, dtype)) >= 0).all()
    assert np.isnan(elementwise.binary_cross_entropy(x[-1:], np.ones(1, dtype))).all()


def test_logarithm_exact_to_some_units_in_the_last_place(isa, dtype, rng):
    p = np.concatenate([rng.random(20000), 1 - np.exp(rng.uniform(-30, -1, 5000)), np.exp(rng.uniform(-99, 0, 20000))])
    p = p.astype(dtype)
    p = p[(p < 1) & (p > 0)]
    truth = -np.log(p.astype(np.longdouble))
    error = np.abs(elementwise.binary_cross_entropy(p, np.ones_like(p)) - truth) / truth
    assert error.max() < 4 * np.finfo(dtype).eps


def test_bits_do_not_depend_on_threads_nor_on_the_place(isa, dtype, rng, threads):
    p, y, delta = rng.random((3, 300_007)).astype(dtype)
    for kernel, arrays in (
        ("binary_cross_entropy", (p, y)),
        ("binary_cross_entropy_backward", (p, y, delta)),
    ):
        found = []
        for count in (1, 2, 3):
            threads(count)
            found.append(compiled.bits(elementwise, kernel, arrays))
        assert found[0] == found[1] == found[2]
        part = [a[13:700] for a in arrays]
        assert getattr(elementwise, kernel)(*part).tobytes() == np.frombuffer(found[0][0], dtype)[13:700].tobytes()


def test_what_does_not_fit_is_left_to_the_reference(isa, dtype):
    x, other = np.full((2, 3), 0.5, dtype), np.float32 if dtype == np.float64 else np.float64
    for y in (x[0], x.astype(other), x.T, None, 0.5):
        assert elementwise.binary_cross_entropy(x, y) is NotImplemented
        assert elementwise.binary_cross_entropy_backward(x, y, x) is NotImplemented
        assert elementwise.binary_cross_entropy_backward(x, x, y) is NotImplemented
        assert elementwise.binary_cross_entropy_with_logits(x, y, None) is NotImplemented
        assert elementwise.binary_cross_entropy_with_logits_backward(x, x, None, y) is NotImplemented
    assert elementwise.binary_cross_entropy_with_logits(x, x, x) is NotImplemented
    assert elementwise.binary_cross_entropy_with_logits_backward(x, x, x, x) is NotImplemented
