"""Dropout: noise in training that no unit can rely on another through."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..random import default_rng
from .expect import expect_floating, refuse_inplace, warn_if_predicting
from .layer import Layer

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "inverted_mask",
]

Rng = np.random.Generator | None


def kept_mask(shape: tuple[int, ...], p: float, rng: Rng, like: Array) -> Array:
    """True with probability 1 - p. The draws come one after the other from a single stream, the default one being
    counter-based, so that they depend on the seed and on what was drawn before, and on no number of threads.
    """
    draws = (rng or default_rng()).random(shape, np.float32)  # in [0, 1)
    return array_module(like).asarray(draws >= p)


def inverted_mask(shape: tuple[int, ...], p: float, rng: Rng, like: Array) -> Array:
    """m = [kept] / (1 - p) in the dtype of ``like``."""
    return kept_mask(shape, p, rng, like).astype(like.dtype) * (1 / (1 - p) if p < 1 else 0.0)


class _Noise(Layer):
    """Abstract: y = m ⊙ x + s with a random m and s, drawn for every number or for every channel as a whole."""

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: Rng = None) -> None:
        super().__init__()
        refuse_inplace(self, inplace)
        if not 0 <= p <= 1:
            name = type(self).__name__
            cure = f"{name}(0.5) drops every second"
            raise OptionError(f"{name} with a probability p from 0 to 1", f"p={p!r}", cure)
        self.p = float(p)
        self.rng = rng

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        shape = self._noise_shape(x)
        if self.training and self.p > 0:
            warn_if_predicting(self, "numbers are dropped")
            ctx.mask, shift = self._noise(shape, x)
        else:
            ctx.mask, shift = self._factor_in_evaluation, None
        y = x if ctx.mask is None else x * ctx.mask
        return y if shift is None else y + shift

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta if ctx.mask is None else delta * ctx.mask

    @property
    def _factor_in_evaluation(self) -> float | None:
        return None

    def _noise_shape(self, x: Array) -> tuple[int, ...]:
        """Of m and s, which are broadcast to the shape of x."""
        raise NotImplementedError

    def _noise(self, shape: tuple[int, ...], x: Array) -> tuple[Array, Array | None]:
        """m and s, in the dtype of x."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace=False"


class _Dropout(_Noise):
    """Abstract: s = 0, and m inverted or classic. A subclass says what is dropped as a whole."""

    def __init__(self, p: float = 0.5, inplace: bool = False, *, classic: bool = False, rng: Rng = None) -> None:
        super().__init__(p, inplace, rng=rng)
        self.classic = classic

    def _noise(self, shape: tuple[int, ...], x: Array) -> tuple[Array, Array | None]:
        if self.classic:
            return kept_mask(shape, self.p, self.rng, x).astype(x.dtype), None
        return inverted_mask(shape, self.p, self.rng, x), None

    @property
    def _factor_in_evaluation(self) -> float | None:
        return 1 - self.p if self.classic and self.p > 0 else None

    def extra_repr(self) -> str:
        return super().extra_repr() + (", classic=True" if self.classic else "")


class Dropout(_Dropout):
    """Every number is set to 0 with probability p, and the rest scaled up so that the expectation stays.

        y = m ⊙ x        m = [kept] / (1 - p), drawn anew in every call;  1 in evaluation mode

        ∂J/∂x = m ⊙ δ

    With ``classic`` as it was first published: m = [kept] in training, and m = 1 - p, the probability of *keeping*,
    in evaluation mode. For x = 10 and p = 0.2 the two give:

        inverted: 12.5 or 0 in training, 10 in evaluation        classic: 10 or 0 in training, 8 in evaluation

    The expectation is 10 throughout, or 8 throughout. Texts that "multiply by p" in evaluation call the probability of
    keeping p; with p the probability of dropping, as here, the factor is 1 - p = 0.8.

    Shapes: any. The same seed drops the same numbers in float32 and in float64.

    Args:
        p: the probability of dropping a number, 0 … 1.
        inplace: taken for PyTorch's sake; only False is possible.
        classic: scale in evaluation mode, not in training.
        rng: where m is drawn from; the default generator if ``None``.

    Raises:
        OptionError: p outside 0 … 1, or ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, 2014, section 4, and
    for the inverted form section 10.
    """

    def _noise_shape(self, x: Array) -> tuple[int, ...]:
        return tuple(x.shape)


class _ChannelDropout(_Dropout):
    """Abstract: one draw for each channel of each sample. A subclass says which shapes it takes."""

    shapes: ClassVar[tuple[tuple[str, int], ...]]  # letters of x, and how many axes have draws of their own

    def _noise_shape(self, x: Array) -> tuple[int, ...]:
        for letters, drawn in self.shapes:
            if x.ndim == len(letters.split()):
                return (*x.shape[:drawn], *(1,) * (x.ndim - drawn))
        known = ") or (".join(letters for letters, _ in self.shapes)
        raise ShapeError(f"x of shape ({known})", f"shape {x.shape}", "Dropout drops single numbers of any shape")


