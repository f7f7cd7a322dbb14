"""The Time Machine: from a folder, from the network, and refused where it is not the right file."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from numnet.data.text import read_time_machine, time_machine
from numnet.errors import DataError, MissingExtraError


def test_from_a_folder(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = read_time_machine(str(data_folder))
    assert len(lines) == 3221
    assert lines[0] == "The Time Machine, by H. G. Wells [1898]"
    monkeypatch.setenv("NUMNET_DATA", str(data_folder))
    assert read_time_machine() == lines


def test_a_file_that_is_missing_or_altered_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"timemachine\.txt\n.*there is none"):
        read_time_machine(tmp_path)
    (tmp_path / "timemachine.txt").write_text("The Time Machine")
    with pytest.raises(DataError, match=r"timemachine\.txt with the SHA-256 8424dbd9532ac81f…\n.*16 bytes"):
        read_time_machine(tmp_path)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing on stderr."""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that a server on this machine gives out; the cache is empty, NUMNET_DATA is not set."""
    pooch = pytest.importorskip("pooch", reason='pooch is not installed: pip install ".[data]"')
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(time_machine, "URL", f"http://127.0.0.1:{server.server_port}/timemachine.txt")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("NUMNET_DATA", raising=False)
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_downloaded_once(served: Path, data_folder: Path) -> None:
    file = served / "timemachine.txt"
    file.write_bytes((data_folder / "timemachine.txt").read_bytes())
    lines = read_time_machine()
    assert len(lines) == 3221
    file.unlink()
    assert read_time_machine() == lines, "from the cache"


def test_a_download_that_fails_says_what_to_do(served: Path) -> None:
    (served / "timemachine.txt").write_text("another file")
    with pytest.raises(DataError, match="NUMNET_DATA"):
        read_time_machine()
    (served / "timemachine.txt").unlink()
    with pytest.raises(DataError, match="404"):
        read_time_machine()


def test_without_pooch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMNET_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"numnet\[data\]"):
        read_time_machine()
