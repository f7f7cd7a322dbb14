"""The page: a trace as one HTML file that needs no network, and as what a notebook shows."""

from __future__ import annotations

from .page import in_notebook, page

__all__ = ["in_notebook", "page"]
