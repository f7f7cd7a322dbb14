"""Nested tuples, by themselves and as the inputs and outputs of a module."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numnet import Tensor, nn, tensor
from numnet.errors import DtypeError, ShapeError
from numnet.inspect import gradcheck
from numnet.nested import flatten, unflatten

VALUES = [1, (), (1,), (1, (2, 3)), ((), ((1, None), [2]), (3,))]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_there_and_back(value: Any) -> None:
    leaves = flatten(value)
    assert not any(isinstance(leaf, tuple) for leaf in leaves)
    assert unflatten(value, leaves) == value


def test_order() -> None:
    assert flatten((1, (2, (3, 4)), 5)) == [1, 2, 3, 4, 5]
    assert unflatten(((0, 0), 0), "abc") == (("a", "b"), "c")


class Exchange(nn.Module):
    """(x, (h, c)) → (x h, (c, x + h))."""

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> Any:
        h, c = state
        return x * h, (c * 2.0, x + h)


x, h, c, delta_y, delta_c, delta_h = np.random.default_rng(0).normal(size=(6, 3))


@pytest.mark.parametrize("deltas", [(delta_y, (delta_c, delta_h)), (delta_y, delta_c, delta_h)], ids=["nested", "flat"])
def test_a_module_gives_and_takes_nested_arrays(deltas: Any) -> None:
    module = Exchange()
    y, (doubled, total) = module(x, (h, c))
    for got, right in ((y, x * h), (doubled, 2 * c), (total, x + h)):
        assert isinstance(got, np.ndarray)
        np.testing.assert_array_equal(got, right)
    delta_x, (to_h, to_c) = module.backward(deltas)
    np.testing.assert_allclose(delta_x, delta_y * h + delta_h)
    np.testing.assert_allclose(to_h, delta_y * x + delta_h)
    np.testing.assert_allclose(to_c, 2 * delta_c)


def test_none_is_zero() -> None:
    module = Exchange()
    module(x, (h, c))
    delta_x, (to_h, to_c) = module.backward((None, (None, delta_h)))
    np.testing.assert_array_equal(delta_x, delta_h)
    np.testing.assert_array_equal(to_h, delta_h)
    assert to_c is None


def test_a_tensor_inside_a_tuple_makes_the_tape() -> None:
    leaf = tensor(h, requires_grad=True)
    y, (_, total) = Exchange()(tensor(x), (leaf, tensor(c)))
    assert isinstance(y, Tensor)
    (y.sum() + total.sum()).backward()
    np.testing.assert_allclose(leaf.grad, x + 1)


def test_what_does_not_fit_is_named() -> None:
    module = Exchange()
    with pytest.raises(DtypeError, match=r"(?s)Exchange, input 1.*arrays or Tensors.*float 1.0.*np.asarray"):
        module(x, (1.0, c))
    module(x, (h, c))
    with pytest.raises(ShapeError, match=r"(?s)Exchange, backward.*3 deltas.*got.*2"):
        module.backward((delta_y, delta_c))
    with pytest.raises(ShapeError, match=r"(?s)delta of the output's shape \(3,\).*\(1, 3\)"):
        module.backward((delta_y, (delta_c, delta_h[None])))


def test_gradient_check_of_nested_outputs() -> None:
    class Split(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return x * x, (x * 3.0, x.sum())

    report = gradcheck(Split(), x)
    assert report.ok, str(report)
