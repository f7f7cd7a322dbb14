"""A small problem that every test of training learns from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest


class Problem(NamedTuple):
    """Two classes that no line parts: 90 samples to learn from, 30 held out."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]


@pytest.fixture
def problem() -> Problem:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 4))
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(np.int64)
    return Problem((x[:90], y[:90]), (x[90:], y[90:]))
