"""Tensors as the tutorials write them: methods and functions side by side, with the figures measured in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import numnet
from numnet import Tensor, Variable, functions, nn, optim
from numnet.errors import BackwardError, DtypeError, ShapeError, UnknownNameError

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
A = np.random.default_rng(5).uniform(0.5, 2.0, (3, 4))

FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "abs": (),
    "all": (),
    "any": (),
    "clone": (),
    "cos": (),
    "detach": (),
    "exp": (),
    "flatten": (),
    "log": (),
    "neg": (),
    "numel": (),
    "relu": (),
    "sigmoid": (),
    "sin": (),
    "sqrt": (),
    "squeeze": (),
    "t": (),
    "tanh": (),
    "argmax": (),
    "argmin": (),
    "max": (),
    "mean": (),
    "min": (),
    "norm": (),
    "prod": (),
    "std": (),
    "sum": (),
    "var": (),
    "argsort": (1,),
    "cumsum": (1,),
    "sort": (1,),
    "unsqueeze": (1,),
    "topk": (2,),
    "repeat": (2, 1),
    "add": (2.0,),
    "sub": (2.0,),
    "mul": (2.0,),
    "div": (2.0,),
    "pow": (3,),
    "clamp": (0.8, 1.5),
    "mm": (A.T.copy(),),
    "matmul": (A.T.copy(),),
    "masked_fill": (A > 1, 0.0),
    "transpose": (0, 1),
    "permute": ((1, 0),),
    "reshape": ((2, 6),),
    "dot": (A.ravel(),),
}


def test_no_function_escapes() -> None:
    others = {"allclose", "cat", "chunk", "equal", "is_tensor", "split", "stack", "where"}
    assert set(FUNCTIONS) | others == set(functions.__all__)
    assert all(getattr(numnet, name) is getattr(functions, name) for name in functions.__all__)


@needs_torch
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_the_method_and_pytorchs(name: str) -> None:
    args = FUNCTIONS[name]
    x = A.ravel() if name == "dot" else A
    ours = getattr(numnet, name)(Tensor(x), *[Tensor(a) if isinstance(a, np.ndarray) else a for a in args])
    their_x, their_args = torch.tensor(x), [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
    right = getattr(torch, name, getattr(torch.Tensor, name, None))(their_x, *their_args)
    plain = getattr(numnet, name)(x, *args)
    pairs = (ours, right, plain) if isinstance(ours, tuple) else ((ours,), (right,), (plain,))
    for our, their, array in zip(*pairs, strict=True):
        if name == "numel":
            assert our == their == array == 12
            continue
        assert isinstance(our, Tensor)
        assert type(array) is np.ndarray
        np.testing.assert_allclose(our.array, their.numpy(), rtol=1e-12)
        np.testing.assert_array_equal(array, our.array)


@needs_torch
def test_split_and_chunk() -> None:
    x, theirs = Tensor(A.copy(), requires_grad=True), torch.tensor(A, requires_grad=True)
    for sizes, dim in ((2, 0), (3, 1), ([1, 3], -1), (9, 0)):
        for ours, right in zip(numnet.split(x, sizes, dim), torch.split(theirs, sizes, dim), strict=True):
            np.testing.assert_array_equal(ours.array, right.detach().numpy())
    for sizes in (2, [0, 0]):  # of nothing
        empty = [y.shape for y in numnet.split(np.zeros((0, 3)), sizes)]
        assert empty == [y.shape for y in torch.split(torch.zeros(0, 3), sizes)]
    for chunks, dim in ((2, 0), (3, 1), (9, 1)):
        for ours, right in zip(numnet.chunk(x, chunks, dim), torch.chunk(theirs, chunks, dim), strict=True):
            np.testing.assert_array_equal(ours.array, right.detach().numpy())
    numnet.split(x, 3, 1)[0].sum().backward()
    torch.split(theirs, 3, 1)[0].sum().backward()
    np.testing.assert_array_equal(x.grad, theirs.grad.numpy())
    for wrong in ([1, 2], [5, -1], []):
        with pytest.raises(ShapeError, match="add up to 4"):
            numnet.split(x, wrong, 1)


def test_questions() -> None:
    x = Tensor(A)
    assert numnet.is_tensor(x)
    assert not numnet.is_tensor(A)
    assert numnet.equal(x, A.copy())
    assert not numnet.equal(x, A[:1])
    assert numnet.allclose(x, A + 1e-9)
    assert not numnet.allclose(x, A + 1)


# ---------------------------------------------------------------------- Variable and backward


@pytest.mark.proves("C003", "C004", "C005", "C006", "C007", "C010")
def test_a_variable() -> None:
    assert Variable is Tensor
    x = numnet.autograd.Variable(numnet.tensor([1.0]), requires_grad=True)
    w = Variable(numnet.tensor([2.0]), requires_grad=True)
    b = Variable(numnet.tensor([3.0]))
    assert b.requires_grad is False
    assert x.grad is None
    y = w * x + b
    assert "Add" in repr(y.grad_fn)
    assert x.grad_fn is None
    y.backward()
    assert (x.grad.tolist(), w.grad.tolist(), b.grad) == ([2.0], [1.0], None)
    assert isinstance(y.data, np.ndarray)
    assert np.shares_memory(y.data, y.array)


@pytest.mark.proves("C008")
def test_backward_without_an_argument_is_for_a_single_number() -> None:
    x = numnet.tensor([2.0, 3.0, 4.0], requires_grad=True)
    (x**2).sum().backward()
    assert x.grad.tolist() == [4, 6, 8]
    with pytest.raises(BackwardError, match=r"of shape \(3,\), since it is not a single number[^\0]*pass gradient"):
        (x**2).backward()


@pytest.mark.proves("C009")
@pytest.mark.parametrize("make", [list, np.float32, numnet.FloatTensor])
def test_backward_of_a_vector(make: Any) -> None:
    v = numnet.tensor([2.0, 3.0, 4.0], requires_grad=True)
    y = v**2
    y.backward(make([1, 0.1, 0.01]))
    np.testing.assert_allclose(v.grad, [4, 0.6, 0.08], rtol=1e-6)


@pytest.mark.proves("C026", "C027", "C028", "C029", "C030")
def test_recording_is_switched_as_pytorchs() -> None:
    x = numnet.ones(3)
    assert x.requires_grad_(True) is x
    with numnet.no_grad():
        y = x * 2
    assert (y.requires_grad, y.grad_fn) == (False, None)
    previous = numnet.set_grad_enabled(False)
    assert (x * 2).grad_fn is None
    numnet.set_grad_enabled(previous.previous)
    assert (x * 2).grad_fn is not None
    with numnet.set_grad_enabled(False):
        assert (x * 2).grad_fn is None
    model = nn.Linear(3, 1)
    loss = model(x).sum()
    assert model.weight.grad is None
    loss.backward()
    assert model.weight.grad.tolist() == [[1, 1, 1]]
    assert type(loss.item()) is float


# ---------------------------------------------------------------------- sums, products, broadcasting


@pytest.mark.proves("C011", "C019")
def test_sum_and_mean_over_rows_and_columns() -> None:
    x = Tensor(A)
    np.testing.assert_allclose(numnet.sum(x, dim=0).numpy(), A.sum(axis=0))
    np.testing.assert_allclose(x.sum(dim=1).numpy(), A.sum(axis=1))
    np.testing.assert_allclose(numnet.mean(x, 1).numpy(), A.mean(axis=1))
    np.testing.assert_allclose(x.mean(dim=(0, 1), keepdim=True).numpy(), A.mean(keepdims=True))


@pytest.mark.proves("C012", "C014")
@pytest.mark.parametrize("shape", [(), (4,), (1, 4), (3, 1), (3, 4)])
def test_the_hadamard_product_broadcasts_and_its_backward_sums(shape: tuple[int, ...]) -> None:
    b = np.random.default_rng(1).normal(size=shape)
    x, y = Tensor(A.copy(), requires_grad=True), Tensor(b.copy(), requires_grad=True)
    product = x.mul(y)
    np.testing.assert_array_equal(product.data, A * b)
    assert numnet.equal(x * y, product)
    product.sum().backward()
    np.testing.assert_allclose(x.grad, np.broadcast_to(b, A.shape))
    axes = {(): None, (4,): 0, (1, 4): 0, (3, 1): 1, (3, 4): ()}[shape]
    right = A.sum(axis=axes, keepdims=shape not in ((), (4,)))
    np.testing.assert_allclose(y.grad, right)


@pytest.mark.proves("C015")
def test_mm_is_for_two_matrices() -> None:
    x, y = numnet.ones(2, 3), numnet.ones(3, 4)
    assert numnet.mm(x, y).tolist() == x.mm(y).tolist() == [[3.0] * 4] * 2
    for a, b in ((x, x), (x, numnet.ones(3)), (numnet.ones(5, 2, 3), y)):
        with pytest.raises(ShapeError) as caught:
            a.mm(b)
        assert str(a.shape) in str(caught.value)
        assert str(b.shape) in str(caught.value)


@pytest.mark.proves("C016", "C017")
def test_matmul_broadcasts_over_the_axes_in_front() -> None:
    a, b = np.random.default_rng(2).normal(size=(2, 1, 3, 4)), np.random.default_rng(3).normal(size=(5, 4, 6))
    x, y = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    z = numnet.matmul(x, y)
    assert z.shape == (2, 5, 3, 6)
    z.sum().backward()
    np.testing.assert_allclose(x.grad, (np.ones(z.shape) @ b.swapaxes(-1, -2)).sum(1, keepdims=True))
    np.testing.assert_allclose(y.grad, (a.swapaxes(-1, -2) @ np.ones(z.shape)).sum(0))
    inner = numnet.matmul(numnet.tensor([1.0, 2.0, 3.0]), numnet.tensor([4.0, 5.0, 6.0]))
    assert (inner.shape, inner.item()) == ((), 32.0)


@pytest.mark.proves("C018", "F12")
def test_a_vector_divides_columns_and_a_column_divides_rows() -> None:
    a, b = numnet.full((64, 10), 6.0), numnet.full((64,), 2.0)
    with pytest.raises(ShapeError) as caught:
        a / b
    text = str(caught.value)
    assert "(64, 10) and (64,)" in text
    assert "from the last axis on, equal sizes or a 1" in text
    assert "b[:, None] or b.unsqueeze(1)" in text
    for column in (b[:, None], b.unsqueeze(1), b.view(64, 1)):
        assert numnet.equal(a / column, numnet.full((64, 10), 3.0))
    with pytest.raises(ShapeError):  # 10 divides by 5, and that is not the rule
        a / numnet.ones(5)


@needs_torch
@pytest.mark.proves("C020")
def test_topk() -> None:
    x = np.random.default_rng(4).permutation(24).reshape(2, 3, 4).astype(np.float32)
    for k, dim, largest in ((2, -1, True), (3, 1, False), (1, 0, True)):
        ours, right = Tensor(x).topk(k, dim, largest), torch.tensor(x).topk(k, dim, largest)
        np.testing.assert_array_equal(ours.values.numpy(), right.values.numpy())
        np.testing.assert_array_equal(ours.indices.numpy(), right.indices.numpy())
        assert ours.indices.dtype == np.int64
    values, indices = numnet.topk(numnet.tensor([1.0, 3.0, 2.0, 3.0, 3.0]), 4)
    assert (values.tolist(), indices.tolist()) == ([3, 3, 3, 2], [1, 3, 4, 2]), "of equals the first comes first"
    smallest = numnet.tensor([2, 1, 1]).topk(2, largest=False)
    assert smallest.indices.tolist() == [1, 2]
    assert numnet.tensor([1.0, float("nan"), 2.0]).topk(1).indices.tolist() == [1]
    with pytest.raises(ShapeError, match=r"k from 0 to 4[^\0]*k=5"):
        Tensor(x).topk(5)


@pytest.mark.proves("C022", "C024")
def test_shapes() -> None:
    x = numnet.arange(12).view(3, 4)
    assert x.shape == x.size() == (3, 4)
    assert x.size(0) == x.shape[0] == 3
    assert x.flatten().shape == x.view(-1).shape == (12,)
    assert x.reshape(2, -1).shape == (2, 6)
    assert np.shares_memory(x.view(4, 3).array, x.array)
    assert numnet.unsqueeze(numnet.linspace(-1, 1, 100), dim=1).shape == (100, 1)
    for shape in ((5, 2), (7, -1)):
        with pytest.raises(ShapeError) as caught:
            x.view(*shape)
        assert "12 numbers" in str(caught.value)
        assert "(3, 4)" in str(caught.value)
        assert str(shape) in str(caught.value)


# ---------------------------------------------------------------------- misprints


@pytest.mark.proves("F6", "F7")
@pytest.mark.parametrize(
    "attempt, right",
    [
        (lambda net, optimizer, loss: optimizer.zeros(), "zero_grad()"),
        (lambda net, optimizer, loss: loss.backword(), "backward()"),
        (lambda net, optimizer, loss: net.state_dic(), "state_dict()"),
        (lambda net, optimizer, loss: net.load_state_dic({}), "load_state_dict()"),
        (lambda net, optimizer, loss: numnet.data.lmageFolder("root"), "ImageFolder"),
        (lambda net, optimizer, loss: numnet.numpy(), "tensor.numpy()"),
        (lambda net, optimizer, loss: nn.Logsoftmax(dim=1), "LogSoftmax"),
        (lambda net, optimizer, loss: nn.Relu(), "ReLU"),
        (lambda net, optimizer, loss: nn.functional.logsoftmax, "log_softmax"),
        (lambda net, optimizer, loss: optim.Sgd, "SGD"),
        (lambda net, optimizer, loss: numnet.form_numpy, "from_numpy"),
        (lambda net, optimizer, loss: loss.data.norml_(), "normal_()"),
    ],
)
def test_a_misprint_names_the_right_word(attempt: Any, right: str) -> None:
    net = nn.Linear(2, 1)
    optimizer = optim.SGD(net.parameters(), lr=1e-3)
    loss = net(numnet.ones(1, 2)).sum()
    with pytest.raises(AttributeError) as caught:
        attempt(net, optimizer, loss)
    assert isinstance(caught.value, UnknownNameError)
    assert f"cure:     {right}" in str(caught.value)


def test_what_is_no_misprint_gets_no_hint_and_nothing_else_changes() -> None:
    net = nn.Linear(2, 1)
    for owner in (net, numnet.ones(1), numnet, nn, optim.SGD(net.parameters(), lr=0.1)):
        assert not hasattr(owner, "quite_another")
        assert getattr(owner, "__quite_another__", 5) == 5
        with pytest.raises(AttributeError) as caught:
            owner.quite_another  # noqa: B018
        assert "cure" not in str(caught.value)
        assert "has no attribute 'quite_another'" in str(caught.value)
    assert not hasattr(net, "state_dic")
    with pytest.raises(ImportError):
        from numnet.nn import Relu  # noqa: F401
    with pytest.raises(DtypeError, match="two operands of one floating dtype"):
        numnet.add(numnet.ones(1), numnet.ones(1).double())
