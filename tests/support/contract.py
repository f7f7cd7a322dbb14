"""The contract of a layer (docs/design.md) as checks: each a function of a layer and its float64 inputs that raises."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from numnet import Tensor, _ext, kernels, manual_seed, nn, no_grad, tensor
from numnet.call import Call, Ctx
from numnet.errors import BackwardError, DtypeError, NumnetError, ShapeError, TrainingModeWarning
from numnet.inspect import formulas, gradcheck
from numnet.nested import flatten, unflatten

RNG = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    """Distinct numbers, well apart: no ties in a maximum, none at a kink."""
    size = int(np.prod(shape))
    return (RNG.permutation(size) + 0.5 - size / 2).reshape(shape) * (4 / max(size, 1))


class Example(NamedTuple):
    """A layer and its inputs, of float64 or of integers, the first one a batch."""

    make: Callable[[], nn.Layer]
    inputs: tuple[np.ndarray, ...]


def concrete_layers(of: type = nn.Layer) -> Iterator[type[nn.Layer]]:
    """Every layer class of the package that is no base of others; names of abstract ones begin with ``_``."""
    for cls in of.__subclasses__():
        if cls.__module__.startswith("numnet."):
            if not cls.__subclasses__() and not cls.__name__.startswith("_"):
                yield cls
            yield from concrete_layers(cls)


# ---------------------------------------------------------------------------------------------- helpers


def floats(a: np.ndarray) -> bool:
    return a.dtype.kind == "f"


Results = tuple[Any, tuple[Any, ...], list[Any]]


def run(layer: nn.Layer, *inputs: np.ndarray, delta: np.ndarray | None = None) -> Results:
    """Output, ∂J/∂input for each input and parameter gradients of one explicit call, from the same draws each time."""
    manual_seed(1)
    layer.zero_grad()
    y = layer(*inputs)
    result = layer.backward(like(y) if delta is None else delta)
    return y, tuple(flatten(result)), [p.grad for p in layer.parameters()]


def like(y: Any) -> Any:
    """A δ for an output, or for each of several: ``None`` for one of integers."""
    if isinstance(y, tuple):
        return tuple([like(part) if floats(part) else None for part in flatten(y)])
    return np.linspace(0.5, 1.5, y.size, dtype=y.dtype).reshape(y.shape)


def weighted(y: Any) -> Tensor:
    """J = Σ δ ⊙ y over all outputs, on the tape."""
    outputs = [part for part in flatten(y) if floats(part)]
    terms = [(part * like(part.data)).sum() for part in outputs]
    return sum(terms[1:], start=terms[0])


def arrays_of(results: Results) -> list[np.ndarray]:
    y, deltas, gradients = results
    return [a for a in (*flatten(y), *deltas, *gradients) if a is not None]


def assert_same_bits(a: Any, b: Any) -> None:
    for left, right in zip(arrays_of(a), arrays_of(b), strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


# ---------------------------------------------------------------------------------------------- checks


def check_gradients(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    report = gradcheck(layer, *inputs)
    assert report.ok, str(report)
    assert len(report.rows) >= floats(inputs[0]) + len(list(layer.parameters()))


def check_called_twice(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """Two calls on one tape: each has its own δ, parameter gradients add."""
    x, *others = inputs
    runs = [run(layer, a, *others) for a in (x, x[::-1].copy())]
    layer.zero_grad()
    manual_seed(1)
    first = tensor(x, requires_grad=floats(x))
    second = tensor(x[::-1].copy(), requires_grad=floats(x))
    y = layer(first, *others)
    manual_seed(1)
    J = weighted(y)
    (J + weighted(layer(second, *others))).backward()
    if floats(x):
        np.testing.assert_allclose(first.grad, runs[0][1][0], rtol=1e-12)
        np.testing.assert_allclose(second.grad, runs[1][1][0], rtol=1e-12)
    for p, one, two in zip(layer.parameters(), runs[0][2], runs[1][2], strict=True):
        np.testing.assert_allclose(p.grad, one + two, rtol=1e-12, atol=1e-14)


def check_layouts(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """Read-only, Fortran-ordered and strided inputs give the same result, and nothing is written into them."""
    expected = run(layer, *inputs)
    delta = like(expected[0])

    def strided(a: np.ndarray) -> np.ndarray:
        if a.ndim == 0:
            return a.copy()
        wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), np.nan if floats(a) else -77, a.dtype)
        wide[..., ::2] = a
        return wide[..., ::2]

    def fortran(a: np.ndarray) -> np.ndarray:
        return np.array(a, order="F")

    def reversed_view(a: np.ndarray) -> np.ndarray:
        return a[::-1].copy()[::-1] if a.ndim else a.copy()

    for layout in (np.copy, fortran, strided, reversed_view):
        given = [layout(a.copy()).view() for a in (*inputs, *(d for d in flatten(delta) if d is not None))]
        kept = [a.copy() for a in given]
        for a in given:
            a.flags.writeable = False
        deltas = iter(given[len(inputs) :])
        laid_out = unflatten(delta, [next(deltas) if d is not None else None for d in flatten(delta)])
        got = run(layer, *given[: len(inputs)], delta=laid_out)
        for left, right in zip(arrays_of(got), arrays_of(expected), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-14)
        for before, after in zip(kept, given, strict=True):
            np.testing.assert_array_equal(before, after)


def check_dtype(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    for dtype in (np.float32, np.float64):
        typed = copy.deepcopy(layer).to(dtype)
        results = run(typed, *[x.astype(dtype) if floats(x) else x for x in inputs])
        found = {a.dtype for a in arrays_of(results) if a.dtype.kind != "i"}  # an index has its own
        assert found == {np.dtype(dtype)}


def check_float32(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """float32 gives what float64 gives, to float32's precision."""
    narrow = copy.deepcopy(layer).float()
    inputs32 = [x.astype(np.float32) if floats(x) else x for x in inputs]
    wide = copy.deepcopy(narrow).double()
    expected = run(wide, *[x.astype(np.float64) if floats(x) else x for x in inputs32])
    for got, right in zip(arrays_of(run(narrow, *inputs32)), arrays_of(expected), strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-5, atol=1e-5 * max(float(np.abs(right).max(initial=0)), 1e-6))


