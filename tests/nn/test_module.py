"""Module and containers: names, state, modes, print as PyTorch's; three ways of use with the same bits."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, Tensor, nn, no_grad, observe, optim, tensor
from numnet.call import Ctx
from numnet.errors import BackwardError, DtypeError, NumnetError, OptionError, ShapeError, StateDictError

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
RNG = np.random.default_rng(11)
X = RNG.normal(size=(5, 4))


def nested(library: ModuleType) -> Any:
    """One network, here and in PyTorch."""
    return library.Sequential(
        OrderedDict(
            [
                ("features", library.Sequential(library.Linear(4, 6), library.BatchNorm1d(6), library.ReLU())),
                ("drop", library.Dropout(0.25)),
                ("head", library.Sequential(library.Linear(6, 3, bias=False), library.Softmax(dim=1))),
            ]
        )
    )


class TwoPaths(nn.Module):
    """Children, parameters and buffers by attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(4, 3)
        self.scale = Parameter(np.full(3, 2.0, np.float32))
        self.right = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
        self.register_buffer("offset", np.full(3, 0.5, np.float32))
        self.register_buffer("scratch", np.zeros(2, np.float32), persistent=False)
        self.settings = {"any": "thing"}

    def forward(self, x: Tensor) -> Tensor:
        return self.left(x) * self.scale + self.right(x) + self.offset


# ---------------------------------------------------------------------- names and state


