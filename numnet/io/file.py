"""One safetensors file: arrays by name, and beside them a text and a checksum over all of it.

The layout is that of https://github.com/huggingface/safetensors: 8 bytes for the length of a header of JSON, the
header, the numbers. The header's ``__metadata__`` may hold strings; the one called ``numnet`` is ours: our version of
it, the checksum and the text, with a blank between.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import DataError, MissingExtraError
from ..kernels import gpu

__all__ = ["DTYPES", "plain", "read", "write"]

VERSION = "1"
OURS = "numnet"
LARGEST_HEADER = 90_000_000  # safetensors takes 100 million bytes

DTYPES = {
    "BOOL": "bool",
    **{f"{kind[0].upper()}{bits}": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
}
"""What safetensors calls the number types that can be in a file, and what NumPy does."""

FOREIGN = [  # how other formats begin, what they are, and what to do about it
    (
        b"PK\x03\x04",
        "a zip file, such as torch.save and np.savez write",
        "np.load(path) if it is NumPy's; if PyTorch's,",
    ),
    (b"\x80", "a pickle, such as older torch.save and pickle.dump write", "where PyTorch wrote it, there:"),
    (b"\x93NUMPY", "an array by itself, as np.save writes it", "np.load(path)"),
    (b"\x89HDF", "an HDF5 file, such as Keras writes", "read it with h5py, and numnet.save({name: array, …}, path)"),
]
FROM_TORCH = "safetensors.torch.save_file(torch.load(old, weights_only=True), new) turns a state dict of PyTorch's over"


def plain(array: Array) -> np.ndarray:
    """The array as it goes into a file: on the CPU, its numbers in order and little-endian.

    safetensors writes down the memory of an array, and so other numbers than those of a transposed or strided one.
    """
    array = gpu.to_cpu(array)
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def write(path: Path, arrays: Mapping[str, np.ndarray], structure: Any) -> None:
    """Write ``arrays``, each of them :func:`plain`, and ``structure``, which is JSON, into a new file.

    Raises:
        DataError: a structure that is too large for the header. MissingExtraError: without safetensors.
        OSError: the file cannot be written.
    """
    text = json.dumps(structure, allow_nan=False, separators=(",", ":"))
    if len(text) > LARGEST_HEADER:
        cure = "put long lists of numbers into arrays: np.asarray(losses)"
        raise DataError(f"up to {LARGEST_HEADER:,} bytes beside the arrays", f"{len(text):,} bytes", cure)
    ours = f"{VERSION} {_checksum(arrays, text)} {text}"
    numpy = _safetensors()
    try:
        numpy.save_file(dict(arrays), str(path), metadata={OURS: ours})
    except Exception as error:  # what is left to go wrong is the disk; the class of its errors is as in ``read``
        raise OSError(f"{path}: {error}") from error


def read(path: Path) -> tuple[dict[str, np.ndarray], Any]:
    """The arrays of a file, and its structure: that of a dict of arrays if it is not one of ours.

    Raises:
        DataError: no such file, of another format, cut short or altered. MissingExtraError: without safetensors.
    """
    numpy = _safetensors()
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        got = "a folder" if path.is_dir() else "no such file" if path.parent.is_dir() else f"no folder {path.parent}"
        raise DataError(f"a file at {str(path)!r}", got, "correct the path") from error
    header = _header(content)
    for name, entry in header.items():
        if isinstance(entry, dict) and str(entry.get("dtype")) not in DTYPES and name != "__metadata__":
            cure = f"convert it where the file came from: {name!r} to float32"
            raise DataError(f"number types among {', '.join(DTYPES)}", f"{name!r} of type {entry.get('dtype')!r}", cure)
    try:
        arrays: dict[str, np.ndarray] = numpy.load(content)
    except Exception as error:  # the class of its errors is not the same in all versions
        raise _damaged(str(error)) from error
    metadata = header.get("__metadata__", {})
    if OURS not in metadata:
        if any(re.match(r"\S+ [0-9a-f]{64} ", str(value)) for value in metadata.values()):
            raise _damaged("a header that numnet wrote, with another name over it")
        return arrays, {
            "$": "dict",
            "items": [[name, {"$": "array", "name": name}] for name in header if name in arrays],
        }
    try:
        version, checksum, text = metadata[OURS].split(" ", 2)
        right = checksum == _checksum(arrays, text)
        structure = json.loads(text) if version == VERSION and right else None
    except (ValueError, AttributeError, RecursionError) as error:
        raise _damaged(f"a header that numnet did not write ({error})") from error
    if version != VERSION:
        raise DataError(f"version {VERSION} of numnet's files", f"version {version}", "pip install --upgrade numnet")
    if not right:
        raise _damaged("other numbers or names than those that were saved (by their SHA-256)")
    return arrays, structure


def _header(content: bytes) -> dict[str, Any]:
    size = int.from_bytes(content[:8], "little")
    for start, what, cure in FOREIGN:
        if content.startswith(start) and (size > len(content) or content[8:9] != b"{"):
            cure = f"{cure} {FROM_TORCH}" if cure[-1] in ",:" else cure
            raise DataError("a safetensors file", what, cure)
    if len(content) < 8:
        raise _damaged(f"{len(content)} bytes, which is too short for any")
    if size > len(content) - 8:
        likely = content[8:9] == b"{"
        raise _damaged(
            f"a header of {size:,} bytes in a file of {len(content):,}" if likely else "another kind of file"
        )
    try:
        header = json.loads(content[8 : 8 + size])
    except (ValueError, RecursionError) as error:
        raise _damaged(f"a header that is not JSON ({error})") from error
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        raise _damaged("a header that is no table of arrays")
    return header


def _damaged(got: str) -> DataError:
    return DataError("a whole safetensors file", got, "it was cut short or altered: copy or download it once more")


def _checksum(arrays: Mapping[str, np.ndarray], text: str) -> str:
    """SHA-256 of the structure and of the name, type, shape and numbers of every array."""
    total = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        total.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        total.update(array.data)
    return total.hexdigest()


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError("safetensors", "io") from error
    return safetensors.numpy
