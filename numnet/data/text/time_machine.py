"""The Time Machine, by H. G. Wells: the text on which Dive into deep learning trains its language models."""

from __future__ import annotations

import hashlib
import os

from ...errors import DataError
from ..datasets.files import downloaded, folder_of

__all__ = ["read_time_machine"]

NAME = "timemachine.txt"
URL = "https://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt"
SHA256 = "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516"


def read_time_machine(root: str | os.PathLike[str] | None = None) -> list[str]:
    """The 3221 lines of H. G. Wells, The Time Machine, 1895, as they stand in the file of Dive into deep learning.

    Args:
        root: the folder that holds ``timemachine.txt``. If ``None``, the one that the environment variable NUMNET_DATA
            names; without one, the file is downloaded, once, into the user's cache.

    Raises:
        DataError: no such file in the folder, no way to download it, or a file that is cut short or altered.
        MissingExtraError: without a folder, and without pooch, which knows the cache.
    """
    path = folder_of(root) / NAME
    if root is None and not os.environ.get("NUMNET_DATA") and not path.is_file():
        downloaded(NAME, f"sha256:{SHA256}", path.parent, [URL])
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"the file {path}", "there is none", f"download it from {URL}") from error
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        expected = f"{path} with the SHA-256 {SHA256[:16]}…"
        raise DataError(expected, f"{found[:16]}…, {len(content)} bytes", "delete it, and download it again")
    return content.decode("ascii").splitlines()
