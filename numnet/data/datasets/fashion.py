"""Fashion-MNIST in batches, as Dive into deep learning loads it."""

from __future__ import annotations

import os

from .. import transforms
from ..loader import DataLoader
from .mnist import FashionMNIST

__all__ = ["load_data_fashion_mnist"]


def load_data_fashion_mnist(
    batch_size: int, resize: int | None = None, *, root: str | os.PathLike[str] | None = None, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    """Loaders for the 60,000 images to learn from, shuffled, and for the 10,000 to test with.

    Args:
        batch_size: images in a batch, (batch_size, 1, 28, 28) float32 in 0 … 1.
        resize: side length that the images are brought to.
        root: where the files are, or come to; see :class:`FashionMNIST`. They are downloaded if they are not there.
        num_workers: processes that load.
    """
    steps = [transforms.Resize(resize)] if resize else []
    transform = transforms.Compose([*steps, transforms.ToTensor()])
    train, test = (FashionMNIST(root, train, transform, download=True) for train in (True, False))
    return (
        DataLoader(train, batch_size, shuffle=True, num_workers=num_workers),
        DataLoader(test, batch_size, shuffle=False, num_workers=num_workers),
    )
