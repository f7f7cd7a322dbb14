"""Text as numbers: tokens, a vocabulary, batches of subsequences, and language models that count.

lines = text.letters_only(text.read_time_machine())
tokens = text.tokenize(lines, "char")
vocab = text.Vocab(tokens)
corpus = np.array([i for line in vocab[tokens] for i in line])
for x, y in text.seq_iter_sequential(corpus, batch_size=32, num_steps=35): ...
"""

from __future__ import annotations

from .ngram import NgramModel, count_ngrams
from .sequences import pad, seq_iter_random, seq_iter_sequential
from .time_machine import read_time_machine
from .tokens import letters_only, tokenize
from .vocab import Vocab

__all__ = [
    "NgramModel",
    "Vocab",
    "count_ngrams",
    "letters_only",
    "pad",
    "read_time_machine",
    "seq_iter_random",
    "seq_iter_sequential",
    "tokenize",
]