NAMED_EXCEPTIONS = {"running_mean", "running_var", "num_batches_tracked", "rng"}


def check_nothing_left(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    before = {k: copy.copy(v) if k in NAMED_EXCEPTIONS else v for k, v in vars(layer).items()}
    run(layer, *inputs)
    after = vars(layer)
    assert after.keys() == before.keys()
    assert all(after[k] is before[k] for k in before if k not in NAMED_EXCEPTIONS)


class SpyCtx(Ctx):
    """Notes which of the saved values backward reads."""

    __slots__ = ("read",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.read: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if name not in ("read", "__dict__") and name in self.__dict__:
            self.read.add(name)
        return super().__getattribute__(name)


def check_saves_what_it_reads(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    ctx = SpyCtx(tuple(floats(x) for x in inputs), True)
    y = layer.forward(ctx, *inputs)
    saved = set(vars(ctx))
    ctx.read.clear()
    layer.backward(ctx, like(y))
    assert saved == ctx.read, f"saved {saved}, read {ctx.read}"


def check_no_grad(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    manual_seed(1)
    y = layer(*inputs)
    layer.backward(like(y))
    manual_seed(1)
    with no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", TrainingModeWarning)
        call = Call(layer)
        again = call.forward(*inputs)
        taped = layer(tensor(inputs[0], requires_grad=floats(inputs[0])), *inputs[1:])
        assert all(part.grad_fn is None for part in flatten(taped))
    assert call.ctx is None
    for left, right in zip(flatten(y), flatten(again), strict=True):
        np.testing.assert_array_equal(left, right)
    with pytest.raises(BackwardError, match="no_grad"):
        call.backward(like(y))
    with pytest.raises(BackwardError, match=type(layer).__name__):
        layer.backward(like(y))


def check_small_batches(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """A batch of one passes the gradient check; an empty batch gives empty arrays and zero gradients, or is refused."""
    n = len(inputs[0])
    for size in (1, 0):
        part = tuple(x[:size] if x.ndim and len(x) == n else x for x in inputs)
        try:
            y, deltas, gradients = run(layer, *part)
        except NumnetError as error:
            if not error.cure:
                pytest.fail(f"refused without a cure: {error}")
            continue
        for x, delta in zip(part, deltas, strict=False):
            assert delta is None or delta.shape == x.shape
        if size:
            check_gradients(layer, part)
        else:
            assert all(part.ndim == 0 or part.size == 0 for part in flatten(y))
            assert all(g is not None and not g.any() for g in gradients)


def check_refusals(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    name = type(layer).__name__
    net = nn.Sequential({"inner": layer}) if len(inputs) == 1 else layer
    if not isinstance(layer, nn.Identity | nn.Flatten | nn.Unflatten):
        wrong, right = (np.int64, "float") if floats(inputs[0]) else (np.float64, "int")
        with pytest.raises(DtypeError, match=rf"(?s){name}.*astype\(np\.{right}") as caught:
            net(np.ones(inputs[0].shape, wrong), *inputs[1:])
        if net is not layer:
            assert "'inner'" in str(caught.value)
    with pytest.raises(BackwardError, match=rf"(?s){name}.*has not run.*cure"):
        Call(layer).backward(np.ones(1))
    call = Call(layer)
    y = call.forward(*inputs)
    with pytest.raises(ShapeError, match=rf"(?s){name}.*backward.*expected.*got"):
        call.backward(unflatten(y, [np.ones((*part.shape, 2)) for part in flatten(y)]))
    call.backward(like(y))
    with pytest.raises(BackwardError, match=rf"(?s){name}.*already.*cure"):
        call.backward(like(y))


def check_three_ways(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """Explicit, by hand and on the tape: the same bits."""
    explicit = run(layer, *inputs)
    y, deltas, gradients = explicit
    layer.zero_grad()
    manual_seed(1)
    call = Call(layer)
    by_hand = call.forward(*inputs)
    handed = call.backward(like(y))
    for left, right in zip(flatten(by_hand), flatten(y), strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(handed[0] if isinstance(handed, tuple) else handed, deltas[0])
    for p, g in zip(layer.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(p.grad, g)
    layer.zero_grad()
    manual_seed(1)
    x = tensor(inputs[0], requires_grad=floats(inputs[0]))
    taped = layer(x, *inputs[1:])
    assert all(isinstance(part, Tensor) for part in flatten(taped))
    weighted(taped).backward()
    for left, right in zip(flatten(taped), flatten(y), strict=True):
        np.testing.assert_array_equal(left.data, right)
    if floats(inputs[0]):
        np.testing.assert_array_equal(x.grad, deltas[0])
    for p, g in zip(layer.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(p.grad, g)


def check_twins(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    expected = run(layer, *inputs)
    with kernels.using("reference"):
        reference = run(layer, *inputs)
    for got, right in zip(arrays_of(expected), arrays_of(reference), strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-10, atol=1e-12)


def check_threads(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    runtime = _ext.modules["runtime"]
    before = runtime.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            runtime.set_num_threads(threads)
            results.append(run(layer, *inputs))
    finally:
        runtime.set_num_threads(before)
    assert_same_bits(results[0], results[1])
    assert_same_bits(results[0], results[2])


def check_text(cls: type) -> None:
    lines = formulas(cls)
    assert lines.forward, f"{cls.__name__}: the docstring has no indented forward formula"
    assert any("∂J/∂" in line for line in lines.backward), f"{cls.__name__}: no gradient formula"
    assert "Shapes:" in (cls.__doc__ or ""), f"{cls.__name__}: no Shapes"


ON_INPUTS = [  # what is checked on every example, compiled kernels or not
    check_gradients,
    check_called_twice,
    check_layouts,
    check_dtype,
    check_float32,
    check_nothing_left,
    check_saves_what_it_reads,
    check_no_grad,
    check_small_batches,
    check_refusals,
    check_three_ways,
    check_twins,
]
