"""Sequence to sequence, n → n: read a string to its end, then write it backwards. Judged on strings never seen.

python demos/figures/reversal.py
"""

from __future__ import annotations

import numpy as np

import numnet
from numnet import nn, optim
from numnet.data.text import Vocab
from numnet.models import Seq2Seq

PROVES = ("C256",)

T = 5  # letters in a string
numnet.manual_seed(0)
rng = np.random.default_rng(0)
letters = "abcdef"
vocab = Vocab(list(letters), reserved_tokens=["<bos>"])
every = np.stack(np.meshgrid(*[vocab[list(letters)]] * T), axis=-1).reshape(-1, T)  # all strings, (6⁵, 5)
every = rng.permutation(every)
train, held_out = every[:4000], every[4000:]

model, loss = Seq2Seq(len(vocab), len(vocab), 16, 128), nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.005)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 1200)
for _ in range(1200):
    x = train[rng.integers(0, len(train), 64)]
    y = x[:, ::-1]  # what it has to write
    behind = np.concatenate([np.full((len(y), 1), vocab["<bos>"]), y[:, :-1]], axis=1)  # what it has written before
    loss(model(x, behind), y)
    optimizer.zero_grad()
    model.backward(loss.backward())
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()

model.eval()
written = model.generate(held_out, start=vocab["<bos>"], length=T)
right = (written == held_out[:, ::-1]).all(axis=1).mean()
for source, answer in zip(held_out[:4], written[:4], strict=True):
    print(f"{''.join(vocab.to_tokens(source))} → {''.join(vocab.to_tokens(answer))}")
print(f"held-out strings written backwards without a mistake: {right:.2%} of {len(held_out)}")
print(f"by chance: {1 / len(letters) ** T:.4%}")

assert right > 0.99
