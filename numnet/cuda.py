"""The GPU in PyTorch's words; it is CuPy's."""

from __future__ import annotations

from .kernels.gpu import is_available

__all__ = ["is_available"]
