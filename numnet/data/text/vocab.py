"""Vocab: every token has a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ...errors import DtypeError, LabelError, OptionError, describe

__all__ = ["Vocab"]

UNKNOWN = "<unk>"


class Vocab:
    """The distinct tokens of a text, numbered; the most frequent ones first.

    Number 0 is ``<unk>``, which stands for every token that is not in the vocabulary; the reserved tokens follow, then
    the others by falling frequency, those of equal frequency in the order of their first appearance.

        vocab["the"]                        1
        vocab[["the", "time"]]              [1, 19]
        vocab.to_tokens([1, 19])            ["the", "time"]

    Args:
        tokens: tokens, or lists of them as :func:`tokenize` returns them.
        min_freq: tokens that occur less often than this are left out, and so unknown.
        reserved_tokens: such as ``["<pad>", "<bos>", "<eos>"]``. ``Vocab(reserved_tokens=vocab.idx_to_token[1:])`` is
            the same vocabulary, from a saved list.

    Attributes:
        token_freqs: pairs (token, how often it occurs), of all tokens, by falling frequency.
        idx_to_token: the tokens by number.
        token_to_idx: the numbers by token.

    Raises:
        DtypeError: a token that is no string; one string in place of a list.
        OptionError: a reserved token that stands there twice, or is ``<unk>``.

    Source: Zhang, Lipton, Li and Smola, Dive into deep learning, 2023, section 9.2.
    """

    def __init__(self, tokens: Iterable[Any] = (), min_freq: int = 0, reserved_tokens: Iterable[str] = ()) -> None:
        self.token_freqs = Counter(_flat(tokens)).most_common()
        self.idx_to_token = [UNKNOWN, *_flat(reserved_tokens)]
        self.token_to_idx = {token: i for i, token in enumerate(self.idx_to_token)}
        if len(self.token_to_idx) < len(self.idx_to_token):
            twice, _ = Counter(self.idx_to_token).most_common(1)[0]
            cure = f"{UNKNOWN} is number 0 by itself" if twice == UNKNOWN else "name each once"
            raise OptionError(f"reserved tokens that differ from each other and from {UNKNOWN}", f"{twice!r}", cure)
        for token, frequency in self.token_freqs:
            if frequency >= min_freq and token not in self.token_to_idx:
                self.token_to_idx[token] = len(self.idx_to_token)
                self.idx_to_token.append(token)

    @property
    def unk(self) -> int:
        """The number of ``<unk>``: 0."""
        return 0

    def __len__(self) -> int:
        return len(self.idx_to_token)

    def __contains__(self, token: object) -> bool:
        return token in self.token_to_idx

    def __iter__(self) -> Iterator[str]:
        return iter(self.idx_to_token)

    def __getitem__(self, tokens: str | Sequence[Any]) -> Any:
        """The number of a token, 0 of an unknown one; of lists of tokens, lists of numbers.

        Raises:
            DtypeError: not a string, nor lists of them.
        """
        if isinstance(tokens, str):
            return self.token_to_idx.get(tokens, self.unk)
        if isinstance(tokens, list | tuple):
            return [self[token] for token in tokens]
        cure = "vocab.to_tokens(…) goes from numbers to tokens"
        raise DtypeError("a token, or lists of tokens", describe(tokens), cure)

    def to_tokens(self, indices: Any) -> Any:
        """The token of a number; of lists, or an array, of numbers, lists of tokens.

        Raises:
            LabelError: a number that no token has. DtypeError: no integers.
        """
        if isinstance(indices, list | tuple) or (isinstance(indices, np.ndarray) and indices.ndim):
            return [self.to_tokens(index) for index in indices]
        try:
            index = indices.__index__()
        except (AttributeError, TypeError):
            cure = "vocab[token] goes from tokens to numbers"
            raise DtypeError("the numbers of tokens, integers", describe(indices), cure) from None
        if not 0 <= index < len(self):
            raise LabelError(f"numbers of tokens, 0 … {len(self) - 1}", f"{index}", "use the vocabulary that made it")
        return self.idx_to_token[index]

    def __repr__(self) -> str:
        return f"Vocab({len(self)} tokens: {', '.join(map(repr, self.idx_to_token[:6]))}{', …' * (len(self) > 6)})"


def _flat(tokens: Iterable[Any]) -> Iterator[str]:
    if isinstance(tokens, str):
        raise DtypeError("a list of tokens", describe(tokens), "[token] for one; list(text) for characters")
    for token in tokens:
        if isinstance(token, str):
            yield token
        elif isinstance(token, list | tuple):
            yield from _flat(token)
        else:
            raise DtypeError("tokens that are strings, or lists of them", describe(token), "str(token)")
