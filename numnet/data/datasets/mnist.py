"""MNIST and Fashion-MNIST: 70,000 grey images of 28 × 28 pixels in ten classes, in the same four files."""

from __future__ import annotations

import math
import os
import struct
from typing import ClassVar

import numpy as np

from ...errors import DataError
from .files import File, folder_of, read
from .images import Images, Transform

__all__ = ["MNIST", "FashionMNIST"]

LABELS, IMAGES = 2049, 2051  # the magic numbers of the format: bytes, in one axis and in three


class _Mnist(Images):
    """Abstract: the four files in IDX format."""

    _folders: ClassVar[tuple[str, ...]]
    _mirrors: ClassVar[tuple[str, ...]]
    _files: ClassVar[dict[str, File]]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform = None,
        target_transform: Transform = None,
        download: bool = False,
    ) -> None:
        super().__init__(folder_of(root), train, transform, target_transform)
        part = "train" if train else "test"
        self.data = self._array(f"{part} images", IMAGES, download)
        self.targets = self._array(f"{part} labels", LABELS, download).astype(np.int64)

    def _array(self, which: str, magic: int, download: bool) -> np.ndarray:
        file = self._files[which]
        return _idx(read(file, self.root, self._folders, self._mirrors, download), magic, file.name)


def _idx(content: bytes, magic: int, name: str) -> np.ndarray:
    """The array in a file of IDX format: a magic number, whose last byte counts the axes; a length for each; bytes."""
    axes = magic & 0xFF
    head = 4 * (axes + 1)
    if len(content) < head:
        raise DataError(f"{name} in IDX format, with a head of {head} bytes", f"{len(content)} bytes in all")
    found, *shape = struct.unpack_from(f">{axes + 1}I", content)
    if found != magic:
        raise DataError(f"{name} in IDX format, with the magic number {magic}", f"{found}")
    if len(content) != head + math.prod(shape):
        expected = f"{name} with {math.prod(shape)} bytes behind its head, which says shape {tuple(shape)}"
        raise DataError(expected, f"{len(content) - head}")
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape).copy()  # one that may be written into


class MNIST(_Mnist):
    """Handwritten digits: 60,000 to learn from, 10,000 to test with.

    Args:
        root: the folder; ``None`` for the one that the environment variable NUMNET_DATA names, or else the cache. The
            files are looked for in it, in ``mnist`` and in ``MNIST/raw``, packed or not.
        train: the 60,000; otherwise the 10,000.
        transform: applied to each image, one of Pillow's; such as ``transforms.ToTensor()``.
        target_transform: applied to each label.
        download: fetch what is not there, once, checked.

    Attributes:
        data: (N, 28, 28) uint8, 0 background. targets: (N,) int64. classes: their names.

    Raises:
        DataError: files that are missing, cut short or altered. MissingExtraError: a download without pooch.

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits.
    """

    classes = tuple(
        f"{digit} - {name}"
        for digit, name in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    )
    _folders = ("mnist", "MNIST/raw")
    _mirrors = (
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    )
    _files: ClassVar = {
        "train images": File(
            "train-images-idx3-ubyte",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            47040016,
        ),
        "train labels": File(
            "train-labels-idx1-ubyte",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            60008,
        ),
        "test images": File(
            "t10k-images-idx3-ubyte",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            7840016,
        ),
        "test labels": File(
            "t10k-labels-idx1-ubyte",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            10008,
        ),
    }


class FashionMNIST(_Mnist):
    """Clothes in the format of MNIST: 60,000 images to learn from, 10,000 to test with.

    Args:
        root: the folder; ``None`` for the one that the environment variable NUMNET_DATA names, or else the cache. The
            files are looked for in it, in ``fashion-mnist`` and in ``FashionMNIST/raw``, packed or not.
        train: the 60,000; otherwise the 10,000.
        transform: applied to each image, one of Pillow's; such as ``transforms.ToTensor()``.
        target_transform: applied to each label.
        download: fetch what is not there, once, checked.

    Attributes:
        data: (N, 28, 28) uint8, 0 background. targets: (N,) int64. classes: their names.

    Raises:
        DataError: files that are missing, cut short or altered. MissingExtraError: a download without pooch.

    Source: Xiao, Rasul and Vollgraf, Fashion-MNIST, 2017.
    """

    classes = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    _folders = ("fashion-mnist", "FashionMNIST/raw")
    _mirrors = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
    )
    _files: ClassVar = {
        "train images": File(
            "train-images-idx3-ubyte",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            47040016,
        ),
        "train labels": File(
            "train-labels-idx1-ubyte",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            60008,
        ),
        "test images": File(
            "t10k-images-idx3-ubyte",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            7840016,
        ),
        "test labels": File(
            "t10k-labels-idx1-ubyte",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            10008,
        ),
    }
