"""ModuleList, ModuleDict, ParameterList, ParameterDict, Branches; modules that hide in a plain list; tied weights."""

from __future__ import annotations

import copy
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import Tensor, nn, tensor
from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.inspect import gradcheck

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_children()]


# ---------------------------------------------------------------------------------------------- lists


@pytest.mark.parametrize(
    "make", [nn.ModuleList, lambda modules: nn.Sequential(*modules)], ids=["ModuleList", "Sequential"]
)
def test_a_list_of_modules_is_changed_as_a_list_is(make: Any) -> None:
    a, b, c, d = nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.SiLU()
    modules = make([a, b])
    assert modules.append(c) is modules
    assert list(modules.extend([d])) == [a, b, c, d]
    assert modules.pop() is d
    modules.insert(0, d)
    assert list(modules) == [d, a, b, c]
    modules.insert(-1, nn.Identity())
    assert isinstance(modules[3], nn.Identity)
    del modules[3]
    del modules[1:3]
    assert list(modules) == [d, c]
    assert names(modules) == ["0", "1"]
    assert modules[-1] is c
    modules[1] = a
    assert list(modules) == [d, a]
    part = modules[1:]
    assert type(part) is type(modules)
    assert list(part) == [a]
    assert len(modules) == 2
    assert a in modules
    assert c not in modules
    with pytest.raises(IndexError, match=r"2 modules; there is none at position -3"):
        modules[-3]
    with pytest.raises(IndexError, match=r"2 modules; there is none at position 2"):
        del modules[2]
    with pytest.raises(DtypeError, match=r"ReLU\(\) with parentheses"):
        modules.insert(0, nn.ReLU)
    assert list(modules) == [d, a]


def test_names_of_ones_own_stay_where_numbers_move_on() -> None:
    net = nn.Sequential({"fc": nn.Linear(2, 2), "act": nn.ReLU()})
    net.append(nn.Tanh())
    net.insert(0, nn.Identity())
    assert names(net) == ["0", "fc", "act", "3"]
    assert isinstance(net.pop("fc"), nn.Linear)
    assert names(net) == ["0", "act", "2"]
    assert names(net[1:]) == ["act", "2"]


def test_a_list_is_found_saved_and_printed_as_pytorchs(torch: ModuleType) -> None:
    def build(t: Any) -> Any:
        return t.ModuleList([t.Linear(4, 3), t.ModuleDict({"a": t.Linear(3, 2), "b": t.ReLU()})])

    ours, theirs = build(nn), build(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.detach())


def test_lists_are_added() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.SiLU()
    modules = nn.ModuleList([a])
    both = modules + nn.ModuleList([b, c])
    assert list(both) == [a, b, c]
    assert list(modules) == [a]
    modules += both
    assert list(modules) == [a, a, b, c]
    assert list(nn.ModuleList(m for m in (a, b))) == [a, b]
    assert list(modules.extend(modules)) == [a, a, b, c] * 2


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
        self.heads = nn.ModuleDict({"one": nn.Linear(4, 1), "two": nn.Linear(4, 2)})
        self.scales = nn.ParameterList([np.ones(4, np.float32), nn.Parameter(np.full(4, 0.5, np.float32))])
        self.shifts = nn.ParameterDict({"a": np.zeros(4, np.float32)})

    def forward(self, x: Tensor) -> Any:
        for layer, scale in zip(self.layers, self.scales, strict=True):
            x = layer(x * scale + self.shifts["a"])
        return self.heads["one"](x), self.heads["two"](x)


def test_a_network_made_of_them_trains_saves_and_moves() -> None:
    net = Deep().double()
    report = gradcheck(net, X)
    assert report.ok, str(report)
    assert len(report.rows) == 1 + 4 + 4 + 2 + 1
    assert all(p.dtype == np.float64 for p in net.parameters())
    twin = copy.deepcopy(net)
    twin.load_state_dict(net.state_dict())
    assert [key for key in net.state_dict() if "scales" in key or "shifts" in key] == [
        "scales.0",
        "scales.1",
        "shifts.a",
    ]


