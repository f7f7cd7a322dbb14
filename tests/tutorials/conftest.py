"""The same numbers in every test, whichever run before it."""

from __future__ import annotations

import numpy as np
import pytest

import numnet


@pytest.fixture(autouse=True)
def seed() -> None:
    """What numnet draws."""
    numnet.manual_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    """What a test draws."""
    return np.random.default_rng(0)
