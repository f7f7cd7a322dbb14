"""Nested tuples, such as ``(output, (h_n, c_n))``: taken apart and put together again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["flatten", "unflatten"]


def flatten(value: Any) -> list[Any]:
    """What nested tuples hold, in order; ``[value]`` if it is no tuple."""
    if not isinstance(value, tuple):
        return [value]
    leaves: list[Any] = []
    for part in value:
        if isinstance(part, tuple):
            leaves += flatten(part)
        else:
            leaves.append(part)
    return leaves


def unflatten(like: Any, leaves: Iterable[Any]) -> Any:
    """The leaves in the nested tuples of ``like``: ``unflatten(value, flatten(value))`` equals ``value``."""
    remaining = iter(leaves)

    def build(part: Any) -> Any:
        return tuple([build(p) for p in part]) if isinstance(part, tuple) else next(remaining)

    return build(like)
