"""The contract of a layer (docs/design.md), held by every layer of the package.

Layers are found by themselves; one without an example here fails. Each check is a function, and each is broken once
on purpose at the end, so that a check that cannot fail would show.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from numnet import Tensor, _ext, kernels, manual_seed, nn, no_grad, tensor
from numnet.call import Call, Ctx
from numnet.errors import BackwardError, DtypeError, NumnetError, ShapeError
from numnet.inspect import formulas, gradcheck

RNG = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    """Distinct numbers, well apart: no ties in a maximum, none at a kink."""
    size = int(np.prod(shape))
    return (RNG.permutation(size) + 0.5 - size / 2).reshape(shape) * (4 / max(size, 1))


def probabilities(*shape: int) -> np.ndarray:
    return 0.05 + 0.9 * RNG.random(shape)


class Example(NamedTuple):
    """A layer, its float64 inputs (the first one a batch), and which of the further checks make sense for it."""

    make: Callable[[], nn.Layer]
    inputs: tuple[np.ndarray, ...]
    batch_axis: bool = True  # whether x[:1] and x[:0] are inputs too


def labels(*shape: int, classes: int) -> np.ndarray:
    return RNG.integers(0, classes, shape)


def one_hot_mix(n: int, classes: int) -> np.ndarray:
    p = RNG.random((n, classes))
    return p / p.sum(1, keepdims=True)


def log_probabilities(*shape: int) -> np.ndarray:
    z = numbers(*shape)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def trained_norm(norm: nn.Layer) -> nn.Layer:
    norm.running_mean[...] = np.linspace(-1, 1, norm.num_features)
    norm.running_var[...] = np.linspace(0.5, 2, norm.num_features)
    return norm.eval()


EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.Identity: [Example(nn.Identity, (numbers(3, 4),))],
    nn.Flatten: [
        Example(nn.Flatten, (numbers(3, 2, 4),)),
        Example(lambda: nn.Flatten(0, 1), (numbers(3, 2, 4),)),
    ],
    nn.Linear: [
        Example(lambda: nn.Linear(4, 3), (numbers(5, 4),)),
        Example(lambda: nn.Linear(4, 1, bias=False), (numbers(2, 3, 4),)),
        Example(lambda: nn.Linear(17, 19), (numbers(3, 17),)),
    ],
    nn.Conv2d: [
        Example(lambda: nn.Conv2d(2, 3, 3), (numbers(2, 2, 5, 4),)),
        Example(lambda: nn.Conv2d(2, 4, (2, 3), stride=2, padding=(1, 0), groups=2), (numbers(2, 2, 5, 6),)),
        Example(lambda: nn.Conv2d(1, 2, 2, padding="same", dilation=2, bias=False), (numbers(2, 1, 4, 5),)),
        Example(lambda: nn.Conv2d(1, 1, 1, padding=2, padding_mode="reflect"), (numbers(1, 1, 4, 4),)),
        Example(lambda: nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), (numbers(2, 1, 3, 3),)),
        Example(lambda: nn.Conv2d(1, 2, 3, padding=(2, 1), padding_mode="replicate"), (numbers(2, 1, 3, 4),)),
    ],
    nn.MaxPool2d: [
        Example(lambda: nn.MaxPool2d(2), (numbers(2, 2, 5, 4),)),
        Example(lambda: nn.MaxPool2d(3, stride=1, padding=1), (numbers(2, 1, 4, 5),)),
        Example(lambda: nn.MaxPool2d(2, dilation=2, ceil_mode=True, stride=2), (numbers(1, 2, 6, 5),)),
    ],
    nn.AvgPool2d: [
        Example(lambda: nn.AvgPool2d(2), (numbers(2, 2, 5, 4),)),
        Example(lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (numbers(2, 1, 4, 6),)),
        Example(lambda: nn.AvgPool2d(2, padding=1, count_include_pad=False), (numbers(2, 1, 4, 5),)),
        Example(lambda: nn.AvgPool2d(2, stride=1, divisor_override=3), (numbers(2, 1, 3, 3),)),
    ],
    nn.ReLU: [Example(nn.ReLU, (numbers(3, 5),))],
    nn.Sigmoid: [Example(nn.Sigmoid, (numbers(3, 5),))],
    nn.Tanh: [Example(nn.Tanh, (numbers(3, 5),))],
    nn.Softmax: [
        Example(lambda: nn.Softmax(dim=1), (numbers(3, 5),)),
        Example(lambda: nn.Softmax(-2), (numbers(2, 3, 2),)),
    ],
    nn.LogSoftmax: [Example(lambda: nn.LogSoftmax(dim=1), (numbers(3, 5),))],
    nn.Dropout: [
        Example(lambda: nn.Dropout(0.4), (numbers(4, 6),)),
        Example(lambda: nn.Dropout(0.4).eval(), (numbers(4, 6),)),
        Example(lambda: nn.Dropout(1.0), (numbers(2, 3),)),
    ],
    nn.BatchNorm1d: [
        Example(lambda: nn.BatchNorm1d(3), (numbers(5, 3),)),
        Example(lambda: nn.BatchNorm1d(2, momentum=None), (numbers(3, 2, 4),)),
        Example(lambda: trained_norm(nn.BatchNorm1d(3)), (numbers(4, 3),)),
    ],
    nn.BatchNorm2d: [
        Example(lambda: nn.BatchNorm2d(2), (numbers(3, 2, 2, 3),)),
        Example(lambda: nn.BatchNorm2d(2, affine=False, track_running_stats=False), (numbers(3, 2, 2, 3),)),
        Example(lambda: trained_norm(nn.BatchNorm2d(2)), (numbers(2, 2, 3, 2),)),
    ],
    nn.MSELoss: [
        Example(nn.MSELoss, (numbers(4, 3), numbers(4, 3))),
        Example(lambda: nn.MSELoss(reduction="none"), (numbers(4), numbers(4))),
    ],
    nn.CrossEntropyLoss: [
        Example(nn.CrossEntropyLoss, (numbers(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.CrossEntropyLoss(weight=np.array([1.0, 2.0, 0.5]), label_smoothing=0.2, ignore_index=1),
            (numbers(4, 3), np.array([0, 2, 1, 2])),
        ),
        Example(lambda: nn.CrossEntropyLoss(reduction="sum"), (numbers(4, 3), one_hot_mix(4, 3))),
        Example(nn.CrossEntropyLoss, (numbers(2, 3, 2, 2), labels(2, 2, 2, classes=3))),
    ],
    nn.NLLLoss: [
        Example(nn.NLLLoss, (log_probabilities(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.NLLLoss(np.array([1.0, 2.0, 0.5]), reduction="none"),
            (log_probabilities(4, 3), labels(4, classes=3)),
        ),
    ],
    nn.BCELoss: [
        Example(nn.BCELoss, (probabilities(4, 2), probabilities(4, 2))),
        Example(lambda: nn.BCELoss(reduction="sum"), (probabilities(5), RNG.integers(0, 2, 5).astype(float))),
    ],
    nn.BCEWithLogitsLoss: [
        Example(nn.BCEWithLogitsLoss, (numbers(4, 2), probabilities(4, 2))),
        Example(
            lambda: nn.BCEWithLogitsLoss(weight=np.array([1.0, 0.5]), pos_weight=np.array([3.0, 2.0])),
            (numbers(4, 2), probabilities(4, 2)),
        ),
    ],
}


def concrete_layers(of: type = nn.Layer) -> Iterator[type[nn.Layer]]:
    for cls in of.__subclasses__():
        if cls.__module__.startswith("numnet."):
            if not cls.__subclasses__() and not cls.__name__.startswith("_"):
                yield cls
            yield from concrete_layers(cls)


LAYERS = sorted(set(concrete_layers()), key=lambda cls: cls.__name__)
CASES = [pytest.param(e, id=f"{cls.__name__}-{i}") for cls in LAYERS for i, e in enumerate(EXAMPLES.get(cls, []))]
every_example = pytest.mark.parametrize("example", CASES)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    manual_seed(0)


# ---------------------------------------------------------------------------------------------- helpers


def floats(a: np.ndarray) -> bool:
    return a.dtype.kind == "f"


Results = tuple[np.ndarray, tuple[Any, ...], list[Any]]


def run(layer: nn.Layer, *inputs: np.ndarray, delta: np.ndarray | None = None) -> Results:
    """Output, ∂J/∂input for each input and parameter gradients of one explicit call, from the same draws each time."""
    manual_seed(1)
    layer.zero_grad()
    y = layer(*inputs)
    result = layer.backward(like(y) if delta is None else delta)
    deltas = result if isinstance(result, tuple) else (result,)
    return y, deltas, [p.grad for p in layer.parameters()]


def like(y: np.ndarray) -> np.ndarray:
    return np.linspace(0.5, 1.5, y.size, dtype=y.dtype).reshape(y.shape)


def arrays_of(results: Results) -> list[np.ndarray]:
    y, deltas, gradients = results
    return [a for a in (y, *deltas, *gradients) if a is not None]


def assert_same_bits(a: Any, b: Any) -> None:
    for left, right in zip(arrays_of(a), arrays_of(b), strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


# ---------------------------------------------------------------------------------------------- checks


def check_gradients(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    report = gradcheck(layer, *inputs)
    assert report.ok, str(report)
    assert len(report.rows) >= 1 + len(list(layer.parameters()))


def check_called_twice(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    """Two calls on one tape: each has its own δ, parameter gradients add."""
    x, *others = inputs
    runs = [run(layer, a, *others) for a in (x, x[::-1].copy())]
    layer.zero_grad()
    manual_seed(1)
    first = tensor(x, requires_grad=True)
    second = tensor(x[::-1].copy(), requires_grad=True)
    y = layer(first, *others)
    manual_seed(1)
    J = (y * like(y.data)).sum()
    y = layer(second, *others)
    (J + (y * like(y.data)).sum()).backward()
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
        given = [layout(a.copy()).view() for a in (*inputs, delta)]
        kept = [a.copy() for a in given]
        for a in given:
            a.flags.writeable = False
        got = run(layer, *given[:-1], delta=given[-1])
        for left, right in zip(arrays_of(got), arrays_of(expected), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-14)
        for before, after in zip(kept, given, strict=True):
            np.testing.assert_array_equal(before, after)


def check_dtype(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    for dtype in (np.float32, np.float64):
        typed = copy.deepcopy(layer).to(dtype)
        results = run(typed, *[x.astype(dtype) if floats(x) else x for x in inputs])
        assert all(a.dtype == dtype for a in arrays_of(results)), [a.dtype for a in arrays_of(results)]


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
    with no_grad():
        call = Call(layer)
        again = call.forward(*inputs)
        assert layer(tensor(inputs[0], requires_grad=True), *inputs[1:]).grad_fn is None
    assert call.ctx is None
    np.testing.assert_array_equal(y, again)
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
            assert y.ndim == 0 or len(y) == 0
            assert all(g is not None and not g.any() for g in gradients)


def check_refusals(layer: nn.Layer, inputs: tuple[np.ndarray, ...]) -> None:
    name = type(layer).__name__
    net = nn.Sequential({"inner": layer}) if len(inputs) == 1 else layer
    if not isinstance(layer, nn.Identity | nn.Flatten):
        with pytest.raises(DtypeError, match=rf"(?s){name}.*astype\(np\.float") as caught:
            net(np.ones(inputs[0].shape, np.int64), *inputs[1:])
        if net is not layer:
            assert "'inner'" in str(caught.value)
    with pytest.raises(BackwardError, match=rf"(?s){name}.*has not run.*cure"):
        Call(layer).backward(np.ones(1))
    call = Call(layer)
    y = call.forward(*inputs)
    with pytest.raises(ShapeError, match=rf"(?s){name}.*backward.*expected.*got"):
        call.backward(np.ones((*y.shape, 2)))
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
    np.testing.assert_array_equal(by_hand, y)
    np.testing.assert_array_equal(handed[0] if isinstance(handed, tuple) else handed, deltas[0])
    for p, g in zip(layer.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(p.grad, g)
    layer.zero_grad()
    manual_seed(1)
    x = tensor(inputs[0], requires_grad=True)
    taped = layer(x, *inputs[1:])
    assert isinstance(taped, Tensor)
    taped.backward(like(y))
    np.testing.assert_array_equal(taped.data, y)
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


# ---------------------------------------------------------------------------------------------- every layer holds them


def test_every_layer_has_an_example() -> None:
    assert {cls.__name__ for cls in LAYERS} == {cls.__name__ for cls in EXAMPLES}
    assert all(EXAMPLES.values())


@pytest.mark.parametrize("cls", LAYERS)
def test_text(cls: type) -> None:
    check_text(cls)


ON_INPUTS = [
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


@pytest.mark.parametrize("check", ON_INPUTS, ids=lambda check: check.__name__.removeprefix("check_"))
@every_example
def test_contract(example: Example, check: Callable[[nn.Layer, tuple[np.ndarray, ...]], None]) -> None:
    check(example.make().double(), example.inputs)


@every_example
@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built, so there are no threads")
def test_threads(example: Example) -> None:
    check_threads(example.make().double(), example.inputs)


# ---------------------------------------------------------------------------------------------- each check can fail


class Scale(nn.Layer):
    """Right in everything; the broken ones below each differ in one thing.

        z = w x

        ∂J/∂w = Σ δ x        ∂J/∂x = w δ

    Shapes: any.
    """

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(np.array([1.5], np.float32))

    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        if x.dtype != self.w.dtype:
            raise DtypeError("x as w", str(x.dtype), f"x.astype(np.{self.w.dtype})")
        ctx.x = x
        return self.w.data * x

    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.accumulate((delta * ctx.x).sum().reshape(1))
        return self.w.data * delta


class WrongGradient(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.accumulate((delta * ctx.x).mean().reshape(1))
        return self.w.data * delta


class WrongInOneElement(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        delta_x = Scale.backward(self, ctx, delta)
        delta_x.flat[-1] *= 1.00001
        return delta_x


class OverwritesGrad(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.grad = (delta * ctx.x).sum().reshape(1)
        return self.w.data * delta


class KeepsOnSelf(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        self.x = x
        return Scale.forward(self, ctx, x)

    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        self.w.accumulate((delta * self.x * (ctx.x != 0)).sum().reshape(1))
        return self.w.data * delta


class WritesIntoDelta(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        delta_x = Scale.backward(self, ctx, delta)
        delta *= 2
        return delta_x


class ReadsMemoryOrder(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x).ravel(order="K").reshape(x.shape)


class Upcasts(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) * np.float64(1)


class LosesPrecision(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        z = Scale.forward(self, ctx, x)
        return z if z.dtype == np.float64 else z.astype(np.float16).astype(z.dtype)


class SavesTooMuch(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        ctx.z = Scale.forward(self, ctx, x)
        return ctx.z


class DiffersUnderNoGrad(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) + (not ctx.recording)


class NanOnEmpty(Scale):
    def backward(self, ctx: Ctx, delta: np.ndarray) -> np.ndarray:
        delta_x = Scale.backward(self, ctx, delta)
        if not delta.size:
            self.w.grad[...] = np.nan
        return delta_x


class TakesIntegers(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x.astype(self.w.dtype))


class Counts(Scale):
    calls = 0

    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        type(self).calls += 1
        return Scale.forward(self, ctx, x) + 1e-9 * self.calls


class DiffersByTwin(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) + (1e-6 if kernels.twin("linear") == "native" else 0)


class DiffersByThreads(Scale):
    def forward(self, ctx: Ctx, x: np.ndarray) -> np.ndarray:
        return Scale.forward(self, ctx, x) * (1 + 2e-16 * _ext.modules["runtime"].get_num_threads())


BROKEN = [
    (check_gradients, WrongGradient),
    (check_gradients, WrongInOneElement),
    (check_gradients, OverwritesGrad),
    (check_called_twice, KeepsOnSelf),
    (check_layouts, WritesIntoDelta),
    (check_layouts, ReadsMemoryOrder),
    (check_dtype, Upcasts),
    (check_float32, LosesPrecision),
    (check_nothing_left, KeepsOnSelf),
    (check_saves_what_it_reads, SavesTooMuch),
    (check_no_grad, DiffersUnderNoGrad),
    (check_small_batches, NanOnEmpty),
    (check_refusals, TakesIntegers),
    (check_three_ways, Counts),
]
NATIVE_ONLY = [(check_twins, DiffersByTwin), (check_threads, DiffersByThreads)]


@pytest.mark.parametrize("check", [*ON_INPUTS, check_threads], ids=lambda check: check.__name__)
def test_a_right_layer_passes(check: Callable[..., None]) -> None:
    if check is not check_threads or "runtime" in _ext.modules:
        check(Scale().double(), (numbers(4, 3),))
    assert check in {broken for broken, _ in BROKEN + NATIVE_ONLY}, "a check that is never seen to fail"


@pytest.mark.parametrize("check, broken", BROKEN, ids=lambda value: value.__name__)
def test_a_broken_layer_fails(check: Callable[..., None], broken: type[nn.Layer]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, ValueError, NumnetError)):
        check(broken().double(), (numbers(4, 3),))


@pytest.mark.skipif("runtime" not in _ext.modules, reason="the compiled kernels are not built")
@pytest.mark.parametrize("check, broken", NATIVE_ONLY, ids=lambda value: value.__name__)
def test_a_broken_layer_fails_with_compiled_kernels(check: Callable[..., None], broken: type[nn.Layer]) -> None:
    with pytest.raises(AssertionError):
        check(broken().double(), (numbers(4, 3),))


def test_a_layer_without_formulas_fails() -> None:
    class Silent(nn.Layer):
        pass

    with pytest.raises(AssertionError, match="formula"):
        check_text(Silent)
