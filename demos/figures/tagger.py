"""A tag for every token, n → n: is a consonant spoken before a vowel, behind one, or between two? Context decides.

A letter alone does not tell, what stands before it tells something, and a tagger that reads both ways gets it right.

python demos/figures/tagger.py
"""

from __future__ import annotations

import numpy as np

import numnet
from numnet import nn, optim
from numnet.data.text import Vocab
from numnet.models import Tagger

PROVES = ("C257",)

VOWELS, LETTERS, T = "aeiou", "aeiouptkbdgmnslr", 12
TAGS = {(False, True): "before", (True, False): "behind", (True, True): "between", (False, False): "alone"}
vocab, tags = Vocab(list(LETTERS)), ["vowel", *TAGS.values()]
rng = np.random.default_rng(0)


def tag(word: str, i: int) -> str:
    """The right tag of letter i: what is a vowel, before it and behind it?"""
    left, right = (0 <= j < len(word) and word[j] in VOWELS for j in (i - 1, i + 1))
    return "vowel" if word[i] in VOWELS else TAGS[left, right]


words = ["".join(rng.choice(list(LETTERS), T)) for _ in range(3000)]
x = np.array([vocab[list(word)] for word in words])  # (3000, T)
y = np.array([[tags.index(tag(word, i)) for i in range(T)] for word in words])
train, held_out = slice(0, 2000), slice(2000, None)

print("accuracy on the letters of 1000 words never seen")
usual = np.array([np.bincount(y[train][x[train] == i], minlength=len(tags)).argmax() for i in range(len(vocab))])
accuracy = {"the letter alone": float((usual[x[held_out]] == y[held_out]).mean())}
print(f"   {'the letter alone':<26}{accuracy['the letter alone']:.2%}")
for name, bidirectional in (("reads from left to right", False), ("reads both ways", True)):
    numnet.manual_seed(0)
    model, loss = Tagger(len(vocab), len(tags), 8, 24, "gru", bidirectional=bidirectional), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for _ in range(6):
        for batch in rng.permutation(2000).reshape(-1, 50):
            loss(model(x[batch]), y[batch])
            optimizer.zero_grad()
            model.backward(loss.backward())
            optimizer.step()
    model.eval()
    found = model(x[held_out]).argmax(axis=1)  # (1000, T)
    accuracy[name] = float((found == y[held_out]).mean())
    print(f"   {name:<26}{accuracy[name]:.2%}")

print()
print("letter  " + "".join(f"{letter:>9}" for letter in words[-1]))
print("tag     " + "".join(f"{tags[i]:>9}" for i in found[-1]))

assert accuracy["reads both ways"] > 0.995
assert accuracy["the letter alone"] < accuracy["reads from left to right"] < 0.9, "what comes next cannot be known"