class Dropout1d(_ChannelDropout):
    """Every channel of a sequence is set to 0 as a whole with probability p, and the rest scaled up.

        y = m ⊙ x        m = [kept] / (1 - p), one for each sample and channel;  1 in evaluation mode

        ∂J/∂x = m ⊙ δ

    Neighbours along a sequence are alike: dropping single numbers of a channel would hide nothing.

    Shapes: x, y and δ (N, C, L) or (C, L).

    Args and Raises: those of :class:`Dropout`; and ShapeError for another number of axes.

    Source: Tompson et al., Efficient object localization using convolutional networks, 2015, section 3.2.
    """

    shapes = (("C L", 1), ("N C L", 2))


class Dropout2d(_ChannelDropout):
    """Every channel of an image is set to 0 as a whole with probability p, and the rest scaled up.

        y = m ⊙ x        m = [kept] / (1 - p), one for each sample and channel;  1 in evaluation mode

        ∂J/∂x = m ⊙ δ

    Shapes: x, y and δ (N, C, H, W), or (N, C, L), which counts as a batch and not as one image, as in PyTorch.

    Args and Raises: those of :class:`Dropout`; and ShapeError for another number of axes.

    Source: Tompson et al., Efficient object localization using convolutional networks, 2015, section 3.2.
    """

    shapes = (("N C L", 2), ("N C H W", 2))


class Dropout3d(_ChannelDropout):
    """Every channel of a volume is set to 0 as a whole with probability p, and the rest scaled up.

        y = m ⊙ x        m = [kept] / (1 - p), one for each sample and channel;  1 in evaluation mode

        ∂J/∂x = m ⊙ δ

    Shapes: x, y and δ (N, C, D, H, W) or (C, D, H, W).

    Args and Raises: those of :class:`Dropout`; and ShapeError for another number of axes.

    Source: Tompson et al., Efficient object localization using convolutional networks, 2015, section 3.2.
    """

    shapes = (("C D H W", 1), ("N C D H W", 2))


SATURATION = -1.7580993408473766  # -λα of SELU, what it tends to for z → -∞


class _AlphaDropout(_Noise):
    """Abstract: what is dropped becomes α′, where SELU saturates; a and b restore mean 0 and variance 1."""

    def _noise(self, shape: tuple[int, ...], x: Array) -> tuple[Array, Array | None]:
        kept = kept_mask(shape, self.p, self.rng, x).astype(x.dtype)
        if self.p == 1:
            return kept, None  # 0 everywhere, as in PyTorch
        a = ((1 - self.p) * (1 + self.p * SATURATION**2)) ** -0.5
        b = -a * self.p * SATURATION
        return a * kept, a * SATURATION * (1 - kept) + b


class AlphaDropout(_AlphaDropout):
    """Dropout for networks of SELU: mean 0 and variance 1 stay what they are.

        y = a (k ⊙ x + (1 - k) α′) + b        k = [kept] with probability 1 - p, drawn anew in every call
        a = 1 / √((1 - p) (1 + p α′²))        b = -a p α′        α′ = -λα = -1.7580993…
        y = x in evaluation mode, and 0 where p = 1

        ∂J/∂x = a k ⊙ δ

    Shapes: any.

    Args:
        p: the probability of dropping a number, 0 … 1.
        inplace: taken for PyTorch's sake; only False is possible.
        rng: where k is drawn from; the default generator if ``None``.

    Raises:
        OptionError: p outside 0 … 1, or ``inplace=True``.
        DtypeError: x does not hold floating-point numbers.

    Source: Klambauer et al., Self-normalizing neural networks, 2017, section "New dropout technique".
    """

    def _noise_shape(self, x: Array) -> tuple[int, ...]:
        return tuple(x.shape)


class FeatureAlphaDropout(_AlphaDropout):
    """Alpha dropout of whole channels.

        y = a (k ⊙ x + (1 - k) α′) + b        k = [kept] with probability 1 - p, one for each sample and channel
        a = 1 / √((1 - p) (1 + p α′²))        b = -a p α′        α′ = -λα = -1.7580993…
        y = x in evaluation mode, and 0 where p = 1

        ∂J/∂x = a k ⊙ δ

    Shapes: x, y and δ (N, C, …).

    Args and Raises: those of :class:`AlphaDropout`; and ShapeError for fewer than two axes.

    Source: Klambauer et al., Self-normalizing neural networks, 2017, section "New dropout technique"; Tompson et al.,
    Efficient object localization using convolutional networks, 2015, section 3.2.
    """

    def _noise_shape(self, x: Array) -> tuple[int, ...]:
        if x.ndim < 2:
            raise ShapeError("x of shape (N, C, …)", f"shape {x.shape}", "AlphaDropout drops single numbers")
        return (*x.shape[:2], *(1,) * (x.ndim - 2))
