"""CIFAR-10: 60,000 colour images of 32 × 32 pixels in ten classes, in the binary format."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from ...errors import DataError, MissingExtraError
from .files import folder_of
from .images import Images, Transform

__all__ = ["CIFAR10"]

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # as the page of the data set gives it
RECORD = 1 + 3 * 32 * 32  # a label, and the planes red, green, blue
WHOLE = "cifar-10-batches-bin"
SUBSET = "cifar10-subset"


class CIFAR10(Images):
    """Photographs of ten kinds of things: 50,000 to learn from, 10,000 to test with.

    Read in the binary format of its authors: a byte for the label and 3,072 for the pixels, record after record. (Their
    Python format is a pickle, which can run code, and is refused.)

    Args:
        root: the folder; ``None`` for the one that NUMNET_DATA in the environment names, or else the cache.
            In it: ``cifar-10-batches-bin`` with ``data_batch_1.bin`` …; or ``cifar10-subset`` with ``train-….bin.gz``
            and ``test-….bin.gz``, some of the images in the same format.
        train: those to learn from; otherwise those to test with.
        transform: applied to each image, one of Pillow's.
        target_transform: applied to each label.
        download: fetch what is not there, once, checked; 170 MB.

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
        super().__init__(transform, target_transform)
        self.root = folder_of(root)
        self.train = train
        paths = self._paths()
        if not paths and download:
            _download(self.root)
            paths = self._paths()
        if not paths:
            pickled = (self.root / "cifar-10-batches-py").is_dir()
            got = "the Python version, which is a pickle and could run code" if pickled else "neither"
            cure = f"download=True; or unpack {URL} there"
            raise DataError(f"the folder {WHOLE} or {SUBSET} in {self.root}", got, cure)
        records = np.concatenate([_records(path) for path in paths])
        self.targets = records[:, 0].astype(np.int64)
        self.data = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))

    def _paths(self) -> list[Path]:
        part = "data_batch_*" if self.train else "test_batch*"
        whole = sorted((self.root / WHOLE).glob(f"{part}.bin"))
        if whole:
            wanted = 5 if self.train else 1
            if len(whole) != wanted:
                raise DataError(f"{wanted} files {part}.bin in {self.root / WHOLE}", f"{len(whole)}", "unpack it again")
            return whole
        return sorted((self.root / SUBSET).glob("train-*.bin.gz" if self.train else "test-*.bin.gz"))


def _records(path: Path) -> np.ndarray:
    """The records of a file, (N, 3073) uint8."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise DataError(
                f"{path} as a gzip file", f"one that cannot be unpacked: {error}", f"delete {path}"
            ) from error
    if not content or len(content) % RECORD:
        raise DataError(
            f"{path} with records of {RECORD} bytes", f"{len(content)} bytes: it is cut short", f"delete {path}"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    if (bad := np.flatnonzero(records[:, 0] > 9)).size:
        raise DataError(
            f"{path} with labels 0 to 9", f"label {records[bad[0], 0]} in record {bad[0]}", f"delete {path}"
        )
    return records


def _download(root: Path) -> None:
    try:
        import pooch
    except ImportError as error:
        raise MissingExtraError("pooch", "data") from error
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".numnet-") as aside:
        try:
            packed = pooch.retrieve(URL, f"md5:{MD5}", "cifar-10-binary.tar.gz", aside, progressbar=True)
        except Exception as error:  # of the network: requests' own, which is not ours to import
            cure = f"without a connection: unpack it into {root}, or name another folder by root="
            raise DataError(f"cifar-10-binary.tar.gz from {URL}", f"{type(error).__name__}: {error}", cure) from error
        with tarfile.open(packed) as archive:
            archive.extractall(aside, filter="data")
        (Path(aside) / WHOLE).replace(root / WHOLE)
