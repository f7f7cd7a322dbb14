"""Files: arrays, nested values and whole networks in one safetensors file, from which nothing can be run."""

from __future__ import annotations

from .atomic import replacing
from .saving import load, save

__all__ = ["load", "replacing", "save"]
