"""What every test stands on: the numnet that is installed, its compiled kernels, the same examples in every CI run."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

TREE = Path(__file__).parents[1]
CURE = (
    f'cure: pip install "{TREE}[test]" (with -e to work on the source tree), and then pytest, without PYTHONPATH; '
    "NUMNET_TEST_SOURCE_TREE=1 pytest tests whatever numnet is found first"
)

# Processes of tests share the processors (-n auto): threads of their own would only get into each other's way. How many
# there are is a matter of the tests that set it.
if (processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test something other than what is installed: such a run would prove nothing.

    Raises:
        pytest.UsageError: numnet is not installed, or the source tree hides it, or its compiled kernels are missing.
    """
    if os.environ.get("NUMNET_TEST_SOURCE_TREE") == "1":
        return
    try:
        distribution = importlib.metadata.distribution("numnet")
    except importlib.metadata.PackageNotFoundError:
        raise pytest.UsageError(f"numnet is not installed\n{CURE}") from None
    import numnet
    from numnet._config import show_config

    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    editable = origin.get("dir_info", {}).get("editable", False)
    if Path(numnet.__file__).is_relative_to(TREE / "numnet") and not editable:
        raise pytest.UsageError(f"the tests would run on {numnet.__file__}, not on the installed numnet\n{CURE}")
    kernels = show_config(mode="dict")["kernels"]
    if not kernels["compiled"] and os.environ.get("NUMNET_NO_EXT") != "1":
        raise pytest.UsageError(
            f"numnet runs without its compiled kernels, and so would the tests: {kernels['reason']}\n"
            "cure: install a C compiler (gcc or clang) and then numnet again; or, where meant, NUMNET_NO_EXT=1 pytest"
        )


def pytest_report_header() -> str:
    """Which numnet is under test, at the head of every run."""
    import numnet
    from numnet._config import show_config

    kernels = show_config(mode="dict")["kernels"]
    twin = f"{kernels['isa']}, threads: {kernels['threads']}" if kernels["compiled"] else "reference"
    return f"numnet: {numnet.__version__} from {Path(numnet.__file__).parent}, kernels: {twin}"


@pytest.fixture(autouse=True)
def same_draws() -> None:
    """What a test draws from the default generator is the same in every run."""
    import numnet

    numnet.manual_seed(0)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of the data sets, which the environment variable NUMNET_DATA names."""
    folder = os.environ.get("NUMNET_DATA")
    if not folder:
        pytest.skip("no data sets: set NUMNET_DATA to the folder that holds them")
    return Path(folder)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch, whose numbers those of numnet are compared with."""
    module: ModuleType = pytest.importorskip("torch", reason='PyTorch is not installed: pip install ".[test]"')
    return module
