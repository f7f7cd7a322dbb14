"""The records of a trace: of any module, complete, and of a step that is the same to the bit as without it."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import numnet
from numnet import manual_seed, nn, optim
from numnet.errors import OptionError
from numnet.inspect import Digest, trace
from numnet.nn import functional

RNG = np.random.default_rng(3)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


class Everything(nn.Module):
    """Nested, residual, shared, tied, imperative, recurrent; a parameter used by operations and by a layer in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
        self.block = nn.Residual(nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
        self.shared = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4, bias=False)
        self.tied.weight = self.shared.weight
        self.W = nn.Parameter(numbers(4, 4).astype(np.float32))
        self.rnn = nn.RNN(4, 4, batch_first=True)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        h = self.block(self.encoder(x))
        h = self.shared(h) + self.tied(h)
        for _ in range(2):
            h = self.shared(h @ self.W)
        h = functional.linear(h, self.W)
        output, _ = self.rnn(h.reshape(2, 3, 4))
        h = output.reshape(6, 4) * self.W.sum()
        if h.data.sum() > 1e9:
            raise AssertionError
        return self.drop(self.norm(h)) @ self.shared.weight.T


def make(optimizer: bool) -> tuple[nn.Module, nn.Loss, optim.Optimizer | None]:
    manual_seed(4)
    net = Everything()
    for p in net.parameters():
        p.data[...] = np.random.default_rng(p.data.size).standard_normal(p.shape)
    return net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.1) if optimizer else None


X, Y = numbers(6, 4).astype(np.float32), RNG.integers(0, 4, 6)


