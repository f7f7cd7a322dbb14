"""ImageFolder: a folder for every class."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import DataError, MissingExtraError
from ..dataset import Dataset

__all__ = ["ImageFolder", "default_loader"]

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def default_loader(path: str | os.PathLike[str]) -> Any:
    """The image in a file, in RGB, one of Pillow's; the file is closed. A camera's note on orientation is not applied.

    Raises:
        DataError: no image, or one that is cut short. MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("pillow", "data") from error
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises each of these for broken files
        raise DataError(f"an image in {path}", f"{type(error).__name__}: {error}", "mend or remove the file") from error


class ImageFolder(Dataset):
    """The images in ``root/class/…/name.png``: a folder for every class, named like it.

    Args:
        root: the folder of folders. Hidden files and folders are passed over.
        transform: applied to each image.
        target_transform: applied to each label.
        loader: what reads a file; Pillow, into RGB, if left out.
        is_valid_file: told a path, whether it is an image; by the extension if left out.
        natural_order: ``img2`` before ``img10``; otherwise by letters, as PyTorch does.

    Attributes:
        classes: the names of the folders, sorted.
        class_to_idx: the label of each.
        samples: (path, label) of every image; also ``imgs``.
        targets: the labels.

    Raises:
        DataError: no folder, no class, or a class without an image, by name.

    Source: the interface is torchvision's.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        *,
        natural_order: bool = False,
    ) -> None:
        self.root = Path(root).expanduser()
        self.transform = transform
        self.target_transform = target_transform
        self.loader = loader
        if not self.root.is_dir():
            raise DataError(
                "a folder of folders, root/class/image.png", f"{self.root}, which is no folder", "look at root="
            )
        key = _natural if natural_order else _by_letters
        folders = sorted((folder for folder in self.root.iterdir() if folder.is_dir() and not _hidden(folder)), key=key)
        if not folders:
            cure = "put the images of each class into a folder of its own"
            raise DataError("a folder for every class", f"none in {self.root}", cure)
        self.classes = [folder.name for folder in folders]
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        self.samples: list[tuple[str, int]] = []
        valid = is_valid_file or _has_extension
        for label, folder in enumerate(folders):
            paths = [path for path in _files(folder) if valid(str(path))]
            if not paths:
                kinds = "that is_valid_file takes" if is_valid_file else f"({', '.join(EXTENSIONS)})"
                cure = f"put images into {folder}, or remove it"
                raise DataError(f"images {kinds} of class {folder.name!r}", f"none in {folder}", cure)
            self.samples += [
                (str(path), label) for path in sorted(paths, key=lambda path: key(path.relative_to(folder)))
            ]
        self.imgs = self.samples
        self.targets = [label for _, label in self.samples]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """The image and its label.

        Raises:
            DataError: a file that is no image, or is cut short.
        """
        path, label = self.samples[index]
        image = self.loader(path)
        if self.transform is not None:
            image = self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        return f"ImageFolder: {len(self)} images of {len(self.classes)} classes in {self.root}"


def _files(folder: Path) -> list[Path]:
    found = []
    for path in folder.iterdir():
        if _hidden(path):
            continue
        found += _files(path) if path.is_dir() else [path]
    return found


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _has_extension(path: str) -> bool:
    return path.lower().endswith(EXTENSIONS)


def _by_letters(path: Path) -> list[Any]:
    return list(path.parts)


def _natural(path: Path) -> list[Any]:
    """Numbers in names by their value: text and numbers take turns, so that like is compared with like."""
    return [
        [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)] for name in path.parts
    ]
