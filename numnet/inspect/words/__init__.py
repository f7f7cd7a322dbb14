"""The words of the views, in English and Chinese."""

from __future__ import annotations

from .captions import Language, caption
from .chinese import both, chinese

__all__ = ["Language", "both", "caption", "chinese"]
