"""Downloads, from a server of the test's own: mirrors, checksums, what is left behind when one fails."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import socket
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numnet.data import datasets
from numnet.data.datasets import cifar, mnist
from numnet.errors import DataError, MissingExtraError

pytest.importorskip("pooch", reason='pooch is not installed: pip install ".[data]"')

IMAGES = bytes([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(range(196)) * 16
LABELS = bytes([0, 0, 8, 1, 0, 0, 0, 4]) + bytes([3, 1, 4, 1])


class Server(ThreadingHTTPServer):
    """Serves ``files``: a path, and the bytes, the length that it claims, the status."""

    files: dict[str, tuple[bytes, int, int]]
    asked: list[str]

    def put(self, path: str, content: bytes, claimed: int = 0, status: int = 200) -> None:
        self.files[path] = (content, claimed or len(content), status)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content, claimed, status = self.server.files.get(self.path, (b"", 0, 404))
        self.send_response(status)
        self.send_header("Content-Length", str(claimed))
        self.end_headers()
        self.wfile.write(content)  # fewer bytes than claimed: the connection breaks off

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server(("127.0.0.1", 0), Handler) as made:
        made.files, made.asked = {}, []
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def dead() -> str:
    """An address where nobody listens."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def good(server: Server, url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A mirror of a small MNIST, whose checksums are those that MNIST knows of."""
    files = {}
    for kind, content in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        name = f"train-{kind}-ubyte"
        packed = gzip.compress(content)
        server.put(f"/good/{name}.gz", packed)
        hashes = hashlib.sha256(packed).hexdigest(), hashlib.sha256(content).hexdigest()
        files[f"train {kind[:6]}"] = mnist.File(name, *hashes, len(content))
    monkeypatch.setattr(datasets.MNIST, "_files", files)
    return f"{url}/good/"


def use(monkeypatch: pytest.MonkeyPatch, *mirrors: str) -> None:
    monkeypatch.setattr(datasets.MNIST, "_mirrors", mirrors)


def left_behind(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


BOTH = ["mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz"]


@pytest.mark.proves("C047")
def test_files_are_fetched_once_and_only_if_asked(
    server: Server, good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, good)
    with pytest.raises(DataError, match="download=True"):
        datasets.MNIST(tmp_path)
    assert server.asked == []
    dataset = datasets.MNIST(tmp_path, download=True)
    assert dataset.data.tobytes() == IMAGES[16:]
    assert dataset.targets.tolist() == [3, 1, 4, 1]
    assert left_behind(tmp_path) == BOTH
    assert len(server.asked) == 2
    datasets.MNIST(tmp_path, download=True)
    datasets.MNIST(tmp_path)
    assert len(server.asked) == 2


@pytest.mark.proves("C047")
def test_the_cache_is_where_they_come_to_without_a_folder(
    good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, good)
    monkeypatch.delenv("NUMNET_DATA", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache" / name)
    assert len(datasets.MNIST(download=True)) == 4
    assert left_behind(tmp_path / "cache" / "numnet") == BOTH


@pytest.mark.proves("C047")
@pytest.mark.parametrize("bad", ["dead", "missing", "altered", "cut", "broken off", "error"])
def test_a_bad_mirror_is_passed_over_for_a_good_one(
    server: Server, url: str, dead: str, good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    for path, (content, _, _) in list(server.files.items()):
        to = path.replace("good", "bad")
        if bad == "altered":
            server.put(to, content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        elif bad == "cut":
            server.put(to, content[:-9])
        elif bad == "broken off":
            server.put(to, content[:-9], len(content))
        elif bad == "error":
            server.put(to, content, status=503)
    use(monkeypatch, dead if bad == "dead" else f"{url}/bad", good)
    assert datasets.MNIST(tmp_path, download=True).data.tobytes() == IMAGES[16:]
    assert left_behind(tmp_path) == BOTH


@pytest.mark.proves("C047")
def test_without_a_connection_the_error_names_every_address_and_the_cure(
    server: Server, url: str, dead: str, good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = server.files["/good/train-images-idx3-ubyte.gz"][0]
    server.put("/altered/train-images-idx3-ubyte.gz", packed[:-1] + b"\xff")
    use(monkeypatch, dead, f"{url}/missing", f"{url}/altered")
    with pytest.raises(DataError) as raised:
        datasets.MNIST(tmp_path, download=True)
    text = str(raised.value)
    for mirror in (dead, f"{url}/missing", f"{url}/altered"):
        assert f"{mirror}/train-images-idx3-ubyte.gz: " in text
    assert "refused" in text
    assert "404" in text
    altered = hashlib.sha256(packed[:-1] + b"\xff").hexdigest()
    assert altered in text  # got
    assert hashlib.sha256(packed).hexdigest() in text  # expected
    assert f"put train-images-idx3-ubyte.gz into {tmp_path / 'mnist'}" in text
    assert "root=" in text
    assert left_behind(tmp_path) == []


def test_without_pooch_the_error_names_the_extra(good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"numnet\[data\]"):
        datasets.MNIST(tmp_path, download=True)
    monkeypatch.delenv("NUMNET_DATA", raising=False)
    with pytest.raises(MissingExtraError, match=r"numnet\[data\]"):
        datasets.MNIST()


def test_ctrl_c_leaves_nothing_behind(
    server: Server, good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> None:
        (Path(args[3]) / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    use(monkeypatch, good)
    with monkeypatch.context() as patch:
        patch.setattr("pooch.retrieve", interrupted)
        with pytest.raises(KeyboardInterrupt):
            datasets.MNIST(tmp_path, download=True)
    assert left_behind(tmp_path) == []
    assert len(datasets.MNIST(tmp_path, download=True)) == 4


def packed_cifar() -> bytes:
    rng = np.random.default_rng(0)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name in (*cifar.PARTS[True], *cifar.PARTS[False]):
            table = np.zeros((10000, 3073), np.uint8)
            table[:, 0] = rng.integers(0, 10, 10000)
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = table.nbytes
            archive.addfile(info, io.BytesIO(table.tobytes()))
    return stream.getvalue()


def test_cifar_is_fetched_checked_and_unpacked(
    server: Server, url: str, dead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = packed_cifar()
    monkeypatch.setattr(cifar, "MD5", hashlib.md5(packed).hexdigest())
    monkeypatch.setattr(cifar, "URLS", (f"{dead}/{cifar.PACKED}",))
    with pytest.raises(DataError) as raised:
        datasets.CIFAR10(tmp_path, download=True)
    assert f"put {cifar.PACKED} into {tmp_path}" in str(raised.value)

    (tmp_path / cifar.PACKED).write_bytes(packed[:-5])  # as the cure says, but cut short
    with pytest.raises(DataError, match="altered, or cut short"):
        datasets.CIFAR10(tmp_path, download=True)
    (tmp_path / cifar.PACKED).unlink()

    server.put(f"/{cifar.PACKED}", packed)
    monkeypatch.setattr(cifar, "URLS", (f"{dead}/{cifar.PACKED}", f"{url}/{cifar.PACKED}"))
    assert len(datasets.CIFAR10(tmp_path, train=False, download=True)) == 10000
    assert len(datasets.CIFAR10(tmp_path)) == 50000
    assert left_behind(tmp_path) == [
        *(f"{cifar.WHOLE}/{name}" for name in (*cifar.PARTS[True], *cifar.PARTS[False])),
        cifar.PACKED,
    ]
    assert server.asked == [f"/{cifar.PACKED}"]
