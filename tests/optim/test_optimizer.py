"""What every optimiser shares: groups, state, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, Tensor, nn, no_grad, optim
from numnet.errors import DtypeError, NumnetError, OptionError, StateDictError
from numnet.optim import Optimizer

FINAL: list[Any] = [
    value for value in vars(optim).values() if isinstance(value, type) and value not in (Optimizer, optim.LBFGS)
]
WITH_MEMORY: list[Any] = [
    *(make for make in FINAL if make is not optim.SGD),
    lambda ps: optim.SGD(ps, 0.1, momentum=0.9),
    lambda ps: optim.AdamW(ps, amsgrad=True),
    lambda ps: optim.RMSprop(ps, centered=True, momentum=0.9),
]


def parameter(*shape: int, dtype: Any = np.float64, seed: int = 0) -> Parameter:
    return Parameter(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def stepped(make: Callable[..., Optimizer], p: Parameter, times: int = 3) -> Optimizer:
    optimizer = make([p])
    for t in range(times):
        p.grad = np.full(p.shape, t + 1.0, p.dtype)
        optimizer.step()
    return optimizer


def test_no_concrete_optimiser_inherits_from_another() -> None:
    for a in FINAL:
        assert [b for b in FINAL if issubclass(a, b)] == [a]


@pytest.mark.parametrize("make", FINAL)
def test_what_has_no_gradient_or_asks_for_none_stays(make: Any) -> None:
    moving, without, frozen = parameter(3), parameter(3, seed=1), parameter(3, seed=2)
    frozen.requires_grad_(False)
    moving.grad, frozen.grad = np.ones(3), np.ones(3)
    before = [p.data.copy() for p in (moving, without, frozen)]
    optimizer = make([moving, without, frozen])
    optimizer.step()
    assert np.all(moving.data != before[0])
    np.testing.assert_array_equal(without.data, before[1])
    np.testing.assert_array_equal(frozen.data, before[2])
    assert set(optimizer.state) == {moving}


@pytest.mark.parametrize("make", FINAL)
def test_a_step_is_in_place_and_leaves_the_gradient(make: Any) -> None:
    p = parameter(3, 2)
    array, delta = p.array, np.arange(6.0).reshape(3, 2)
    p.grad = delta.copy()
    make([p]).step()
    assert p.array is array
    np.testing.assert_array_equal(p.grad, delta)


def test_zero_grad_forgets_every_gradient() -> None:
    p, q = parameter(2), parameter(3)
    p.grad, q.grad = np.ones(2), np.ones(3)
    optim.SGD([{"params": [p]}, {"params": q}]).zero_grad()
    assert p.grad is None
    assert q.grad is None


def test_a_plain_leaf_tensor_may_be_trained() -> None:
    w = Tensor(np.array([3.0]), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
    assert abs(w.item()) < 1e-8


@pytest.mark.parametrize("make", WITH_MEMORY)
def test_state_is_a_copy_and_continues_with_the_same_bits(make: Any) -> None:
    p, q = parameter(4), parameter(4)
    first = stepped(make, p)
    saved = first.state_dict()
    reference = p.data.copy()

    second = make([q])
    q.data[...] = reference
    second.load_state_dict(saved)
    for optimizer, x in ((first, p), (second, q)):
        for _ in range(3):
            x.grad = np.full(4, -2.0)
            optimizer.step()
    np.testing.assert_array_equal(p.data, q.data)

    again = make([parameter(4)])
    again.load_state_dict(saved)  # unchanged by the steps since
    third = again.state_dict()
    assert third["param_groups"] == saved["param_groups"]
    for name, value in saved["state"][0].items():
        np.testing.assert_array_equal(third["state"][0][name], value)
    assert not any(
        np.array_equal(first.state_dict()["state"][0][n], v)
        for n, v in saved["state"][0].items()
        if isinstance(v, np.ndarray)
    )


def test_load_takes_the_dtype_of_the_parameter() -> None:
    saved = stepped(optim.Adam, parameter(4)).state_dict()
    p = parameter(4, dtype=np.float32)
    optimizer = optim.Adam([p])
    optimizer.load_state_dict(saved)
    p.grad = np.ones(4, np.float32)
    optimizer.step()
    assert optimizer.state[p]["exp_avg"].dtype == np.float32
    assert optimizer.state[p]["step"] == 4


def test_load_changes_all_or_nothing() -> None:
    p, q = parameter(4), parameter(2)
    optimizer = optim.Adam([p, q], lr=0.5)
    saved = optimizer.state_dict()
    p.grad, q.grad = np.ones(4), np.ones(2)
    optimizer.step()
    swapped = optimizer.state_dict()
    swapped["state"] = {0: swapped["state"][1], 1: swapped["state"][0]}
    with pytest.raises(StateDictError, match=r"exp_avg of 0 has shape \(2,\) for \(4,\).*exp_avg_sq of 1"):
        optimizer.load_state_dict(swapped)
    with pytest.raises(StateDictError, match="7 is no parameter"):
        optimizer.load_state_dict({"state": {7: {}}, "param_groups": saved["param_groups"]})
    with pytest.raises(StateDictError, match=r"groups of \[2\].*\n.*groups of \[2, 0\]"):
        optimizer.load_state_dict({"state": {}, "param_groups": [*saved["param_groups"], {"params": []}]})
    with pytest.raises(OptionError, match="lr of at least 0"):
        optimizer.load_state_dict({"state": {}, "param_groups": [{**saved["param_groups"][0], "lr": -1.0}]})
    assert optimizer.state[p]["step"] == 1
    assert optimizer.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize("make", FINAL)
def test_a_network_converted_before_the_first_step_is_right(make: Any) -> None:
    net = nn.Linear(3, 2)
    optimizer = make(net.parameters())
    net.double()
    net(np.ones((4, 3)))
    net.backward(np.ones((4, 2)))
    before = net.weight.data.copy()
    optimizer.step()
    assert net.weight.dtype == np.float64
    assert np.all(net.weight.data != before)


@pytest.mark.parametrize("make", WITH_MEMORY)
def test_a_network_converted_after_it_is_refused_before_anything_moves(make: Any) -> None:
    net = nn.Linear(3, 2)
    optimizer = make(list(net.parameters()))
    for dtype in (np.float32, np.float64):
        net.to(dtype)
        net.zero_grad()
        net(np.ones((4, 3), dtype))
        net.backward(np.ones((4, 2), dtype))
        if dtype == np.float32:
            optimizer.step()
    before = [p.data.copy() for p in net.parameters()]
    with pytest.raises(DtypeError, match=r"of float64 on cpu[^\0]*float32 array[^\0]*new optimiser"):
        optimizer.step()
    for p, b in zip(net.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, b)
    fresh = make(list(net.parameters()))
    fresh.step()
    assert np.all(net.bias.data != before[1])


P = parameter(2)
REFUSED: list[tuple[Callable[[], Any], type[NumnetError], str]] = [
    (lambda: optim.SGD([]), OptionError, "call net.parameters\\(\\) anew"),
    (lambda: optim.SGD(nn.Flatten().parameters()), OptionError, "at least one parameter"),
    (lambda: optim.SGD(P), DtypeError, "put it into a list"),
    (lambda: optim.SGD({"params": [P]}), DtypeError, "put it into a list"),
    (lambda: optim.Adam(nn.Linear(2, 2)), DtypeError, "net.parameters\\(\\)"),
    (lambda: optim.Adam(nn.Sequential(nn.Linear(2, 2))), DtypeError, "pass net.parameters\\(\\)"),
    (lambda: optim.Adam(nn.Linear(2, 2).named_parameters()), DtypeError, "not net.named_parameters\\(\\)"),
    (lambda: optim.SGD([np.zeros(3)]), DtypeError, "float64 array"),
    (lambda: optim.SGD([Tensor(np.arange(3))]), DtypeError, "floating dtype"),
    (lambda: optim.SGD([P * 2.0]), DtypeError, "no leaf"),
    (lambda: optim.SGD([P, P]), OptionError, "every parameter once"),
    (lambda: optim.SGD([{"params": [P]}, {"params": [P]}]), OptionError, "every parameter once"),
    (lambda: optim.SGD([{"params": [P]}, P]), DtypeError, 'a dictionary with "params"'),
    (
        lambda: optim.SGD([{"params": [P], "learning_rate": 1.0}]),
        OptionError,
        "options among lr, momentum.*\n.*'learning_rate'",
    ),
    (lambda: optim.SGD([P], lr=-0.1), OptionError, "lr=-0.1"),
    (lambda: optim.SGD([P], lr=float("nan")), OptionError, "lr=nan"),
    (lambda: optim.SGD([P], lr="fast"), OptionError, "lr='fast'"),
    (lambda: optim.SGD([P], momentum=-1), OptionError, "momentum=-1"),
    (lambda: optim.SGD([P], weight_decay=-1), OptionError, "weight_decay=-1"),
    (lambda: optim.SGD([P], nesterov=True), OptionError, "momentum=0, dampening=0"),
    (lambda: optim.SGD([P], momentum=0.9, dampening=0.1, nesterov=True), OptionError, "dampening=0.1"),
    (lambda: optim.Adam([P], lr=-1), OptionError, "lr=-1"),
    (lambda: optim.Adam([P], betas=(0.9, 1.0)), OptionError, "betas=\\(0.9, 1.0\\)"),
    (lambda: optim.Adam([P], betas=(-0.1, 0.9)), OptionError, "betas"),
    (lambda: optim.AdamW([P], eps=-1e-8), OptionError, "eps=-1e-08"),
    (lambda: optim.AdamW([{"params": [P], "lr": -2}]), OptionError, "lr=-2"),
    (lambda: optim.Adagrad([P], lr_decay=-1), OptionError, "lr_decay=-1"),
    (lambda: optim.Adagrad([P], initial_accumulator_value=-1), OptionError, "initial_accumulator_value=-1"),
    (lambda: optim.Adadelta([P], rho=1.5), OptionError, "rho=1.5"),
    (lambda: optim.Adadelta([P], rho=-0.5), OptionError, "rho=-0.5"),
    (lambda: optim.RMSprop([P], alpha=-1), OptionError, "alpha=-1"),
    (lambda: optim.RMSprop([P], momentum=-1), OptionError, "momentum=-1"),
    (lambda: optim.Rprop([P], lr=-1), OptionError, "lr=-1"),
    (lambda: optim.Rprop([P], etas=(0.5, 0.9)), OptionError, "etas=\\(0.5, 0.9\\)"),
    (lambda: optim.Rprop([P], step_sizes=(2, 1)), OptionError, "step_sizes=\\(2, 1\\)"),
    (lambda: optim.Adamax([P], betas=(0.9, 1.0)), OptionError, "betas"),
    (lambda: optim.NAdam([P], momentum_decay=-1), OptionError, "momentum_decay=-1"),
    (lambda: optim.RAdam([P], betas=(0.9,)), OptionError, "betas"),
    (lambda: optim.ASGD([P], weight_decay=-1), OptionError, "weight_decay=-1"),
    (lambda: optim.Adafactor([P], beta2_decay=0.5), OptionError, "beta2_decay=0.5"),
    (lambda: optim.Adafactor([P], d=0.5), OptionError, "d=0.5"),
    (lambda: optim.Adafactor([P], eps=(None, -1)), OptionError, "eps=\\(None, -1\\)"),
    (lambda: optim.LBFGS([P], lr=-1), OptionError, "lr=-1"),
    (lambda: optim.LBFGS([P], line_search_fn="armijo"), OptionError, "'armijo'"),
    (lambda: optim.LBFGS([{"params": [P]}, {"params": []}]), OptionError, "one group"),
    (lambda: optim.LBFGS([P]).step(), OptionError, "closure"),
    (lambda: optim.LBFGS([P, parameter(2, dtype=np.float32)]).step(lambda: 0.0), DtypeError, "one dtype"),
]


@pytest.mark.parametrize("make, error, message", REFUSED)
def test_what_cannot_be_is_refused(make: Callable[[], Any], error: type[NumnetError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        make()
    assert caught.value.cure


def test_print_shows_every_group() -> None:
    text = repr(optim.SGD([{"params": [P], "lr": 0.5}, {"params": [parameter(3)]}], lr=0.25))
    assert text.startswith("SGD(\n  group 0: 1 parameters\n    lr: 0.5\n")
    assert "group 1" in text
    assert "lr: 0.25" in text


@pytest.mark.parametrize("make", FINAL)
def test_a_closure_is_called_once_and_first(make: Any) -> None:
    p = parameter(3)
    seen = []

    def closure() -> float:
        seen.append(p.data.copy())
        p.grad = np.ones(3)
        return 7.5

    optimizer = make([p])
    before = p.data.copy()
    assert not optimizer.has_stepped
    with no_grad():
        assert optimizer.step(closure) == 7.5
    assert optimizer.has_stepped
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], before)
    assert np.all(p.data != before)
    assert optimizer.step() is None


def test_a_closure_records_even_under_no_grad() -> None:
    w = Tensor(np.array([3.0]), requires_grad=True)

    def closure() -> Any:
        J = (w * w).sum()
        J.backward()
        return J

    with no_grad():
        optim.SGD([w], lr=0.1).step(closure)
    np.testing.assert_allclose(w.data, 3.0 - 0.1 * 6.0)


def test_rows_and_columns_of_adafactor_are_held_to_their_own_shapes() -> None:
    saved = stepped(optim.Adafactor, parameter(4, 3)).state_dict()
    assert saved["state"][0]["row_var"].shape == (4, 1)
    assert saved["state"][0]["col_var"].shape == (1, 3)
    with pytest.raises(StateDictError, match=r"row_var of 0 has shape \(4, 1\) for \(3, 1\).*col_var of 0"):
        optim.Adafactor([parameter(3, 4)]).load_state_dict(saved)


@pytest.mark.parametrize("make", FINAL)
def test_a_parameter_without_elements_is_no_trouble(make: Any) -> None:
    for shape in ((0,), (0, 3), (3, 0)):
        stepped(make, parameter(*shape))


def test_a_group_may_hold_what_schedules_write_into_it() -> None:
    p = parameter(2)
    optimizer = optim.SGD([{"params": [p], "lr": 0.05, "initial_lr": 0.2}])
    schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda t: 0.5**t, last_epoch=1)
    assert schedule.get_last_lr() == [0.05]
    fresh = optim.SGD([p])
    fresh.load_state_dict(optimizer.state_dict())
    assert fresh.param_groups[0]["initial_lr"] == 0.2
