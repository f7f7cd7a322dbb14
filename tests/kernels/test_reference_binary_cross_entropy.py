from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference


@pytest.mark.parametrize("shape", [(7,), (3, 4), (0, 3), ()])
def test_against_torch(shape, draw, close, by_torch):
    import torch

    def drawn(*shape):
        return draw(*shape) if shape else draw(1).reshape(())

    F = torch.nn.functional
    x, y = drawn(*shape), reference.sigmoid(drawn(*shape))
    p, target, v = reference.sigmoid(x), torch.tensor(np.array(y)), np.abs(drawn(*shape[-1:]))
    J, delta, (delta_p,) = by_torch(lambda p: F.binary_cross_entropy(p, target, reduction="none"), drawn, p)
    close(reference.binary_cross_entropy(p, y), J)
    close(reference.binary_cross_entropy_backward(p, y, delta), delta_p)
    for weight in (None, v):
        theirs = {"reduction": "none", "pos_weight": None if weight is None else torch.tensor(np.array(weight))}
        J, delta, (delta_x,) = by_torch(
            lambda x, theirs=theirs: F.binary_cross_entropy_with_logits(x, target, **theirs), drawn, x
        )
        close(reference.binary_cross_entropy_with_logits(x, y, weight), J)
        close(reference.binary_cross_entropy_with_logits_backward(x, y, weight, delta), delta_x)


def test_a_certainty_that_is_wrong_costs_100(dtype):
    J = reference.binary_cross_entropy(np.array([0, 1, 0, 1], dtype), np.array([1, 0, 0, 1], dtype))
    np.testing.assert_array_equal(J, [100, 100, 0, 0])


def test_another_kind_is_refused(dtype):
    x, other = np.full((2, 3), 0.5, dtype), np.float32 if dtype == np.float64 else np.float64
    with pytest.raises(ShapeError, match="y of shape"):
        reference.binary_cross_entropy(x, x[0])
    with pytest.raises(DtypeError, match="y of dtype"):
        reference.binary_cross_entropy_with_logits(x, x.astype(other), None)
    with pytest.raises(ShapeError, match="delta of shape"):
        reference.binary_cross_entropy_backward(x, x, x[:1])
    with pytest.raises(DtypeError, match="delta of dtype"):
        reference.binary_cross_entropy_with_logits_backward(x, x, None, x.astype(other))