@pytest.mark.proves("C073")
@needs_torch
def test_names_are_torchs() -> None:
    ours, theirs = nested(nn), nested(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert [name for name, _ in ours.named_modules()] == [name for name, _ in theirs.named_modules()]
    assert [name for name, _ in ours.named_children()] == [name for name, _ in theirs.named_children()]
    assert [name for name, _ in ours.named_buffers()] == [name for name, _ in theirs.named_buffers()]
    assert [p.shape for p in ours.parameters()] == [tuple(p.shape) for p in theirs.parameters()]
    for key, value in theirs.state_dict().items():
        assert str(value.dtype) == f"torch.{ours.state_dict()[key].dtype}", key


@pytest.mark.proves("C068")
@needs_torch
def test_print_is_torchs() -> None:
    assert str(nested(nn)) == str(nested(torch.nn))

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nested(nn)

    class TorchNet(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nested(torch.nn)

    assert str(Net()) == str(TorchNet()).replace("TorchNet", "Net")
    assert str(nn.Sequential()) == str(torch.nn.Sequential())
    for make in (
        lambda n: n.Linear(2, 3, bias=False),
        lambda n: n.Flatten(),
        lambda n: n.Identity(),
        lambda n: n.Conv2d(1, 2, 3, stride=2, padding=1, bias=False),
        lambda n: n.MaxPool2d(2),
        lambda n: n.Sigmoid(),
        lambda n: n.CrossEntropyLoss(),
    ):
        assert str(make(nn)) == str(make(torch.nn))


@needs_torch
def test_state_goes_both_ways() -> None:
    ours, theirs = nested(nn).double(), nested(torch.nn).double()
    theirs[0][1].running_mean += 3.0
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    x = torch.tensor(X)
    np.testing.assert_allclose(ours.eval()(X), theirs.eval()(x).detach().numpy(), rtol=1e-10)
    for p in ours.parameters():
        p.data += 1.0
    theirs.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
    np.testing.assert_allclose(ours(X), theirs(x).detach().numpy(), rtol=1e-10)


@pytest.mark.proves("C066", "C073")
def test_attributes_become_parts() -> None:
    net = TwoPaths()
    names = ["scale", "left.weight", "left.bias", "right.0.weight", "right.0.bias"]
    assert [name for name, _ in net.named_parameters()] == names
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [name for name, _ in net.named_parameters(prefix="net")][:2] == ["net.scale", "net.left.weight"]
    assert next(net.parameters()) is net.scale
    assert [name for name, _ in net.named_buffers()] == ["offset", "scratch"]
    assert "scratch" not in net.state_dict()
    assert set(net.state_dict()) == {*names, "offset"}
    assert [name for name, _ in net.named_modules()] == ["", "left", "right", "right.0", "right.1"]
    assert net.get_submodule("right.0") is net.right[0]
    assert net.get_submodule("") is net
    with pytest.raises(AttributeError, match=r"Sequential has no child '7' \(of 'right.7'\); it has \['0', '1'\]"):
        net.get_submodule("right.7")
    net.late = nn.Linear(2, 2)
    assert "late.weight" in net.state_dict()
    del net.late
    assert "late.weight" not in net.state_dict()


def test_state_dict_is_a_copy() -> None:
    net = TwoPaths()
    saved = net.state_dict()
    before = {name: value.copy() for name, value in saved.items()}
    for p in net.parameters():
        p.data += 1.0
    net.offset += 1.0
    for name, value in saved.items():
        np.testing.assert_array_equal(value, before[name])
    net.load_state_dict(saved)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    saved["scale"][...] = 100.0
    assert net.scale.data[0] == 2.0


def test_load_changes_all_or_nothing_and_lists_everything() -> None:
    net = TwoPaths()
    before = net.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    arrays = {name: p.array for name, p in net.named_parameters()}
    del state["left.bias"], state["offset"]
    state["right.9.weight"] = state["extra"] = np.zeros(1)
    with pytest.raises(StateDictError) as caught:
        net.load_state_dict(state)
    for words in ("missing keys offset, left.bias", "unexpected keys right.9.weight, extra", "strict=False"):
        assert words in str(caught.value)
    state["scale"], state["left.weight"] = np.zeros(4), np.zeros((4, 3))
    for strict in (True, False):
        with pytest.raises(StateDictError, match=r"left.weight \(4, 3\) for \(3, 4\)") as caught:
            net.load_state_dict(state, strict=strict)
        assert "scale (4,) for (3,)" in str(caught.value)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    del state["scale"], state["left.weight"]
    result = net.load_state_dict(state, strict=False)
    assert result.missing_keys == ["scale", "offset", "left.weight", "left.bias"]
    assert result.unexpected_keys == ["right.9.weight", "extra"]
    np.testing.assert_array_equal(net.right[0].weight.data, before["right.0.weight"] + 1)
    np.testing.assert_array_equal(net.scale.data, before["scale"])
    for name, p in net.named_parameters():
        assert p.array is arrays[name], "values go into the arrays that an optimiser may hold"


def test_a_shared_layer_counts_once_and_is_saved_under_each_name() -> None:
    shared = nn.Linear(4, 4)
    net = nn.Sequential(shared, nn.Tanh(), shared).double()
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert [name for name, _ in net.named_modules()] == ["", "0", "1"]
    assert sorted(net.state_dict()) == ["0.bias", "0.weight", "2.bias", "2.weight"]
    if torch is not None:
        theirs_shared = torch.nn.Linear(4, 4)
        theirs = torch.nn.Sequential(theirs_shared, torch.nn.Tanh(), theirs_shared).double()
        assert list(theirs.state_dict()) == list(net.state_dict())
        theirs.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()})
        x = torch.tensor(X, requires_grad=True)
        theirs(x).sum().backward()
        y = net(X)
        np.testing.assert_allclose(net.backward(np.ones_like(y)), x.grad.numpy(), rtol=1e-10)
        np.testing.assert_allclose(shared.weight.grad, theirs_shared.weight.grad.numpy(), rtol=1e-10)


# ---------------------------------------------------------------------- modes, dtypes, apply


@pytest.mark.proves("C077")
def test_train_and_eval_reach_everything() -> None:
    net = nested(nn)
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.features.train()
    assert [module.training for module in (net, net.features, net.features[0], net.head)] == [False, True, True, False]
    net.train(True)
    assert all(module.training for module in net.modules())


@pytest.mark.proves("C076")
def test_apply_reaches_children_first() -> None:
    seen: list[str] = []
    net = nested(nn)
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    leaves = ["Linear", "BatchNorm1d", "ReLU", "Sequential", "Dropout", "Linear", "Softmax", "Sequential", "Sequential"]
    assert seen == leaves


def test_requires_grad_and_zero_grad() -> None:
    net = TwoPaths()
    x = X.astype(np.float32)
    net(x)
    net.backward(np.ones((5, 3), np.float32))
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.left.requires_grad_(False)
    net(x)
    net.backward(np.ones((5, 3), np.float32))
    assert [name for name, p in net.named_parameters() if p.grad is None] == ["left.weight", "left.bias"]


