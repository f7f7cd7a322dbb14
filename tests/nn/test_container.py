from __future__ import annotations

from collections import OrderedDict
from types import ModuleType

import numpy as np
import pytest

from numnet import Tensor, nn, tensor
from numnet.errors import DtypeError, OptionError, ShapeError

X = np.random.default_rng(0).normal(size=(5, 4))


def layers() -> OrderedDict[str, nn.Module]:
    inner = nn.Sequential(nn.Linear(6, 6), nn.Tanh())
    return OrderedDict(fc1=nn.Linear(4, 6), act=nn.ReLU(), block=inner, fc2=nn.Linear(6, 3))


@pytest.mark.proves("C071")
def test_nested_as_in_pytorch(torch: ModuleType) -> None:
    net = nn.Sequential(layers()).double()
    t = torch.nn
    inner = t.Sequential(t.Linear(6, 6), t.Tanh())
    theirs = t.Sequential(OrderedDict(fc1=t.Linear(4, 6), act=t.ReLU(), block=inner, fc2=t.Linear(6, 3))).double()
    assert repr(net) == repr(theirs)
    assert list(net.state_dict()) == list(theirs.state_dict())
    net.load_state_dict(theirs.state_dict())
    x = torch.from_numpy(X).requires_grad_()
    right = theirs(x)
    y = net(X)
    np.testing.assert_allclose(y, right.detach(), rtol=1e-10)
    right.backward(right.detach())
    np.testing.assert_allclose(net.backward(y), x.grad, rtol=1e-10, atol=1e-14)
    for (name, p), q in zip(net.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10, atol=1e-14, err_msg=name)


@pytest.mark.proves("C070")
def test_children_by_position_name_and_slice() -> None:
    net = nn.Sequential(layers())
    assert len(net) == 4
    assert net[0] is net["fc1"] is net.fc1
    assert net[-1] is net.fc2
    part = net[1:3]
    assert isinstance(part, nn.Sequential)
    assert list(part) == [net.act, net.block]
    assert part.block is net.block  # shared, not copied
    with pytest.raises(IndexError, match="4 modules"):
        net[4]
    assert net.append(nn.ReLU())[4] is list(net)[-1]


def test_an_empty_sequential_is_the_identity() -> None:
    x = tensor(X, requires_grad=True)
    (nn.Sequential()(x) * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full_like(X, 2))


def test_what_is_no_module_or_no_name_is_refused() -> None:
    with pytest.raises(DtypeError, match=r"(?s)position '1' of Sequential.*ReLU\(\) with parentheses"):
        nn.Sequential(nn.Linear(4, 3), nn.ReLU)
    with pytest.raises(DtypeError, match="wrap a function"):
        nn.Sequential(np.tanh)
    for name in ("a.b", "", "forward"):
        with pytest.raises(OptionError, match="free name"):
            nn.Sequential({name: nn.ReLU()})


def test_a_child_that_leaves_the_tape_is_refused() -> None:
    class Leaves(nn.Module):
        def forward(self, x: Tensor) -> np.ndarray:
            return x.array

    net = nn.Sequential(Leaves(), nn.Linear(2, 2))
    net.input_delta = False
    with pytest.raises(DtypeError, match="return what the layers returned"):
        net(np.ones((1, 2), np.float32))


def test_residual_adds_both_ways() -> None:
    body = nn.Linear(4, 4).double()
    net = nn.Residual(body)
    y = net(X)
    np.testing.assert_allclose(y, body(X) + X, rtol=1e-12)
    y = net(X)
    np.testing.assert_allclose(net.backward(y), y @ body.weight.data + y, rtol=1e-12)

    shortcut = nn.Linear(4, 3, bias=False).double()
    body = nn.Sequential(nn.Linear(4, 3), nn.Tanh()).double()
    net = nn.Residual(body, shortcut)
    np.testing.assert_allclose(net(X), body(X) + shortcut(X), rtol=1e-12)
    assert [name for name, _ in net.named_children()] == ["body", "shortcut"]


def test_ways_that_end_in_different_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"(?s)Residual, forward.*\(5, 3\).*\(5, 4\).*shortcut"):
        nn.Residual(nn.Linear(4, 3).double())(X)


def test_a_child_is_replaced_in_its_place() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    net[1] = nn.Tanh()
    net["2"] = nn.Identity()
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "Identity"]
    net[-1] = nn.Sigmoid()
    assert [name for name, _ in net.named_children()] == ["0", "1", "2"]
    with pytest.raises(DtypeError, match="child"):
        net["3"] = nn.ReLU()
    with pytest.raises(DtypeError, match="Module"):
        net[0] = np.tanh


def test_nothing_goes_through_all_children_to_add_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.Sequential, "_held", None)  # n children would take n² steps
    assert len(list(nn.Sequential(*[nn.ReLU() for _ in range(3)]))) == 3
