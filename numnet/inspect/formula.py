"""Formulas: a layer's forward and gradient lines, read from the docstring that stands above its code."""

from __future__ import annotations

import inspect
from typing import NamedTuple

__all__ = ["FormulaLines", "formulas"]


class FormulaLines(NamedTuple):
    """The lines of the two indented blocks of a docstring; empty where it has none."""

    forward: tuple[str, ...]
    backward: tuple[str, ...]


def formulas(layer: object) -> FormulaLines:
    """The formula lines of a layer (or of a layer's class).

    The first indented block of the class docstring is the forward formula, the second one the gradients.

    >>> from numnet import nn
    >>> formulas(nn.Linear).forward
    ('z = x Wᵀ + b',)
    """
    cls = layer if isinstance(layer, type) else type(layer)
    paragraphs = (inspect.getdoc(cls) or "").split("\n\n")
    blocks = [tuple(line.strip() for line in p.splitlines()) for p in paragraphs if p.startswith("    ")]
    return FormulaLines(*(blocks + [(), ()])[:2])
