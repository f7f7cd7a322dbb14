"""Every operation on Tensors: found by itself, held against differences in every element and against PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from numnet import Tensor, no_grad
from numnet import operations as ops
from numnet.call import Call
from numnet.errors import DtypeError, NumnetError, OptionError, ShapeError
from numnet.inspect.formula import formulas
from numnet.operations import Operation

try:
    import torch
except ImportError:
    torch = None

RNG = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    return np.asarray(RNG.normal(size=shape))


def away_from(*kinks: float, shape: tuple[int, ...] = (3, 4)) -> np.ndarray:
    """Numbers at least 0.1 from every kink, on all sides of them."""
    x = RNG.normal(size=shape) * 2
    for kink in kinks:
        x = np.where(abs(x - kink) < 0.1, kink + 0.2, x)
    return x


def positive(*shape: int) -> np.ndarray:
    return np.asarray(RNG.uniform(0.5, 2.0, shape))


def distinct(*shape: int) -> np.ndarray:
    """Numbers at least 1 apart, so that differences never change which is the largest."""
    return np.asarray(RNG.permutation(int(np.prod(shape))).reshape(shape), np.float64)


class Case(NamedTuple):
    operation: Operation
    inputs: tuple[np.ndarray, ...]
    torchs: Callable[..., Any]  # the same of PyTorch

    def __repr__(self) -> str:
        return f"{self.operation!r}-" + "-".join("x".join(map(str, x.shape)) or "number" for x in self.inputs)


BROADCASTS = [((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1, 4), (3, 1)), ((), (2, 3)), ((1,), ()), ((0, 3), (1, 3))]
PRODUCTS = [
    *[((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((2, 3, 4), (4, 2)), ((2, 3, 4), (2, 4, 5))],
    *[((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((3, 0), (0, 2))],
]
DIMS: list[tuple[tuple[int, ...], Any]] = [
    *[((3, 4), None), ((3, 4), 0), ((3, 4), -1), ((2, 3, 4), (0, 2)), ((2, 3, 4), (-1, 0)), ((), None), ((1, 3), 0)]
]
MASK = RNG.random((3, 4)) < 0.5
KEYS: list[Any] = [
    *[1, -1, slice(None, None, 2), slice(None, None, -1), (slice(None), 2), None, ..., (..., 0), (1, 2)],
    *[MASK, (MASK[:, 0],), (slice(None), MASK[0]), np.array([0, 2, 0, 0]), [2, 2], np.array([[0, 1], [1, 1]])],
    *[
        (np.array([0, 0, 1]), np.array([3, 3, 1])),
        (np.array([1, 1]), slice(1, 3)),
        np.int64(2),
        np.array(1),
        slice(2, 2),
    ],
    *[(np.array([[0], [0]]), np.array([1, 1]))],
]


def cases() -> Iterator[Case]:
    for a, b in BROADCASTS:
        yield Case(ops.Add(), (normal(*a), normal(*b)), lambda a, b: a + b)
        yield Case(ops.Subtract(), (normal(*a), normal(*b)), lambda a, b: a - b)
        yield Case(ops.Multiply(), (normal(*a), normal(*b)), lambda a, b: a * b)
        yield Case(ops.Divide(), (normal(*a), positive(*b)), lambda a, b: a / b)
        yield Case(ops.ElementwisePower(), (positive(*a), normal(*b)), lambda a, b: a**b)
        c = RNG.random((2, 1, 3, 4)) < 0.5 if a == (3, 4) else np.array(True)
        yield Case(ops.Where(), (c, normal(*a), normal(*b)), lambda c, a, b: torch.where(c, a, b))
    for a, b in PRODUCTS:
        yield Case(ops.MatMul(), (normal(*a), normal(*b)), lambda a, b: a @ b)
    for p in (2, 3, 1, 0, -1, -2, 2.0, 0.5, -0.5, 0.0):
        yield Case(ops.Power(p), (positive(3, 4),), lambda x, p=p: x**p)
    for p in (2, 3, 4.0):
        yield Case(ops.Power(p), (normal(3, 4),), lambda x, p=p: x**p)
    for shape in ((3, 4), (), (0, 2)):
        yield Case(ops.Negative(), (normal(*shape),), lambda x: -x)
        yield Case(ops.Abs(), (away_from(0, shape=shape),), lambda x: abs(x))
        yield Case(ops.Exp(), (normal(*shape),), lambda x: x.exp())
        yield Case(ops.Log(), (positive(*shape),), lambda x: x.log())
        yield Case(ops.Sqrt(), (positive(*shape),), lambda x: x.sqrt())
        yield Case(ops.Sin(), (normal(*shape),), lambda x: x.sin())
        yield Case(ops.Cos(), (normal(*shape),), lambda x: x.cos())
        yield Case(ops.Tanh(), (normal(*shape),), lambda x: x.tanh())
        yield Case(ops.Sigmoid(), (normal(*shape),), lambda x: x.sigmoid())
        yield Case(ops.Relu(), (away_from(0, shape=shape),), lambda x: x.relu())
        yield Case(ops.Clamp(-0.5, 0.75), (away_from(-0.5, 0.75, shape=shape),), lambda x: x.clamp(-0.5, 0.75))
        yield Case(ops.Cast(np.float64), (normal(*shape),), lambda x: x.double())
        yield Case(ops.ToDevice("cpu"), (normal(*shape),), lambda x: x.cpu())
    yield Case(ops.Clamp(0, None), (away_from(0),), lambda x: x.clamp(min=0))
    yield Case(ops.Clamp(None, 0), (away_from(0),), lambda x: x.clamp(max=0))
    for shape, dim in DIMS:
        for keepdim in (False, True):
            options: dict[str, Any] = {"dim": dim, "keepdim": keepdim}
            yield Case(ops.Sum(dim, keepdim), (normal(*shape),), lambda x, o=options: x.sum(**o))
            yield Case(ops.Mean(dim, keepdim), (normal(*shape),), lambda x, o=options: x.mean(**o))
            yield Case(ops.Norm(dim, keepdim), (normal(*shape),), lambda x, o=options: torch.linalg.vector_norm(x, **o))
            for correction in (0, 1):
                if shape in ((), (1, 3)) and correction:
                    continue  # a single number has no unbiased variance
                o = {**options, "correction": correction}
                x = normal(*(shape if correction else (4, *shape[1:]) if shape else (4,)))
                yield Case(ops.Variance(dim, keepdim, correction), (x,), lambda x, o=o: x.var(**o))
                yield Case(ops.StandardDeviation(dim, keepdim, correction), (x,), lambda x, o=o: x.std(**o))
            if not isinstance(dim, tuple):
                x = normal(*shape)
                x.flat[0] = 0  # a zero: a division by x would fail
                yield Case(ops.Product(dim, keepdim), (x,), _torch_product(dim, keepdim))
            if isinstance(dim, int):
                yield Case(ops.MaxAlong(dim, keepdim), (distinct(*shape),), lambda x, o=options: x.max(**o)[0])
                yield Case(ops.MinAlong(dim, keepdim), (distinct(*shape),), lambda x, o=options: x.min(**o)[0])
    yield Case(ops.Product((0, 2), False), (normal(2, 3, 2),), lambda x: x.prod(2).prod(0))
    yield Case(ops.MaxAlong(-1, False), (distinct(),), lambda x: x.max(0)[0])
    for shape in ((3, 4), ()):
        yield Case(ops.Max(), (distinct(*shape),), lambda x: x.max())
        yield Case(ops.Min(), (distinct(*shape),), lambda x: x.min())
    for shape, dim in [((3, 4), 0), ((3, 4), -1), ((2, 3, 4), 1), ((1, 3), 0), ((), 0), ((0, 2), 1)]:
        yield Case(ops.CumulativeSum(dim), (normal(*shape),), lambda x, dim=dim: x.cumsum(dim))
    for shape, dim, k in [((3, 4), 0, 2), ((3, 4), -1, 4), ((1, 3), 0, 1), ((), -1, 1), ((0, 2), 1, 1)]:
        for largest in (True, False):
            o = {"k": k, "dim": dim, "largest": largest}
            yield Case(ops.TopK(k, dim, largest), (distinct(*shape),), lambda x, o=o: x.topk(**o)[0])
    yield Case(ops.TopK(0, -1, True), (distinct(3, 4),), lambda x: x.topk(0)[0])
    for key, chosen in [(1, (4,)), (1, ()), ((slice(None), 2), (3,)), (slice(0, 2), (1, 4)), (..., (3, 1)), (MASK, ())]:
        yield Case(ops.Assign(key), (normal(3, 4), normal(*chosen)), _torch_assign(key))
    yield Case(ops.Assign(np.array([2, 0])), (normal(3, 4), normal(2, 4)), _torch_assign([2, 0]))
    yield Case(ops.Assign(np.array([0, 2, 0])), (normal(3, 4), normal(3, 4)), _torch_assign_last)
    yield Case(ops.Assign(slice(0, 0)), (normal(3, 4), normal(0, 4)), _torch_assign(slice(0, 0)))
    yield Case(ops.Assign(...), (normal(), normal()), _torch_assign(...))
    yield Case(ops.Reshape((2, -1)), (normal(3, 4),), lambda x: x.reshape(2, -1))
    yield Case(ops.Reshape(()), (normal(1, 1),), lambda x: x.reshape(()))
    yield Case(ops.Permute((2, 0, 1)), (normal(2, 3, 4),), lambda x: x.permute(2, 0, 1))
    yield Case(ops.Permute((-1, -2)), (normal(2, 3),), lambda x: x.permute(-1, -2))
    yield Case(ops.Broadcast((2, 3, 4)), (normal(3, 1),), lambda x: x.expand(2, 3, 4))
    yield Case(ops.Broadcast((2, -1, 4)), (normal(3, 1),), lambda x: x.expand(2, -1, 4))
    yield Case(ops.Broadcast((2,)), (normal(),), lambda x: x.expand(2))
    for key in KEYS:
        if key is KEYS[3]:  # PyTorch has no negative steps
            yield Case(ops.Index(key), (normal(3, 4),), lambda x: x.flip(0))
        else:
            yield Case(ops.Index(key), (normal(3, 4),), lambda x, key=key: x[key])
    yield Case(ops.Concatenate(0), (normal(2, 3), normal(1, 3), normal(0, 3)), lambda *xs: torch.cat(xs, 0))
    yield Case(ops.Concatenate(-1), (normal(2, 1), normal(2, 3)), lambda *xs: torch.cat(xs, -1))
    yield Case(ops.Concatenate(0), (normal(2),), lambda *xs: torch.cat(xs, 0))
    yield Case(ops.Split((2, 0, 1), 0), (normal(3, 2),), lambda x: x.split((2, 0, 1), 0)[0])
    yield Case(ops.Split((4,), -1), (normal(2, 4),), lambda x: x.split(4, -1)[0])
    for first, second, parts, heads, size in [(2, 3, 3, 2, 2), (1, 4, 1, 3, 1), (3, 1, 2, 1, 4), (0, 2, 3, 2, 2)]:
        vectors, of_heads = normal(first, second, parts * heads * size), normal(first, heads, second, size)
        for batch_first in (True, False):
            o = (first, second, parts, heads, size), (2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4)
            yield Case(
                ops.SplitHeads(parts, heads, batch_first),
                (vectors,),
                lambda x, o=o: x.reshape(o[0]).permute(o[1])[0],
            )
            o = (0, 2, 1, 3) if batch_first else (2, 0, 1, 3)
            yield Case(ops.MergeHeads(batch_first), (of_heads,), lambda x, o=o: x.permute(o).flatten(2, 3))


def _torch_product(dim: int | None, keepdim: bool) -> Callable[[Any], Any]:
    if dim is not None:
        return lambda x: x.prod(dim, keepdim=keepdim)
    return lambda x: x.prod().reshape([1] * x.ndim) if keepdim else x.prod()


def _torch_assign(key: Any) -> Callable[[Any, Any], Any]:
    def assigned(x: Any, v: Any) -> Any:
        y = x.clone()
        y[torch.tensor(key) if isinstance(key, np.ndarray) else key] = v
        return y

    return assigned


def _torch_assign_last(x: Any, v: Any) -> Any:
    """At [0, 2, 0]: PyTorch leaves open what becomes of a place that is named twice, so v[1:] goes to [2, 0]."""
    return _torch_assign([2, 0])(x, v[1:])


CASES = list(cases())
FINAL = sorted({type(case.operation) for case in CASES}, key=lambda cls: cls.__name__)
everywhere = pytest.mark.parametrize("cls", FINAL)


def of(cls: type) -> list[Case]:
    return [case for case in CASES if type(case.operation) is cls]


def run(operation: Operation, inputs: tuple[Any, ...]) -> tuple[np.ndarray, Call]:
    call = Call(operation)
    y = call.forward(*inputs)
    return (y[0] if isinstance(y, tuple) else y), call


def gradients(operation: Operation, inputs: tuple[Any, ...], delta: np.ndarray) -> tuple[Any, ...]:
    _, call = run(operation, inputs)
    result = call.backward((delta, *[None] * (len(call.output_shapes) - 1)) if call.returns_tuple else delta)
    return result if isinstance(result, tuple) else (result,)


def weights(y: np.ndarray) -> np.ndarray:
    return np.asarray(np.random.default_rng(1).uniform(0.5, 1.5, y.shape), y.dtype)


def subclasses(cls: type) -> Iterator[type]:
    for sub in cls.__subclasses__():
        if sub.__module__.startswith("numnet.operations."):
            yield sub
            yield from subclasses(sub)


def test_no_operation_escapes() -> None:
    final = {cls for cls in subclasses(Operation) if not cls.__subclasses__()}
    assert set(FINAL) == final
    assert len(final) >= 33
    abstract = set(subclasses(Operation)) - final
    assert all(not (final & set(cls.__bases__)) for cls in final | abstract), "a final class has a subclass"
    assert final <= {getattr(ops, name) for name in ops.__all__}


@everywhere
def test_every_element_of_every_gradient(cls: type) -> None:
    for case in of(cls):
        check_every_element_of_every_gradient(case)


def check_every_element_of_every_gradient(case: Case) -> None:
    y, _ = run(case.operation, case.inputs)
    v = weights(y)
    found = gradients(case.operation, case.inputs, v)
    for i, (x, delta_x) in enumerate(zip(case.inputs, found, strict=True)):
        if x.dtype.kind != "f":
            assert delta_x is None
            continue
        assert delta_x.shape == x.shape
        numeric = np.zeros(x.shape)
        h = 1e-5
        for at in np.ndindex(x.shape):
            ends = []
            for sign in (1, -1):
                moved = x.copy()
                moved[at] += sign * h
                y, _ = run(case.operation, (*case.inputs[:i], moved, *case.inputs[i + 1 :]))
                ends.append(np.sum(v * y))
            numeric[at] = (ends[0] - ends[1]) / (2 * h)
        np.testing.assert_allclose(delta_x, numeric, rtol=1e-7, atol=1e-8)


@pytest.mark.skipif(torch is None, reason="torch is not installed")
@everywhere
def test_against_torch(cls: type) -> None:
    for case in of(cls):
        check_against_torch(case, np.float64, 1e-10)
        check_against_torch(case, np.float32, 1e-5)


def check_against_torch(case: Case, dtype: Any, tolerance: float) -> None:
    if isinstance(case.operation, ops.Cast):
        tolerance = 1e-5
    inputs = tuple(x.astype(dtype) if x.dtype.kind == "f" else x for x in case.inputs)
    theirs = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    y, _ = run(case.operation, inputs)
    their_y = case.torchs(*theirs)
    v = weights(y)
    assert str(their_y.dtype) == f"torch.{y.dtype}"
    assert tuple(their_y.shape) == y.shape
    np.testing.assert_allclose(y, their_y.detach().numpy(), rtol=tolerance, atol=tolerance)
    their_y.backward(torch.tensor(v))
    for x, delta_x in zip(theirs, gradients(case.operation, inputs, v), strict=True):
        if x.requires_grad:
            assert delta_x.dtype == dtype
            np.testing.assert_allclose(delta_x, x.grad.numpy(), rtol=tolerance, atol=tolerance)


def strided(x: np.ndarray) -> np.ndarray:
    return np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x


@everywhere
def test_any_layout_and_nothing_written(cls: type) -> None:
    for case in of(cls):
        check_any_layout_and_nothing_written(case)


def check_any_layout_and_nothing_written(case: Case) -> None:
    y, _ = run(case.operation, case.inputs)
    v = weights(y)
    found = gradients(case.operation, case.inputs, v)
    for layout in (np.ascontiguousarray, np.asfortranarray, strided):
        # ascontiguousarray gives single numbers an axis
        inputs = tuple(layout(x.copy()).reshape(x.shape) if x.ndim == 0 else layout(x.copy()) for x in case.inputs)
        delta = layout(v.copy()) if v.ndim else v.copy()
        for array in (*inputs, delta):
            array.flags.writeable = False
        again, _ = run(case.operation, inputs)
        np.testing.assert_allclose(again, y, rtol=1e-13, atol=1e-14)
        for a, b in zip(gradients(case.operation, inputs, delta), found, strict=True):
            assert (a is None) == (b is None)
            if b is not None:
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@everywhere
def test_only_what_is_asked_for(cls: type) -> None:
    for case in of(cls):
        check_only_what_is_asked_for(case)


def check_only_what_is_asked_for(case: Case) -> None:
    y, _ = run(case.operation, case.inputs)
    v = weights(y)
    full = gradients(case.operation, case.inputs, v)
    settings = {name: value for name, value in vars(case.operation).items() if name != "key"}
    if len(case.inputs) > 1:
        for i, x in enumerate(case.inputs):
            if x.dtype.kind != "f":
                continue
            needs = tuple(j == i for j in range(len(case.inputs)))
            call = Call(case.operation)
            call.forward(*case.inputs, needs_input_grad=needs)
            for j, delta_x in enumerate(call.backward(v)):
                if j == i:
                    np.testing.assert_array_equal(delta_x, full[i])
                else:
                    assert delta_x is None
    with no_grad():
        _, call = run(case.operation, case.inputs)
    assert call.ctx is None
    assert {name: value for name, value in vars(case.operation).items() if name != "key"} == settings


@pytest.mark.skipif(torch is None, reason="torch is not installed")
@pytest.mark.parametrize(
    "operation, torchs, inputs",
    [
        (ops.Max(), lambda x: x.max(), ([1.0, 3.0, 3.0, 2.0, 3.0],)),  # ties share
        (ops.Min(), lambda x: x.min(), ([[1.0, 1.0], [3.0, 1.0]],)),
        (ops.Max(), lambda x: x.max(), ([1.0, np.nan, 3.0, np.nan],)),
        (ops.MinAlong(0, False), lambda x: x.min(0)[0], ([[1.0, np.nan], [3.0, 1.0]],)),
        (ops.Abs(), lambda x: abs(x), ([-1.0, 0.0, 2.0],)),
        (ops.Relu(), lambda x: x.relu(), ([-1.0, 0.0, 2.0],)),
        (ops.Clamp(0, 2), lambda x: x.clamp(0, 2), ([-1.0, 0.0, 1.0, 2.0, 3.0],)),
        (ops.Clamp(0.0, None), lambda x: x.clamp(0.0), ([-1.0, 0.0, np.inf, np.nan],)),
        (ops.Power(0), lambda x: x**0, ([-1.0, 0.0, 2.0],)),
        (ops.Power(2), lambda x: x**2, ([-1.0, 0.0, 2.0],)),
        (ops.Power(1), lambda x: x**1, ([-1.0, 0.0, 2.0],)),
        (ops.ElementwisePower(), lambda a, b: a**b, ([0.0, 0.0, 2.0, -2.0], [0.0, 2.0, 0.0, 2.0])),
        (ops.Product(None, False), lambda x: x.prod(), ([0.0, 2.0, 0.0],)),
        (ops.Product(0, False), lambda x: x.prod(0), ([[0.0, 2.0], [3.0, 0.0], [2.0, 5.0]],)),
        (ops.Norm(None, False), lambda x: torch.linalg.vector_norm(x), ([0.0, 0.0],)),
        (ops.StandardDeviation(1, False, 1), lambda x: x.std(1), ([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0]],)),
        (ops.Sigmoid(), lambda x: x.sigmoid(), ([-1000.0, -30.0, 0.0, 1000.0],)),
        (ops.Tanh(), lambda x: x.tanh(), ([-1000.0, 1e-9, 1000.0],)),
    ],
    ids=lambda value: repr(value) if isinstance(value, Operation) else "",
)
def test_at_kinks_and_ends_as_torch(operation: Operation, torchs: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
    arrays = tuple(np.array(x) for x in inputs)
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    with np.errstate(invalid="ignore"):
        y, _ = run(operation, arrays)
        v = weights(y)
        found = gradients(operation, arrays, v)
    their_y = torchs(*theirs)
    their_y.backward(torch.tensor(v))
    np.testing.assert_allclose(y, their_y.detach().numpy(), rtol=1e-12)
    for i, (x, delta_x) in enumerate(zip(theirs, found, strict=True)):
        if isinstance(operation, ops.ElementwisePower) and i == 1:
            np.testing.assert_allclose(delta_x[:3], x.grad.numpy()[:3], rtol=1e-12)  # ln of -2 is none
        else:
            np.testing.assert_allclose(delta_x, x.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("batch_first", [True, False])
def test_every_part_of_the_heads(batch_first: bool) -> None:
    x, order = normal(2, 3, 12), (2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4)
    right = x.reshape(2, 3, 3, 2, 2).transpose(order)  # (P, N, H, L, D)
    for used in ([0, 1, 2], [1], [0, 2], [2]):
        call = Call(ops.SplitHeads(3, 2, batch_first))
        parts = call.forward(x)
        np.testing.assert_array_equal(parts, right)
        deltas = [weights(part) if i in used else None for i, part in enumerate(parts)]
        delta_x = call.backward(tuple(deltas))
        found = delta_x.reshape(2, 3, 3, 2, 2).transpose(order)
        for i, delta in enumerate(deltas):
            np.testing.assert_array_equal(found[i], 0 if delta is None else delta)
        assert delta_x.base is None


REFUSED: list[tuple[Callable[[], Any], type[NumnetError], str]] = [
    (lambda: run(ops.Add(), (normal(2, 3), normal(4))), ShapeError, r"\(2, 3\) and \(4,\)"),
    (lambda: run(ops.Add(), (normal(3), normal(3).astype(np.float32))), DtypeError, "float64 and float32"),
    (lambda: run(ops.MatMul(), (normal(3, 2), normal(3, 2))), ShapeError, r"\(3, 2\) and \(3, 2\)"),
    (lambda: run(ops.MatMul(), (normal(), normal(3, 2))), ShapeError, "transpose"),
    (
        lambda: run(ops.MatMul(), (normal(2, 2, 2).astype(np.float32), normal(2, 2, 2))),
        DtypeError,
        "float32 and float64",
    ),
    (lambda: run(ops.Sum(2, False), (normal(3, 2),)), ShapeError, "-2 to 1.*\n.*dim=2"),
    (lambda: run(ops.Sum((0, -2), False), (normal(3, 2),)), ShapeError, "dim=\\(0, -2\\)"),
    (lambda: run(ops.Mean(None, False), (np.arange(3),)), DtypeError, "x.float\\(\\)"),
    (lambda: run(ops.Norm(None, False), (np.arange(3),)), DtypeError, "x.float\\(\\)"),
    (lambda: run(ops.Variance(None, False, 1), (normal(1),)), ShapeError, "more than 1"),
    (lambda: run(ops.StandardDeviation(None, False, 0), (normal(0),)), ShapeError, "more than 0"),
    (lambda: run(ops.Max(), (normal(0),)), ShapeError, "empty batches"),
    (lambda: run(ops.MinAlong(1, False), (normal(3, 0),)), ShapeError, "empty batches"),
    (lambda: run(ops.Reshape((5, -1)), (normal(3, 4),)), ShapeError, "12 numbers.*\n.*a multiple of 5"),
    (lambda: run(ops.Permute((0, 0)), (normal(3, 4),)), ShapeError, "dim=\\(0, 0\\)"),
    (lambda: run(ops.Permute((0,)), (normal(3, 4),)), ShapeError, "each of the 2 axes"),
    (lambda: run(ops.Broadcast((3, 5)), (normal(3, 4),)), ShapeError, "size 1"),
    (lambda: run(ops.Broadcast((-1, 3, 4)), (normal(3, 4),)), ShapeError, "broadcasts to"),
    (lambda: run(ops.Concatenate(0), (normal(2, 3), normal(2, 4))), ShapeError, r"\(2, 3\), \(2, 4\)"),
    (lambda: run(ops.Concatenate(0), (normal(2, 3), normal(3))), ShapeError, "but for axis 0"),
    (lambda: run(ops.Concatenate(0), (normal(), normal())), ShapeError, "stack"),
    (lambda: run(ops.Concatenate(0), ()), ShapeError, "none"),
    (lambda: run(ops.Split((1, 3), 0), (normal(3),)), ShapeError, r"\[1, 3\]"),
    (lambda: run(ops.SplitHeads(3, 2, True), (normal(2, 3, 8),)), ShapeError, "3 · 2 · D.*\n.*\\(2, 3, 8\\)"),
    (lambda: run(ops.SplitHeads(3, 2, True), (normal(3, 6),)), ShapeError, "three axes"),
    (lambda: run(ops.MergeHeads(True), (normal(2, 3, 8),)), ShapeError, "N, H, L, D"),
    (lambda: run(ops.Concatenate(0), (normal(2), normal(2).astype("f"))), DtypeError, "float32, float64"),
    (lambda: run(ops.Where(), (np.arange(3), normal(3), normal(3))), DtypeError, "x > 0"),
    (lambda: run(ops.Where(), (np.ones(2, bool), normal(3), normal(3))), ShapeError, "broadcast"),
    (lambda: ops.Clamp(None, None), OptionError, "clamp"),
    (lambda: ops.ToDevice("tpu"), OptionError, "tpu"),
    (lambda: ops.ToDevice("cuda:x"), OptionError, "cuda:x"),
]


@pytest.mark.parametrize("attempt, error, message", REFUSED)
def test_what_does_not_fit_is_refused(attempt: Callable[[], Any], error: type[NumnetError], message: str) -> None:
    with pytest.raises(error, match=message):
        attempt()


@everywhere
def test_docstring_gives_forward_and_gradient(cls: type) -> None:
    forward, gradient = formulas(cls)
    assert any(line.startswith(("y = ", "a = ")) for line in forward)
    assert any(line.startswith("∂J/∂") for line in gradient)


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x.clamp(np.float64(0), np.float64(1)),
        lambda x: x.var(correction=np.float64(1)),
        lambda x: x.std(correction=np.float64(1)),
        lambda x: x ** np.float64(2),
    ],
)
def test_a_scalar_of_numpys_does_not_change_the_dtype(compute: Callable[[Tensor], Tensor]) -> None:
    x = Tensor(np.array([0.5, 2.0, 3.0], np.float32), requires_grad=True)
    y = compute(x)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32
