from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from numnet.errors import DtypeError, ShapeError
from numnet.kernels import reference

shapes = pytest.mark.parametrize("shape", [(4, 3, 5), (6, 2, 1), (1, 4, 7), (5, 1, 1), (3, 2, 64)])
affine = pytest.mark.parametrize("with_weight, with_bias", [(True, True), (False, False), (True, False), (False, True)])
EPS = 1e-5


@shapes
@affine
def test_train(shape, with_weight, with_bias, draw, close, by_torch):
    import torch

    C = shape[1]
    x = draw(*shape) * 3 + 2
    weight, bias = draw(C) if with_weight else None, draw(C) if with_bias else None
    y, delta, gradients = by_torch(
        lambda x, w, b: torch.nn.functional.batch_norm(x, None, None, w, b, True, 0.1, EPS), draw, x, weight, bias
    )
    ours, mean, var, inv_std = reference.batch_norm_train(x, weight, bias, np.float64(EPS))
    close(ours, y)
    close(mean, np.asarray(x).mean(axis=(0, 2)))
    close(var, np.asarray(x).var(axis=(0, 2)))
    close(inv_std, 1 / np.sqrt(var + x.dtype.type(EPS)))
    results = reference.batch_norm_train_backward(x, delta, weight, mean, inv_std, (True, with_weight, with_bias))
    compare(results, gradients, inv_std, close)


@shapes
@affine
def test_eval(shape, with_weight, with_bias, draw, close, by_torch):
    import torch

    C = shape[1]
    x, mean, var = draw(*shape), draw(C), np.abs(draw(C))
    weight, bias = draw(C) if with_weight else None, draw(C) if with_bias else None
    statistics = torch.tensor(np.array(mean)), torch.tensor(np.array(var))
    y, delta, gradients = by_torch(
        lambda x, w, b: torch.nn.functional.batch_norm(x, *statistics, w, b, False, 0.1, EPS), draw, x, weight, bias
    )
    inv_std = 1 / np.sqrt(var + x.dtype.type(EPS))
    close(reference.batch_norm_eval(x, mean, inv_std, weight, bias), y)
    results = reference.batch_norm_eval_backward(x, delta, mean, inv_std, weight, (True, with_weight, with_bias))
    compare(results, gradients, inv_std, close)


def compare(results, gradients, inv_std, close):
    for ours, theirs in zip(results, gradients, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert ours.dtype == inv_std.dtype
            close(ours, theirs)


@pytest.mark.parametrize("needs", list(product([True, False], repeat=3)))
def test_only_what_is_needed_comes(needs, draw):
    x, delta, weight, mean, inv_std = draw(2, 3, 4), draw(2, 3, 4), draw(3), draw(3), draw(3)
    results = reference.batch_norm_train_backward(x, delta, weight, mean, inv_std, needs)
    assert tuple(r is not None for r in results) == needs
    results = reference.batch_norm_eval_backward(x, delta, mean, inv_std, weight, needs)
    assert tuple(r is not None for r in results) == needs


def test_what_would_broadcast_is_refused(draw):
    x, one, three = draw(2, 3, 4), draw(1), draw(3)
    with pytest.raises(ShapeError, match="weight"):
        reference.batch_norm_train(x, one, three, EPS)
    with pytest.raises(ShapeError, match="bias"):
        reference.batch_norm_eval(x, three, three, three, one)
    with pytest.raises(ShapeError, match="mean"):
        reference.batch_norm_eval(x, one, three, three, three)
    with pytest.raises(ShapeError, match="delta"):
        reference.batch_norm_train_backward(x, draw(2, 3, 1), three, three, three, (True, True, True))
    with pytest.raises(ShapeError, match="positions"):
        reference.batch_norm_train(x[0], three, three, EPS)
    with pytest.raises(DtypeError):
        reference.batch_norm_train(x, three.astype(np.float16), None, EPS)


@pytest.mark.parametrize("kernel", [reference.batch_norm_train, reference.group_norm])
def test_the_mean_is_exact_far_from_zero(kernel, dtype, rng):
    x = (rng.standard_normal((64, 100)) + 1000).astype(dtype)
    if kernel is reference.batch_norm_train:
        mean = kernel(x[None], None, None, EPS)[1]
    else:
        mean = kernel(x[:, :, None], None, None, 1, EPS)[1]
    exact = x.astype(np.longdouble).mean(axis=1)
    np.testing.assert_allclose(mean, exact, rtol=np.finfo(dtype).eps / 2)
