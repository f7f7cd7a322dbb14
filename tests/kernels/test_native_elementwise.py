"""The compiled elementwise activations, held against their reference twins, on every instruction set here."""

from __future__ import annotations

from functools import partial
from typing import Any

import compiled
import numpy as np
import pytest
from scipy import special

from numnet import kernels
from numnet.errors import ShapeError
from numnet.kernels import reference

elementwise = compiled.module("elementwise")
check = partial(compiled.check, elementwise)

OF_OUTPUT = ["relu", "sigmoid", "tanh"]  # whose backward reads a
CASES: list[tuple[str, tuple[Any, ...]]] = [
    *((name, ()) for name in OF_OUTPUT),
    ("gelu", ("none",)),
    ("gelu", ("tanh",)),
    ("silu", ()),
    ("mish", ()),
    ("softplus", (1.0, 20.0)),
    ("softplus", (2.5, 1.0)),
    ("softplus", (-1.0, np.inf)),
    ("elu", (1.0, 1.0, 1.0)),
    ("elu", (1.05, 1.67, 0.3)),
    ("elu", (1.0, -0.5, 1.0)),
    ("leaky_relu", (0.01,)),
    ("leaky_relu", (-0.2,)),
    ("hardswish", ()),
    ("hardtanh", (-1.0, 1.0)),
    ("hardtanh", (0.0, 6.0)),
    ("hardsigmoid", ()),
    ("cut_out", (-0.5, 0.5, 0.0)),
    ("cut_out", (-np.inf, 0.1, 20.0)),
]
SHAPES = [(), (0,), (1,), (7,), (3, 0, 2), (5, 1), (3, 5, 7), (2, 3, 4, 9), (127,), (128,), (1000,)]
FAR_AND_NEAR = [1e-5, -700, 700, -87, -14, -9, 89, 3, -3]
cases = pytest.mark.parametrize("name, options", CASES, ids=str)


def test_every_kernel_is_here():
    names = {name for name in reference.__all__ if hasattr(elementwise, name) and "entropy" not in name}
    pairs = {name + end for name, _ in CASES for end in ("", "_backward")}
    assert names == {"add", "contiguous", "empty_like", "huber", "huber_backward", "scaled", "sign", "subtract"} | pairs


@pytest.mark.parametrize("shape", [*SHAPES, (300_007,)], ids=str)
def test_empty_like(shape, dtype):
    x = np.zeros(3, dtype)
    for made in (elementwise.empty_like(x, shape), reference.empty_like(x, shape)):
        assert (made.shape, made.dtype) == (shape, dtype)
        assert made.flags.c_contiguous
        assert made.flags.writeable
    assert elementwise.empty_like(np.arange(3), shape) is NotImplemented
    for wrong in ((-1,), (2, -3)):
        assert elementwise.empty_like(x, wrong) is NotImplemented
        with pytest.raises(ValueError, match="negative dimensions"):
            kernels.empty_like(x, wrong)


@pytest.mark.parametrize("width", [0.3, 1.0, np.inf])
@pytest.mark.parametrize("shape", [*SHAPES, (300_007,)], ids=str)
def test_huber(shape, width, isa, draw):
    check("huber", np.asarray(draw(*shape)) if shape else draw(1).reshape(()), width)
    check("huber_backward", np.asarray(draw(*shape)) if shape else draw(1).reshape(()), -0.7, width)


@pytest.mark.parametrize("shape", [*SHAPES, (300_007,)], ids=str)
def test_sign(shape, isa, draw):
    check("sign", np.asarray(draw(*shape)) if shape else draw(1).reshape(()), -0.7)


def test_sign_of_special_values(isa, dtype):
    check("sign", np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-40], dtype), -0.7)
    assert elementwise.sign(np.arange(3), 1.0) is NotImplemented


def test_huber_of_special_values(isa, dtype):
    far = np.finfo(dtype).max
    x = np.array([0, -0.0, 1, -1, 2, far, -far, np.inf, -np.inf, np.nan], dtype)
    check("huber", x, 1.0)
    check("huber_backward", x, 0.5, 1.0)
    assert elementwise.huber(np.arange(3), 1.0) is NotImplemented
    assert elementwise.huber_backward(np.arange(3), 1.0, 1.0) is NotImplemented


