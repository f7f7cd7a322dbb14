"""The place that PyTorch's programs look for data in: ``numnet.utils.data`` is :mod:`numnet.data`."""

from __future__ import annotations

from . import data

__all__ = ["data"]