def state(net: nn.Module, optimizer: optim.Optimizer | None) -> list[np.ndarray]:
    arrays = [*net.state_dict().values(), *(p.grad_array for p in net.parameters())]
    memory = [] if optimizer is None else [a for m in optimizer.state.values() for a in m.values()]
    return [np.asarray(a) for a in (*arrays, *memory)]


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("with_optimizer", [False, True])
def test_a_traced_step_has_the_bits_of_an_ordinary_one(with_optimizer: bool, steps: int) -> None:
    net, loss, optimizer = make(with_optimizer)
    manual_seed(9)
    for _ in range(steps):
        if optimizer is not None:
            optimizer.zero_grad()
        J = loss(net(X), Y)
        delta_x = net.backward(loss.backward())
        if optimizer is not None:
            optimizer.step()
    other, loss, optimizer_2 = make(with_optimizer)
    manual_seed(9)
    for _ in range(steps):
        seen = trace(other, X, Y, loss, optimizer_2)
    for a, b in zip(state(net, optimizer), state(other, optimizer_2), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(seen.input_delta, delta_x)
    assert seen.loss == float(J)


def test_every_parameter_gradient_is_the_sum_of_the_shares_of_its_uses() -> None:
    net, loss, _ = make(False)
    seen = trace(net, X, Y, loss)
    shared = seen.parameters["shared.weight"]
    assert [call.name for call, _, _ in shared.shares] == ["Permute", "shared#3", "shared#2", "tied", "shared"]
    assert shared.aliases == ["tied.weight"]
    assert len(seen.parameters["W"].shares) == 4  # twice h @ W, F.linear, W.sum()
    for name, p in net.named_parameters():
        shares = [record.numbers for _, _, record in seen.parameters[name].shares]
        np.testing.assert_allclose(sum(shares[1:], shares[0]), p.grad, rtol=1e-5, atol=1e-6)
    again = trace(net, X, Y, loss)
    np.testing.assert_array_equal(again.array("W.grad.before").numbers, seen.array("W.grad").numbers)
    first, *_, last = again.parameters["W"].shares
    assert first[0].parameters[first[1]].before.numbers is not None
    np.testing.assert_array_equal(last[0].parameters[last[1]].after.numbers, net.W.grad)


def test_calls_name_the_place_and_the_arrays() -> None:
    net, loss, _ = make(False)
    seen = trace(net, X, Y, loss)
    names = [call.name for call in seen.calls]
    assert names[:6] == ["encoder.0", "encoder.1", "block.body.0", "block.body.1", "Add", "shared"]
    assert names[-1] == "CrossEntropyLoss"
    assert [call.number for call in seen.calls] == list(range(len(names)))
    assert len(set(names)) == len(names)
    add = seen["Add"]
    assert add.origins == {"a": "block.body.1.output", "b": "encoder.1.output"}
    assert seen["encoder.0"].origins == {"x": "x"}
    assert seen["MatMul"].origins == {"a": "shared#2.input", "b": "W"} or seen["MatMul"].origins["b"] == "W"
    assert seen["Linear"].origins["weight"] == "W"
    assert seen["CrossEntropyLoss"].origins == {"x": f"{names[-2]}.output", "y": "target"}
    linear = seen["encoder.0"]
    assert list(linear.saved) == ["x"]
    assert linear.kind == "Linear"
    np.testing.assert_array_equal(linear.inputs["x"].numbers, X)
    np.testing.assert_allclose(seen["encoder.1"].input_delta, linear.delta)
    with pytest.raises(KeyError, match=r"block\.body\.0"):
        seen["nowhere"]


def test_steps_walk_forward_back_and_to_the_new_weights() -> None:
    net, loss, optimizer = make(True)
    before = {name: p.data.copy() for name, p in net.named_parameters()}
    seen = trace(net, X, Y, loss, optimizer)
    stages = [step.stage for step in seen.steps]
    order = ["forward", "loss", "backward", "update"]
    assert stages == sorted(stages, key=order.index)
    assert stages.count("forward") + stages.count("loss") == stages.count("backward") == len(seen.calls)
    assert [step.number for step in seen.steps] == list(range(len(seen.steps)))
    backward = [step.call.number for step in seen.steps if step.stage == "backward"]
    assert backward[0] == len(seen.calls) - 1
    assert sorted(backward) == list(range(len(seen.calls)))
    assert {step.update.name for step in seen.steps if step.stage == "update"} == set(before)
    for update in seen.updates:
        np.testing.assert_array_equal(update.before.numbers, before[update.name])
        np.testing.assert_array_equal(update.after.numbers, dict(net.named_parameters())[update.name].data)
        assert update.options["lr"] == 0.1
    assert seen.steps[0].title == "forward through encoder.0 (Linear)"
    assert seen.steps[0].formula == ("z = x Wᵀ + b",)


class Branching(nn.Layer):
    """Doubles what is positive on the whole.

    y = 2 x where Σ x > 0, x elsewhere

    ∂J/∂x = 2 δ where Σ x > 0, δ elsewhere
    """

    def forward(self, ctx, x):
        ctx.on = x.sum() > 0
        if ctx.on:
            return x + x
        return x.copy()

    def backward(self, ctx, delta):
        return delta + delta if ctx.on else delta


@pytest.mark.parametrize(
    "sign, ran, left", [(1, "return x + x", "return x.copy()"), (-1, "return x.copy()", "return x + x")]
)
def test_the_lines_that_ran(sign: int, ran: str, left: str) -> None:
    if sys.gettrace() is not None:
        pytest.skip("a debugger or a coverage tool has Python's trace function")
    seen = trace(Branching(), sign * np.ones((2, 3)), np.zeros((2, 3)), nn.MSELoss())
    call = seen["Branching"]
    lines = {line.text.strip(): line.ran for line in call.forward_source.lines}
    assert lines[ran] is True
    assert lines[left] is False
    assert call.forward_source.file.endswith("test_trace_records.py")
    numbers_of = {line.number for line in call.forward_source.lines}
    first = Branching.forward.__code__.co_firstlineno
    assert min(numbers_of) == first
    assert [line.text.strip() for line in call.backward_source.ran] == ["return delta + delta if ctx.on else delta"]
    assert sys.gettrace() is None
    loss = trace(nn.Linear(3, 3).double(), np.ones((2, 3)), np.array([0, 1]), nn.CrossEntropyLoss())["CrossEntropyLoss"]
    assert loss.forward_source.file == "numnet/nn/cross_entropy.py"
    assert any("kernels.cross_entropy(" in line.text for line in loss.forward_source.ran)


def test_a_debugger_keeps_python_s_trace_function() -> None:
    def mine(frame, event, arg):
        return None

    previous = sys.gettrace()
    sys.settrace(mine)
    try:
        seen = trace(nn.Linear(3, 3).double(), np.ones((2, 3)), np.ones((2, 3)), nn.MSELoss())
        assert sys.gettrace() is mine
    finally:
        sys.settrace(previous)
    assert {line.ran for line in seen["Linear"].forward_source.lines} == {None}
    assert len(seen["Linear"].forward_source.ran) == len(seen["Linear"].forward_source.lines)


@pytest.mark.parametrize("keep", [0, 5_000, 40_000, 2**29])
def test_memory_has_a_bound_and_the_record_says_what_is_missing(keep: int) -> None:
    net = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 20)).double()
    x, y = numbers(16, 20), numbers(16, 20)
    whole = trace(net, x, y, nn.MSELoss())
    seen = trace(net, x, y, nn.MSELoss(), keep=keep)
    assert seen.kept <= keep
    owners = {}
    for name in seen.names():
        record = seen.array(name)
        expected = whole.array(name).digest if "grad" not in name else record.digest
        assert record.digest == expected
        if record.array is None:
            assert f"keep={keep}" in record.why_not
            with pytest.raises(OptionError, match="keep="):
                seen.explain(name, (0,) * len(record.shape))
        else:
            owner = record.array if record.array.base is None else record.array.base
            owners[id(owner)] = owner
    assert sum(a.nbytes for a in owners.values()) <= keep
    missing = [name for name in seen.names() if seen.array(name).array is None]
    assert (not missing) == (keep == 2**29)
    np.testing.assert_allclose(whole.array("0.delta").digest.norm, np.linalg.norm(whole["0"].delta))


