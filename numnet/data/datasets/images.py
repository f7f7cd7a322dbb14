"""Images in memory: what MNIST, Fashion-MNIST and CIFAR-10 have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import MissingExtraError
from ..dataset import Dataset

__all__ = ["Images"]

Transform = Callable[[Any], Any] | None


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

    def __init__(self, transform: Transform, target_transform: Transform) -> None:
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
        image: Any = _image(self.data[index])
        label: Any = int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label

    def __len__(self) -> int:
        return len(self.data)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """All images and labels at once: x (N, C, H, W) float32 in 0 … 1, as of ``ToTensor``, and y (N,) int64."""
        pixels = self.data[:, None] if self.data.ndim == 3 else self.data.transpose(0, 3, 1, 2)
        return np.divide(pixels, 255, dtype=np.float32), self.targets.copy()

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}: {len(self)} images of {len(self.classes)} classes"]
        if self.transform is not None:
            lines.append(f"  transform: {self.transform!r}")
        return "\n".join(lines)


def _image(pixels: np.ndarray) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("pillow", "data") from error
    return Image.fromarray(pixels)
