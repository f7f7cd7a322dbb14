"""A file that is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new file beside ``path``, which takes its place when the block has ended well.

        with replacing("history.csv") as aside:
            aside.write_text(lines)

    The new file is on the disk before it takes the place of the old one, and it does so in one step: whenever the
    program is killed or the power fails, ``path`` is the old file or the new one. If the block ends in an error, the
    old file stays and the new one is removed; if the program is killed, ``.numnet-….tmp`` may be left over.

    Folders on the way to ``path`` are made: what took a night to compute is not lost for want of one.

    Raises:
        DataError: a folder, or a device, stands at ``path``.
        OSError: the folder cannot be written to, or the disk is full.
    """
    target = Path(os.path.realpath(path))  # the file itself, where ``path`` is a link to it
    if target.exists() and not target.is_file():  # /dev/null would be replaced, too
        got = "a folder" if target.is_dir() else "a device"
        raise DataError(f"a file at {os.fspath(path)!r}, or nothing yet", got, "name the file, such as net.safetensors")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.parent / f".numnet-{secrets.token_hex(8)}.tmp"  # the same folder: renaming crosses no disk
    try:
        aside.touch()
        mode = (target if target.exists() else aside).stat().st_mode
        yield aside
        aside.chmod(mode)  # of the old file; or what is usual here, for some writers make files that only we can read
        _flush(aside, os.O_RDWR)
        os.replace(aside, target)  # noqa: PTH105 -- the one step, by its own name
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        _flush(target.parent, os.O_RDONLY)  # the new name is on the disk as well


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
