"""The table of the tutorials' rows is what the marks say, and ``numnet tutorials`` prints and checks it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from numnet import tutorials
from numnet.cli import main
from numnet.errors import DataError

TREE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """tools/tutorials as a module."""
    loader = SourceFileLoader("tutorials_script", str(TREE / "tools" / "tutorials"))
    spec = importlib.util.spec_from_loader("tutorials_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_files_are_what_the_script_writes(script: ModuleType) -> None:
    for path, text in script.written().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run tools/tutorials"


def test_all_rows_are_there() -> None:
    ids = [row.id for row in tutorials.rows()]
    assert ids == [f"C{n:03}" for n in range(1, 284)] + [f"F{n}" for n in range(1, 15)]


def test_every_row_has_a_proof_or_is_open() -> None:
    later = {id for ids in tutorials.OPEN.values() for id in ids}
    assert [row.id for row in tutorials.rows() if row.id not in tutorials.proofs() and row.id not in later] == []


def tree_with(folder: Path, files: dict[str, str]) -> Path:
    """A source tree in small, with the demo test that marks a source tree."""
    demos = "import pytest\n\n@pytest.mark.parametrize('demo', ['x'])\ndef test_a_demo_runs(demo):\n    pass\n"
    for path, text in {"tests/test_demos.py": demos, **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


TESTS = """
import pytest
pytestmark = pytest.mark.proves("C001")

@pytest.mark.proves("C002")
@pytest.mark.parametrize("x", [1, 2])
def test_one(x):
    assert x

@pytest.mark.slow
@pytest.mark.proves("C003")
def test_slow():
    pass

class TestTwo:
    @pytest.mark.proves("C004")
    def test_wrong(self):
        assert False

@pytest.mark.proves("C005")
def test_without_data():
    pytest.skip("no data sets")
"""

SKIPPED = """
import pytest
pytest.importorskip("no_such_package", reason="no_such_package is not installed")

@pytest.mark.proves("C007")
def test_one():
    pass
"""

BROKEN = """
import pytest
import numnet.no_such_module

@pytest.mark.proves("C008")
def test_one():
    pass
"""


def test_marks_are_collected(tmp_path: Path) -> None:
    files = {
        "tests/test_x.py": TESTS,
        "demos/claims/x.py": 'PROVES = ("C006",)\nMINUTES = 2\n',
        "docs/x.md": "<!-- proves C007 F1 -->\n\n```python\n1\n```\n",
        "docs/y.md": "```python\n```\n\n<!-- proves C008 -->\n```python\n1\n```\n<!-- proves C009 -->\n"
        "```text demo: demos/claims/x.py\n1\n```\n",
    }
    found = tutorials.collect(tree_with(tmp_path, files))
    assert [proof.node for proof in found["C001"]] == [
        "tests/test_x.py::test_one",
        "tests/test_x.py::test_slow",
        "tests/test_x.py::TestTwo::test_wrong",
        "tests/test_x.py::test_without_data",
    ]
    assert [proof.slow for proof in found["C001"]] == [False, True, False, False]
    demo = tutorials.Proof("tests/test_demos.py::test_a_demo_runs[claims/x]", "demos/claims/x.py", True)
    assert found["C006"] == found["C009"] == [demo]
    assert found["C007"] == found["F1"]
    assert found["C008"][0].node.endswith("[y.md, block 1]")
    assert "C010" not in found


@pytest.mark.parametrize(
    "path, text",
    [
        ("tests/test_x.py", 'import pytest\n@pytest.mark.proves("C999")\ndef test_x(): pass\n'),
        ("demos/x.py", 'PROVES = ("C1",)\n'),
        ("docs/x.md", "<!-- proves C001 -->\nwords\n"),
        ("docs/x.md", "<!-- proves C001 -->\n```text demo: demos/none.py\n```\n"),
    ],
)
def test_a_wrong_mark_is_refused(path: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        tutorials.collect(tree_with(tmp_path, {path: text}))


def test_proofs_are_run(tmp_path: Path) -> None:
    tree = tree_with(tmp_path, {"tests/test_x.py": TESTS, "tests/test_y.py": SKIPPED, "tests/test_z.py": BROKEN})
    (tree / "pytest.ini").write_text("[pytest]\nmarkers =\n    proves\n    slow\n", encoding="utf-8")
    ids = ("C002", "C003", "C004", "C005", "C006", "C007", "C008", "C258")
    chosen = [row for row in tutorials.rows() if row.id in ids]
    assert {id: outcome.status for id, outcome in tutorials.check(tree, chosen).items()} == {
        "C002": "passed",
        "C003": "not run",
        "C004": "failed",
        "C005": "no data",
        "C006": "no proof",
        "C007": "no data",
        "C008": "failed",
        "C258": "open",
    }
    outcomes = tutorials.check(tree, chosen, slow=True)
    assert outcomes["C003"].status == "passed"
    assert outcomes["C004"].reason == "tests/test_x.py::TestTwo::test_wrong"
    assert outcomes["C005"].reason == "no data sets"
    assert outcomes["C007"].reason == "no_such_package is not installed"
    assert outcomes["C008"].reason == "tests/test_z.py"


def test_the_command_prints_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tutorials", "C001", "f3", "M"]) == 0
    printed = capsys.readouterr().out
    assert "C001 Tensor <-> NumPy ndarray" in printed
    assert "C258" in printed
    assert "open, belonging to later work, the estimators" in printed
    assert main(["tutorials", "C900"]) == 1
    assert "C900" in capsys.readouterr().err
    assert main(["tutorials", "--check", "C001", "--tree", str(tmp_path)]) == 1
    assert "no" in capsys.readouterr().err
    assert main(["tutorials", "--check", "C258", "--tree", str(tree_with(tmp_path, {}))]) == 0


def test_it_prints_where_there_are_no_chinese_letters() -> None:
    command = [sys.executable, "-P", "-m", "numnet", "tutorials", "C127"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert 'C127 Pooling = "??" = "??"' in done.stdout
