"""Metrics of numbers are scikit-learn's."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numnet import Tensor
from numnet.errors import DtypeError, NonFiniteError, ShapeError
from numnet.metrics import mean_absolute_error, mean_squared_error, r2

sklearn = pytest.importorskip("sklearn.metrics", reason='scikit-learn is not installed: pip install ".[test]"')

numbers = st.floats(-100, 100, width=32).map(lambda x: round(x, 1)) | st.sampled_from([0.0, 1.0])
pairs = hnp.array_shapes(min_dims=1, max_dims=2, min_side=2, max_side=6).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.float64, shape, elements=numbers) for _ in "yt"])
)


@given(pairs)
def test_they_are_those_of_scikit_learn(given: tuple[np.ndarray, np.ndarray]) -> None:
    y, t = given
    for ours, theirs in [
        (mean_squared_error, sklearn.mean_squared_error),
        (mean_absolute_error, sklearn.mean_absolute_error),
        (r2, sklearn.r2_score),
    ]:
        np.testing.assert_allclose(ours(y, t), theirs(t, y), rtol=1e-9, atol=1e-9)
        assert ours(Tensor(y), t) == ours(y, Tensor(t)) == ours(y, t)
        assert isinstance(ours(y, t), float)


def test_constant_targets() -> None:
    t = np.full((3, 2), 2.0)
    assert r2(t, t) == sklearn.r2_score(t, t) == 1
    assert r2(t + 1, t) == sklearn.r2_score(t, t + 1) == 0


@pytest.mark.parametrize("metric", [mean_squared_error, mean_absolute_error, r2])
def test_what_does_not_go_together(metric: Any) -> None:
    y = np.ones(3)
    with pytest.raises(ShapeError, match=r"target\.reshape\(output\.shape\)"):
        metric(y[:, None], y)  # which NumPy would make a (3, 3) of
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        metric(y, y[:2])
    with pytest.raises(ShapeError, match="at least one sample"):
        metric(y[:0], y[:0])
    with pytest.raises(NonFiniteError, match="output without NaN"):
        metric(y * np.nan, y)
    with pytest.raises(DtypeError, match=r"np\.asarray\(target\)"):
        metric(y, [1.0, 2.0, 3.0])


def test_r2_of_one_number() -> None:
    with pytest.raises(ShapeError, match="N ≥ 2"):
        r2(np.ones(1), np.ones(1))
