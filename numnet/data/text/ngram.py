"""Language models that count: n-grams, and the probability of a text by the chain rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import inf, log
from typing import Any, Literal, Self

import numpy as np

from ...arrays import Array
from ...errors import DataError, DtypeError, LabelError, OptionError, describe
from .draw import draw

__all__ = ["NgramModel", "count_ngrams"]


def count_ngrams(tokens: Iterable[Any], n: int) -> Counter[tuple[Any, ...]]:
    """How often each n tokens follow each other: ``count_ngrams(words, 2).most_common(10)``.

    Raises:
        OptionError: n is below 1.
    """
    if n < 1:
        raise OptionError("n of at least 1", f"n={n}", "1 counts tokens, 2 pairs, 3 triples")
    tokens = list(tokens)
    return Counter(zip(*[tokens[i:] for i in range(n)], strict=False))


class NgramModel:
    """The probability of a token, given the n - 1 tokens before it, from counts: a Markov model of order n - 1.

        P(x₁ … x_T) = Πₜ P(xₜ | h)        h = xₜ₋ₙ₊₁ … xₜ₋₁, or as many as there are

        P(x | h) = (c(h x) + k P(x | h′)) / (c(h) + k)        h′: h without its oldest token; 1/V, if h is empty

    c(h x) is how often x followed h in the text, c(h) = Σₓ c(h x). With ``smoothing="add"`` the 1/V stands in place of
    every P(x | h′): each of the V tokens counts k/V times more than it occurred. For k = 0 these are the relative
    frequencies, and where h never occurred, P(x | h′).

    Tokens are the numbers of a :class:`Vocab`: integers 0 … V - 1.

    Args:
        n: 1 for a unigram, 2 for a bigram, 3 for a trigram.
        vocab_size: V.
        k: how many occurrences the smoothing weighs as much as.
        smoothing: ``"interpolate"`` with the shorter contexts, or ``"add"`` the same to all.

    Raises:
        OptionError: n or V below 1, a negative k, another smoothing.

    Source: Shannon, A mathematical theory of communication, 1948, section 3; MacKay and Peto, A hierarchical Dirichlet
    language model, 1995, for the interpolation.
    """

    def __init__(
        self, n: int, vocab_size: int, *, k: float = 1.0, smoothing: Literal["interpolate", "add"] = "interpolate"
    ) -> None:
        if n < 1 or vocab_size < 1 or k < 0:
            got = f"n={n}, vocab_size={vocab_size}, k={k}"
            raise OptionError("n and vocab_size of at least 1, and k of at least 0", got, "NgramModel(2, len(vocab))")
        if smoothing not in ("interpolate", "add"):
            raise OptionError('smoothing "interpolate" or "add"', repr(smoothing), "choose one of the two")
        self.n = n
        self.vocab_size = vocab_size
        self.k = k
        self.smoothing = smoothing
        self.counts: dict[tuple[int, ...], Counter[int]] = {}

    def fit(self, tokens: Any) -> Self:
        """Count ``tokens``, (T,), in place of what was counted before; returns itself.

        Raises:
            DtypeError: not integers. LabelError: a number outside 0 … V - 1. DataError: no tokens.
        """
        tokens = self._expect(tokens)
        if not tokens:
            raise DataError("tokens to count", "none", "fit(corpus), with the numbers of the tokens")
        counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for m in range(1, self.n + 1):
            for gram, times in count_ngrams(tokens, m).items():
                counts[gram[:-1]][gram[-1]] = times
        self.counts = dict(counts)
        return self

    def distribution(self, context: Any = ()) -> Array:
        """P(x | the last n - 1 tokens of ``context``) of every token x: (V,), in float64."""
        h = tuple(self._expect(context))[max(0, len(context) - self.n + 1) :]
        return self._distribution(h)

    def _distribution(self, h: tuple[int, ...]) -> Array:
        if not self.counts:
            raise DataError("a model that has counted", "no fit before", "model.fit(corpus)")
        uniform = p = np.full(self.vocab_size, 1 / self.vocab_size)
        for length in range(len(h) + 1):  # from the empty context to h
            followers = self.counts.get(h[len(h) - length :], Counter())
            if total := followers.total():
                p = self.k * (p if self.smoothing == "interpolate" else uniform)
                p[list(followers)] += list(followers.values())
                p /= total + self.k
        return p

    def probability(self, token: int, context: Any = ()) -> float:
        """P(token | context)."""
        (token,) = self._expect([token])
        return float(self.distribution(context)[token])

    def log_probability(self, tokens: Any) -> float:
        """ln P(x₁ … x_T), the sum of the ln P(xₜ | h): -∞ where some P is 0."""
        tokens = self._expect(tokens)
        total = 0.0
        for t, x in enumerate(tokens):
            p = float(self._distribution(tuple(tokens[max(0, t - self.n + 1) : t]))[x])
            total += log(p) if p else -inf
        return total

    def perplexity(self, tokens: Any) -> float:
        """exp(-ln P(x₁ … x_T) / T): among how many equally probable tokens the model chooses, on average."""
        tokens = self._expect(tokens)
        if not tokens:
            raise DataError("tokens to judge the model by", "none", "perplexity(corpus)")
        return float(np.exp(-self.log_probability(tokens) / len(tokens)))

    def generate(
        self, prefix: Any, length: int, *, temperature: float = 1.0, rng: np.random.Generator | None = None
    ) -> Array:
        """``prefix`` and ``length`` further tokens, each drawn given the ones before it.

        Args:
            prefix: tokens to start from; may be empty.
            length: how many to draw.
            temperature: p^(1/temperature), scaled to the sum 1, is drawn from; 0 takes the most probable token.
            rng: where they are drawn from; the default generator if ``None``.

        Returns:
            The numbers of the tokens, (len(prefix) + length,).
        """
        tokens = self._expect(prefix)
        for _ in range(length):
            with np.errstate(divide="ignore"):
                scores = np.log(self.distribution(tokens))
            tokens.append(int(draw(scores, temperature, rng)))
        return np.array(tokens, np.int64)

    def _expect(self, tokens: Any) -> list[int]:
        array = np.asarray(tokens)
        if array.size == 0:
            return []
        if array.dtype.kind not in "iu" or array.ndim != 1:
            raise DtypeError("tokens as one sequence of integers", describe(tokens), "a list, such as vocab[tokens]")
        if array.min() < 0 or array.max() >= self.vocab_size:
            wrong = int(array[(array < 0) | (array >= self.vocab_size)][0])
            raise LabelError(f"numbers of tokens, 0 … {self.vocab_size - 1}", f"{wrong}", "vocab_size=len(vocab)")
        return array.tolist()

    def __repr__(self) -> str:
        return f"NgramModel({self.n}, {self.vocab_size}, k={self.k}, smoothing={self.smoothing!r})"
