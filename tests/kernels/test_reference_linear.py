from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference


@pytest.mark.parametrize("rows, features, out", [(1, 1, 1), (5, 7, 3), (0, 4, 2), (3, 0, 2), (64, 33, 10)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_linear(rows, features, out, with_bias, draw, close, by_torch):
    import torch

    x, W, b = draw(rows, features), draw(out, features), draw(out) if with_bias else None
    z, delta, gradients = by_torch(torch.nn.functional.linear, draw, x, W, b)
    close(reference.linear(x, W, b), z)
    ours = reference.linear_backward(x, W, delta, (True, True, with_bias))
    for mine, theirs in zip(ours, gradients, strict=True):
        close(mine, theirs) if theirs is not None else None
    assert (ours[2] is None) == (not with_bias)


@pytest.mark.parametrize("needs", list(product([True, False], repeat=3)))
def test_only_what_is_needed_comes(needs, draw):
    results = reference.linear_backward(draw(2, 3), draw(4, 3), draw(2, 4), needs)
    assert tuple(r is not None for r in results) == needs


@pytest.mark.parametrize("m, k, n", [(3, 4, 5), (1, 1, 1), (0, 2, 3), (2, 0, 3)])
def test_matmul(m, k, n, draw, close):
    a, b = draw(m, k), draw(k, n)
    close(reference.matmul(a, b), np.einsum("mk,kn->mn", a, b))


def test_matmul_of_batches(draw, close):
    a, b = draw(3, 1, 4, 5), draw(2, 5, 6)
    close(reference.matmul(a, b), np.einsum("nxij,hjk->nhik", a, b))


def test_what_would_broadcast_is_refused(draw):
    x, W, b = draw(2, 3), draw(4, 3), draw(4)
    with pytest.raises(ShapeError, match="bias"):
        reference.linear(x, W, draw(1))
    with pytest.raises(ShapeError, match="in_features"):
        reference.linear(x, draw(4, 2), b)
    for x_, W_ in ((draw(1)[0, ...], W), (x, draw(4)), (x, draw(1, 4, 3))):
        with pytest.raises(ShapeError, match="an axis of features"):
            reference.linear(x_, W_, b)
    with pytest.raises(ShapeError, match="delta"):
        reference.linear_backward(x, W, draw(1, 4), (True, True, True))
    with pytest.raises(ShapeError):
        reference.matmul(x, draw(2, 3))
    with pytest.raises(ShapeError):
        reference.matmul(x, draw(3))
    with pytest.raises(ShapeError, match="axes in front"):
        reference.matmul(draw(2, 3, 4), draw(3, 4, 5))
    with pytest.raises(DtypeError):
        reference.linear(x, W.astype(np.float16), b)