def test_digest() -> None:
    a = np.array([[0.0, 2.0, -1.0], [np.nan, 0.0, np.inf]])
    digest = Digest.of(a)
    assert (digest.least, digest.largest, digest.mean) == (-1.0, 2.0, 0.25)
    assert digest.norm == pytest.approx(5**0.5)
    assert digest.zeros == pytest.approx(2 / 6)
    assert digest.nans == pytest.approx(2 / 6)
    assert Digest.of(np.array([True, False])).mean == 0.5
    assert np.isnan(Digest.of(np.zeros((0, 3))).mean)


def test_what_is_written_over_is_not_shown_as_if_it_were_still_there() -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            z = self.fc(x)
            z.mul_(2.0)
            return z + 1.0

    net = InPlace().double()
    seen = trace(net, numbers(2, 3), numbers(2, 3), nn.MSELoss())
    assert seen["fc"].outputs[0].array is None
    assert "mul_ has written into it" in seen["fc"].outputs[0].why_not
    np.testing.assert_array_equal(seen["Add"].inputs["a"].numbers, seen["Multiply"].output)


def test_plain_data_is_json_and_bounded() -> None:
    net, loss, optimizer = make(True)
    seen = trace(net, X, Y, loss, optimizer)
    text = json.dumps(seen.to_dict(numbers=8), allow_nan=False)
    data = json.loads(text)
    assert data["loss"] == pytest.approx(seen.loss)
    assert [call["name"] for call in data["calls"]] == [call.name for call in seen.calls]
    weight = data["parameters"]["encoder.0.weight"]["grad"]
    assert len(weight["numbers"]) == 8
    assert weight["truncated"]
    assert weight["norm"] == pytest.approx(float(np.linalg.norm(seen.array("encoder.0.weight.grad").numbers)), rel=1e-6)
    assert len(data["steps"]) == len(seen.steps)


def test_several_inputs_and_an_imperative_root() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.W = nn.Parameter(np.ones((3, 2)))
            self.b = nn.Parameter(np.zeros(2))

        def forward(self, x, y):
            return x @ self.W + self.b - y

    a, b = numbers(4, 3), numbers(4, 2)
    seen = trace(Two(), (a, b), numbers(4, 2), nn.MSELoss())
    assert [call.kind for call in seen.calls] == ["MatMul", "Add", "Subtract", "MSELoss"]
    assert set(seen.input_deltas) == {"x0", "x1"}
    np.testing.assert_allclose(seen.array("x1.delta").numbers, -seen["Subtract"].delta)
    np.testing.assert_allclose(seen.array("W.grad").numbers, a.T @ seen["MatMul"].delta)


def test_refusals() -> None:
    net = nn.Linear(3, 2).double()
    with pytest.raises(OptionError, match="keep"):
        trace(net, numbers(2, 3), numbers(2, 2), nn.MSELoss(), keep=-1)
    with pytest.raises(OptionError, match="one number"):
        trace(net, numbers(2, 3), numbers(2, 2), nn.MSELoss(reduction="none"))
    assert net.weight.grad is None


def test_numnet_trace_is_this_one() -> None:
    assert numnet.trace is trace
