"""Draw the next token from its scores: what every model that generates text does."""

from __future__ import annotations

import numpy as np

from ...arrays import Array
from ...errors import DomainError, OptionError
from ...random import default_rng

__all__ = ["draw"]


def draw(scores: Array, temperature: float = 1.0, rng: np.random.Generator | None = None) -> Array:
    """One token for each row of scores.

        p = softmax(z / temperature)

    A low temperature keeps to what is probable, a high one makes all tokens equally so.

    Args:
        scores: z (…, V): logits, or logarithms of probabilities.
        temperature: 0 takes the token of the highest score, and draws nothing.
        rng: where the tokens are drawn from; the default generator if ``None``.

    Returns:
        Numbers of tokens, (…,).

    Raises:
        OptionError: a temperature that is negative or NaN. DomainError: scores that are NaN, or all -∞.
    """
    if not temperature >= 0:  # NaN too
        raise OptionError("a temperature of at least 0", f"{temperature}", "0 takes the most probable token")
    best = scores.max(axis=-1, keepdims=True)
    if not np.isfinite(best).all():
        raise DomainError("finite scores", f"a largest score of {best.min()}", "has the training diverged?")
    if temperature == 0:
        return scores.argmax(axis=-1)
    with np.errstate(over="ignore"):  # -∞ for a tiny temperature, and so the weight 0
        weights = np.exp((scores.astype(np.float64) - best) / temperature).cumsum(axis=-1)
    u = (default_rng() if rng is None else rng).random((*scores.shape[:-1], 1))  # in [0, 1)
    return (weights / weights[..., -1:] <= u).sum(axis=-1)
