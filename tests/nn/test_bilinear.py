from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from numnet import manual_seed, nn
from numnet.errors import DtypeError, OptionError, ShapeError

RNG = np.random.default_rng(0)
LEADS = [(), (5,), (2, 3), (2, 1, 2), (0,)]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("sizes", [(2, 3, 4), (3, 1, 1), (1, 4, 2)], ids=str)
def test_bilinear(
    torch: ModuleType, dtype: Any, sizes: tuple[int, int, int], lead: tuple[int, ...], bias: bool
) -> None:
    ours = nn.Bilinear(*sizes, bias=bias).to(dtype)
    theirs = torch.nn.Bilinear(*sizes, bias=bias).to(getattr(torch, dtype.__name__))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    inputs = [RNG.normal(size=(*lead, n)).astype(dtype) for n in sizes[:2]]
    leaves = [torch.from_numpy(x).requires_grad_() for x in inputs]
    y, right = ours(*inputs), theirs(*leaves)
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(y, right.detach(), rtol=rtol, atol=rtol)
    delta = RNG.normal(size=y.shape).astype(dtype)
    right.backward(torch.from_numpy(delta))
    deltas = ours.backward(delta)
    assert {a.dtype for a in (y, *deltas)} == {np.dtype(dtype)}
    for got, leaf in zip(deltas, leaves, strict=True):
        np.testing.assert_allclose(got, leaf.grad, rtol=rtol, atol=rtol)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=rtol, atol=10 * rtol)


def test_only_what_is_asked_for_is_made() -> None:
    layer = nn.Bilinear(2, 3, 4).double()
    layer.weight.requires_grad = False
    call = nn.Call(layer)
    y = call.forward(RNG.normal(size=(5, 2)), RNG.normal(size=(5, 3)), needs_input_grad=(False, True))
    delta_1, delta_2 = call.backward(y)
    assert delta_1 is None
    assert delta_2.shape == (5, 3)
    assert layer.weight.grad is None


def test_bilinear_inputs_that_do_not_fit_are_named() -> None:
    layer = nn.Bilinear(2, 3, 4).double()
    with pytest.raises(ShapeError, match=r"(?s)Bilinear, forward.*in1=2.*\(5, 3\)"):
        layer(np.ones((5, 3)), np.ones((5, 3)))
    with pytest.raises(ShapeError, match=r"(?s)Bilinear, forward.*x2 of shape \(5, 3\).*\(4, 3\).*same number of rows"):
        layer(np.ones((5, 2)), np.ones((4, 3)))
    with pytest.raises(DtypeError, match=r"(?s)Bilinear, forward.*x2 of float64.*float32"):
        layer(np.ones((5, 2)), np.ones((5, 3), np.float32))


@pytest.mark.proves("C094")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_maxout_is_the_largest_of_its_pieces(
    torch: ModuleType, dtype: Any, pieces: int, lead: tuple[int, ...], bias: bool
) -> None:
    layer = nn.Maxout(4, 3, pieces, bias).to(dtype)
    x = RNG.normal(size=(*lead, 4)).astype(dtype)
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, *(p.data for p in layer.parameters()))]
    z = torch.nn.functional.linear(*leaves).unflatten(-1, (pieces, 3))
    right = z.max(dim=-2).values
    y = layer(x)
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(y, right.detach(), rtol=rtol, atol=rtol)
    delta = RNG.normal(size=y.shape).astype(dtype)
    right.backward(torch.from_numpy(delta))
    got = [layer.backward(delta), *(p.grad for p in layer.parameters())]
    for a, leaf in zip(got, leaves, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, leaf.grad, rtol=rtol, atol=10 * rtol)


@pytest.mark.proves("C094")
def test_of_equal_pieces_the_first_counts_and_nan_is_the_largest() -> None:
    layer = nn.Maxout(1, 1, bias=False).double()
    layer.weight.data[...] = 1
    layer(np.ones((1, 1)))
    layer.backward(np.ones((1, 1)))
    np.testing.assert_array_equal(layer.weight.grad, [[1], [0]])
    assert np.isnan(layer(np.full((1, 1), np.nan)))


def test_maxout_of_one_piece_starts_as_a_linear_layer() -> None:
    manual_seed(3)
    W = nn.Linear(4, 6).weight.data
    manual_seed(3)
    np.testing.assert_array_equal(nn.Maxout(4, 2, 3).weight.data, W)


def test_maxout_that_cannot_be() -> None:
    with pytest.raises(OptionError, match=r"(?s)Maxout.*pieces=0"):
        nn.Maxout(4, 3, 0)
    with pytest.raises(ShapeError, match=r"(?s)Maxout, forward.*in=4.*\(5, 3\)"):
        nn.Maxout(4, 3).double()(np.ones((5, 3)))
