"""Images in memory: what MNIST, Fashion-MNIST and CIFAR-10 have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...tensor import Tensor
from ..dataset import Dataset, as_integers
from ..transforms.convert import many_at_once
from ..transforms.image import pillow

__all__ = ["Images", "Transform"]

Transform: TypeAlias = Callable[[Any], Any] | None


class Images(Dataset):
    """Abstract: images in memory, with labels. A subclass reads them.

    Attributes:
        data: the pixels, uint8, (N, H, W) grey or (N, H, W, 3) in colour.
        targets: the labels, int64, (N,).
        classes: the names of the labels.
    """

    classes: tuple[str, ...]
    data: np.ndarray
    targets: np.ndarray

    def __init__(self, root: Path, train: bool, transform: Transform, target_transform: Transform) -> None:
        self.root = root
        self.train = train
        self.transform = transform
        self.target_transform = target_transform

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class name."""
        return {name: label for label, name in enumerate(self.classes)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """The image, of Pillow's without a ``transform``, and its label as a Python integer.

        Raises:
            MissingExtraError: Pillow is not installed.
        """
        image: Any = pillow().Image.fromarray(self.data[index])
        label: Any = int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label

    def __len__(self) -> int:
        return len(self.data)

    def gather(self, indices: Sequence[int] | np.ndarray) -> Any:
        """The batch of these samples, made at once where ``transform`` is ToTensor, or ToTensor and then Normalize."""
        if type(self).__getitem__ is not Images.__getitem__ or self.target_transform is not None:
            return NotImplemented
        rows = as_integers(indices)
        images = many_at_once(self.transform, self.data[rows])
        return images if images is NotImplemented else (images, Tensor(self.targets[rows]))

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """All images and labels at once: x (N, C, H, W) float32 in 0 … 1, as of ``ToTensor``, and y (N,) int64."""
        pixels = self.data[:, None] if self.data.ndim == 3 else self.data.transpose(0, 3, 1, 2)
        return np.divide(pixels, 255, dtype=np.float32, order="C"), self.targets.copy()

    def __repr__(self) -> str:
        part = "train" if self.train else "test"
        lines = [f"{type(self).__name__}: {len(self)} images of {len(self.classes)} classes ({part}), in {self.root}"]
        if self.transform is not None:
            lines.append(f"transform: {self.transform!r}")
        return "\n".join(lines)
