"""Tensors made from nothing, from numbers and from arrays: sizes and dtypes as PyTorch's, memory shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import numnet
from numnet import Tensor
from numnet.errors import DtypeError, NumnetError, OptionError

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")
F64 = np.float64

EXACT: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *[("zeros", (2, 3), {}), ("zeros", ((2, 3),), {}), ("zeros", (), {"size": (2, 3)}), ("zeros", (0, 2), {})],
    *[("zeros", (1,), {"requires_grad": True}), ("ones", (3,), {"dtype": "float64"}), ("ones", ([2, 1],), {})],
    *[
        ("zeros", ((),), {}),
        ("full", ((2, 2), 7), {}),
        ("full", ((2,), 0.5), {}),
        ("full", ((2,), 1), {"dtype": "float32"}),
    ],
    *[("eye", (3,), {}), ("eye", (2, 4), {}), ("eye", (2,), {"dtype": "float64"})],
    *[("arange", (5,), {}), ("arange", (1, 31, 1), {}), ("arange", (0, 1, 0.25), {}), ("arange", (5, 0, -2), {})],
    *[("arange", (3,), {"dtype": "float32"}), ("arange", (0,), {}), ("arange", (1.0,), {})],
    *[("linspace", (-1, 1, 100), {}), ("linspace", (0, 1, 1), {}), ("linspace", (0, 1, 0), {})],
    *[("linspace", (0, 2, 5), {"dtype": "float64"}), ("linspace", (0, 1, 3), {"requires_grad": True})],
    *[("tensor", ([1, 2],), {}), ("tensor", ([[1.0, 2.0]],), {"requires_grad": True}), ("tensor", (True,), {})],
]
DRAWN: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *[("rand", (2, 3), {}), ("rand", ((2, 3),), {}), ("randn", (), {"size": [30]}), ("randn", ((1, 5),), {})],
    *[("randn", (2,), {"dtype": "float64"}), ("randn", (4, 1), {"requires_grad": True}), ("rand", (0,), {})],
    *[("randint", (0, 10), {"size": [5, 8]}), ("randint", (3, (2, 2)), {}), ("randint", (-2, 3, (4,)), {})],
    *[
        ("randint", (5, (2,)), {"dtype": "float32"}),
        ("randperm", (6,), {}),
        ("empty", (2, 3), {}),
        ("empty", (), {"size": (4,)}),
    ],
]


def theirs(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    options = {key: getattr(torch, value) if key == "dtype" else value for key, value in options.items()}
    return getattr(torch, name)(*args, **options)


@needs_torch
@pytest.mark.proves("C025")
@pytest.mark.parametrize("name, args, options", EXACT)
def test_the_numbers_are_pytorchs(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    ours, right = getattr(numnet, name)(*args, **options), theirs(name, args, options)
    assert ours.shape == tuple(right.shape)
    assert f"torch.{ours.dtype}" == str(right.dtype)
    assert (ours.requires_grad, ours.is_leaf) == (right.requires_grad, True)
    np.testing.assert_allclose(ours.array, right.detach().numpy(), rtol=1e-6, atol=1e-7)


@needs_torch
@pytest.mark.proves("C025")
@pytest.mark.parametrize("name, args, options", DRAWN)
def test_sizes_and_dtypes_are_pytorchs_and_the_seed_decides(
    name: str, args: tuple[Any, ...], options: dict[str, Any]
) -> None:
    numnet.manual_seed(7)
    ours, right = getattr(numnet, name)(*args, **options), theirs(name, args, options)
    assert ours.shape == tuple(right.shape)
    assert f"torch.{ours.dtype}" == str(right.dtype)
    assert ours.requires_grad == right.requires_grad
    if name == "empty":
        return
    numnet.manual_seed(7)
    again = getattr(numnet, name)(*args, **options)
    given = getattr(numnet, name)(*args, **options, rng=numnet.random.manual_seed(7))
    assert again.tolist() == ours.tolist() == given.tolist()
    if ours.numel() > 3:
        assert getattr(numnet, name)(*args, **options).tolist() != ours.tolist()


@pytest.mark.proves("C025")
def test_what_is_drawn_has_the_distribution_it_says() -> None:
    rng = np.random.default_rng(0)
    x = numnet.randn(20_000, rng=rng)
    assert abs(x.mean().item()) < 0.03
    assert abs(x.std().item() - 1) < 0.03
    x = numnet.rand(20_000, rng=rng)
    assert 0 <= x.min().item() < 0.001 < 0.999 < x.max().item() < 1
    assert abs(x.mean().item() - 0.5) < 0.01
    x = numnet.randint(-2, 3, (5_000,), rng=rng)
    assert np.unique(x.numpy()).tolist() == [-2, -1, 0, 1, 2]
    assert sorted(numnet.randperm(50, rng=rng).tolist()) == list(range(50))


@pytest.mark.parametrize("like", ["zeros_like", "ones_like", "empty_like", "rand_like", "randn_like"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_the_size_and_dtype_of_another(like: str, dtype: Any) -> None:
    x = numnet.tensor(np.ones((2, 3), dtype))
    y = getattr(numnet, like)(x)
    assert (y.shape, y.dtype, y.requires_grad) == ((2, 3), dtype, False)
    assert not np.shares_memory(x.array, y.array)
    y = getattr(numnet, like)(x, dtype=np.float64, requires_grad=True)
    assert (y.shape, y.dtype, y.requires_grad) == ((2, 3), np.float64, True)
    assert numnet.full_like(x, 3).tolist() == [[3.0] * 3] * 2


@pytest.mark.proves("C001")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, np.bool_])
def test_an_array_becomes_a_tensor_and_an_array_again(dtype: Any) -> None:
    a = np.array([[0, 1, 2], [3, 4, 250]]).astype(dtype)
    for make in (Tensor, numnet.tensor, numnet.as_tensor, numnet.from_numpy):
        back = make(a).numpy()
        assert type(back) is np.ndarray
        assert back.dtype == dtype
        assert (back == a).all()
    assert (np.asarray(numnet.from_numpy(a)) == a).all()


@pytest.mark.proves("C021")
def test_from_numpy_and_numpy_share_memory() -> None:
    a = np.zeros(3)
    x = numnet.from_numpy(a)
    b = x.numpy()
    a[0] = 1
    assert x.tolist() == b.tolist() == [1, 0, 0]
    x[1] = 2
    assert a.tolist() == b.tolist() == [1, 2, 0]
    b[2] = 3
    assert x.tolist() == a.tolist() == [1, 2, 3]
    assert x.data.numpy() is not None
    assert np.shares_memory(x.data, a)
    copied = numnet.tensor(a)
    copied.zero_()
    assert a.tolist() == [1, 2, 3], "tensor copies, as PyTorch's does"
    assert numnet.as_tensor(x) is x
    assert np.shares_memory(numnet.as_tensor(a).array, a)
    with pytest.raises(DtypeError, match="to_numpy"):
        numnet.from_numpy([1.0])


@pytest.mark.proves("C002")
def test_tensors_named_after_their_dtypes() -> None:
    x = numnet.FloatTensor([1, 0.1, 0.01])
    assert (x.dtype, x.type()) == (np.float32, "numnet.FloatTensor")
    y = x.type(numnet.DoubleTensor)
    assert (y.dtype, y.type()) == (np.float64, "numnet.DoubleTensor")
    assert y.type("torch.FloatTensor").dtype == np.float32
    assert numnet.DoubleTensor(2, 3).shape == (2, 3)
    assert numnet.LongTensor([1, 2]).dtype == np.int64
    assert (x > 0.05).type(numnet.FloatTensor).tolist() == [1, 1, 0]
    names = ("float", "float32", "float64", "double", "int64", "long", "int", "int32", "uint8", "bool")
    for name in names:
        assert f"torch.{x.to(getattr(numnet, name)).dtype}" == str(getattr(torch, name)) if torch else True
    with pytest.raises(DtypeError, match="float32 and float64"):
        x + y
    assert numnet.IntTensor().shape == (0,)
    assert (x.int().dtype, x.bool().dtype, x.long().dtype) == (np.int32, np.bool_, np.int64)


def test_names_that_pytorchs_programs_use() -> None:
    assert numnet.autograd.Variable is Tensor
    assert numnet.utils.data.DataLoader is numnet.data.DataLoader
    assert numnet.cuda.is_available() in (True, False)
    assert {"data", "save", "train"} <= set(dir(numnet))


@pytest.mark.parametrize(
    "attempt, message",
    [
        (lambda: numnet.zeros(2.5), "a size of whole numbers"),
        (lambda: numnet.zeros(-1), "a size of whole numbers"),
        (lambda: numnet.zeros(2, size=(2,)), "a size"),
        (lambda: numnet.zeros(2, shape=2), "a size"),
        (lambda: numnet.zeros(np.ones(3)), r"numnet\.tensor"),
        (lambda: numnet.arange(0, 5, 0), "a step that leads from 0 to 5"),
        (lambda: numnet.arange(5, 0), "a step that leads from 5 to 0"),
        (lambda: numnet.randint(5), "randint"),
        (lambda: numnet.randint(5, 5, (2,)), "low below high"),
        (lambda: numnet.rand(2, dtype=np.int64), "randint"),
        (lambda: numnet.randn_like(numnet.arange(3)), "randint"),
        (lambda: numnet.zeros(2, dtype="float31"), "float31"),
        (lambda: numnet.zeros(2, dtype=np.int64, requires_grad=True), "floating-point numbers"),
    ],
)
def test_what_is_refused(attempt: Any, message: str) -> None:
    with pytest.raises((OptionError, DtypeError), match=message) as caught:
        attempt()
    assert isinstance(caught.value, NumnetError)
