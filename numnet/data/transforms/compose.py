"""Transforms made of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import indent
from typing import Any, TypeAlias

import numpy as np

from ...errors import DtypeError, OptionError, describe
from ..sampler import Rng
from .image import Transform, probability

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice"]

Steps: TypeAlias = Sequence[Callable[[Any], Any]]


def _functions(transforms: Any) -> list[Callable[[Any], Any]]:
    if not isinstance(transforms, (list, tuple)):
        raise DtypeError("a list of transforms", describe(transforms), "a list: [transforms.ToTensor(), …]")
    for transform in transforms:
        if isinstance(transform, type):
            name = transform.__name__
            raise DtypeError("transforms that are made", f"the class {name}", f"{name}(…), with parentheses")
        if not callable(transform):
            raise DtypeError("a list of transforms, which are called with an image", describe(transform))
    return list(transforms)


def _one_after_the_other(transforms: Steps, image: Any, owner: str) -> Any:
    for position, transform in enumerate(transforms):
        try:
            image = transform(image)
        except Exception as error:
            error.add_note(f"in transform {position} of {owner}: {transform!r}")
            raise
    return image


def _listed(owner: str, lines: list[Any]) -> str:
    return "\n".join([f"{owner}(", *(indent(str(line), "    ") for line in lines), ")"])


class Compose(Transform):
    """One transform after the other.

    Args:
        transforms: a list of functions of an image.

    Raises:
        DtypeError: something in the list is no function. Errors of a transform say which it was.
    """

    def __init__(self, transforms: Steps) -> None:
        super().__init__()
        self.transforms = _functions(transforms)

    def _apply(self, image: Any) -> Any:
        return _one_after_the_other(self.transforms, image, "Compose")

    def __repr__(self) -> str:
        return _listed("Compose", self.transforms)


class Lambda(Transform):
    """A function of one's own. (A loader's workers that are not forked need one that has a name.)

    Args:
        lambd: the function.

    Raises:
        DtypeError: it is none.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        super().__init__()
        if not callable(lambd):
            raise DtypeError("a function of an image", describe(lambd))
        self.lambd = lambd

    def _apply(self, image: Any) -> Any:
        return self.lambd(image)

    def __repr__(self) -> str:
        return "Lambda()"


class RandomApply(Transform):
    """All of some transforms, one after the other, with probability p; otherwise none.

    Args:
        transforms: a list. p: a probability. rng: where it is drawn from.

    Raises:
        DtypeError, OptionError: no list of functions; a p that is no probability.
    """

    def __init__(self, transforms: Steps, p: float = 0.5, *, rng: Rng = None) -> None:
        super().__init__(rng)
        self.transforms = _functions(transforms)
        self.p = probability(p)

    def _apply(self, image: Any) -> Any:
        applied = self._draw().random() < self.p
        return _one_after_the_other(self.transforms, image, "RandomApply") if applied else image

    def __repr__(self) -> str:
        return _listed("RandomApply", [f"p={self.p}", *self.transforms])


class RandomChoice(Transform):
    """One of some transforms.

    Args:
        transforms: a list. p: the weight of each; all the same if left out. rng: where it is drawn from.

    Raises:
        DtypeError: no list of functions. OptionError: none, or weights that are not one for each, or are all 0.
    """

    def __init__(self, transforms: Steps, p: Sequence[float] | None = None, *, rng: Rng = None) -> None:
        super().__init__(rng)
        self.transforms = _functions(transforms)
        if not self.transforms:
            raise OptionError("at least one transform", "none")
        if p is not None and (len(p) != len(self.transforms) or min(p) < 0 or sum(p) <= 0):
            raise OptionError(f"p as {len(self.transforms)} weights, none below 0 and not all 0", f"p={p!r}")
        self.p = p

    def _apply(self, image: Any) -> Any:
        weights = None if self.p is None else np.asarray(self.p, float) / sum(self.p)
        which = int(self._draw().choice(len(self.transforms), p=weights))
        return self.transforms[which](image)

    def __repr__(self) -> str:
        return _listed("RandomChoice", [f"p={self.p}", *self.transforms])