def test_conversion_keeps_the_parameters_and_their_gradients() -> None:
    net = TwoPaths()
    parameters = list(net.parameters())
    net(X.astype(np.float32))
    net.backward(np.ones((5, 3), np.float32))
    assert net.double() is net
    assert next(net.parameters()) is parameters[0]
    assert {str(p.dtype) for p in net.parameters()} == {"float64"}
    assert {str(p.grad.dtype) for p in net.parameters()} == {"float64"}
    assert net.offset.dtype == np.float64
    assert net(X).dtype == np.float64
    net.float()
    assert net(X.astype(np.float32)).dtype == np.float32
    assert net.to("float64").to("cpu").offset.dtype == np.float64
    norm = nn.BatchNorm1d(3).double()
    assert norm.num_batches_tracked.dtype == np.int64
    for target in (np.int64, bool, "gpu", torch, None):
        with pytest.raises(DtypeError, match=r"a device or a (floating )?dtype"):
            net.to(target)
    for wrong in (X.astype(np.float32), X.astype(np.int64)):
        with pytest.raises(DtypeError, match=r"Linear 'left', forward[^\0]*float64[^\0]*astype"):
            net.double()(wrong)


# ---------------------------------------------------------------------- Sequential, Residual


@pytest.mark.proves("C069")
def test_sequential_by_position_and_name() -> None:
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    assert len(net) == 3
    assert list(net) == [net[0], net[1], net[2]]
    assert net[-1] is net[2]
    assert net["1"] is net[1]
    tail = net[1:]
    assert isinstance(tail, nn.Sequential)
    assert [type(module).__name__ for module in tail] == ["ReLU", "Linear"]
    assert tail[1] is net[2]
    assert len(net[:-1]) == 2
    assert len(net[5:]) == 0
    named = nested(nn)
    assert named["head"] is named.head is named[2]
    assert [name for name, _ in named[1:].named_children()] == ["drop", "head"]
    for key in (3, -4):
        with pytest.raises(IndexError, match="3 modules"):
            net[key]
    with pytest.raises(KeyError):
        net["fc"]
    assert net.append(nn.Tanh()) is net
    assert isinstance(net[3], nn.Tanh)
    assert "3" in dict(net.named_children())
    np.testing.assert_array_equal(nn.Sequential()(X), X)


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: nn.Sequential(nn.Linear(2, 2), np.tanh), DtypeError, r"position '1'[^\0]*wrap a function"),
        (lambda: nn.Sequential(nn.ReLU), DtypeError, r"nn.ReLU\(\) with parentheses"),
        (lambda: nn.Sequential([nn.ReLU()]), DtypeError, "position '0'"),
        (lambda: nn.Sequential({"a.b": nn.ReLU()}), OptionError, "no dot"),
        (lambda: nn.Sequential({"forward": nn.ReLU()}), OptionError, "'forward'"),
        (lambda: nn.Sequential({"": nn.ReLU()}), OptionError, "free name"),
    ],
)
def test_what_sequential_refuses(make: Callable[[], Any], error: type[NumnetError], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_residual() -> None:
    body, shortcut = nn.Linear(4, 3).double(), nn.Linear(4, 3, bias=False).double()
    block, delta = nn.Residual(body, shortcut), RNG.normal(size=(5, 3))
    np.testing.assert_allclose(block(X), body(X) + shortcut(X))
    delta_x = block.backward(delta)
    np.testing.assert_allclose(delta_x, delta @ (body.weight.data + shortcut.weight.data))
    np.testing.assert_allclose(body.weight.grad, delta.T @ X)
    np.testing.assert_allclose(shortcut.weight.grad, delta.T @ X)
    square = nn.Linear(4, 4).double()
    np.testing.assert_allclose(nn.Residual(square)(X), square(X) + X)
    assert list(nn.Residual(square).state_dict()) == ["body.weight", "body.bias"]
    with pytest.raises(ShapeError, match=r"Residual, forward[^\0]*\(5, 3\)[^\0]*\(5, 4\)[^\0]*shortcut"):
        nn.Residual(body)(X)


# ---------------------------------------------------------------------- three ways, the same bits


def three_ways(dtype: Any) -> tuple[nn.Sequential, nn.CrossEntropyLoss, Any, Any]:
    rng = np.random.default_rng(5)
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, rng=rng),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(48, 5, rng=rng),
    ).to(dtype)
    x = rng.normal(size=(6, 1, 8, 8)).astype(dtype)
    return net, nn.CrossEntropyLoss(), x, np.array([0, 1, 2, 3, 4, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_three_ways_give_the_same_bits(dtype: Any) -> None:
    found: list[list[Any]] = []

    net, loss, x, labels = three_ways(dtype)
    J = loss(net(x), labels)
    delta_x = net.backward(loss.backward())
    found.append([np.asarray(J), delta_x, *[p.grad for p in net.parameters()]])

    net, loss, x, labels = three_ways(dtype)
    leaf = Tensor(x, requires_grad=True)
    J = loss(net(leaf), labels)
    J.backward()
    found.append([J.data, leaf.grad, *[p.grad for p in net.parameters()]])

    net, loss, x, labels = three_ways(dtype)
    calls = [nn.Call(layer) for layer in net]
    a = x
    for call in calls:
        a = call.forward(a)
    last = nn.Call(loss)
    J = last.forward(a, labels)
    delta, _ = last.backward()
    for call in reversed(calls):
        delta = call.backward(delta)
    found.append([J, delta, *[p.grad for p in net.parameters()]])

    for other in found[1:]:
        assert len(other) == len(found[0]) == 2 + 6
        for a, b in zip(found[0], other, strict=True):
            assert a.dtype == b.dtype == dtype
            np.testing.assert_array_equal(a, b)


def test_arrays_in_arrays_out_and_tensors_in_tensors_out() -> None:
    net = TwoPaths().double()
    assert type(net(X)) is np.ndarray
    assert isinstance(net(Tensor(X)), Tensor)
    np.testing.assert_array_equal(net(X), net(Tensor(X)).data)
    mine = X.copy()
    mine.flags.writeable = False
    net(mine)
    delta = np.ones((5, 3))
    delta.flags.writeable = False
    net.backward(delta)
    with no_grad():
        assert type(net(X)) is np.ndarray


@pytest.mark.proves("C065", "C082", "C147")
def test_imperative_use_trains() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            rng = np.random.default_rng(0)
            self.hidden = nn.Linear(2, 16, rng=rng)
            self.out = nn.Linear(16, 1, rng=rng)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.hidden(x).tanh()).squeeze(-1).sigmoid()

    x = tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = tensor([0.0, 1.0, 1.0, 0.0])
    net = Net()
    optimizer = optim.Adam(net.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        J = ((net(x) - y) ** 2).mean()
        J.backward()
        optimizer.step()
    assert ((net(x) > 0.5) == (y > 0.5)).all()
    assert J.item() < 0.01


def test_a_module_with_several_inputs_and_labels() -> None:
    class Mix(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(np.array(3.0))

        def forward(self, a: Tensor, b: Tensor, rows: Tensor, none: Any = None) -> tuple[Tensor, Tensor]:
            return a * self.w + b, b[rows]

    net = Mix()
    a, b, rows = X, X + 1, np.array([1, 1])
    y, chosen = net(a, b, rows)
    np.testing.assert_array_equal(y, 3 * a + b)
    np.testing.assert_array_equal(chosen, b[[1, 1]])
    delta_a, delta_b, nothing = net.backward((np.ones((5, 4)), np.full((2, 4), 10.0)))
    np.testing.assert_array_equal(delta_a, np.full((5, 4), 3.0))
    expected = np.ones((5, 4))
    expected[1] += 20
    np.testing.assert_array_equal(delta_b, expected)
    assert nothing is None
    net(a, b, rows, None)
    delta_a, delta_b, *_ = net.backward((None, np.ones((2, 4))))
    assert delta_a is None
    assert delta_b.sum() == 8
    net(a, b, rows)
    with pytest.raises(ShapeError, match="2 deltas"):
        net.backward(np.ones((5, 4)))


def test_inputs_by_name() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(np.array(3.0))

        def forward(self, x: Tensor, mask: Any = None, power: int = 1) -> Tensor:
            return x**power * self.w * mask

    net, mask = Masked(), X > 0
    np.testing.assert_allclose(net(X, mask=mask, power=2), 3 * X**2 * mask)
    np.testing.assert_allclose(net.backward(np.ones((5, 4))), 6 * X * mask)
    assert isinstance(net(x=Tensor(X), mask=mask), Tensor)
    net.zero_grad()
    assert type(net(x=X, mask=mask)) is np.ndarray
    assert net.backward(np.ones((5, 4))) == ()
    np.testing.assert_allclose(net.w.grad, (X * mask).sum())


def test_a_loss_starts_the_recursion() -> None:
    loss = nn.MSELoss()
    z, y = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2))
    assert loss(z, y) == pytest.approx(((z - y) ** 2).mean())
    np.testing.assert_allclose(loss.backward(), 2 * (z - y) / 6)


def test_ten_thousand_modules() -> None:
    net = nn.Sequential(*[nn.Identity() for _ in range(2000)])
    layer = nn.Sequential(net, net, net, net, net)
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer.backward(X), X)


