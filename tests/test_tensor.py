"""Tensor: construction, operators, dtypes, methods, the gradient through each of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numnet import Parameter, Tensor, Variable, cat, nn, stack, tensor, where
from numnet.errors import BackwardError, DtypeError, NumnetError, OptionError, ShapeError

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
RNG = np.random.default_rng(3)
A = RNG.normal(size=(3, 4))
B = RNG.uniform(0.5, 2.0, (3, 4))
ROW = RNG.normal(size=4)


def leaf(x: Any, dtype: Any = np.float64) -> Tensor:
    return Tensor(np.array(x, dtype), requires_grad=True)


# ---------------------------------------------------------------------- construction


@needs_torch
@pytest.mark.parametrize("data", [1, 2.5, True, [1, 2], [1.0, 2], [[1.0], [2.0]], [True, False], [], np.float64(2)])
def test_dtype_and_shape_of_python_data(data: Any) -> None:
    ours, theirs = tensor(data), torch.tensor(data)
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_array_equal(ours.data, theirs.numpy())


def test_tensor_copies_and_the_constructors_share() -> None:
    x = np.zeros(3)
    assert Tensor(x).array is x
    assert Parameter(x).array is x
    assert Tensor(Tensor(x)).array is x
    copied = tensor(x)
    copied.data[0] = 1
    assert x[0] == 0
    assert tensor(x, dtype=np.float32).dtype == np.float32
    assert tensor(x).dtype == np.float64
    assert tensor(x, requires_grad=True).requires_grad
    assert Variable is Tensor


@pytest.mark.parametrize(
    "data", ["text", ["a"], None, object(), [None], 1j, np.zeros(2, complex), np.array(["a"]), {"a": 1}]
)
def test_what_is_not_numbers(data: Any) -> None:
    with pytest.raises(DtypeError, match="real numbers"):
        Tensor(data)


def test_integers_have_no_gradient() -> None:
    for make in (
        lambda: Tensor([1, 2], requires_grad=True),
        lambda: Parameter([1, 2]),
        lambda: tensor(1).requires_grad_(),
    ):
        with pytest.raises(DtypeError, match=r"gradient is wanted[^\0]*int64[^\0]*astype\(np.float32\)"):
            make()


def test_what_it_says_of_itself() -> None:
    x = Tensor(np.zeros((2, 3)))
    assert (x.shape, x.ndim, x.dim(), x.numel(), x.size(), x.size(1), x.size(-1)) == ((2, 3), 2, 2, 6, (2, 3), 3, 3)
    assert (len(x), x.dtype, x.device, x.is_leaf) == (2, np.float64, "cpu", True)
    assert not (leaf(A) * 2).is_leaf
    assert repr(tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(tensor([1.0], requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(tensor([1, 2])) == "tensor([1, 2])"
    assert repr(Tensor(np.ones(1))) == "tensor([1.], dtype=float64)"
    assert "grad_fn=<Call " in repr(leaf([1.0]) * 2)
    assert "of Multiply>" in repr(leaf([1.0]) * 2)
    assert repr(Parameter(np.ones(1, np.float32))) == "Parameter containing:\ntensor([1.], requires_grad=True)"
    assert f"{tensor(0.25):.1%}" == "25.0%"
    assert f"{tensor([1])}" == "tensor([1])"


def test_numbers_out_of_it() -> None:
    assert tensor([[3.5]]).item() == 3.5
    assert isinstance(tensor(3).item(), int)
    assert (float(tensor(2.5)), int(tensor(2.5)), bool(tensor(0.0)), bool(tensor([True]))) == (2.5, 2, False, True)
    assert tensor([[1, 2]]).tolist() == [[1, 2]]
    for convert in (float, int, bool, Tensor.item):
        with pytest.raises(ShapeError, match=r"single number[^\0]*\(2,\)"):
            convert(tensor([1.0, 2.0]))
    for use in (len, list, iter):
        with pytest.raises(DtypeError, match=r"tensor.item\(\)"):
            use(tensor(1.0))
    assert [row.tolist() for row in tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]


def test_numpy_wants_it_off_the_tape() -> None:
    x = Tensor(A)
    assert x.numpy() is A
    np.testing.assert_array_equal(np.asarray(x), A)
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    np.testing.assert_allclose(np.sin(np.asarray(x)), np.sin(A))
    for on_tape in (leaf(A), leaf(A) * 2):
        for use in (Tensor.numpy, np.asarray, np.array):
            with pytest.raises(BackwardError, match="detach"):
                use(on_tape)
    assert on_tape.detach().numpy() is on_tape.array
    assert not on_tape.detach().requires_grad
    with pytest.raises(TypeError):  # a ufunc would leave the tape silently
        np.exp(x)


# ---------------------------------------------------------------------- operators

OPERATORS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: a**b,
]
COMPARISONS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a == b,
    lambda a, b: a != b,
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: a > b,
    lambda a, b: a >= b,
]


@needs_torch
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("other", [2, 0.5, np.float64(1.5), np.float32(1.5), np.int64(3)])
def test_numbers_on_either_side_never_upcast(operator: Any, dtype: Any, other: Any) -> None:
    number = other.item() if isinstance(other, np.generic) else other
    for form in (lambda x, n: operator(x, n), lambda x, n: operator(n, x)):
        x, theirs = leaf(B, dtype), torch.tensor(B.astype(dtype), requires_grad=True)
        y, their_y = form(x, other), form(theirs, number)
        assert isinstance(y, Tensor)
        assert y.dtype == dtype
        np.testing.assert_allclose(y.data, their_y.detach().numpy(), rtol=1e-6)
        y.sum().backward()
        their_y.sum().backward()
        np.testing.assert_allclose(x.grad, theirs.grad.numpy(), rtol=1e-5)


@needs_torch
@pytest.mark.parametrize("operator", OPERATORS)
def test_tensors_and_arrays_on_either_side(operator: Any) -> None:
    for a, b in ((B, B + 0.25), (B, abs(ROW)), (abs(ROW), B)):
        x, z = leaf(a), leaf(b)
        tx, tz = torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True)
        operator(x, z).sum().backward()
        operator(tx, tz).sum().backward()
        np.testing.assert_allclose(x.grad, tx.grad.numpy(), rtol=1e-12)
        np.testing.assert_allclose(z.grad, tz.grad.numpy(), rtol=1e-12)
        with_array, from_array = leaf(a), leaf(b)
        operator(with_array, b).sum().backward()
        operator(a, from_array).sum().backward()
        np.testing.assert_array_equal(with_array.grad, x.grad)
        np.testing.assert_array_equal(from_array.grad, z.grad)


def test_matrix_products_on_either_side() -> None:
    x = leaf(A)
    assert (x @ A.T).shape == (3, 3)
    assert (A.T @ x).shape == (4, 4)
    assert isinstance(A.T @ x, Tensor)
    np.testing.assert_allclose(x.mm(leaf(A.T)).data, A @ A.T)
    np.testing.assert_allclose(x.matmul(ROW).data, A @ ROW)
    with pytest.raises(ShapeError, match=r"MatMul, forward[^\0]*\(3, 4\) and \(3, 4\)"):
        x @ x


def test_one_tensor_twice_in_one_operation() -> None:
    x = leaf(A)
    (x * x).sum().backward()
    np.testing.assert_allclose(x.grad, 2 * A)
    x = leaf(A)
    (x / x).sum().backward()
    np.testing.assert_allclose(x.grad, 0 * A, atol=1e-15)
    x = leaf(A[:, :3])
    (x @ x).sum().backward()
    ones = np.ones((3, 3))
    np.testing.assert_allclose(x.grad, ones @ x.data.T + x.data.T @ ones)


def test_single_numbers_all_the_way() -> None:
    x = leaf(3.0)
    y = x * x + x  # an inner node that two consumers share
    z = (y * y - y).exp().log() / 2
    z.backward()
    assert (type(x.grad_array), x.grad.shape, x.grad.dtype) == (np.ndarray, (), np.float64)
    assert float(x.grad) == pytest.approx((2 * 12 - 1) * 7 / 2)


def test_two_floating_dtypes_are_refused() -> None:
    single, double = leaf(A, np.float32), leaf(A)
    for operator in (*OPERATORS, lambda a, b: a @ b.T, lambda a, b: cat([a, b]), lambda a, b: where(A > 0, a, b)):
        for a, b in ((single, double), (double, single)):
            with pytest.raises(DtypeError, match=r"one floating dtype[^\0]*float32[^\0]*tensor.float\(\)"):
                operator(a, b)
    for a, b in ((single, A), (A, single)):
        with pytest.raises(DtypeError, match=r"array\.astype"):
            a + b


@needs_torch
def test_integers() -> None:
    ours, theirs = tensor([3, -2, 5]), torch.tensor([3, -2, 5])
    for operation in (
        *[lambda x: x + 1, lambda x: x * 2, lambda x: x / 2, lambda x: x + 0.5, lambda x: 1 - x, lambda x: x**2],
        *[
            lambda x: abs(x) ** 0.5,
            lambda x: x / x,
            lambda x: x.sum(),
            lambda x: x.exp(),
            lambda x: x.max(),
            lambda x: abs(x),
        ],
        *[lambda x: (x > 0) * 1, lambda x: (x > 0) + 1, lambda x: (x > 0) * 1.5, lambda x: (x > 0).sum(), lambda x: -x],
        *[
            lambda x: x.prod(),
            lambda x: x.clamp(0),
            lambda x: x.clamp(max=0.5),
            lambda x: x.relu(),
            lambda x: x.sigmoid(),
        ],
        *[lambda x: (x > 0) + True, lambda x: x.float().mean(), lambda x: x.double() / 3, lambda x: (x * 1.7).long()],
    ):
        y, their_y = operation(ours), operation(theirs)
        assert f"torch.{y.dtype}" == str(their_y.dtype)
        assert not y.requires_grad
        np.testing.assert_allclose(y.data, their_y.numpy(), rtol=1e-6)


def test_integers_take_the_dtype_of_the_floating_side() -> None:
    for dtype in (np.float32, np.float64):
        x = leaf(A, dtype)
        chosen = tensor(np.arange(4))
        for operator in OPERATORS[:4]:
            y = operator(x, chosen + 1)
            assert y.dtype == dtype
            assert operator(np.arange(1, 5), x).dtype == dtype
        x.grad = None
        (x * chosen).sum().backward()
        assert x.grad.dtype == dtype
        np.testing.assert_array_equal(x.grad, np.tile(np.arange(4.0), (3, 1)))
        assert (x * (x > 0)).dtype == dtype


@needs_torch
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_comparisons(comparison: Any) -> None:
    a, b = np.array([0.1, 2.0, 3.0], np.float32), np.array([0.1, 3.0, 2.0], np.float32)
    for x, z in ((a, b), (a, 2), (a, 0.1), (a, np.float64(0.1)), (2.0, b), (np.arange(3), 1.5), (np.arange(3), 300)):
        their_x, their_z = (torch.tensor(v) if isinstance(v, np.ndarray) else v for v in (x, z))
        expected = comparison(their_x, their_z).numpy()
        arrays = [Tensor(v, v.dtype == np.float32) if isinstance(v, np.ndarray) else v for v in (x, z)]
        y = comparison(*arrays)
        assert isinstance(y, Tensor)
        assert y.dtype == bool
        assert not y.requires_grad
        np.testing.assert_array_equal(y.data, expected)
    mixed = comparison(leaf(a), a.astype(np.float64))
    assert mixed.dtype == bool


def test_equality_and_identity() -> None:
    x, y = tensor([1.0, 2.0]), tensor([1.0, 2.0])
    assert (x == y).all()
    assert not (x != y).any()
    assert len({x, y, x}) == 2
    assert {x: "x", y: "y"}[y] == "y"
    assert hash(x) != hash(y)
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "text") is False
    if tensor(3.0) == 3:
        reached = True
    assert reached
    with pytest.raises(ShapeError, match="single number"):
        bool(x == y)
    mask = (x > 1) & (y > 0) | ~(x > 0)
    assert mask.tolist() == [False, True]


@pytest.mark.parametrize("other", [None, "a", [1, "b"], 2j, object()])
def test_operands_that_are_no_numbers(other: Any) -> None:
    x = leaf(A)
    for operator in (*OPERATORS, lambda a, b: a @ b):
        for attempt in (lambda: operator(x, other), lambda: operator(other, x)):  # noqa: B023
            with pytest.raises(DtypeError, match="real numbers"):
                attempt()


def test_shapes_that_do_not_broadcast() -> None:
    for operator in OPERATORS:
        with pytest.raises(ShapeError, match=r"forward of[^\0]*\(3, 4\) and \(3,\)[^\0]*unsqueeze"):
            operator(leaf(B), leaf([1.0, 2.0, 3.0]))


# ---------------------------------------------------------------------- methods

METHODS: list[Callable[[Any], Any]] = [
    *[
        lambda x: x.exp(),
        lambda x: x.log(),
        lambda x: x.sqrt(),
        lambda x: x.sin(),
        lambda x: x.cos(),
        lambda x: x.tanh(),
    ],
    *[
        lambda x: x.sigmoid(),
        lambda x: x.relu(),
        lambda x: x.clamp(0.8, 1.5),
        lambda x: x.clamp(min=1),
        lambda x: abs(x),
    ],
    *[lambda x: x.abs(), lambda x: -x, lambda x: +x, lambda x: x.pow(3), lambda x: x**0.5, lambda x: 2**x],
    *[lambda x: x.sum(), lambda x: x.sum(0), lambda x: x.sum(dim=(0, 1), keepdim=True), lambda x: x.sum(-1, True)],
    *[
        lambda x: x.mean(),
        lambda x: x.mean(1),
        lambda x: x.mean(dim=[0], keepdim=True),
        lambda x: x.prod(),
        lambda x: x.prod(1),
    ],
    *[
        lambda x: x.var(),
        lambda x: x.var(0),
        lambda x: x.std(dim=1),
        lambda x: x.std(1, correction=0),
        lambda x: x.std(),
    ],
    *[
        lambda x: x.var(dim=1, keepdim=True),
        lambda x: x.norm(),
        lambda x: x.norm(dim=1),
        lambda x: x.max(),
        lambda x: x.min(),
    ],
    *[lambda x: x.max(1)[0], lambda x: x.min(dim=0)[0], lambda x: x.max(dim=-1, keepdim=True)[0]],
    *[
        lambda x: x.reshape(2, 6),
        lambda x: x.reshape((4, -1)),
        lambda x: x.view(-1),
        lambda x: x.view([12]),
        lambda x: x.T,
    ],
    *[
        lambda x: x.flatten(),
        lambda x: x[None].flatten(0, 1),
        lambda x: x[None].flatten(1),
        lambda x: x.mT,
        lambda x: x.t(),
    ],
    *[
        lambda x: x.transpose(0, 1),
        lambda x: x.transpose(-1, 0),
        lambda x: x.permute(1, 0),
        lambda x: x.permute((1, 0)),
    ],
    *[lambda x: x.unsqueeze(0), lambda x: x.unsqueeze(-1), lambda x: x.unsqueeze(1), lambda x: x[:1].squeeze()],
    *[
        lambda x: x[:1].squeeze(0),
        lambda x: x.squeeze(0),
        lambda x: x.unsqueeze(1).squeeze(-2),
        lambda x: x.expand(2, 3, 4),
    ],
    *[lambda x: x[:, :1].expand(-1, 5), lambda x: x.sum(0).broadcast_to(2, 4), lambda x: x.broadcast_to((2, 3, 4))],
    *[
        lambda x: x[0],
        lambda x: x[1, 2],
        lambda x: x[:, 1:3],
        lambda x: x[..., None],
        lambda x: x[[0, 0, 2]],
        lambda x: x[x > 1],
    ],
    *[lambda x: x.topk(2)[0], lambda x: x.topk(3, 0, False).values, lambda x: x.sort(0, True)[0]],
    *[lambda x: x.cumsum(1), lambda x: x.repeat(2, 3), lambda x: x.repeat((2, 1, 2)), lambda x: x.repeat(1, 0)],
    *[lambda x: x.masked_fill(x > 1, 7), lambda x: x.add(x, alpha=2), lambda x: x.sub(x.exp(), alpha=3)],
    *[lambda x: x.mul(x), lambda x: x.div(2), lambda x: x.neg(), lambda x: x.mm(x.T), lambda x: x[0].dot(x[1])],
    *[lambda x: x.view_as(x.T), lambda x: x.type_as(x), lambda x: x.matmul(x.T)],
    *[lambda x: x.clone(), lambda x: x.double(), lambda x: x.cpu(), lambda x: x.float().sum(), lambda x: x.to("cpu")],
    *[lambda x: (x * 2 - 1) / (x + 3) ** 2, lambda x: (x - x.mean(0)) / x.std(0), lambda x: (x @ x.T).sum(1)],
    *[
        lambda x: ((x - x.max(dim=1, keepdim=True)[0]).exp() / x.exp().sum(1, keepdim=True)).log(),
        lambda x: x[1] * x[2],
    ],
]


@needs_torch
@pytest.mark.parametrize("number", range(len(METHODS)))
def test_methods_as_torch(number: int) -> None:
    method = METHODS[number]
    x, theirs = leaf(B), torch.tensor(B, requires_grad=True)
    y, their_y = method(x), method(theirs)
    assert isinstance(y, Tensor)
    assert y.shape == tuple(their_y.shape)
    assert f"torch.{y.dtype}" == str(their_y.dtype)
    tolerance = 1e-10 if y.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(y.data, their_y.detach().numpy(), rtol=tolerance, atol=tolerance)
    v = RNG.normal(size=y.shape).astype(y.dtype)
    y.backward(v)
    their_y.backward(torch.tensor(v))
    np.testing.assert_allclose(x.grad, theirs.grad.numpy(), rtol=tolerance, atol=tolerance)
    assert x.grad.dtype == np.float64


@needs_torch
def test_positions() -> None:
    x = np.array([[3.0, 1.0, 3.5], [0.0, 7.0, -1.0]])
    ours, theirs = leaf(x), torch.tensor(x)
    for method in (
        *[lambda t: t.argmax(), lambda t: t.argmin(), lambda t: t.argmax(1), lambda t: t.argmin(dim=0, keepdim=True)],
        *[lambda t: t.max(1)[1], lambda t: t.min(0)[1], lambda t: t.max(dim=1, keepdim=True)[1]],
    ):
        y = method(ours)
        np.testing.assert_array_equal(y.data, method(theirs).numpy())
        assert y.dtype == np.int64
        assert not y.requires_grad
    accuracy = (ours.argmax(1) == tensor([2, 0])).float().mean().item()
    assert accuracy == 0.5


@needs_torch
def test_putting_together() -> None:
    a, b = leaf(A), leaf(B)
    ta, tb = torch.tensor(A, requires_grad=True), torch.tensor(B, requires_grad=True)
    for ours, theirs in (
        (lambda: cat([a, b]), lambda: torch.cat([ta, tb])),
        (lambda: cat((a, b, a), dim=-1), lambda: torch.cat((ta, tb, ta), dim=-1)),
        (lambda: stack([a, b]), lambda: torch.stack([ta, tb])),
        (lambda: stack([a, b], dim=-1), lambda: torch.stack([ta, tb], dim=-1)),
        (lambda: where(a > 0, a, b), lambda: torch.where(ta > 0, ta, tb)),
        (lambda: where(a > 0, a, 0.0), lambda: torch.where(ta > 0, ta, 0.0)),
        (lambda: where(a > 0, 1, b), lambda: torch.where(ta > 0, 1, tb)),
    ):
        for x in (a, b, ta, tb):
            x.grad = None
        y, their_y = ours(), theirs()
        np.testing.assert_array_equal(y.data, their_y.detach().numpy())
        v = RNG.normal(size=y.shape)
        y.backward(v)
        their_y.backward(torch.tensor(v))
        for x, tx in ((a, ta), (b, tb)):
            assert (x.grad is None) == (tx.grad is None)
            if x.grad is not None:
                np.testing.assert_allclose(x.grad, tx.grad.numpy(), rtol=1e-12)
    assert where(A > 0, 1.0, 0.0).dtype == np.float32
    assert cat(t for t in (a, b)).shape == (6, 4)
    assert stack([tensor(1.0), tensor(2.0)]).tolist() == [1.0, 2.0]
    with pytest.raises(ShapeError):
        stack([a, leaf(ROW)])
    with pytest.raises(ShapeError, match="none"):
        cat([])


def test_a_key_may_hold_tensors() -> None:
    x = leaf(A)
    rows = tensor([2, 2, 0])
    x[rows, tensor([1, 1, 3])].sum().backward()
    expected = np.zeros((3, 4))
    expected[2, 1], expected[0, 3] = 2, 1
    np.testing.assert_array_equal(x.grad, expected)
    np.testing.assert_array_equal(x[x > 0].data, A[A > 0])
    with pytest.raises(IndexError, match="out of bounds"):
        x[5]


def test_casts_go_back() -> None:
    x = leaf(A, np.float32)
    y = x.double()
    assert y.dtype == np.float64
    (y * A).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad, A.astype(np.float32))
    assert x.float() is x
    assert x.to(np.float32) is x
    assert x.to("float64").dtype == np.float64
    assert x.cpu() is x
    clone = x.clone()
    clone.data[...] = 0
    np.testing.assert_array_equal(x.data, A.astype(np.float32))
    assert clone.requires_grad
    with pytest.raises(OptionError, match="cuda:x"):
        x.to("cuda:x")
    with pytest.raises(DtypeError, match="a device or a dtype"):
        x.to("gpu")


# ---------------------------------------------------------------------- backward


def test_data_of_a_tensor_on_the_tape_keep_its_shape_and_dtype() -> None:
    x = leaf(A)
    y = x * 2
    for data, error, message in (
        (
            A.reshape(4, 3),
            ShapeError,
            r"expected: data of shape \(3, 4\).*\n  got:      float64 array of shape \(4, 3\)",
        ),
        (A.astype(np.float32), DtypeError, "float32"),
    ):
        with pytest.raises(error, match=message):
            y.data = data
    y.data = A
    (y * y).sum().backward()
    np.testing.assert_array_equal(x.grad, 4 * A)
    x.data = A.astype(np.float32).reshape(4, 3)  # a leaf may be anything
    assert x.shape == (4, 3)


def test_backward_needs_a_gradient_for_several_numbers() -> None:
    x = leaf(A)
    y = x * 2
    for attempt, error, message in (
        (lambda: y.backward(), BackwardError, r"of shape \(3, 4\)"),
        (lambda: y.backward(np.ones(4)), ShapeError, r"\(4,\)"),
        (lambda: y.backward(np.ones((3, 4), np.float32)), DtypeError, "float32"),
        (lambda: Tensor(A).backward(np.ones((3, 4))), BackwardError, "requires_grad=False"),
    ):
        with pytest.raises(error, match=message):
            attempt()
    assert x.grad is None
    y.backward(Tensor(np.ones((3, 4))))
    np.testing.assert_array_equal(x.grad, np.full((3, 4), 2.0))
    x = leaf([1.0, 2.0])
    (x * 2).backward([1, 10])
    np.testing.assert_array_equal(x.grad, [2.0, 20.0])


def test_backward_on_a_leaf_and_on_a_single_number_with_axes() -> None:
    x = leaf([[5.0]])
    x.backward()
    np.testing.assert_array_equal(x.grad, [[1.0]])
    (x * 3).backward()
    np.testing.assert_array_equal(x.grad, [[4.0]])


def test_parameters_used_directly() -> None:
    class Affine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.W = Parameter(A.copy())
            self.b = Parameter(ROW.copy())

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.W + self.b

    net, x, delta = Affine(), RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4))
    np.testing.assert_allclose(net(x), x @ A + ROW)
    delta_x = net.backward(delta)
    np.testing.assert_allclose(delta_x, delta @ A.T)
    np.testing.assert_allclose(net.W.grad, x.T @ delta)
    np.testing.assert_allclose(net.b.grad, delta.sum(0))
    before = net.W.grad.copy()
    net(x)
    net.backward(delta)
    np.testing.assert_allclose(net.W.grad, 2 * before)


def test_accumulate_checks_and_adds() -> None:
    w = Parameter(A.copy())
    mine = np.ones((3, 4))
    w.accumulate(mine)
    w.accumulate(np.full((3, 4), 2.0))
    np.testing.assert_array_equal(w.grad, np.full((3, 4), 3.0))
    with pytest.raises(ShapeError, match="transpose it"):
        w.accumulate(np.ones((4, 3)))
    with pytest.raises(ShapeError, match="sum over the axes"):
        w.accumulate(np.ones((2, 3, 4)))
    with pytest.raises(DtypeError, match="float32"):
        w.accumulate(np.ones((3, 4), np.float32))
    w.requires_grad_(False)
    w.accumulate(mine)
    np.testing.assert_array_equal(w.grad, np.full((3, 4), 3.0))


def test_threads_that_add_to_one_leaf_lose_nothing() -> None:
    class Slow(np.ndarray):
        """An addition in place that other threads can come in between, as they can, rarely, with large arrays."""

        def __iadd__(self, other: Any) -> Any:
            right = np.asarray(self) + other
            time.sleep(0.001)
            self[...] = right
            return self

    w = leaf(np.zeros(3))
    w.grad = np.zeros(3).view(Slow)

    def work() -> None:
        for _ in range(10):
            w.accumulate(np.ones(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(w.grad, np.full(3, 40.0))


def test_every_error_has_a_place_in_the_network() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.W = Parameter(A.copy())

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.W

    with pytest.raises(NumnetError) as caught:
        Net()(A)
    assert str(caught.value).startswith("\nMatMul, forward of MatMul()\n  expected: ")


def test_transpose_of_axes_that_are_not_there() -> None:
    with pytest.raises(ShapeError, match="dim=1"):
        tensor([1.0, 2.0]).transpose(0, 1)
    assert tensor(1.0).transpose(0, -1).shape == ()
    assert tensor(np.ones((2, 3, 4))).transpose(-1, 0).shape == (4, 3, 2)
    assert tensor(np.ones((2, 3))).transpose(1, 1).shape == (2, 3)


def test_astype_is_numpys() -> None:
    x = tensor([1, 2]).astype(np.float32)
    assert x.dtype == np.float32
    assert x.astype("float32") is x
