"""Captions: what a step does with the numbers, in one or two plain sentences, in English or Chinese."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

__all__ = ["Language", "caption"]

Language = Literal["en", "zh"]


def caption(kind: str, stage: str, language: Language) -> str:
    """What this step does with the numbers.

    Args:
        kind: the class name of the layer, loss, operation or optimiser; a general sentence comes for any other.
        stage: ``"forward"``, ``"loss"``, ``"backward"`` or ``"update"``.
        language: ``"en"`` or ``"zh"``.

    >>> caption("Linear", "forward", "en")
    'Each output is a weighted sum of all inputs of its sample, plus a bias: z = x Wᵀ + b.'
    """
    known = _captions()
    name = kind if kind in known else re.sub(r"\dd$", "", kind)
    direction = "forward" if stage == "loss" else stage
    while name in known and direction not in known[name]:
        name = known[name].get("like", "")
    english, chinese = known[name][direction] if name in known else known["*"][stage]
    return str(english if language == "en" else chinese)


@cache
def _captions() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files(__package__) / "captions.toml").read_text(encoding="utf-8"))
