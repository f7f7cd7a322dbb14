"""Underscore methods: they write into memory, the tape knows of it, and what a backward still needs is guarded."""

from __future__ import annotations

import gc
import linecache
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import numnet
from numnet import Tensor, nn, no_grad, writes
from numnet.errors import BackwardError, DtypeError, NumnetError, OptionError, ShapeError
from numnet.in_place import Data, InPlace

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
RNG = np.random.default_rng(3)
B = RNG.uniform(0.5, 2.0, (3, 4))

METHODS: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "add_": (lambda x: x.add_(2), lambda x: x.add_(x[0] + 0, alpha=3)),
    "sub_": (lambda x: x.sub_(2.5), lambda x: x.sub_(x[:, :1] + 0, alpha=2)),
    "mul_": (lambda x: x.mul_(3), lambda x: x.mul_(x + 0)),
    "div_": (lambda x: x.div_(2), lambda x: x.div_(x[1] + 0)),
    "pow_": (lambda x: x.pow_(2), lambda x: x.pow_(0.5)),
    "neg_": (lambda x: x.neg_(),),
    "abs_": (lambda x: x.sub_(1).abs_(),),
    "exp_": (lambda x: x.exp_(),),
    "log_": (lambda x: x.log_(),),
    "sqrt_": (lambda x: x.sqrt_(),),
    "relu_": (lambda x: x.sub_(1).relu_(),),
    "sigmoid_": (lambda x: x.sigmoid_(),),
    "tanh_": (lambda x: x.tanh_(),),
    "clamp_": (lambda x: x.clamp_(0.8, 1.5), lambda x: x.clamp_(min=1)),
    "zero_": (lambda x: x.zero_(),),
    "fill_": (lambda x: x.fill_(0.5),),
    "copy_": (lambda x: x.copy_(x[:1] * 2),),
    "masked_fill_": (lambda x: x.masked_fill_(x > 1, 9),),
}
EXACT = [pytest.param(f, id=f"{name}{i}") for name, fs in METHODS.items() for i, f in enumerate(fs)]
RANDOM = {"normal_", "uniform_", "exponential_", "bernoulli_", "random_"}


def test_no_method_escapes() -> None:
    named = {name for name in vars(InPlace) if name.endswith("_") and not name.startswith("_")}
    assert named == set(METHODS) | RANDOM | {"resize_"}


@needs_torch
@pytest.mark.proves("C013")
@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_writes_what_pytorchs_writes(method: Any, dtype: Any) -> None:
    array = B.astype(dtype)
    x, theirs = Tensor(array), torch.tensor(array)
    assert method(x) is x
    method(theirs)
    assert array.dtype == x.dtype == dtype
    np.testing.assert_allclose(array, theirs.numpy(), rtol=1e-6 if dtype == np.float32 else 1e-12)


@needs_torch
@pytest.mark.proves("C083")
@pytest.mark.parametrize("method", EXACT)
def test_data_has_the_same_methods(method: Any) -> None:
    array = B.copy()
    x = Tensor(array, requires_grad=True).data
    theirs = torch.tensor(array)
    copied = method(x)
    assert copied is x
    method(theirs)
    np.testing.assert_allclose(array, theirs.numpy(), rtol=1e-12)


@needs_torch
@pytest.mark.proves("C013")
@pytest.mark.parametrize("method", EXACT)
def test_on_the_tape_it_is_an_operation_like_any_other(method: Any) -> None:
    w, theirs = Tensor(B.copy(), requires_grad=True), torch.tensor(B, requires_grad=True)
    x, y = w * 2, theirs * 2
    array = x.array
    method(x)
    method(y)
    assert x.array is array
    assert not x.is_leaf
    v = RNG.normal(size=B.shape)
    (x * x).backward(v)  # the next operation saves the result too
    (y * y).backward(torch.tensor(v))
    np.testing.assert_allclose(w.grad, theirs.grad.numpy(), rtol=1e-10, atol=1e-12)


@needs_torch
def test_the_other_operand_gets_its_gradient_too() -> None:
    def run(w: Any, v: Any) -> None:
        x = w * 1.0
        x.mul_(v).sub_(v)
        x /= v
        x += w
        x[1] = v * 2
        (x * x).sum().backward()

    ours = Tensor(B.copy(), requires_grad=True), Tensor(B[0].copy(), requires_grad=True)
    theirs = torch.tensor(B, requires_grad=True), torch.tensor(B[0], requires_grad=True)
    run(*ours)
    run(*theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10)


