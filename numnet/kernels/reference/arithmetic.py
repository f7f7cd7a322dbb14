"""Arithmetic of two arrays."""

from __future__ import annotations

from ...arrays import Array

__all__ = ["add"]


def add(a: Array, b: Array) -> Array:
    """Sum of two arrays of one dtype, which broadcast. Compiled for two of one shape, as where ways around layers meet.

    y = a + b
    """
    return a + b
