"""Transforms made of transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import DtypeError, OptionError, describe
from .image import Transform, probability

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice"]


def _functions(transforms: Any) -> list[Callable[[Any], Any]]:
    if not isinstance(transforms, Sequence) or not all(callable(t) for t in transforms):
        bad = next((t for t in transforms if not callable(t)), None) if isinstance(transforms, Sequence) else transforms
        cure = "transforms.ToTensor(), with brackets" if isinstance(bad, type) else "a list: Compose([…])"
        raise DtypeError("a list of transforms", describe(bad), cure)
    for t in transforms:
        if isinstance(t, type):
            raise DtypeError("transforms that are made", f"the class {t.__name__}", f"{t.__name__}(), with brackets")
    return list(transforms)


class Compose(Transform):
    """One transform after the other.

    Args:
        transforms: a list of functions of an image.

    Raises:
        DtypeError: something in the list is no function. Errors of a transform say which it was.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        super().__init__()
        self.transforms = _functions(transforms)

    def __call__(self, image: Any) -> Any:
        """All of them, in order."""
        for position, transform in enumerate(self.transforms):
            try:
                image = transform(image)
            except Exception as error:
                error.add_note(f"in transform {position} of Compose, {transform!r}")
                raise
        return image

    def __repr__(self) -> str:
        return "\n".join(["Compose(", *(f"    {transform!r}" for transform in self.transforms), ")"])


class Lambda(Transform):
    """A function of one's own.

    Args:
        lambd: the function.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        super().__init__()
        if not callable(lambd):
            raise DtypeError("a function", describe(lambd))
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        """What the function returns."""
        return self.lambd(image)


class RandomApply(Transform):
    """All of some transforms with probability p, otherwise none.

    Args:
        transforms: a list. p: a probability. rng: where it is drawn from.
    """

    def __init__(
        self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5, *, rng: np.random.Generator | None = None
    ) -> None:
        super().__init__(rng)
        self.transforms = _functions(transforms)
        self.p = probability(p)

    def __call__(self, image: Any) -> Any:
        """The image, transformed or as it is."""
        return Compose(self.transforms)(image) if self._draw().random() < self.p else image


class RandomChoice(Transform):
    """One of some transforms.

    Args:
        transforms: a list. p: the weight of each; all the same if left out. rng: where it is drawn from.

    Raises:
        OptionError: weights that are not one for each, or are all 0.
    """

    def __init__(
        self,
        transforms: Sequence[Callable[[Any], Any]],
        p: Sequence[float] | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(rng)
        self.transforms = _functions(transforms)
        if not self.transforms:
            raise OptionError("at least one transform", "none")
        if p is not None and (len(p) != len(self.transforms) or min(p) < 0 or sum(p) <= 0):
            raise OptionError(f"{len(self.transforms)} weights, none below 0 and not all 0", f"p={p!r}")
        self.p = p

    def __call__(self, image: Any) -> Any:
        """The image through the one that is drawn."""
        weights = None if self.p is None else np.asarray(self.p, float) / sum(self.p)
        return self.transforms[int(self._draw().choice(len(self.transforms), p=weights))](image)
