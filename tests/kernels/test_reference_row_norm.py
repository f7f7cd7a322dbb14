from __future__ import annotations

import numpy as np
import pytest

from numnet.errors import DtypeError, OptionError, ShapeError
from numnet.kernels import reference

affine = pytest.mark.parametrize("with_weight, with_bias", [(True, True), (False, False), (True, False), (False, True)])
EPS = 1e-5


def compare(results, gradients, close):
    for ours, theirs in zip(results, gradients, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            close(ours, theirs)


@affine
@pytest.mark.parametrize("shape, groups", [((4, 6, 5), 3), ((2, 6, 1), 1), ((3, 4, 7), 4), ((1, 8, 2), 2)], ids=str)
def test_group_norm(shape, groups, with_weight, with_bias, draw, close, by_torch):
    import torch

    C = shape[1]
    x = draw(*shape) * 3 + 2
    weight, bias = draw(C) if with_weight else None, draw(C) if with_bias else None
    scale = torch.ones(C, dtype=getattr(torch, x.dtype.name))  # PyTorch takes no bias without a weight
    y, delta, gradients = by_torch(
        lambda x, w, b: torch.nn.functional.group_norm(x, groups, scale if w is None else w, b, EPS),
        draw,
        *(x, weight, bias),
    )
    ours, mean, inv_std = reference.group_norm(x, weight, bias, groups, np.float64(EPS))
    close(ours, y)
    rows = np.asarray(x).reshape(shape[0] * groups, -1)
    close(mean, rows.mean(axis=1))
    close(inv_std, 1 / np.sqrt(rows.var(axis=1) + x.dtype.type(EPS)))
    needs = (True, with_weight, with_bias)
    compare(reference.group_norm_backward(x, delta, weight, groups, mean, inv_std, needs), gradients, close)
    assert reference.group_norm_backward(x, delta, weight, groups, mean, inv_std, (False,) * 3) == (None,) * 3


@pytest.mark.parametrize("with_weight", [True, False])
def test_rms_norm(with_weight, draw, close, by_torch):
    import torch

    x, weight = draw(5, 7) * 3, draw(7) if with_weight else None
    y, delta, gradients = by_torch(lambda x, w: torch.nn.functional.rms_norm(x, (7,), w, EPS), draw, x, weight)
    ours, inv_rms = reference.rms_norm(x, weight, np.float64(EPS))
    close(ours, y)
    compare(reference.rms_norm_backward(x, delta, weight, inv_rms, (True, with_weight)), gradients, close)
    assert reference.rms_norm_backward(x, delta, weight, inv_rms, (False, False)) == (None, None)


def test_rows_of_no_numbers(dtype):
    for shape in ((3, 0, 1), (3, 4, 0), (0, 4, 2)):
        x, groups = np.zeros(shape, dtype), min(2, shape[1]) or 1
        y, mean, inv_std = reference.group_norm(x, None, None, groups, EPS)
        assert (y.shape, mean.shape) == (shape, (shape[0] * groups,))
        gradients = reference.group_norm_backward(x, x, None, groups, mean, inv_std, (True,) * 3)
        compare(gradients, (x, np.zeros(shape[1], dtype), np.zeros(shape[1], dtype)), np.testing.assert_array_equal)
    x = np.zeros((3, 0), dtype)
    y, inv_rms = reference.rms_norm(x, None, EPS)
    compare(reference.rms_norm_backward(x, x, None, inv_rms, (True, True)), (y, x[0]), np.testing.assert_array_equal)


def test_what_does_not_fit_is_refused(dtype):
    x, ones = np.ones((2, 4, 3), dtype), np.ones(4, dtype)
    with pytest.raises(ShapeError, match="batch, channels, positions"):
        reference.group_norm(x[0], None, None, 1, EPS)
    with pytest.raises(OptionError, match="divide the 4 channels"):
        reference.group_norm(x, None, None, 3, EPS)
    with pytest.raises(ShapeError, match="weight of shape"):
        reference.group_norm(x, ones[:3], None, 2, EPS)
    with pytest.raises(DtypeError, match="bias of dtype"):
        reference.group_norm(x, None, ones.astype(np.float16), 2, EPS)
    with pytest.raises(ShapeError, match="mean of shape"):
        reference.group_norm_backward(x, x, None, 1, ones, ones[:2], (True,) * 3)
    with pytest.raises(ShapeError, match="rows, numbers"):
        reference.rms_norm(x, None, EPS)
    with pytest.raises(ShapeError, match="inv_rms of shape"):
        reference.rms_norm_backward(x[0], x[0], None, ones[:3], (True, True))
