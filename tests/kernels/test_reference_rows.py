from __future__ import annotations

import numpy as np
import pytest

from numnet import kernels
from numnet.errors import ShapeError


def test_rows_that_were_chosen_twice_add_up(draw, dtype):
    delta, index = draw(6, 3), np.array([4, 0, 4, 4, 1, 0])
    W = kernels.scatter_rows(delta, index, 5)
    assert W.dtype == dtype
    chosen = np.eye(5, dtype=dtype)[index]  # (6, 5), one 1 a row
    np.testing.assert_allclose(W, chosen.T @ delta, rtol=1e-5, atol=1e-6)
    assert not W[[2, 3]].any()


def test_nothing_chosen_is_zero(dtype):
    np.testing.assert_array_equal(
        kernels.scatter_rows(np.ones((0, 2), dtype), np.zeros(0, np.int64), 3), np.zeros((3, 2), dtype)
    )


def test_an_index_for_each_row():
    with pytest.raises(ShapeError, match=r"(?s)one index for each row.*\(6, 3\)"):
        kernels.scatter_rows(np.ones((6, 3)), np.arange(5), 7)