@pytest.mark.parametrize("shape", [*SHAPES, (300_007,)], ids=str)
def test_subtract(shape, isa, dtype, rng, threads):
    a, b = (np.asarray(rng.standard_normal(shape), dtype) for _ in "ab")
    a.flat[:1] = np.nan
    for count in (1, 2, 3):
        threads(count)
        np.testing.assert_array_equal(elementwise.subtract(a, b), a - b)


def test_subtract_leaves_to_numpy_what_lies_in_another_order(dtype):
    a = np.ones((3, 4), dtype)
    other = np.float32 if dtype == np.float64 else np.float64
    for left, right in ((a, a[0]), (a.T, a.T), (a, a[::-1]), (a, a.astype(other)), (a, a.astype(int))):
        assert elementwise.subtract(left, right) is NotImplemented
        np.testing.assert_array_equal(kernels.subtract(left, right), left - right)


@pytest.mark.parametrize("shape", [*SHAPES, (300_007,)], ids=str)
def test_scaled(shape, isa, dtype, rng, threads):
    x = np.asarray(rng.standard_normal(shape), dtype)
    x.flat[:1] = np.nan
    for count in (1, 2, 3):
        threads(count)
        for layout in (x, x.T, np.stack([x, x])[1:, ..., None]):
            made = elementwise.scaled(layout, 0.3)
            assert made.dtype == dtype
            np.testing.assert_array_equal(made, reference.scaled(layout, 0.3))
    assert elementwise.scaled(np.arange(3), 2.0) is NotImplemented


@pytest.mark.parametrize("shape", [*SHAPES, (300_007,)], ids=str)
def test_add(shape, isa, dtype, rng, threads):
    a, b = (np.asarray(rng.standard_normal(shape), dtype) for _ in "ab")
    a.flat[:1] = np.nan
    for count in (1, 2, 3):
        threads(count)
        np.testing.assert_array_equal(elementwise.add(a, b), a + b)


@pytest.mark.parametrize(
    "shape, trailing", [((5, 600), 1), ((2, 3, 20, 30), 2), ((0, 600), 1), ((2, 512), 1), ((3, 70, 2000), 2)]
)
def test_add_of_what_repeats(shape, trailing, isa, dtype, rng, threads):
    a, b = (np.asarray(rng.standard_normal(s), dtype) for s in (shape, shape[-trailing:]))
    b.flat[-1] = np.nan
    for count in (1, 2):
        threads(count)
        for left, right in ((a, b), (b, a), *((a, part) for part in a[1:2])):
            np.testing.assert_array_equal(elementwise.add(left, right), left + right)


def test_add_leaves_to_numpy_what_lies_in_another_order(dtype):
    a, many = np.ones((3, 4), dtype), np.ones((3, 4, 600), dtype)
    other = np.float32 if dtype == np.float64 else np.float64
    repeated = ((a, a[0]), (many, many[0, :1]), (many, many[:, :1]), (many, many[0, 0, ::-1]))
    for left, right in (*repeated, (a.T, a.T), (a, a[::-1]), (a, a.astype(other)), (a, a.astype(int))):
        assert elementwise.add(left, right) is NotImplemented
        np.testing.assert_array_equal(kernels.add(left, right), left + right)
    assert kernels.add(a.T, a.T).flags.f_contiguous


@pytest.mark.parametrize("shape", [*SHAPES, (40, 30, 50)], ids=str)
def test_contiguous(shape, dtype, rng):
    x = np.asarray(rng.standard_normal(shape), dtype)
    assert elementwise.contiguous(x) is x
    for view in (x.T, x[::2, ..., ::-1] if len(shape) > 1 else x[...]):
        y = elementwise.contiguous(view)
        np.testing.assert_array_equal(y, reference.contiguous(view))
        assert y.shape == view.shape
        assert y.flags.c_contiguous
    view.flags.writeable = False
    np.testing.assert_array_equal(elementwise.contiguous(view), view)
    crooked = np.zeros(x.nbytes + 1, np.uint8)[1:].view(dtype).reshape(shape)  # begins between two numbers
    crooked[...] = x
    y = elementwise.contiguous(crooked)
    np.testing.assert_array_equal(y, x)
    assert y.flags.aligned
    assert y.flags.writeable
    assert elementwise.contiguous(x.astype(int)) is NotImplemented
    assert kernels.contiguous(x.astype(int).T).flags.c_contiguous


