"""What is installed: the promise that importing costs NumPy alone, and what a wheel and an sdist hold."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

import numnet

TREE = Path(__file__).parents[1]


def python(code: str) -> str:
    """What ``code`` prints in a Python of its own, started away from the source tree."""
    return subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_numnet_imports_numpy_and_scipy_alone() -> None:
    code = (
        "import json, sys; before = set(sys.modules); import numnet; print(json.dumps([*(set(sys.modules) - before)]))"
    )
    imported = {name.partition(".")[0] for name in json.loads(python(code))}
    assert "numpy" in imported
    outside = {name for name in imported - sys.stdlib_module_names if not name.startswith("_")}
    assert outside <= {"numnet", "numpy", "scipy", "cython_runtime"}


def test_everything_promised_at_the_top_is_there() -> None:
    assert sorted(set(numnet.__all__)) == sorted(numnet.__all__)
    assert [name for name in numnet.__all__ if not hasattr(numnet, name)] == []


def test_the_version_is_that_of_the_code() -> None:
    assert numnet.__version__ == importlib.metadata.version("numnet")


def test_metadata_say_what_numnet_needs() -> None:
    metadata = importlib.metadata.metadata("numnet")
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert set(metadata.get_all("Provides-Extra")) == {"demos", "test", "dev", "gpu"}
    needed = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert sorted(line.partition(">")[0] for line in needed) == ["numpy", "scipy"]


def test_the_command_is_installed() -> None:
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="numnet")
    assert callable(command.load())


def installed_files() -> set[str]:
    files = importlib.metadata.files("numnet")
    assert files is not None
    return {str(PurePosixPath(file)) for file in files}


def editable() -> bool:
    origin = json.loads(importlib.metadata.distribution("numnet").read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))


def test_a_wheel_holds_every_module_and_no_source_of_the_extension() -> None:
    if editable():
        pytest.skip('an editable install has no files of its own: pip install ".[test]" shows what a wheel holds')
    files = installed_files()
    modules = {str(path.relative_to(TREE).as_posix()) for path in (TREE / "numnet").rglob("*.py")}
    assert modules - files == set()
    assert "numnet/py.typed" in files
    assert [name for name in files if name.endswith((".pyx", ".pxd", ".c", ".h"))] == []
    own = {name.partition("/")[0] for name in files if not name.startswith("..")}
    assert own == {"numnet", f"numnet-{numnet.__version__}.dist-info"}
