"""All of :mod:`numnet.data`, so that ``from numnet.utils.data import DataLoader`` works."""

from __future__ import annotations

from ..data import *  # noqa: F403
from ..data import __all__ as __all__
