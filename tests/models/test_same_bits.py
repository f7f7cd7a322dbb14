"""The same seed gives the same bits, whatever the number of threads: whole networks, in programs of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from numnet import _ext

PROGRAM = """
import hashlib
import numpy as np
import numnet
from numnet import models, nn, optim

def words(rng, n, steps, vocabulary):
    return rng.integers(0, vocabulary, (n, steps)), rng.integers(0, vocabulary, (n, steps))

def images(rng, n, channels, size):
    return rng.standard_normal((n, channels, size, size), dtype=np.float32), rng.integers(0, 10, n)

NETWORKS = {
    "MLP": (lambda: nn.Sequential(nn.Flatten(), models.MLP((784, 256, 10))), lambda rng: images(rng, 67, 1, 28)),
    "LeNet": (models.LeNet, lambda rng: images(rng, 65, 1, 28)),
    "ResNet-20": (models.resnet20, lambda rng: images(rng, 5, 3, 32)),
    "VGG": (lambda: nn.Sequential(models.vgg_block(1, 3, 40), models.vgg_block(2, 40, 64), nn.AdaptiveAvgPool2d(3),
                                  nn.Flatten(), nn.Linear(576, 10)), lambda rng: images(rng, 3, 3, 37)),
    "RNN": (lambda: models.RNNLanguageModel(28, 130, "rnn"), lambda rng: words(rng, 33, 9, 28)),
    "LSTM": (lambda: models.RNNLanguageModel(28, 130, "lstm"), lambda rng: words(rng, 33, 9, 28)),
    "GRU": (lambda: models.RNNLanguageModel(28, 130, "gru"), lambda rng: words(rng, 33, 9, 28)),
    "GPT": (lambda: models.GPT(65, 64, 128, 4, 2), lambda rng: words(rng, 5, 64, 65)),
}
loss = nn.CrossEntropyLoss()
for name, (build, data) in NETWORKS.items():
    numnet.manual_seed(1)
    net = build()
    x, y = data(np.random.default_rng(1))
    optimizer = optim.Adam(net.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        z = net(x)
        states = {"RNN": 1, "LSTM": 2, "GRU": 1}.get(name, 0)  # a recurrent network returns them too
        loss(z[0] if states else z, y)
        delta = loss.backward()
        net.backward((delta, *[None] * states) if states else delta)
        optimizer.step()
    bits = hashlib.sha256(b"".join(np.ascontiguousarray(p.array).tobytes() for p in net.parameters()))
    print(name, bits.hexdigest()[:16])
"""


def digests(threads: int) -> list[str]:
    number = str(threads)
    variables = ("NUMNET_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = os.environ | dict.fromkeys(variables, number) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-P", "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif("runtime" not in _ext.modules, reason="NumPy's products, which it is then, depend on the threads")
def test_training_has_the_same_bits_for_any_number_of_threads() -> None:
    one = digests(1)
    assert len(one) == 8
    for threads in (2, 3):
        assert digests(threads) == one, f"{threads} threads"