@needs_torch
def test_assignment_without_a_gradient() -> None:
    for key in (1, (slice(None), 2), [0, 2], slice(0, 2), ...):
        x, theirs = Tensor(B.copy()), torch.tensor(B)
        x[key] = 7
        theirs[key] = 7
        assert x.tolist() == theirs.tolist()
    x = Tensor(B.copy())
    x[x > 1] = 0
    assert x.max().item() <= 1
    with pytest.raises(ShapeError, match=r"broadcast to \(4,\)"):
        x[0] = numnet.zeros(3)


# ---------------------------------------------------------------------- the guard


def line(text: str) -> int:
    return next(i for i, found in enumerate(linecache.getlines(__file__), 1) if text in found)


@pytest.mark.proves("C013", "C276")
def test_the_error_shows_who_saved_it_and_who_changed_it() -> None:
    w = Tensor(B.copy(), requires_grad=True)
    a = w.sigmoid()  # saves a
    with no_grad():
        a.mul_(2)  # changes a
    with pytest.raises(BackwardError) as caught:
        a.sum().backward()
    text = str(caught.value)
    assert "ctx.a as Sigmoid saved it" in text
    assert f"test_in_place.py, line {line('# saves' + ' a')}: a = w.sigmoid()" in text
    assert "mul_ has written into it" in text
    assert f"test_in_place.py, line {line('# changes' + ' a')}: a.mul_(2)" in text
    assert w.grad is None


def test_a_layer_is_named_by_its_path_and_its_caller_by_its_line() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    x = Tensor(B.astype(np.float32))
    z = net(x)  # runs net
    x[0, 0] = 5
    with pytest.raises(BackwardError) as caught:
        z.sum().backward()
    text = str(caught.value)
    assert "ctx.x as Linear '0' saved it" in text
    assert f"line {line('# runs' + ' net')}: z = net(x)" in text
    assert "x[0, 0] = 5" in text


def test_the_guard_holds_for_the_explicit_way_and_through_shared_memory() -> None:
    net, x = nn.Linear(4, 3), B.astype(np.float32)
    z = net(x)
    numnet.from_numpy(x).mul_(2)
    with pytest.raises(BackwardError, match=r"ctx\.x as Linear"):
        net.backward(np.ones_like(z))


