"""ImageFolder: a folder for every class."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import DataError
from ..dataset import Dataset
from ..transforms.image import pillow

__all__ = ["ImageFolder", "default_loader"]

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def default_loader(path: str | os.PathLike[str]) -> Any:
    """The image in a file, in RGB, one of Pillow's; the file is closed.

    A camera's note on orientation is not applied, as in torchvision; ``PIL.ImageOps.exif_transpose`` in a loader of
    one's own does.

    Raises:
        DataError: no image, or one that is cut short. MissingExtraError: Pillow is not installed.
    """
    opened = pillow().Image.open
    try:
        with opened(path) as image:
            return image.convert("RGB")
    except Exception as error:  # of a broken file Pillow says OSError, SyntaxError, ValueError, struct.error and others
        raise DataError(f"an image in {path}", f"{type(error).__name__}: {error}", "mend or remove the file") from error


class ImageFolder(Dataset):
    """The images in ``root/class/…/name.png``: a folder for every class, named like it.

        root/cat/001.png        root/cat/002.png        root/dog/001.png

    Args:
        root: the folder of folders. Hidden files and folders, whose names begin with a dot, are passed over.
        transform: applied to each image.
        target_transform: applied to each label.
        loader: what reads a file; Pillow, into RGB, if left out.
        is_valid_file: told a path, whether it is an image; by the extension if left out.
        natural_order: ``img2`` before ``img10``, in classes and files; otherwise by letters, as in torchvision.

    Attributes:
        classes: the names of the folders, sorted.
        class_to_idx: the label of each.
        samples: (path, label) of every image; also ``imgs``.
        targets: the labels.

    Raises:
        DataError: no folder, no class, or a class without an image, by name; in an access, a file that is no image.

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
        key = _natural if natural_order else str
        self.classes = _classes(self.root, key)
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        self.samples: list[tuple[str, int]] = []
        valid = is_valid_file or _has_extension
        for name, label in self.class_to_idx.items():
            paths = [path for path in _files(self.root / name, key) if valid(str(path))]
            if not paths:
                kinds = "that is_valid_file takes" if is_valid_file else f"({', '.join(EXTENSIONS)})"
                cure = f"put images into {self.root / name}, or remove it"
                raise DataError(f"images {kinds} of class {name!r}", f"none in {self.root / name}", cure)
            self.samples += [(str(path), label) for path in paths]
        self.imgs = self.samples
        self.targets = [label for _, label in self.samples]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """The image, transformed, and its label.

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
        lines = [f"ImageFolder: {len(self)} images of {len(self.classes)} classes, in {self.root}"]
        if self.transform is not None:
            lines.append(f"transform: {self.transform!r}")
        return "\n".join(lines)


Key = Callable[[str], Any]


def _classes(root: Path, key: Key) -> list[str]:
    """The names of the folders in ``root``."""
    if not root.is_dir():
        got = f"{root}, which is {'a file' if root.is_file() else 'not there'}"
        raise DataError("a folder of folders, root/class/image.png", got, "look at root=")
    names = [folder.name for folder in root.iterdir() if folder.is_dir() and not _hidden(folder)]
    if not names:
        cure = "put the images of each class into a folder of its own: root/cat/001.png"
        raise DataError("a folder for every class", f"none in {root}", cure)
    return sorted(names, key=key)


def _files(folder: Path, key: Key) -> list[Path]:
    """The files in a folder, in order; and then those of the folders in it."""
    entries = sorted((path for path in folder.iterdir() if not _hidden(path)), key=lambda path: key(path.name))
    found = [path for path in entries if path.is_file()]
    for inner in entries:
        if inner.is_dir():
            found += _files(inner, key)
    return found


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _has_extension(path: str) -> bool:
    return path.lower().endswith(EXTENSIONS)


def _natural(name: str) -> tuple[Any, str]:
    """Numbers in names by their value. Text and numbers take turns, so that like is compared with like."""
    parts = re.split(r"(\d+)", name)  # the odd ones are numbers
    return [int(part) if n % 2 else part for n, part in enumerate(parts)], name
