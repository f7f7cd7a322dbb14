"""Fashion-MNIST in batches, as Dive into deep learning loads it."""

from __future__ import annotations

import os

from .. import transforms
from ..loader import DataLoader
from ..sampler import Rng
from .mnist import FashionMNIST

__all__ = ["load_data_fashion_mnist"]


def load_data_fashion_mnist(
    batch_size: int,
    resize: int | None = None,
    root: str | os.PathLike[str] | None = None,
    *,
    num_workers: int = 0,
    rng: Rng = None,
) -> tuple[DataLoader, DataLoader]:
    """Loaders for the 60,000 images to learn from, in a new order every epoch, and for the 10,000 to test with.

        train_iter, test_iter = load_data_fashion_mnist(256)
        for X, y in train_iter: ...

    X is a Tensor (batch_size, 1, 28, 28), float32 in 0 … 1; y one (batch_size,), int64. The names of the classes are
    ``FashionMNIST.classes``.

    Args:
        batch_size: images in a batch.
        resize: side length that the images are brought to.
        root: where the files are, or come to; see :class:`FashionMNIST`. They are downloaded if they are not there.
        num_workers: processes that load; worth it with ``resize`` alone.
        rng: where the order is drawn from.

    Raises:
        DataError: files that are cut short or altered, or missing and not to be had.

    Source: Zhang, Lipton, Li and Smola, Dive into deep learning, section 3.5.
    """
    steps = [transforms.Resize((resize, resize))] if resize is not None else []
    transform = transforms.Compose([*steps, transforms.ToTensor()])
    train, test = (FashionMNIST(root, train, transform, download=True) for train in (True, False))
    return (
        DataLoader(train, batch_size, shuffle=True, num_workers=num_workers, rng=rng),
        DataLoader(test, batch_size, num_workers=num_workers),
    )