# ---------------------------------------------------------------------- backward at the wrong time


def test_a_network_whose_input_is_data_leaves_its_delta_out() -> None:
    class Watch:
        def __init__(self) -> None:
            self.asked: dict[str, bool] = {}

        def forward(self, call: nn.Call, inputs: Any, outputs: Any) -> None:
            if call.ctx is not None:
                self.asked[call.path] = call.ctx.needs_input_grad[0]

        def backward(self, call: nn.Call, deltas: Any, input_deltas: Any) -> None:
            assert (input_deltas[0] is not None) == self.asked[call.path]

    def stepped(data: bool) -> tuple[Any, dict[str, bool], list[bytes]]:
        net = nn.Sequential(nn.Flatten(), nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
        for i, p in enumerate(net.parameters()):
            p.array[...] = np.random.default_rng(i).normal(size=p.shape)
        net.double().input_delta = not data
        assert list(net.state_dict()) == ["1.weight", "1.bias", "3.weight", "3.bias"]
        watch = Watch()
        with observe(watch):
            z = copy.deepcopy(net)(X)
            z = net(X)
            delta = net.backward(np.cos(z))
        return delta, watch.asked, [p.grad_array.tobytes() for p in net.parameters()]

    delta, asked, gradients = stepped(data=False)
    assert delta.shape == X.shape
    assert asked == {"0": True, "1": True, "2": True, "3": True}
    none, asked, same = stepped(data=True)
    assert none is None
    assert asked == {"1": False, "2": True, "3": True}  # Flatten has nothing to go back for: it records nothing
    assert same == gradients
    inner = nn.Linear(4, 4).double()
    inner.input_delta = False
    x = tensor(X, requires_grad=True)
    nn.Sequential(inner)(x).sum().backward()  # on the tape it is the tensor that says what is wanted
    assert x.grad is not None


def test_backward_without_a_call_twice_or_after_tensors() -> None:
    net = nn.Sequential(nn.Linear(4, 3).double())
    delta = np.ones((5, 3))
    with pytest.raises(BackwardError, match=r"Sequential, backward[^\0]*call the module on an array"):
        net.backward(delta)
    net(X)
    net.backward(delta)
    before = net[0].weight.grad.copy()
    with pytest.raises(BackwardError, match="has run already"):
        net.backward(delta)
    net(Tensor(X))
    with pytest.raises(BackwardError, match="call backward on the loss"):
        net.backward(delta)
    with no_grad():
        net(X)
    with pytest.raises(BackwardError, match="no_grad"):
        net.backward(delta)
    np.testing.assert_array_equal(net[0].weight.grad, before)


@pytest.mark.parametrize(
    "delta, error, message",
    [
        (None, BackwardError, r"shape \(5, 3\)[^\0]*loss.backward\(\)"),
        (np.ones((3, 5)), ShapeError, r"\(5, 3\)[^\0]*\(3, 5\)"),
        (np.ones((5, 3), np.float32), DtypeError, "float64"),
        (Tensor(np.ones((5, 3))), DtypeError, "array of float64"),
        (1.0, DtypeError, "float 1.0"),
        ((np.ones((5, 3)), None), ShapeError, "1 deltas"),
    ],
)
def test_the_right_delta_may_follow_a_wrong_one(delta: Any, error: type[NumnetError], message: str) -> None:
    layer = nn.Linear(4, 3).double()
    for net in (nn.Sequential(layer), layer):
        net(X)
        with pytest.raises(error, match=f"{type(net).__name__}, backward[^\0]*{message}"):
            net.backward(delta)
        assert layer.weight.grad is None
        np.testing.assert_allclose(net.backward(np.ones((5, 3))), np.ones((5, 3)) @ layer.weight.data)
        layer.zero_grad()


def test_a_backward_that_broke_off_is_not_run_again() -> None:
    """What it had added to the gradients would be in them twice."""

    class Breaks(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(np.ones(4))

        def forward(self, ctx: Any, x: np.ndarray) -> np.ndarray:
            return x * self.w.array

        def backward(self, ctx: Any, delta: np.ndarray) -> np.ndarray:
            self.w.accumulate(delta.sum(axis=0))
            raise ZeroDivisionError

    layer = Breaks()
    for net in (layer, nn.Sequential(layer)):
        net(X)
        with pytest.raises(ZeroDivisionError):
            net.backward(X)
        once = layer.w.grad.copy()
        with pytest.raises(BackwardError, match="has run already"):
            net.backward(X)
        np.testing.assert_array_equal(layer.w.grad, once)


def test_only_the_latest_call_counts() -> None:
    layer = nn.Linear(4, 3, bias=False).double()
    layer(100 * X)
    layer(X)
    layer.backward(np.ones((5, 3)))
    np.testing.assert_allclose(layer.weight.grad, np.ones((3, 5)) @ X)


def test_nothing_is_left_on_a_module() -> None:
    net = TwoPaths().double()
    before = [dict(vars(module)) for module in net.modules()]
    net(X)
    net.backward(np.ones((5, 3)))
    net(X)
    for module, attributes in zip(net.modules(), before, strict=True):
        assert vars(module).keys() == attributes.keys()
        assert all(vars(module)[name] is value for name, value in attributes.items())


@pytest.mark.parametrize(
    "forward, message",
    [
        (lambda self, x: None, "end forward with `return`"),
        (lambda self, x: x.data, "a Tensor or a tuple of Tensors"),
        (lambda self, x: [x], "a Tensor or a tuple of Tensors"),
    ],
)
def test_what_forward_of_a_module_may_not_return(forward: Any, message: str) -> None:
    net = type("Net", (nn.Module,), {"forward": forward})()
    with pytest.raises(DtypeError, match=f"Net, forward[^\0]*{message}"):
        net(X)


def test_the_formula_and_the_latest_call_are_told_apart() -> None:
    layer = nn.Linear(4, 3).double()
    call = nn.Call(layer)
    call.forward(X)
    assert isinstance(call.ctx, Ctx)
    by_formula = layer.backward(call.ctx, np.ones((5, 3)))
    layer(X)
    np.testing.assert_array_equal(layer.backward(np.ones((5, 3))), by_formula)


def test_every_buffer_moves_with_the_module() -> None:
    net = TwoPaths().double()
    assert net.offset.dtype == net.scratch.dtype == np.float64
    net.register_buffer("scratch", np.ones(2))  # persistent from now on
    assert "scratch" in net.state_dict()
    del net.scratch
    assert "scratch" not in net.float().state_dict()


def test_a_buffer_that_has_become_a_number_is_loaded() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", np.zeros((), np.int64))

    net = Counts()
    net.calls = net.calls + 1  # NumPy makes a scalar of it
    net.load_state_dict({"calls": np.asarray(7)})
    assert net.calls == 7


def test_what_a_backward_returns_is_the_callers_own() -> None:
    """The input's δ is handed on without a copy, unless it is the caller's own array or a view of one."""

    class Doubled(nn.Layer):
        def forward(self, ctx: Any, x: np.ndarray) -> np.ndarray:
            return 2 * x

        def backward(self, ctx: Any, delta: np.ndarray) -> np.ndarray:
            self.made = 2 * delta
            return self.made

    class Mean(nn.Layer):
        def forward(self, ctx: Any, x: np.ndarray) -> np.ndarray:
            ctx.shape = x.shape
            return x.mean(axis=1)

        def backward(self, ctx: Any, delta: np.ndarray) -> np.ndarray:
            return np.broadcast_to(delta[:, None] / ctx.shape[1], ctx.shape)

    x, delta = np.ones((3, 4)), np.full((3, 4), 0.5)
    layer = Doubled()
    layer(x)
    assert layer.backward(delta) is layer.made
    for net, d in ((nn.Identity(), delta), (nn.Sequential(nn.Identity()), delta), (Mean(), delta[:, 0])):
        net(x)
        delta_x = net.backward(d)
        assert delta_x.flags.writeable
        assert not np.shares_memory(delta_x, d)
    twice = nn.Residual(nn.Identity())
    twice(x)
    np.testing.assert_array_equal(twice.backward(delta), 2 * delta)
    np.testing.assert_array_equal(delta, np.full((3, 4), 0.5))
