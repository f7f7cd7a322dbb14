"""A training that somebody kills: prints, at its end, a hash of everything that it came to.

python killed.py CHECKPOINT SECONDS_A_STEP WORKERS
"""

from __future__ import annotations

import hashlib
import sys
import time
from typing import Any

import numpy as np

import numnet
from numnet import metrics, nn, optim, train
from numnet.data import DataLoader, Dataset, Subset
from numnet.random import default_rng


class Noisy(Dataset):
    """Rows with noise from the default generator, each of them taking its time."""

    def __init__(self, pause: float) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.standard_normal((60, 5)).astype(np.float32)
        self.y = (self.x[:, 0] > self.x[:, 1]).astype(np.int64)
        self.pause = pause

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.int64]:
        time.sleep(self.pause / 10)
        return self.x[index] + 0.1 * default_rng().standard_normal(5).astype(np.float32), self.y[index]

    def __len__(self) -> int:
        return len(self.x)


def trainer_of(checkpoint: str | None, pause: float = 0.0, workers: int = 0, **options: Any) -> train.Trainer:
    """Everything that has a state: batch norm, two kinds of dropout, Adam, a schedule, augmentation, early stopping."""
    numnet.manual_seed(3)
    own = np.random.default_rng(4)
    net = nn.Sequential(
        nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Dropout(0.1, rng=own), nn.Linear(16, 2)
    )
    optimizer = optim.Adam(net.parameters(), lr=0.05)
    dataset = Noisy(pause)
    learned, held_out = Subset(dataset, range(50)), Subset(dataset, range(50, 60))
    options = {"epochs": 6, "checkpoint_every": 1 if checkpoint else None, "progress": False, **options}
    return train.Trainer(
        net,
        nn.CrossEntropyLoss(),
        optimizer,
        DataLoader(learned, 10, shuffle=True, num_workers=workers),
        validation=DataLoader(held_out, 5, rng=np.random.default_rng(5)),
        metrics={"accuracy": metrics.accuracy},
        scheduler=optim.lr_scheduler.StepLR(optimizer, 2),
        clip_norm=0.5,
        patience=5,
        monitor="max validation_accuracy",
        checkpoint=checkpoint,
        **options,
    )


def digest(trainer: train.Trainer) -> str:
    """SHA-256 of all state but the seconds."""
    total = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if key != "seconds":
                    total.update(repr(key).encode())
                    add(item)
        elif isinstance(value, list | tuple):
            for item in value:
                add(item)
        elif isinstance(value, np.ndarray):
            total.update(value.tobytes())
        else:
            total.update(repr(value).encode())

    add(trainer.state_dict())
    return total.hexdigest()


if __name__ == "__main__":
    path, pause, workers = sys.argv[1:]
    trainer = trainer_of(path, float(pause), int(workers), resume=True)
    trainer.run()
    print(trainer.step, digest(trainer))