@cases
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes_and_layouts(name, options, shape, isa, draw):
    for _ in range(4 if shape else 1):  # each of the layouts of draw
        x = draw(*shape) if shape else draw(1).reshape(())
        check(name, x, *options)
        check(f"{name}_backward", x, draw(*shape) if shape else draw(1).reshape(()), *options)


@cases
def test_special_values(name, options, isa, dtype):
    tiny, huge = np.finfo(dtype).tiny, np.finfo(dtype).max
    x = np.array([*(0.0, -0.0, np.nan, np.inf, -np.inf, tiny, -tiny, tiny / 8, huge, -huge), *FAR_AND_NEAR], dtype)
    for repeated in (x, np.repeat(x, 15)):
        check(name, repeated, *options, mixed=True)
    first = x
    if name in OF_OUTPUT:
        with np.errstate(all="ignore"):
            first = getattr(reference, name)(x)
    for delta in (1, -2.5, 0):
        check(f"{name}_backward", first, np.full_like(x, delta), *options, mixed=name != "tanh")  # 1 - a² cancels


@pytest.mark.parametrize("name, options", [c for c in CASES if c[0] in ("tanh", "gelu", "silu", "mish", "hardswish")])
def test_zero_keeps_its_sign(name, options, isa, dtype):
    a = getattr(elementwise, name)(np.array([0.0, -0.0], dtype), *options)
    np.testing.assert_array_equal(np.signbit(a), [False, True])


@cases
def test_the_bits_do_not_depend_on_where_a_number_stands(name, options, isa, dtype, rng):
    """Neither on the length of the array, nor on the place in it, nor on its alignment."""
    x, delta = (4 * rng.standard_normal((2, 700))).astype(dtype)
    for kernel, arrays in ((name, (x,)), (f"{name}_backward", (x, delta))):
        whole = getattr(elementwise, kernel)(*arrays, *options)
        for start, length in ((0, 1), (0, 127), (1, 128), (3, 129), (7, 255), (13, 640), (130, 17), (699, 1)):
            part = [a[start : start + length] for a in arrays]
            assert getattr(elementwise, kernel)(*part, *options).tobytes() == whole[start : start + length].tobytes()
        odd = [np.frombuffer(b"." + a.tobytes(), np.uint8)[1:].view(dtype) for a in arrays]
        assert not odd[0].flags.aligned
        assert getattr(elementwise, kernel)(*odd, *options).tobytes() == whole.tobytes()


@cases
def test_the_bits_do_not_depend_on_the_number_of_threads(name, options, isa, dtype, rng, threads):
    x, delta = rng.standard_normal((2, 300_007)).astype(dtype)
    for kernel, arguments in ((name, (x, *options)), (f"{name}_backward", (x, delta, *options))):
        found = []
        for count in (1, 2, 3):
            threads(count)
            found.append(compiled.bits(elementwise, kernel, arguments))
        assert found[0] == found[1] == found[2]


