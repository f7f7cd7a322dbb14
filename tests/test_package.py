"""What is installed: the promise that importing costs NumPy alone, and what a wheel holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

import pytest

import numnet

TREE = Path(__file__).parents[1]


@pytest.fixture
def installed() -> Distribution:
    """The numnet that is installed; conftest.py sees to it that there is one, unless told that there is none."""
    try:
        return distribution("numnet")
    except PackageNotFoundError:
        pytest.skip("numnet is not installed, and NUMNET_TEST_SOURCE_TREE=1 says that this is meant")


# NumPy and SciPy come first: what they import besides (SciPy tries Cython) is their affair.
NEWLY_IMPORTED = """
import sys, numpy, scipy.special
before = {*sys.modules}
import numnet
print(*sys.modules.keys() - before)
"""


def test_importing_numnet_imports_numpy_and_scipy_alone() -> None:
    run = subprocess.run([sys.executable, "-P", "-c", NEWLY_IMPORTED], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in run.stdout.split()}
    assert "numnet" in imported
    outside = {name for name in imported - sys.stdlib_module_names if not name.startswith("_")}
    assert outside <= {"numnet", "numpy", "scipy", "cython_runtime"}


def test_everything_promised_at_the_top_is_there() -> None:
    assert len(set(numnet.__all__)) == len(numnet.__all__)
    assert [name for name in numnet.__all__ if not hasattr(numnet, name)] == []


def test_the_version_is_that_of_the_code(installed: Distribution) -> None:
    assert installed.version == numnet.__version__


def test_metadata_say_what_numnet_needs(installed: Distribution) -> None:
    assert installed.metadata["License-Expression"] == "BSD-3-Clause"
    needed = [requirement for requirement in installed.requires or [] if "extra ==" not in requirement]
    assert sorted(re.split(r"\W", requirement)[0] for requirement in needed) == ["numpy", "scipy"]


def test_an_extra_that_an_error_names_exists(installed: Distribution) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(numnet.__file__).parent.rglob("*.py"))
    named = set(re.findall(r"MissingExtraError\([^()]*\"(\w+)\"\)", sources))
    assert named
    assert named <= set(installed.metadata.get_all("Provides-Extra") or [])


def test_the_command_is_installed(installed: Distribution) -> None:
    (command,) = installed.entry_points.select(group="console_scripts", name="numnet")
    assert callable(command.load())


def test_a_wheel_holds_all_but_the_sources_of_the_extension(installed: Distribution) -> None:
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip('an editable install holds no modules: pip install ".[test]" shows what a wheel does')
    files = {str(PurePosixPath(file)) for file in installed.files or []}
    sources = {path for path in (TREE / "numnet").rglob("*") if path.is_file()}
    extension = {".pyx", ".pxd", ".c", ".h", ".so", ".pyd", ".pyc"}  # its sources, and what is made of them
    wanted = {path.relative_to(TREE).as_posix() for path in sources if path.suffix not in extension}
    assert wanted - files == set()
    assert [name for name in files if name.endswith((".pyx", ".pxd", ".c", ".h"))] == []
    folders = {name.partition("/")[0] for name in files if not name.startswith("..")}
    assert folders == {"numnet", f"numnet-{numnet.__version__}.dist-info"}
