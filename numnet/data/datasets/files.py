"""Files of data sets: found in a folder, or downloaded, and never taken unchecked."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataError, MissingExtraError

__all__ = ["File", "downloaded", "folder_of", "read"]


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
    """The folder for data: ``root``; else the one that NUMNET_DATA names; else the cache.

    Raises:
        MissingExtraError: the cache is asked for without pooch.
    """
    if root is not None:
        return Path(root).expanduser()
    if named := os.environ.get("NUMNET_DATA"):
        return Path(named)
    return Path(_pooch().os_cache("numnet"))


def read(file: File, root: Path, subfolders: Sequence[str], mirrors: Sequence[str], download: bool) -> bytes:
    """The content of a file, from ``root`` or a subfolder, packed or unpacked; downloaded if it is in none and may be.

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
    places = [root / folder / name for folder in ("", *subfolders) for name in (f"{file.name}.gz", file.name)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        if not download:
            cure = f"download=True; or put {file.name}.gz into {root / subfolders[0]}"
            raise DataError(f"the file {file.name}.gz or {file.name} in {root}", "neither, nor in its subfolders", cure)
        name = f"{file.name}.gz"
        addresses = [f"{mirror.rstrip('/')}/{name}" for mirror in mirrors]
        path = downloaded(name, f"sha256:{file.packed}", root / subfolders[0], addresses)
    content = _unpacked(path)
    if len(content) != file.size:
        kind = "cut short" if len(content) < file.size else "too long"
        raise DataError(f"{path} with {file.size} bytes of data", f"{len(content)}: it is {kind}", f"delete {path}")
    if (found := hashlib.sha256(content).hexdigest()) != file.content:
        cure = f"delete {path} and download it again; look whether it belongs to another data set"
        raise DataError(
            f"{path} with the SHA-256 {file.content[:16]}… of its data", f"{found[:16]}…: it is altered", cure
        )
    return content


def _unpacked(path: Path) -> bytes:
    packed = path.read_bytes()
    if path.suffix != ".gz":
        return packed
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} as a gzip file", f"{len(packed)} bytes that are none: {error}", f"delete {path}"
        ) from error


def downloaded(name: str, checksum: str, folder: Path, addresses: Sequence[str]) -> Path:
    """The file ``name`` in ``folder``, from the first address that has it, checked, written aside and renamed.

    Args:
        name: of the file.
        checksum: ``"sha256:…"`` or ``"md5:…"``.
        folder: is made, if it is not there.
        addresses: tried in order.

    Raises:
        DataError: none of them has it; with what each said. MissingExtraError: without pooch.
    """
    pooch = _pooch()
    failures = []
    folder.mkdir(parents=True, exist_ok=True)
    for url in addresses:
        try:
            with tempfile.TemporaryDirectory(dir=folder, prefix=".numnet-") as aside:
                downloader = pooch.HTTPDownloader(progressbar=_has_tqdm(), timeout=30)
                got = Path(pooch.retrieve(url, checksum, name, aside, downloader=downloader))
                return got.replace(folder / name)
        except Exception as error:  # of the network: requests' own, which is not ours to import
            failures.append(f"{url}: {type(error).__name__}: {error}")
    cure = f"without a connection: put {name} into {folder}, or name another folder by root= or NUMNET_DATA"
    raise DataError(f"{name} from one of {len(addresses)} addresses", "; ".join(failures), cure)


def _has_tqdm() -> bool:
    try:
        import tqdm  # noqa: F401
    except ImportError:
        return False
    return True


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise MissingExtraError("pooch", "data") from error
    return pooch