def test_the_keys_of_parameters_are_pytorchs(torch: ModuleType) -> None:
    theirs = torch.nn.Module()
    theirs.p = torch.nn.ParameterList([torch.zeros(2), torch.ones(3)])
    theirs.d = torch.nn.ParameterDict({"x": torch.zeros(2)})
    ours = nn.Module()
    ours.p = nn.ParameterList([np.zeros(2), np.ones(3)])
    ours.d = nn.ParameterDict({"x": np.zeros(2)})
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_parameters_by_position_and_name() -> None:
    first = nn.Parameter(np.zeros(2))
    held = nn.ParameterList([first]).append(np.ones(3)).append(tensor(np.ones(1)))
    assert held[0] is first
    assert all(type(p) is nn.Parameter for p in held)
    assert list(held[1:]) == [held[1], held[2]]
    held += [np.ones(2)]
    assert len(held) == 4
    held[0] = np.ones(1)
    assert held[0].shape == (1,)
    assert repr(nn.ParameterList([np.ones(2)])) == "ParameterList(0: float64 array of shape (2,))"
    with pytest.raises(DtypeError, match=r"(?s)a Parameter at position '4' of ParameterList.*arrays or Parameters"):
        held.append(nn.ReLU())
    with pytest.raises(DtypeError, match="a Module at position"):
        nn.ModuleList([nn.Parameter(np.ones(1))])


@pytest.mark.parametrize(
    "make, value", [(nn.ModuleDict, nn.ReLU), (nn.ParameterDict, lambda: nn.Parameter(np.ones(2)))]
)
def test_a_dict_is_used_as_a_dict(make: Any, value: Any) -> None:
    a, b, c = value(), value(), value()
    held = make({"a": a, "b": b})
    assert list(held) == list(held.keys()) == ["a", "b"]
    assert list(held.values()) == [a, b]
    assert [name for name, _ in held.items()] == ["a", "b"]
    assert held["a"] is held.a is a
    assert "a" in held
    assert "c" not in held
    held["a"] = c  # in its place
    held.update([("d", a)])
    assert list(held) == ["a", "b", "d"]
    assert held["a"] is c
    assert held.get("none", 3) == 3
    assert held.pop("a") is c
    del held["b"]
    assert list(held) == ["d"]
    with pytest.raises(KeyError):
        held.pop("a")
    with pytest.raises(KeyError):
        held["a"]
    with pytest.raises(DtypeError, match="at position 'x'"):
        held["x"] = "y"
    for name in ("keys", "a.b", ""):
        with pytest.raises(OptionError, match="free name"):
            held[name] = b
    held.clear()
    assert len(held) == len(make()) == 0


@pytest.mark.parametrize("make", [nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict])
def test_what_only_holds_cannot_be_called(make: Any) -> None:
    with pytest.raises(DtypeError, match=rf"(?s){make.__name__}, which does nothing but hold.*nn\.Sequential"):
        make()(X)


# ---------------------------------------------------------------------------------------------- plain lists


@pytest.mark.parametrize(
    "plain",
    [[nn.Linear(2, 2)], (nn.Linear(2, 2),), {"a": nn.Linear(2, 2)}, [nn.Parameter(np.ones(2))]],
    ids=["list", "tuple", "dict", "parameters"],
)
def test_what_hides_in_a_plain_list_is_pointed_out(plain: Any) -> None:
    net = nn.Module()
    net.inner = nn.Module()
    net.inner.layers = plain
    with pytest.warns(UserWarning, match=r"not trained.*inner\.layers.*nn\.ModuleList"):
        assert list(net.parameters()) == []


def test_a_plain_list_of_what_is_found_elsewhere_is_nobodys_business() -> None:
    net = nn.Sequential(nn.Linear(2, 2))
    net.order = [net[0]]
    net.weights = {"first": net[0].weight}
    net.sizes, net.nothing = [1, 2, 3], []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(net.parameters())) == 2


# ---------------------------------------------------------------------------------------------- branches


@pytest.mark.parametrize("dim", [1, -1, 0])
def test_branches_put_together(dim: int) -> None:
    net = nn.Branches(nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 3), nn.Tanh()), nn.Identity(), dim=dim).double()
    if dim == 0:
        del net[2]
    report = gradcheck(net, X)
    assert report.ok, str(report)
    np.testing.assert_array_equal(net(X), np.concatenate([branch(X) for branch in net], axis=dim))


def test_branches_added() -> None:
    net = nn.Branches({"wide": nn.Linear(4, 4), "deep": nn.Tanh(), "around": nn.Identity()}, join="sum").double()
    report = gradcheck(net, X)
    assert report.ok, str(report)
    np.testing.assert_allclose(net(X), net.wide(X) + np.tanh(X) + X, rtol=1e-14)
    assert names(net) == ["wide", "deep", "around"]
    assert repr(net).startswith("Branches(\n  join='sum'\n  (wide): Linear(")
    part = net[:2]
    assert isinstance(part, nn.Branches)
    assert part.join == "sum"


