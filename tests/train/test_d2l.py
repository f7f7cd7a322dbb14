"""train_ch3 is d2l's loop, number for number."""

from __future__ import annotations

import numpy as np
import pytest

import numnet
from numnet import nn, optim, train
from numnet.data import DataLoader, TensorDataset


@pytest.mark.proves("C216")
def test_it_gives_the_figures_of_the_loop_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 6)).astype(np.float32), rng.integers(0, 3, 50)
    x_test, y_test = rng.standard_normal((20, 6)).astype(np.float32), rng.integers(0, 3, 20)
    numnet.manual_seed(1)
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    twin = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    twin.load_state_dict(net.state_dict())
    loss = nn.CrossEntropyLoss(reduction="none")

    loaders = [DataLoader(TensorDataset(*pair), batch_size=16) for pair in ((x, y), (x_test, y_test))]
    history = train.train_ch3(net, *loaders, loss, 3, optim.SGD(net.parameters(), lr=0.1))

    updater = optim.SGD(twin.parameters(), lr=0.1)
    for epoch in range(3):  # d2l's train_epoch_ch3 and evaluate_accuracy
        total, right = 0.0, 0
        for start in range(0, 50, 16):
            rows = slice(start, start + 16)
            y_hat = twin(x[rows])
            vector = loss(y_hat, y[rows])
            updater.zero_grad()
            twin.backward(loss.backward(np.full_like(vector, 1 / len(vector))))  # l.mean().backward()
            updater.step()
            total += float(vector.sum())
            right += int((y_hat.argmax(axis=1) == y[rows]).sum())
        assert history["loss"][epoch] == pytest.approx(total / 50, rel=1e-6)
        assert history["accuracy"][epoch] == right / 50
        assert history["validation_accuracy"][epoch] == (twin(x_test).argmax(axis=1) == y_test).mean()
    for p, q in zip(net.parameters(), twin.parameters(), strict=True):
        assert np.array_equal(p.data, q.data)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert printed[2].startswith(f"epoch 3, train loss {history['loss'][2]:.3f}, train acc ")
