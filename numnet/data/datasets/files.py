"""Files of data sets: found in a folder, or downloaded, and never taken unchecked."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataError, MissingExtraError

__all__ = ["File", "content_of", "downloaded", "folder_of", "read"]


class File(NamedTuple):
    """One file of a data set.

    Attributes:
        name: without ``.gz``: as it is unpacked.
        packed: SHA-256 of the file ``name.gz`` as it is published.
        content: SHA-256 of what is in it.
        size: of the content, in bytes.
    """

    name: str
    packed: str
    content: str
    size: int


def folder_of(root: str | os.PathLike[str] | None) -> Path:
    """The folder for data: ``root``; else the one that NUMNET_DATA names; else the user's cache.

    Raises:
        MissingExtraError: the cache is asked for without pooch.
    """
    if root is not None:
        return Path(root).expanduser()
    if named := os.environ.get("NUMNET_DATA"):
        return Path(named).expanduser()
    return Path(_pooch().os_cache("numnet"))


def read(file: File, root: Path, subfolders: Sequence[str], mirrors: Sequence[str], download: bool) -> bytes:
    """The content of a file, from a subfolder of ``root`` or from itself, packed or not; downloaded if it may be.

    Args:
        file: which.
        root: the folder.
        subfolders: where in ``root`` it may lie, besides in ``root`` itself; a download goes into the first.
        mirrors: addresses that ``name.gz`` is appended to, tried in order.
        download: whether it is fetched where it is not there.

    Raises:
        DataError: there is no such file, or it is cut short, altered, or not the one that its name says.
        MissingExtraError: a download without pooch.
    """
    places = [root / folder / name for folder in (*subfolders, "") for name in (f"{file.name}.gz", file.name)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        folder, name = root / subfolders[0], f"{file.name}.gz"
        if not download:
            got = f"none, nor in {', '.join(subfolders)} there"
            cure = f"download=True; or put {name} into {folder}; or name another folder by root="
            raise DataError(f"the file {name} or {file.name} in {root}", got, cure)
        addresses = [f"{mirror.rstrip('/')}/{name}" for mirror in mirrors]
        path = downloaded(name, f"sha256:{file.packed}", folder, addresses)
    content = content_of(path)
    cure = f"delete {path}, and download it again"
    if len(content) != file.size:
        kind = "cut short" if len(content) < file.size else "another file"
        raise DataError(f"{path} with {file.size} bytes of data", f"{len(content)} bytes: it is {kind}", cure)
    if (found := hashlib.sha256(content).hexdigest()) != file.content:
        expected, got = f"{path} with data of SHA-256 {file.content[:16]}…", f"{found[:16]}…: altered, or another file"
        cure = f"if it is another data set's, which may have the same names: another folder as root=; else {cure}"
        raise DataError(expected, got, cure)
    return content


def content_of(path: Path) -> bytes:
    """What is in a file, unpacked if its name ends in ``.gz``.

    Raises:
        DataError: it cannot be unpacked.
    """
    packed = path.read_bytes()
    if path.suffix != ".gz":
        return packed
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        got = f"{len(packed)} bytes that cannot be unpacked: {error}"
        cure = f"delete {path}, and download it again"
        raise DataError(f"{path} as a gzip file", got, cure) from error


def downloaded(name: str, checksum: str, folder: Path, addresses: Sequence[str]) -> Path:
    """The file ``name`` in ``folder``, from the first address that has it, checked, written aside and renamed.

    Args:
        name: of the file.
        checksum: ``"sha256:…"`` or ``"md5:…"``; a file of another is as good as none.
        folder: is made, if it is not there.
        addresses: tried in order.

    Raises:
        DataError: none of them has it; with what each said. MissingExtraError: without pooch.
    """
    pooch = _pooch()
    failures = []
    folder.mkdir(parents=True, exist_ok=True)
    for url in addresses:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as aside:
            downloader = pooch.HTTPDownloader(progressbar=find_spec("tqdm") is not None, timeout=30)
            try:
                got = Path(pooch.retrieve(url, checksum, name, aside, downloader=downloader))
            except Exception as error:  # of the network: requests' own, which is not ours to import
                failures.append(f"\n            {url}: {_reason(error)}")
            else:
                return got.replace(folder / name)
    cure = f"without a connection: put {name} into {folder}, or name another folder by root= or NUMNET_DATA"
    raise DataError(f"{name} with {checksum} from one of {len(addresses)} addresses", "".join(failures).lstrip(), cure)


def _reason(error: Exception) -> str:
    """The innermost words of an error of the network, which come wrapped in each other."""
    inner = error.args[0] if error.args else ""
    return f"{type(error).__name__}: {getattr(inner, 'reason', inner)}"


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise MissingExtraError("pooch", "data") from error
    return pooch
