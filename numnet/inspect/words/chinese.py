"""The Chinese of the fixed texts that steps, explanations and records say in English."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files

__all__ = ["both", "chinese"]

_SEMICOLON = "\N{FULLWIDTH SEMICOLON}"


@lru_cache(maxsize=4096)
def chinese(text: str) -> str:
    """The text in Chinese; one that is not known comes back as it is.

    >>> chinese("update of 0.weight by SGD")
    'SGD 更新 0.weight'
    >>> chinese("a note of your own")
    'a note of your own'
    """
    whole = _one(" ".join(text.split()))
    if whole is not None:
        return whole
    parts = [_one(part) for part in text.split("; ")]
    return _SEMICOLON.join(part for part in parts if part is not None) if None not in parts else text


def both(text: str) -> list[str]:
    """The text in English and in Chinese."""
    return [text, chinese(text)]


def _one(text: str) -> str | None:
    for head, pattern, template in _texts():
        if text.startswith(head) and (found := pattern.fullmatch(text)):
            return template.format(**found.groupdict())
    return None


@cache
def _texts() -> list[tuple[str, re.Pattern[str], str]]:
    """What a text begins with, all of it as a pattern, and the Chinese."""
    sections = tomllib.loads((files(__package__) / "chinese.toml").read_text(encoding="utf-8"))
    known = [pair for section in sections.values() for pair in section.items()]
    return [(english.partition("{")[0], _pattern(english), template) for english, template in known]


def _pattern(english: str) -> re.Pattern[str]:
    """``{name}`` is whatever stands there, up to the end of that text."""
    parts = re.split(r"\{(\w+)\}", english)
    return re.compile("".join(f"(?P<{p}>[^;]+?)" if i % 2 else re.escape(p) for i, p in enumerate(parts)))