@pytest.mark.parametrize(
    "layer, shape",
    [
        (nn.Linear(3, 2), (4, 3)),
        (nn.Conv2d(1, 2, 2), (1, 1, 3, 3)),
        (nn.PReLU(), (4, 3)),
        (nn.LayerNorm(3), (4, 3)),
        (nn.BatchNorm1d(3), (4, 3)),
        (nn.GRU(3, 2), (5, 1, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_weight_that_the_backward_multiplies_by_is_guarded_and_a_bias_is_not(layer: nn.Layer, shape: Any) -> None:
    x = numnet.randn(*shape).requires_grad_()

    def output() -> Tensor:
        z = layer(x)
        return z[0] if isinstance(z, tuple) else z

    J = output().sum()
    with no_grad():
        for name, parameter in layer.named_parameters():
            if "bias" in name:
                parameter.mul_(2)
    J.backward()
    J = output().sum()
    with no_grad():
        for parameter in layer.parameters():
            parameter.mul_(2)
    with pytest.raises(BackwardError, match=r"weight\w* as \w+ used it[^\0]*mul_\(2\)[^\0]*after the backward"):
        J.backward()


def test_a_weight_that_no_backward_multiplies_by_may_change() -> None:
    layer = nn.Linear(3, 2)
    J = layer(Tensor(np.ones((4, 3), np.float32))).sum()  # no gradient of x is asked for
    with no_grad():
        layer.weight.mul_(2)
    J.backward()
    np.testing.assert_array_equal(layer.weight.grad, np.full((2, 3), 4))


def test_correct_programs_are_left_alone() -> None:
    w = Tensor(B.copy(), requires_grad=True)
    buffer = numnet.zeros(3, 4, dtype=np.float64)
    for _ in range(3):
        buffer.copy_(B)  # filled anew before every forward
        J = (w * buffer).sum()
        J.backward()
        with no_grad():
            w -= 0.1 * Tensor(w.grad)  # after the backward
        w.grad.zero_()
    halves = Tensor(np.zeros((2, 4)))
    J = (w[0] * halves[0]).sum()
    halves[1] = 3  # another part of the same memory
    J.backward()
    y = w * 2
    y.add_(1)  # Multiply saved its inputs, and not its result
    y.sum().backward()
    a = w.exp()
    copied = a.clone()
    copied.zero_()
    a.sum().backward()


def test_data_is_not_guarded() -> None:
    w = Tensor(B.copy(), requires_grad=True)
    a = w.exp()
    a.data.zero_()
    a.sum().backward()
    assert w.grad.tolist() == np.zeros((3, 4)).tolist()


@pytest.mark.proves("C013")
def test_a_leaf_is_written_into_only_while_nothing_records() -> None:
    w = Tensor(B.copy(), requires_grad=True)
    for attempt in (lambda: w.mul_(2), lambda: w[0].fill_(0), lambda: w.T[:2].neg_(), lambda: w.__setitem__(0, 1)):
        with pytest.raises(BackwardError, match=r"leaf with requires_grad=True[^\0]*no_grad"):
            attempt()
    np.testing.assert_array_equal(w.array, B)
    with no_grad():
        w.mul_(2)
        w[0] = 0
    assert w.is_leaf
    np.testing.assert_array_equal(w.array[1:], 2 * B[1:])
    w.data.fill_(1)
    assert w.sum().item() == 12


def test_a_view_that_the_tape_has_lost_sight_of_is_refused() -> None:
    w = Tensor(B.copy(), requires_grad=True)
    h = w * 3
    view = h.view(-1)
    h.mul_(2)  # the tape of h
    with pytest.raises(BackwardError, match=r"shares memory with another[^\0]*h\.mul_\(2\)"):
        view.sum()
    h.view(-1).sum().backward()  # a view made later knows
    np.testing.assert_allclose(w.grad, 6 * np.ones((3, 4)))
    h = w * 3
    h[0].mul_(2)
    with pytest.raises(BackwardError, match=r"make a new tensor"):
        h.sum()
    h = w * 3
    with no_grad():
        h.mul_(2)  # nothing the tape should know of
    h.sum().backward()


def test_a_buffer_whose_row_went_on_the_tape_is_refused() -> None:
    w = Tensor(np.ones(4), requires_grad=True)
    buffer = numnet.zeros(3, 4, dtype=np.float64)
    for row in buffer:
        row += w  # the tape of the row; the buffer knows nothing of w
    with pytest.raises(BackwardError, match=r"shares memory with another[^\0]*row \+= w"):
        (buffer * w).sum()
    with pytest.raises(BackwardError, match="shares memory"):
        buffer * 2  # the gradient of w would be lost here
    with pytest.raises(BackwardError, match="shares memory"):
        buffer.mul_(2)  # and the numbers of the rows would no longer be those that the tape computed
    buffer.zero_()
    with pytest.raises(BackwardError, match="shares memory"):
        row.sum()
    (buffer * w).sum().backward()
    assert w.grad.tolist() == [0, 0, 0, 0]
    w.grad = None
    buffer = numnet.zeros(3, 4, dtype=np.float64)
    for i in range(3):
        buffer[i] += w
    (buffer * w).sum().backward()
    assert w.grad.tolist() == [6, 6, 6, 6]
    state = numnet.zeros(4, dtype=np.float64)
    state += w
    state = state.detach()  # on purpose: truncated backpropagation through time
    w.grad = None
    (state * w).sum().backward()
    assert w.grad.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "attempt, message",
    [
        (lambda x: x.add_(np.ones((2, 3, 4))), r"result of shape \(3, 4\)"),
        (lambda x: x.long().div_(2), "result of int64"),
        (lambda x: x.add_(np.ones(4, np.float32)), "float32"),
        (lambda x: x.expand(2, 3, 4).zero_(), r"clone\(\)"),
        (lambda x: x.resize_(2, 2), "reshape"),
        (lambda x: x.clamp_(), "lowest"),
        (lambda x: x.random_(3, 3), "low below high"),
        (lambda x: x.mul_("a"), "real numbers"),
    ],
)
def test_what_is_refused(attempt: Any, message: str) -> None:
    array = B.copy()
    with pytest.raises(NumnetError, match=message) as caught:
        attempt(Tensor(array))
    assert isinstance(caught.value, (ShapeError, DtypeError, OptionError))
    np.testing.assert_array_equal(array, B)


@pytest.mark.proves("C023")
def test_resize_points_to_reshape() -> None:
    with pytest.raises(ShapeError, match=r"drops numbers[^\0]*x\.reshape"):
        Tensor(B).resize_(2, 2)


# ---------------------------------------------------------------------- random values


@pytest.mark.proves("C025", "C083")
def test_random_values_come_from_the_seed_and_have_their_distribution() -> None:
    x = numnet.empty(20_000)
    for name in sorted(RANDOM):
        args = (10,) if name == "random_" else ()
        numnet.manual_seed(5)
        first = getattr(x, name)(*args).tolist()
        numnet.manual_seed(5)
        assert getattr(x, name)(*args).tolist() == first
        assert getattr(x.data, name)(*args, rng=numnet.manual_seed(5)).tolist() == first
    rng = np.random.default_rng(0)
    assert abs(x.normal_(2, 0.01, rng=rng).mean().item() - 2) < 0.001
    assert abs(x.std().item() - 0.01) < 0.001
    assert -1 <= x.uniform_(-1, 3, rng=rng).min().item() < x.max().item() <= 3
    assert abs(x.mean().item() - 1) < 0.05
    assert abs(x.exponential_(4, rng=rng).mean().item() - 0.25) < 0.01
    assert abs(x.bernoulli_(0.3, rng=rng).mean().item() - 0.3) < 0.02
    assert sorted(set(x.random_(5, rng=rng).tolist())) == [0, 1, 2, 3, 4]
    assert x.random_(-1, 1, rng=rng).min().item() == -1
    assert x.random_(rng=rng).max().item() <= 2**24
    whole = numnet.empty(100, dtype=np.int64).random_(rng=rng)
    assert whole.min().item() >= 0
    assert len(set(whole.tolist())) == 100


@pytest.mark.proves("C083", "C004")
def test_initial_values_by_hand() -> None:
    layer = nn.Linear(200, 300)
    weight, bias = layer.weight.array, layer.bias.array
    layer.weight.data.normal_(std=0.01)
    layer.bias.data.fill_(0)
    assert layer.weight.array is weight, "the memory that an optimiser may hold"
    assert abs(weight.std() - 0.01) < 0.0005
    assert not bias.any()
    assert isinstance(layer.weight.data, np.ndarray)
    assert np.shares_memory(layer.weight.data, weight)
    layer.weight.data = np.ones((300, 200), np.float32)
    layer.weight.data *= 2
    layer.weight.data[0].zero_()
    assert layer.weight.array.sum() == 2 * 299 * 200
    assert type(layer.weight.array) is np.ndarray


@pytest.mark.proves("C004")
def test_what_is_computed_with_data_is_a_plain_array() -> None:
    x = Tensor(B.copy(), requires_grad=True)
    d = x.data
    assert type(d) is Data
    plains = [d + 1, 2 * d, d @ d.T, d.sum(0), np.exp(d), np.concatenate([d, d]), np.where(d > 1, d, 0), d.mean(1)]
    plains += [d.numpy(), np.asarray(d), np.split(d, 3)[0], nn.Linear(4, 2).double()(d), nn.Flatten(0)(d)]
    assert {type(y) for y in plains} == {np.ndarray}
    assert np.shares_memory(d.numpy(), x.array)
    assert repr(d) == repr(x.array)
    assert d.data is d
    (x * x).sum().backward()
    assert type(x.grad.numpy()) is np.ndarray
    np.testing.assert_allclose(x.grad.reshape(1, -1).squeeze().numpy(), 2 * B.ravel())
    assert np.shares_memory(x.grad, x.grad_array)
    x.grad *= 0.5
    np.testing.assert_allclose(x.grad, B)
    x.grad.zero_()
    assert not x.grad_array.any()


# ---------------------------------------------------------------------- what it costs, and what it saves


@pytest.mark.proves("C276")
def test_in_place_operations_save_memory() -> None:
    n = 1_000_000  # numbers of 4 bytes

    def peak(program: Callable[[Tensor], Any]) -> float:
        x = numnet.ones(n)
        gc.collect()
        tracemalloc.start()
        with no_grad():
            kept = program(x)
        found = tracemalloc.get_traced_memory()[1] / (4 * n)
        tracemalloc.stop()
        del kept
        return found

    assert peak(lambda x: x.mul_(2).add_(1).exp_()) < 0.01
    assert 1.99 < peak(lambda x: x.mul(2).add(1).exp()) < 2.01  # two at a time: what goes in and what comes out


def test_a_step_without_them_leaves_no_notes_and_old_notes_go_with_their_memory() -> None:
    gc.collect()
    before = len(writes.noted)
    net = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 1))
    net(Tensor(B.astype(np.float32))).sum().backward()
    assert len(writes.noted) == before
    x = numnet.zeros(3)
    for _ in range(5):
        x.add_(1)
    assert len(writes.noted) == before + 1
    del x
    gc.collect()
    assert len(writes.noted) == before
