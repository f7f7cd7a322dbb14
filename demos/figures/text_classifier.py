"""A class for a whole sentence, n → 1: praise or blame. "good" praises, "not good" blames, "not bad" praises.

A classifier that only sees which words there are cannot tell; one that reads them in order can. Judged on sentences
never seen.

python demos/figures/text_classifier.py
"""

from __future__ import annotations

import itertools

import numpy as np

import numnet
from numnet import nn, optim
from numnet.data import text
from numnet.models import TextClassifier

PROVES = ("C255",)

SUBJECTS = ["the film", "the story", "this book", "her voice", "the last scene", "his acting"]
VERBS = ["was", "is", "seemed"]
NEGATIONS = ["", "not", "never"]
DEGREES = ["", "very", "really", "all that"]
PRAISE = ["good", "funny", "clever", "moving", "great"]
BLAME = ["bad", "dull", "silly", "weak", "awful"]

sentences, labels = [], []
for parts in itertools.product(SUBJECTS, VERBS, NEGATIONS, DEGREES, PRAISE + BLAME):
    sentences.append(" ".join(filter(None, parts)))
    labels.append(int((parts[-1] in PRAISE) == (parts[2] == "")))  # 1 praises
y = np.array(labels)
tokens = text.tokenize(sentences)
vocab = text.Vocab(tokens, reserved_tokens=["<pad>"])
x, lengths = text.pad(vocab[tokens], vocab["<pad>"])  # (N, T)
bags = (x[:, :, None] == np.arange(2, len(vocab))).any(axis=1).astype(np.float32)  # (N, V): which words there are
order = np.random.default_rng(0).permutation(len(y))
train, held_out = order[:800], order[800:]


def fitted(model: nn.Module, *inputs: np.ndarray) -> float:
    """Accuracy on the held-out sentences, after training on the others."""
    rng, loss = np.random.default_rng(0), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(12):
        for batch in rng.permutation(train).reshape(-1, 40):
            loss(model(*[a[batch] for a in inputs]), y[batch])
            optimizer.zero_grad()
            model.backward(loss.backward())
            optimizer.step()
    model.eval()
    return float((model(*[a[held_out] for a in inputs]).argmax(axis=1) == y[held_out]).mean())


numnet.manual_seed(0)
reader, chooser = TextClassifier(len(vocab), 2, 16, 32), nn.Linear(bags.shape[1], 2)
print(f"{len(train)} sentences to learn from, {len(held_out)} to be judged by, {len(vocab)} tokens")
by_words = fitted(chooser, bags)
by_reading = fitted(reader, x, lengths)
print(f"accuracy of the words alone, a linear map of which there are:  {by_words:.2%}")
print(f"accuracy of reading them in order, an LSTM:                    {by_reading:.2%}")
print()
for sentence in ("the film was good", "the film was not good", "her voice seemed never really dull"):
    one, length = text.pad([vocab[sentence.split()]], vocab["<pad>"])
    z = reader(one, length)[0]
    print(f"P(praise) = {1 / (1 + np.exp(z[0] - z[1])):.3f}   {sentence}")

assert by_reading > 0.99
assert by_words < 0.85
