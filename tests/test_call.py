"""Call, Ctx, observers and the walk back along the tape."""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, Tensor, nn, no_grad, observe, set_grad_enabled, tensor
from numnet.call import Call, Ctx, this_thread
from numnet.errors import BackwardError, DtypeError, NumnetError, ShapeError
from numnet.tape import apply


class Scale(nn.Layer):
    """One weight for everything.

        y = w x

        ∂J/∂w = Σ δ x        ∂J/∂x = w δ

    Shapes: x, y and δ any, w ().
    """

    def __init__(self, w: float = 3.0, dtype: Any = np.float64) -> None:
        super().__init__()
        self.w = Parameter(np.array(w, dtype))

    def forward(self, ctx: Ctx, x: Any) -> Any:
        ctx.x = x
        return self.w.data * x

    def backward(self, ctx: Ctx, delta: Any) -> Any:
        self.w.accumulate(np.asarray((delta * ctx.x).sum()))
        return self.w.data * delta


class Split(nn.Layer):
    """Two outputs and an integer one: 2x, the signs of x, 5x."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def forward(self, ctx: Ctx, x: Any) -> Any:
        return 2 * x, np.sign(x).astype(np.int64), 5 * x

    def backward(self, ctx: Ctx, delta: Any) -> Any:
        self.seen.append(delta)
        first, _, last = delta
        return (0 if first is None else 2 * first) + (0 if last is None else 5 * last)


class Formulas:
    """Two lambdas as a pair of formulas."""

    def __init__(self, forward: Any, backward: Any) -> None:
        self.forward = lambda ctx, *xs: forward(*xs)
        self.backward = lambda ctx, delta: backward(delta)


X = np.array([1.0, -2.0, 4.0])


def leaf(x: Any = X) -> Tensor:
    return Tensor(np.array(x, np.float64), requires_grad=True)


# ---------------------------------------------------------------------- one call


def test_by_hand() -> None:
    layer = Scale()
    call = Call(layer)
    np.testing.assert_array_equal(call.forward(X), 3 * X)
    np.testing.assert_array_equal(call.backward(np.ones(3)), [3.0, 3.0, 3.0])
    assert layer.w.grad == 3.0


def test_ctx_holds_what_forward_saved_and_names_what_it_did_not() -> None:
    call = Call(Scale())
    call.forward(X)
    assert list(vars(call.ctx)) == ["x"]
    assert call.ctx.needs_input_grad == (True,)
    assert call.ctx.recording


def test_what_forward_did_not_save_is_named_with_what_it_did() -> None:
    class Forgets(Scale):
        def backward(self, ctx: Ctx, delta: Any) -> Any:
            return delta * ctx.z

    call = Call(Forgets())
    call.forward(X)
    with pytest.raises(AttributeError, match=r"^forward saved no 'z' on its ctx; it saved \['x'\]\n") as caught:
        call.backward(np.ones(3))
    assert "Forgets, backward" in caught.value.__notes__[0]


def test_integers_need_no_gradient() -> None:
    call = Call(Formulas(lambda x, i: x[i], lambda delta: (np.zeros(3), None)))
    call.forward(X, np.array([0, 2]))
    assert call.ctx.needs_input_grad == (True, False)
    assert call.backward(np.ones(2))[1] is None


def test_two_calls_of_one_layer_do_not_meet() -> None:
    layer = Scale()
    first, second = Call(layer), Call(layer)
    first.forward(X)
    second.forward(10 * X)
    second.backward(np.ones(3))
    first.backward(np.ones(3))
    assert layer.w.grad == 33.0
    assert first.number < second.number


def test_delta_of_a_single_number_is_one_by_default() -> None:
    call = Call(Formulas(lambda x: x.sum(), lambda delta: delta * np.ones(3)))
    call.forward(X.astype(np.float32))
    with pytest.raises(DtypeError):
        call.backward()  # the formula above makes float64 of it
    single: list[tuple[Any, Any]] = [
        (lambda x: x.sum(), lambda delta: delta * np.ones(3)),
        (lambda x: x.sum(keepdims=True), lambda delta: delta * np.ones(3)),
        (lambda x: (x.sum(),), lambda deltas: deltas[0] * np.ones(3)),
    ]
    for pair in single:
        call = Call(Formulas(*pair))
        call.forward(X)
        np.testing.assert_array_equal(call.backward(), np.ones(3))


def test_scalars_of_numpy_are_arrays_without_axes() -> None:
    call = Call(Formulas(lambda a, b: (a * b, a + b), lambda d: (d[0] * 2.0 + d[1], d[1] * np.float64(1))))
    outputs = call.forward(np.array(2.0), np.array(3.0))
    assert all(type(y) is np.ndarray and y.shape == () for y in outputs)
    deltas = call.backward((np.float64(1.0), np.array(1.0)))
    assert all(type(d) is np.ndarray and d.shape == () for d in deltas)
    assert [float(d) for d in deltas] == [3.0, 1.0]


def test_retain_graph_and_what_is_freed_without() -> None:
    layer = Scale()
    call = Call(layer)
    call.forward(X)
    call.backward(np.ones(3), retain_graph=True)
    call.backward(np.ones(3))
    assert layer.w.grad == 6.0
    assert call.ctx is None
    with pytest.raises(BackwardError, match=r"already[^\0]*retain_graph=True"):
        call.backward(np.ones(3))


@pytest.mark.parametrize(
    "prepare, message",
    [
        (lambda call: None, "its forward has not run"),
        (lambda call: call.forward(X, recording=False), "nothing was recorded"),
        (lambda call: (call.forward(X), call.backward(np.ones(3))), "already"),
    ],
)
def test_no_backward_without_a_forward(prepare: Any, message: str) -> None:
    call = Call(Scale())
    prepare(call)
    with pytest.raises(BackwardError, match=f"Scale, backward of[^\0]*{message}"):
        call.backward(np.ones(3))


def test_one_forward_for_each_call() -> None:
    call = Call(Scale())
    call.forward(X)
    with pytest.raises(BackwardError, match="make a new Call"):
        call.forward(X)
    call.backward(np.ones(3))  # the first is not spoilt


@pytest.mark.parametrize(
    "delta, error, message",
    [
        (np.ones(4), ShapeError, r"shape \(3,\).*\n.*\(4,\)"),
        (np.ones((3, 1)), ShapeError, r"\(3, 1\)"),
        (np.ones(3, np.float32), DtypeError, "float64.*\n.*float32"),
        ([1.0, 1.0, 1.0], DtypeError, "list"),
        ((np.ones(3), np.ones(3)), ShapeError, "1 deltas"),
        (None, BackwardError, "not a single number"),
    ],
)
def test_a_wrong_delta_leaves_the_call_as_it_was(delta: Any, error: type[NumnetError], message: str) -> None:
    layer = Scale()
    call = Call(layer)
    call.forward(X)
    with pytest.raises(error, match=message):
        call.backward(delta)
    assert layer.w.grad is None
    np.testing.assert_array_equal(call.backward(np.ones(3)), [3.0] * 3)


@pytest.mark.parametrize(
    "forward, error, message",
    [
        (lambda x: None, DtypeError, "end forward with `return`"),
        (lambda x: 3.0, DtypeError, "return arrays"),
        (lambda x: (), DtypeError, "an array or a tuple"),
        (lambda x: (x, None), DtypeError, "an array or a tuple"),
        (lambda x: Tensor(x), DtypeError, "float64 Tensor[^\0]*take .data"),
    ],
)
def test_what_forward_may_not_return(forward: Any, error: type[NumnetError], message: str) -> None:
    with pytest.raises(error, match=f"Formulas, forward[^\0]*{message}"):
        Call(Formulas(forward, None)).forward(X)


@pytest.mark.parametrize(
    "backward, error, message",
    [
        (lambda delta: None, DtypeError, "end backward with `return`"),
        (lambda delta: 3.0, DtypeError, "to return arrays"),
        (lambda delta: (delta, None), ShapeError, "1 values"),
        (lambda delta: delta.sum(axis=0), ShapeError, "sum over what forward broadcast"),
        (lambda delta: delta.T, ShapeError, "transpose it"),
        (lambda delta: delta.astype(np.float32), DtypeError, "float64, as the input is[^\0]*float32"),
    ],
)
def test_what_backward_may_not_return(backward: Any, error: type[NumnetError], message: str) -> None:
    call = Call(Formulas(lambda x: 2 * x, backward))
    call.forward(np.ones((2, 3)))
    with pytest.raises(error, match=f"Formulas, backward[^\0]*{message}"):
        call.backward(np.ones((2, 3)))


def test_a_foreign_error_keeps_its_type_and_gets_its_place() -> None:
    def broken(x: Any) -> Any:
        raise ZeroDivisionError("mine")

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Identity(), nn.Identity())
            self.body[1].forward = lambda ctx, x: broken(x)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        Net()(X)
    assert caught.value.__notes__ == ["in Identity 'body.1', forward of Identity()"]


# ---------------------------------------------------------------------- several outputs


def test_outputs_that_nobody_used_get_none() -> None:
    layer = Split()
    x = leaf()
    first, signs, last = layer(x)
    assert not signs.requires_grad
    assert signs.grad_fn is None
    assert last.requires_grad
    first.backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, [2.0] * 3)
    assert layer.seen[0][1:] == (None, None)


def test_outputs_with_several_dtypes_and_several_uses() -> None:
    layer = Split()
    x = leaf()
    first, signs, last = layer(x)
    (first * signs + last + last).backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, 2 * np.sign(X) + 10)
    assert len(layer.seen) == 1


def test_an_integer_output_in_front_does_not_set_the_dtype_of_delta() -> None:
    pair = Formulas(lambda x: (np.sign(x).astype(np.int64), 2 * x), lambda delta: 2 * delta[1])
    x = leaf()
    apply(pair, x)[1].backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, [2.0] * 3)


def test_several_outputs_with_plain_arrays() -> None:
    layer = Split()
    first, _, last = layer(X)
    np.testing.assert_array_equal(first + last, 7 * X)
    np.testing.assert_array_equal(layer.backward((np.ones(3), None, None)), [2.0] * 3)
    layer(X)
    with pytest.raises(ShapeError, match="3 deltas"):
        layer.backward(np.ones(3))


def test_a_layer_without_inputs() -> None:
    class Table(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(X.copy())

        def forward(self, ctx: Ctx) -> Any:
            return self.w.data * 2

        def backward(self, ctx: Ctx, delta: Any) -> None:
            self.w.accumulate(2 * delta)

    table = Table()
    (apply(table) * 3.0).sum().backward()
    np.testing.assert_array_equal(table.w.grad, [6.0] * 3)


# ---------------------------------------------------------------------- the walk


def test_a_layer_used_twice() -> None:
    layer = Scale()
    x = leaf()
    layer(layer(x)).backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, [9.0] * 3)
    assert layer.w.grad == 2 * 3 * X.sum()


def test_diamonds_run_every_call_once() -> None:
    counted: list[int] = []

    class Count:
        def backward(self, call: Call, deltas: Any, input_deltas: Any) -> None:
            counted.append(call.number)

        def forward(self, call: Call, inputs: Any, outputs: Any) -> None:
            pass

    x = leaf(2.0)
    y = x
    for _ in range(30):  # 2³⁰ ways from end to start
        y = y + y
    with observe(Count()):
        y.backward()
    assert x.grad == 2.0**30
    assert len(counted) == 30
    assert counted == sorted(counted, reverse=True)


def test_ways_of_different_length_are_all_waited_for() -> None:
    x = leaf()
    near = x * 2.0
    far = ((near * 3.0) * 5.0) * 7.0
    (near + far).backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, [2 + 210.0] * 3)


def test_ten_thousand_calls() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1.0
    assert "grad_fn=<Call" in repr(y)
    y.backward()
    assert x.grad == 1.0
    for _ in range(10_000):
        y = y * 1.0
    alive = weakref.ref(y)
    del y  # the tape of 20,000 calls goes at once, without recursion
    gc.collect()
    assert alive() is None


def test_retain_graph_second_backward_and_shared_trunks() -> None:
    x = leaf()
    trunk = x * 2.0
    one, two = (trunk * 3.0).sum(), (trunk * 5.0).sum()
    one.backward(retain_graph=True)
    one.backward(retain_graph=True)
    two.backward()
    np.testing.assert_array_equal(x.grad, [6 + 6 + 10.0] * 3)
    with pytest.raises(BackwardError, match="already"):
        one.backward()


def test_no_gradient_is_shared_with_another_array() -> None:
    class Same(nn.Layer):
        def forward(self, ctx: Ctx, a: Any, b: Any) -> Any:
            return a + b

        def backward(self, ctx: Ctx, delta: Any) -> Any:
            return delta, delta

    a, b, delta = leaf(), leaf(), np.ones(3)
    Same()(a, b).backward(delta)
    a.grad += 10
    np.testing.assert_array_equal(b.grad, np.ones(3))
    np.testing.assert_array_equal(delta, np.ones(3))

    same, mine = Same(), np.ones(3)
    same(X, X)
    delta_a, delta_b = same.backward(mine)
    delta_a += 1
    np.testing.assert_array_equal(delta_b, mine)
    np.testing.assert_array_equal(mine, np.ones(3))

    x = leaf()
    x.sum().backward()  # its δ is one number, broadcast: read-only memory
    x.grad += 1
    np.testing.assert_array_equal(x.grad, [2.0] * 3)


def test_a_result_that_went_back_keeps_nothing_of_its_tape() -> None:
    x = leaf()
    J = (x * 2.0).sum()
    alive = weakref.ref(x)
    J.backward()
    del x
    gc.collect()
    assert alive() is None
    assert J.item() == 6.0


def test_grad_is_added_to() -> None:
    x = leaf()
    for _ in range(3):
        (x * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0] * 3)


def test_frozen_parameters_and_leaves_get_none() -> None:
    layer = Scale()
    layer.requires_grad_(False)
    x = Tensor(X)
    y = layer(x)
    assert not y.requires_grad
    assert y.grad_fn is None
    with pytest.raises(BackwardError, match="requires_grad=False"):
        y.backward(np.ones(3))
    x = leaf()
    layer(x).backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, [3.0] * 3)
    assert layer.w.grad is None


def test_an_exception_in_a_forward_leaves_nothing_behind() -> None:
    class Fails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = Scale()
            self.fails = True

        def forward(self, x: Tensor) -> Tensor:
            y = self.scale(x)
            if self.fails:
                raise RuntimeError("in the middle")
            return y

    net = Fails()
    net.fails = False
    net(X)
    net.fails = True
    with pytest.raises(RuntimeError, match="in the middle"):
        net(X)
    assert this_thread.state.run is None
    with pytest.raises(BackwardError, match="a call with plain arrays"):
        net.backward(np.ones(3))  # not through the call before
    assert net.scale.w.grad is None
    net.fails = False
    net(2 * X)
    net.backward(np.ones(3))
    assert net.scale.w.grad == 6.0


def test_an_exception_in_a_backward_names_its_place_and_can_be_tried_again() -> None:
    layer = Scale()
    original = Scale.backward
    x = leaf()
    y = layer(x)
    try:
        Scale.backward = lambda self, ctx, delta: 1 / 0
        with pytest.raises(ZeroDivisionError) as caught:
            y.backward(np.ones(3))
    finally:
        Scale.backward = original
    assert caught.value.__notes__ == ["in Scale, backward of Scale()"]
    y.backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, [3.0] * 3)


# ---------------------------------------------------------------------- recording


def test_no_grad_as_context_and_as_decorator() -> None:
    x = leaf()
    with no_grad():
        assert not (x * 2.0).requires_grad
        with set_grad_enabled(True):
            assert (x * 2.0).requires_grad
        assert not (x * 2.0).requires_grad
    assert (x * 2.0).requires_grad

    @no_grad()
    def double(y: Tensor) -> Tensor:
        return y * 2.0

    assert not double(x).requires_grad
    assert not double(x).requires_grad
    assert (x * 2.0).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert this_thread.state.recording


def test_set_grad_enabled_as_function_and_as_context() -> None:
    x = leaf()
    set_grad_enabled(False)
    try:
        assert not (x * 2.0).requires_grad
    finally:
        set_grad_enabled(True)
    assert (x * 2.0).requires_grad
    with set_grad_enabled(False):
        assert not (x * 2.0).requires_grad
    assert (x * 2.0).requires_grad


def test_under_no_grad_nothing_is_kept() -> None:
    kept: list[Ctx] = []

    class Spy(Scale):
        def forward(self, ctx: Ctx, x: Any) -> Any:
            kept.append(ctx)
            assert not ctx.recording
            return super().forward(ctx, x)

    layer = Spy()
    x = X.copy()
    with no_grad():
        y = layer(Tensor(x))
        layer(x)
    assert y.grad_fn is None
    kept.clear()
    alive = weakref.ref(x)
    del x, y
    gc.collect()
    assert alive() is None
    with pytest.raises(BackwardError, match="outside of no_grad"):
        layer.backward(np.ones(3))


def test_recording_belongs_to_the_thread() -> None:
    found: list[bool] = []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append((leaf() * 2.0).requires_grad))
        thread.start()
        thread.join()
    assert found == [True]


@pytest.mark.proves("C067")
def test_an_observer_sees_every_call_and_no_other() -> None:
    class Log:
        def __init__(self) -> None:
            self.lines: list[Any] = []

        def forward(self, call: Call, inputs: Any, outputs: Any) -> None:
            self.lines.append(("forward", call.path, inputs[0].shape, outputs[0].shape))

        def backward(self, call: Call, deltas: Any, input_deltas: Any) -> None:
            self.lines.append(("backward", call.path, deltas[0].shape, input_deltas[0].shape))

    net = nn.Sequential(nn.Linear(3, 2), nn.Flatten(0)).double()
    with observe(Log()) as log:
        net(np.ones((4, 3)))
        net.backward(np.ones(8))
    net(np.ones((4, 3)))
    assert log.lines == [
        ("forward", "0", (4, 3), (4, 2)),
        ("forward", "1", (4, 2), (8,)),
        ("backward", "1", (8,), (4, 2)),
        ("backward", "0", (4, 2), (4, 3)),
    ]


# ---------------------------------------------------------------------- threads and copies


def test_one_network_in_several_threads() -> None:
    net = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)).double()
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=(6, 5)) for _ in range(4)]
    deltas = [rng.normal(size=(6, 3)) for _ in range(4)]
    alone: list[Any] = []
    for x, delta in zip(xs, deltas, strict=True):
        net.zero_grad()
        y = net(x)
        alone.append((y, net.backward(delta), net[0].weight.grad))
    net.zero_grad()
    together: list[Any] = [None] * 4
    repeats = 25
    barrier = threading.Barrier(4)

    def work(i: int) -> None:
        barrier.wait()
        for _ in range(repeats):
            y = net(xs[i])
            together[i] = (y, net.backward(deltas[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (y, delta_x, _), pair in zip(alone, together, strict=True):
        np.testing.assert_array_equal(pair[0], y)
        np.testing.assert_array_equal(pair[1], delta_x)
    np.testing.assert_allclose(net[0].weight.grad, repeats * sum(grad for _, _, grad in alone), rtol=1e-10)


def test_the_latest_call_belongs_to_the_thread() -> None:
    layer = Scale()
    layer(X)
    found: list[Any] = []

    def other() -> None:
        try:
            layer.backward(np.ones(3))
        except BackwardError as error:
            found.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert len(found) == 1
    np.testing.assert_array_equal(layer.backward(np.ones(3)), [3.0] * 3)


def test_a_network_goes_with_its_last_reference_and_so_does_its_latest_call() -> None:
    net = nn.Sequential(Scale(), Scale())
    x = X.copy()
    net(x)
    alive = [weakref.ref(net), weakref.ref(net[0].w), weakref.ref(x)]
    del net, x
    gc.collect()
    assert [ref() for ref in alive] == [None] * 3


def test_a_copy_of_a_network_is_its_own() -> None:
    shared = Scale()
    net = nn.Sequential(shared, nn.Identity(), shared)
    y = net(X)
    other = copy.deepcopy(net)
    assert other[2] is other[0]
    assert other[0] is not net[0]
    with pytest.raises(BackwardError):
        other.backward(np.ones(3))
    other[0].w.data[...] = 100.0
    np.testing.assert_array_equal(net(X), y)
    other(X)
    other.backward(np.ones(3))
    assert net[0].w.grad is None
    assert other[0].w.grad == 2 * 100 * X.sum()
    assert "_latest" not in vars(other)


def test_only_leaves_are_copied() -> None:
    x = leaf()
    twin = copy.deepcopy(x)
    twin.data[...] = 0
    np.testing.assert_array_equal(x.data, X)
    assert twin.requires_grad
    for how in (copy.copy, copy.deepcopy):
        with pytest.raises(BackwardError, match="detach"):
            how(x * 2.0)
    assert not copy.deepcopy((x * 2.0).detach()).requires_grad
    assert not tensor((x * 2.0).detach()).requires_grad


def test_the_first_gradient_is_never_written_into() -> None:
    """A layer may hand on as ∂J/∂b the very δ that it also passes down, and that others have still to read."""

    class Shift(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.b = Parameter(np.ones(3))

        def forward(self, ctx: Ctx, x: Any) -> Any:
            return x + self.b.data

        def backward(self, ctx: Ctx, delta: Any) -> Any:
            self.b.accumulate(delta)
            return delta

    shift, tanh, x = Shift(), nn.Tanh(), leaf()
    (shift(tanh(x)) * 2.0 + shift(tanh(x * 0.5))).sum().backward()
    np.testing.assert_array_equal(shift.b.grad, [3, 3, 3])
    expected = 2 * (1 - np.tanh(x.data) ** 2) + 0.5 * (1 - np.tanh(0.5 * x.data) ** 2)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-12)
    delta = np.ones(3)
    shift.zero_grad()
    for _ in range(3):
        shift(X)
        shift.backward(delta)
    np.testing.assert_array_equal(delta, [1, 1, 1])
    np.testing.assert_array_equal(shift.b.grad, [3, 3, 3])


def test_adding_to_a_grad_that_is_none_is_explained() -> None:
    class Forgets(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(np.ones(3))

        def forward(self, ctx, x):
            return x * self.w.data

        def backward(self, ctx, delta):
            self.w.grad += delta.sum(0)
            return delta

    layer = Forgets()
    layer(np.ones((2, 3)))
    with pytest.raises(TypeError) as caught:
        layer.backward(np.ones((2, 3)))
    assert any("accumulate" in note for note in caught.value.__notes__)
    with pytest.raises(DtypeError, match="gradient as an array"):
        layer.w.accumulate(1.0)


def test_prediction_makes_no_call_unless_it_is_observed_or_fails() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    x = np.random.default_rng(0).standard_normal((5, 4))
    z = net(x)
    before = Call(nn.ReLU()).number
    with no_grad():
        assert net(x).tobytes() == z.tobytes()
        assert Call(nn.ReLU()).number == before + 1
        with pytest.raises(ShapeError) as caught:
            nn.Sequential(net, nn.Linear(3, 2).double())(x)
        assert "Linear '1', forward" in str(caught.value)
        watcher = Watcher()
        with observe(watcher):
            net(x)
    assert watcher.forwards == 3


class Watcher:
    """Counts forward calls."""

    forwards = 0

    def forward(self, call: Call, inputs: tuple[Any, ...], outputs: tuple[np.ndarray, ...]) -> None:
        self.forwards += 1

    def backward(self, call: Call, deltas: tuple[Any, ...], input_deltas: tuple[Any, ...]) -> None:
        raise AssertionError("nothing was recorded")
