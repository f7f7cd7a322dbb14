"""A file is the old one or the new one, whenever the program that writes it dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numnet import nn
from numnet.errors import DataError
from numnet.io import file, load, replacing, save

WRITER = """
import sys, numpy as np
from numnet.io import save
n = 0
while True:
    n += 1
    save({"n": n, "numbers": np.full(200_000, float(n))}, sys.argv[1])
    print(n, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process by a signal")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "value.bin"
    save({"n": 0, "numbers": np.zeros(200_000)}, path)
    chance = random.Random(0)
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()  # it is on its way
            time.sleep(chance.random() * 0.05)
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split()
        value = load(path)
        assert (value["numbers"] == value["n"]).all()
        assert value["n"] >= int(rest[-1] if rest else 1)  # what was said to be saved is saved


@pytest.mark.parametrize("step", ["write", "fsync", "chmod", "replace", "read"])
@pytest.mark.parametrize("kind", [OSError, KeyboardInterrupt])
def test_an_error_at_any_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kind: type[BaseException]
) -> None:
    path = tmp_path / "value.bin"
    save({"n": 1}, path)

    def fail(*args: Any, **options: Any) -> Any:
        raise kind("no space left on device")

    place = {
        "write": (file._safetensors(), "save_file"),
        "fsync": (os, "fsync"),
        "chmod": (Path, "chmod"),
        "replace": (os, "replace"),
        "read": (Path, "read_bytes"),
    }[step]
    with monkeypatch.context() as patch:
        patch.setattr(*place, fail)
        with pytest.raises(kind):
            save({"n": 2}, path)
    assert load(path) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["value.bin"]


def test_a_disk_that_returns_other_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "value.bin"
    save({"w": np.ones(3)}, path)
    real = file._safetensors().save_file

    def corrupting(arrays: Any, where: str, metadata: Any) -> None:
        real({name: array[::-1] for name, array in arrays.items()}, where, metadata)  # as it does with strided arrays

    monkeypatch.setattr(file._safetensors(), "save_file", corrupting)
    with pytest.raises(DataError, match=r"(?s)value\.bin.*SHA-256"):
        save({"w": np.arange(3.0)}, path)
    monkeypatch.undo()
    np.testing.assert_array_equal(load(path)["w"], np.ones(3))


def test_the_new_file_is_there_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "history.csv"
    with replacing(target) as aside:
        aside.write_text("one")
        assert not target.exists()
        assert aside.parent == target.parent
    assert target.read_text() == "one"
    with pytest.raises(ZeroDivisionError), replacing(target) as aside:
        aside.write_text(f"two{1 / 0}")
    assert target.read_text() == "one"
    assert [p.name for p in target.parent.iterdir()] == ["history.csv"]


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_modes_and_links_stay(tmp_path: Path) -> None:
    target, link, plain = tmp_path / "value.bin", tmp_path / "latest.bin", tmp_path / "plain"
    plain.touch()
    save(1, target)
    assert target.stat().st_mode == plain.stat().st_mode  # a new file is as open as any other
    target.chmod(0o600)
    link.symlink_to(target)
    save(2, link)
    assert link.is_symlink()
    assert load(target) == 2
    assert target.stat().st_mode & 0o777 == 0o600


def test_two_writers_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "value.bin"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: save({"n": n, "w": np.full(1000, n)}, path), range(20)))
    value = load(path)
    assert (value["w"] == value["n"]).all()
    assert [p.name for p in tmp_path.iterdir()] == ["value.bin"]


def test_a_name_as_long_as_a_folder_takes(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".bin")
    save(nn.Linear(2, 2), path)
    assert isinstance(load(path), nn.Linear)


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "value.bin"
    save({"n": 1}, path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"\.numnet-.*tmp"):
            save({"n": 2, "w": np.zeros(10_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load(path) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["value.bin"]


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    with pytest.raises(DataError, match=r"(?s)pipe.*a device"):
        save(1, pipe)
    with pytest.raises(DataError, match=r"(?s)folder.*a folder.*name the file"):
        save(1, folder)
    assert pipe.is_fifo()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "pipe"]
