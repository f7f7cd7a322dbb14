"""CIFAR-10: 60,000 colour images of 32 × 32 pixels in ten classes, in the binary format."""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from ...errors import DataError
from .files import content_of, downloaded, folder_of
from .images import Images, Transform

__all__ = ["CIFAR10"]

PACKED = "cifar-10-binary.tar.gz"
URLS = (f"https://www.cs.toronto.edu/~kriz/{PACKED}",)
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # as the page of the data set gives it
RECORD = 1 + 3 * 32 * 32  # a label, and the planes red, green, blue
WHOLE = "cifar-10-batches-bin"
SUBSET = "cifar10-subset"
PARTS = {True: tuple(f"data_batch_{n}.bin" for n in range(1, 6)), False: ("test_batch.bin",)}  # 10,000 records each


class CIFAR10(Images):
    """Photographs of ten kinds of things: 50,000 to learn from, 10,000 to test with.

    Read in the binary format of its authors: a byte for the label and 3,072 for the pixels, record after record. (Their
    Python format is a pickle, which can run code, and is refused.)

    Args:
        root: the folder; ``None`` for the one that NUMNET_DATA in the environment names, or else the cache.
            In it: ``cifar-10-batches-bin`` with ``data_batch_1.bin`` …; or ``cifar10-subset`` with some of the images
            in the same format, ``train-5000.bin.gz`` and ``test-1000.bin.gz``, whose names say how many.
        train: those to learn from; otherwise those to test with.
        transform: applied to each image, one of Pillow's.
        target_transform: applied to each label.
        download: fetch what is not there, once, checked; 170 MB. ``cifar-10-binary.tar.gz`` is taken if it lies there.

    Attributes:
        data: (N, 32, 32, 3) uint8. targets: (N,) int64. classes: their names.

    Raises:
        DataError: files that are missing, cut short or altered. MissingExtraError: a download without pooch.

    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """

    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform = None,
        target_transform: Transform = None,
        download: bool = False,
    ) -> None:
        super().__init__(folder_of(root), train, transform, target_transform)
        paths = self._paths()
        if not paths and download:
            _download(self.root)
            paths = self._paths()
        if not paths:
            pickled = (self.root / "cifar-10-batches-py").is_dir()
            got = "the Python version, which is a pickle and could run code" if pickled else "neither"
            cure = f"download=True; or put {PACKED} from {URLS[0]} there, and download=True"
            raise DataError(f"the folder {WHOLE} or {SUBSET} in {self.root}", got, cure)
        records = np.concatenate([_records(path, count) for path, count in paths])
        self.targets = records[:, 0].astype(np.int64)
        self.data = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))

    def _paths(self) -> list[tuple[Path, int]]:
        """The files, and how many records each has."""
        if (self.root / WHOLE).is_dir():
            return [(self.root / WHOLE / name, 10000) for name in PARTS[self.train]]
        part = "train" if self.train else "test"
        found = sorted((self.root / SUBSET).glob(f"{part}-*.bin.gz"))
        return [(path, int(n[1])) for path in found if (n := re.fullmatch(r"\w+-(\d+)\.bin\.gz", path.name))]


def _records(path: Path, count: int) -> np.ndarray:
    """The records of a file, (count, 3073) uint8."""
    cure = f"delete {path.parent if path.parent.name == WHOLE else path}, and download it again"
    if not path.is_file():
        raise DataError(f"the file {path}", "none", cure)
    content = content_of(path)
    if len(content) != count * RECORD:
        kind = "it is cut short" if len(content) < count * RECORD else "that is too much"
        raise DataError(f"{path} with {count} records of {RECORD} bytes", f"{len(content)} bytes: {kind}", cure)
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    if (bad := np.flatnonzero(records[:, 0] > 9)).size:
        raise DataError(f"{path} with labels 0 to 9", f"label {records[bad[0], 0]} in record {bad[0]}", cure)
    return records


def _download(root: Path) -> None:
    packed = root / PACKED
    if not packed.is_file():
        downloaded(PACKED, f"md5:{MD5}", root, URLS)
    with packed.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != MD5:
        raise DataError(f"{packed} with the MD5 {MD5}", f"{found}: altered, or cut short", f"delete {packed}")
    with tempfile.TemporaryDirectory(dir=root, prefix=".unpack-") as aside:
        with tarfile.open(packed) as archive:
            archive.extractall(aside, filter="data")
        (Path(aside) / WHOLE).replace(root / WHOLE)