def test_an_inception_block_as_in_pytorch(torch: ModuleType) -> None:
    def branches(t: Any) -> list[Any]:
        return [
            t.Conv2d(2, 3, 1),
            t.Sequential(t.Conv2d(2, 1, 1), t.ReLU(), t.Conv2d(1, 2, 3, padding=1)),
            t.Sequential(t.MaxPool2d(3, stride=1, padding=1), t.Conv2d(2, 1, 1)),
        ]

    ours = nn.Branches(*branches(nn)).double()
    theirs = torch.nn.ModuleList(branches(torch.nn)).double()
    ours.load_state_dict(theirs.state_dict())
    x = RNG.normal(size=(2, 2, 4, 5))
    theirs_x = torch.from_numpy(x).requires_grad_()
    right = torch.cat([branch(theirs_x) for branch in theirs], 1)
    y = ours(x)
    np.testing.assert_allclose(y, right.detach(), rtol=1e-10, atol=1e-14)
    right.backward(right.detach())
    np.testing.assert_allclose(ours.backward(y), theirs_x.grad, rtol=1e-10, atol=1e-13)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-10, atol=1e-13)


def test_branches_that_do_not_go_together() -> None:
    with pytest.raises(ShapeError, match=r"(?s)Branches, forward.*one shape\n.*\(5, 3\), \(5, 4\)"):
        nn.Branches(nn.Linear(4, 3).double(), nn.Identity(), join="sum")(X)
    with pytest.raises(ShapeError, match=r"(?s)Branches, forward.*but for axis 0\n.*\(5, 3\), \(5, 4\)"):
        nn.Branches(nn.Linear(4, 3).double(), nn.Identity(), dim=0)(X)
    with pytest.raises(ShapeError, match=r"(?s)Branches, forward.*\(5, 4\), \(5, 2, 2\)"):
        nn.Branches(nn.Identity(), nn.Unflatten(1, (2, 2)))(X)
    with pytest.raises(OptionError, match="join='add'"):
        nn.Branches(nn.Identity(), join="add")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="one branch or more"):
        nn.Branches()(X)
    with pytest.raises(DtypeError, match="of Branches"):
        nn.Branches(np.tanh)


# ---------------------------------------------------------------------------------------------- tied weights


def test_one_parameter_in_two_places(torch: ModuleType) -> None:
    """An embedding and the layer that undoes it, tied: gradients add; the state dict holds both names."""

    def build(t: Any) -> Any:
        net = t.Sequential(t.Embedding(6, 4), t.Linear(4, 4), t.Tanh(), t.Linear(4, 6, bias=False)).double()
        net[3].weight = net[0].weight
        return net

    ours, theirs = build(nn), build(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["0.weight", "1.weight", "1.bias", "3.weight"]
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    ours.load_state_dict(theirs.state_dict())
    x = np.array([[1, 5], [1, 0]])
    y, right = ours(x), theirs(torch.from_numpy(x))
    np.testing.assert_allclose(y, right.detach(), rtol=1e-10)
    right.backward(right.detach())
    ours.backward(y)
    np.testing.assert_allclose(ours[0].weight.grad, theirs[0].weight.grad, rtol=1e-10, atol=1e-14)
    assert ours[3].weight is ours[0].weight


def test_one_layer_in_two_places(torch: ModuleType) -> None:
    def build(t: Any) -> Any:
        shared = t.Linear(4, 4)
        return t.ModuleList([shared, t.ModuleDict({"again": shared})]).double()

    ours, theirs = build(nn), build(torch.nn)
    assert (
        list(ours.state_dict()) == list(theirs.state_dict()) == ["0.weight", "0.bias", "1.again.weight", "1.again.bias"]
    )
    assert len(list(ours.parameters())) == 2
    ours.load_state_dict(theirs.state_dict())
    net = nn.Sequential(ours[0], nn.Tanh(), ours[1]["again"])
    y = net(X)
    net.backward(y)
    right = theirs[1]["again"](torch.tanh(theirs[0](torch.from_numpy(X))))
    right.backward(right.detach())
    np.testing.assert_allclose(ours[0].weight.grad, theirs[0].weight.grad, rtol=1e-10)
    report = gradcheck(net, X)
    assert report.ok, str(report)
