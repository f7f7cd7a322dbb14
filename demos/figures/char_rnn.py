"""A recurrent network learns The Time Machine by heart, character by character, and writes on by itself.

The setting of Dive into deep learning: the first 10000 characters, one-hot, 512 hidden units, batches of 32 × 35
characters in sequential partition, the state carried from batch to batch and δ cut there, plain gradient descent of
rate 1, gradients clipped to the norm 1, 500 epochs.

python demos/figures/char_rnn.py [picture.png]

It needs the text, from $NUMNET_DATA or the network. Ctrl-C stops it, and the next run in the same folder goes on from
the file char_rnn.safetensors.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

import numnet
from numnet import nn, optim
from numnet.data import text
from numnet.io import load, save
from numnet.models import RNNLanguageModel

PROVES = ("C248", "C253", "C254")
DATA = ("timemachine.txt",)
MINUTES = 4

EPOCHS, BATCH_SIZE, NUM_STEPS, HIDDEN, RATE, THETA = 500, 32, 35, 512, 1.0, 1.0
CHECKPOINT = Path("char_rnn.safetensors")

tokens = text.tokenize(text.letters_only(text.read_time_machine()), "char")
vocab = text.Vocab(tokens)
corpus = np.array([i for line in vocab[tokens] for i in line])[:10_000]

rng = numnet.manual_seed(0)
model, loss = RNNLanguageModel(len(vocab), HIDDEN), nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=RATE)
perplexities: list[float] = []
clipped: list[float] = []  # the share of each epoch's steps whose gradients were shortened

if CHECKPOINT.exists():
    saved = load(CHECKPOINT)
    model.load_state_dict(saved["model"])
    rng.bit_generator.state = saved["rng"].bit_generator.state
    perplexities, clipped = saved["perplexities"], saved["clipped"]
    print(f"going on after epoch {len(perplexities)}, from {CHECKPOINT}", file=sys.stderr)


def epoch() -> tuple[float, float]:
    """One pass over the text: its perplexity, and how often the gradients were clipped."""
    state, total, norms = None, 0.0, []
    for x, y in text.seq_iter_sequential(corpus, BATCH_SIZE, NUM_STEPS):
        z, state = model(x, state)  # the state goes on; δ does not come back through it: it is an array
        total += float(loss(z, y))
        optimizer.zero_grad()
        model.backward((loss.backward(), None))
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), THETA)))
        optimizer.step()
    return float(np.exp(total / len(norms))), float(np.mean(np.array(norms) > THETA))


parameters = sum(p.data.size for p in model.parameters())
print(f"{len(corpus)} characters, {len(vocab)} different ones, {parameters} parameters")
try:
    with tqdm(range(len(perplexities), EPOCHS), unit="epoch") as bar:
        for done in bar:
            if done % 10 == 0:
                state = {"model": model.state_dict(), "rng": rng, "perplexities": perplexities, "clipped": clipped}
                save(state, CHECKPOINT)
            perplexity, share = epoch()
            perplexities.append(perplexity)
            clipped.append(share)
            bar.set_postfix(perplexity=f"{perplexity:.2f}")
except KeyboardInterrupt:
    sys.exit(f"stopped; what was learned until epoch {len(perplexities) // 10 * 10} is in {CHECKPOINT}")
CHECKPOINT.unlink(missing_ok=True)

print("epoch    perplexity    steps clipped")
for done in (1, 50, 100, 150, 200, 300, 400, 500):
    print(f"{done:5}{perplexities[done - 1]:14.2f}{clipped[done - 1]:17.0%}")
print()
for prefix in ("time traveller", "traveller"):
    written = model.generate(vocab[list(prefix)], 50, temperature=0)
    print("".join(vocab.to_tokens(written)))

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axis = figure.subplots()
    axis.semilogy(range(1, EPOCHS + 1), perplexities)
    axis.axhline(1, color="0.6", linestyle=":", label="a perfect model")
    axis.axhline(len(vocab), color="0.6", linestyle="--", label="all characters equally probable")
    axis.set(xlabel="epoch", ylabel="perplexity", title="A recurrent network learns The Time Machine")
    axis.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axis.legend()
    figure.savefig(sys.argv[1], dpi=110)

assert perplexities[-1] <= 1.3, "d2l reaches 1.0 with this setting"
