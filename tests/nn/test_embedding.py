from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import manual_seed, nn, tensor
from numnet.errors import DtypeError, LabelError, OptionError, ShapeError

OPTIONS: list[dict[str, Any]] = [
    {},
    {"padding_idx": 2},
    {"padding_idx": -1},
    {"max_norm": 1.0},
    {"max_norm": 0.7, "norm_type": 1.0},
    {"max_norm": 0.7, "norm_type": 3.5},
    {"max_norm": 0.7, "norm_type": float("inf")},
    {"scale_grad_by_freq": True},
    {"scale_grad_by_freq": True, "padding_idx": 0, "max_norm": 1.5, "norm_type": 1.0},
]
INDICES = [
    np.array(3),
    np.array([4, 2, 4, 4, 0]),  # repeated ones add up
    np.array([[0, 2], [5, 2], [1, 5]], np.int32),
    np.zeros((2, 0), np.int64),
    np.arange(6).reshape(1, 2, 3),
]


@pytest.mark.parametrize("x", INDICES, ids=lambda x: str(x.shape))
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_as_pytorch(torch: ModuleType, dtype: Any, options: dict[str, Any], x: np.ndarray) -> None:
    ours = nn.Embedding(6, 3, **options).to(dtype)
    theirs = torch.nn.Embedding(6, 3, **options).to(getattr(torch, dtype.__name__))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    for _ in range(2):
        y, right = ours(x), theirs(torch.from_numpy(x))
        assert y.dtype == dtype
        np.testing.assert_allclose(y, right.detach(), rtol=rtol)
        delta = np.linspace(-1, 2, y.size, dtype=dtype).reshape(y.shape)
        right.backward(torch.from_numpy(delta))
        assert ours.backward(delta) == (None,)
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=rtol, atol=rtol)
    np.testing.assert_allclose(ours.weight.data, theirs.weight.detach(), rtol=rtol)  # renormalised in place


def test_what_it_returns_is_no_view_of_the_table() -> None:
    layer = nn.Embedding(3, 2)
    y = layer(np.array(1))
    kept = y.copy()
    layer.weight.data[...] = 7
    np.testing.assert_array_equal(y, kept)


def test_initial_values() -> None:
    manual_seed(0)
    W = nn.Embedding(400, 50, padding_idx=3).weight.data
    assert not W[3].any()
    np.testing.assert_allclose([W.mean(), W.std()], [0, 1], atol=0.02)


def test_a_pretrained_table(torch: ModuleType) -> None:
    table = np.random.default_rng(0).normal(size=(4, 3))
    layer = nn.Embedding.from_pretrained(table, padding_idx=-1)
    theirs = torch.nn.Embedding.from_pretrained(torch.from_numpy(table), padding_idx=3)
    assert repr(layer) == repr(theirs)
    np.testing.assert_array_equal(layer(np.array([1, 3])), table[[1, 3]])
    assert layer.weight.array is table
    assert not layer.weight.requires_grad
    assert nn.Embedding.from_pretrained(tensor(table), freeze=False).weight.requires_grad
    with pytest.raises(ShapeError, match="num_embeddings, embedding_dim"):
        nn.Embedding.from_pretrained(np.ones(3))


def test_a_row_of_padding_learns_nothing() -> None:
    net = nn.Sequential(nn.Embedding(4, 3, padding_idx=1), nn.Linear(3, 2)).double()
    y = net(np.array([0, 1, 1, 2]))
    net.backward(np.ones_like(y))
    assert not net[0].weight.grad[[1, 3]].any()
    assert net[0].weight.grad[[0, 2]].all()


@pytest.mark.parametrize(
    "options", [{"padding_idx": 4}, {"padding_idx": -5}, {"norm_type": 0}, {"sparse": True}], ids=str
)
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"(?s)Embedding.*{next(iter(options))}|Embedding.*p=0"):
        nn.Embedding(4, 3, **options)


@pytest.mark.parametrize("number", [-1, 4])
def test_a_number_that_is_no_row_is_named(number: int) -> None:
    with pytest.raises(LabelError, match=rf"(?s)Embedding, forward.*0 … 3.*{number} in x.*num_embeddings"):
        nn.Embedding(4, 3)(np.array([0, number, 1]))


def test_what_is_no_number_of_a_row_is_refused() -> None:
    with pytest.raises(DtypeError, match=r"(?s)Embedding, forward.*integers.*float64.*astype"):
        nn.Embedding(4, 3)(np.ones(3))