LOGISTIC = {
    "sigmoid": ((), lambda x: 1 / (1 + np.exp(-x))),
    "tanh": ((), np.tanh),
    "silu": ((), lambda x: x / (1 + np.exp(-x))),
    "mish": ((), lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "softplus": ((1.0, np.inf), lambda x: np.log1p(np.exp(x))),
    "elu": ((1.0, 1.0, 1.0), lambda x: np.where(x > 0, x, np.expm1(x))),
}


@pytest.mark.parametrize("name", LOGISTIC)
def test_exact_to_some_units_in_the_last_place(name, isa, dtype, rng):
    """In long double's arithmetic, where that is wider than ours."""
    options, exact = LOGISTIC[name]
    x = np.concatenate([rng.uniform(-8, 8, 20000), rng.uniform(-80, 80, 20000), rng.normal(0, 1e-3, 20000)])
    x = x.astype(dtype)
    truth = exact(x.astype(np.longdouble))
    error = np.abs(getattr(elementwise, name)(x, *options) - truth) / np.abs(truth)
    assert error.max() < 2 * np.finfo(dtype).eps


GELU = [  # x, x Φ(x), Φ(x) + x φ(x), in 40 digits, rounded
    (-36, -1.5057446636870219994e-282, -5.420674359367623393e-281),
    (-12.5, -4.6657053735971417215e-35, -5.8316685544801553657e-34),
    (-8, -4.9767684594174272988e-15, -3.9796072610867959891e-14),
    (-5, -1.4332578593959695584e-6, -7.1469460017922946279e-6),
    (-3, -0.00404969409489028358, -0.011945647204183927),
    (-1.5, -0.10021080190328709901, -0.12746919222997952542),
    (-0.125, -0.056282721896235888378, 0.4007820643017934215),
    (0.0009765625, 0.00048866171094607474708, 0.50077918389371313354),
    (0.5, 0.34573123063700655182, 0.86749512465616284253),
    (2, 1.9544997361036415856, 1.0852318010781968967),
    (4, 3.9998733150326675203, 1.0005036496612264215),
    (9, 8.999999999999999999, 1.0000000000000000091),
]


def test_gelu_is_exact_to_some_units_in_the_last_place(isa, dtype):
    x, a, slope = np.array(GELU[dtype == np.float32 :]).T  # the first is too far out for float32
    x, tolerance = x.astype(dtype), (4 + x**2) * np.finfo(dtype).eps  # that of the exponential of a rounded x²
    assert np.all(np.abs(elementwise.gelu(x, "none") - a) <= tolerance * np.abs(a))
    slopes = elementwise.gelu_backward(x, np.ones_like(x), "none")
    assert np.all(np.abs(slopes - slope) <= (tolerance + np.finfo(dtype).eps) * np.abs(slope))


def test_gelu_is_as_exact_everywhere(isa, dtype):
    x = np.concatenate([np.linspace(-14, 14, 20011), [-0.0, 0, -1e30, 1e30, np.inf]]).astype(dtype)
    a, t = elementwise.gelu(x, "none"), np.abs(x[:-3]).astype(np.longdouble)
    tail = np.exp(-(t**2) / 2) * special.erfcx(np.sqrt(t * t / 2).astype(np.float64)) / 2
    expected = x[:-3] * np.where(x[:-3] < 0, tail, 1 - tail)
    tolerance = (4 + t**2) * np.finfo(dtype).eps + 4 * np.finfo(np.float64).eps  # the 4 are SciPy's
    assert np.all(np.abs(a[:-3] - expected) <= tolerance * np.abs(expected) + np.finfo(dtype).tiny)
    assert np.array_equal(a[-3:], [0, x[-2], np.inf])


def test_what_does_not_fit_is_left_to_the_reference(isa, dtype):
    x, other = np.ones((2, 3), dtype), np.float32 if dtype == np.float64 else np.float64
    swapped = x.astype(x.dtype.newbyteorder())
    refused: list[tuple[str, tuple[Any, ...]]] = [
        ("relu", ([1.0, 2.0],)),
        ("relu", (np.arange(3),)),
        ("relu", (swapped,)),
        ("sigmoid", (x.astype(np.float16),)),
        ("relu_backward", (x, x[0])),
        ("relu_backward", (x, None)),
        ("tanh_backward", (x, x.astype(other))),
        ("tanh_backward", (x, swapped)),
        ("gelu", (np.arange(3), "none")),
        ("gelu", (x, "other")),
        ("gelu_backward", (x, x[:1], "tanh")),
        ("elu", (x, 1.0, 1.0, -1.0)),
        ("elu_backward", (x, x, 1.0, 1.0, np.nan)),
        ("softplus_backward", (x, x.T, 1.0, 20.0)),
    ]
    before = x.copy()
    for name, arguments in refused:
        assert getattr(elementwise, name)(*arguments) is NotImplemented, (name, arguments)
    np.testing.assert_array_equal(x, before)


def test_errors_are_those_of_the_reference(isa, draw):
    with pytest.raises(ShapeError, match="delta of shape"):
        kernels.relu_backward(draw(3, 4), draw(3, 5))
    with pytest.raises(ShapeError, match="delta of shape"):
        kernels.gelu_backward(draw(3, 4), draw(3, 5), "none")
