"""Formulas: a layer's forward and gradient lines, read from the docstring that stands above its code."""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

__all__ = ["FormulaLines", "equations", "formulas"]


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
    blocks = [p for p in paragraphs if p.startswith("    ")]
    if not blocks:  # where all but the first line is formulas, Python has taken their indentation for that of the code
        blocks = [p for p in paragraphs[1:] if all(re.search("[=←]", line) for line in p.splitlines())]
    lines = [tuple(line.strip() for line in p.splitlines()) for p in blocks]
    return FormulaLines(*[*lines, (), ()][:2])


def equations(layer: object) -> list[str]:
    """The forward formulas alone: what stands beside them on a line, or behind a colon, explains and is left out.

    >>> from numnet import nn
    >>> equations(nn.BatchNorm1d)
    ['x̂ = (x - μ) / √(σ² + ε)', 'y = γ x̂ + β']
    """
    parts = [part for line in formulas(layer).forward for part in re.split(r"\s{3,}", line)]
    return [part.partition(": ")[0] for part in parts if re.match(r"\S+(\[[^]]*\])? = ", part)]
