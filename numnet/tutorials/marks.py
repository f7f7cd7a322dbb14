"""Where the source tree says what proves what: marks on tests, at the head of demos, in pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from .rows import Proof, rows

__all__ = ["collect"]

_IN_PAGE = re.compile(r"^<!-- proves ([CF\d ]+?) *-->\n+```(python|text demo:)(.*)", re.MULTILINE)


def collect(tree: Path) -> dict[str, list[Proof]]:
    """The proofs of each row of the table, by the marks in a source tree, in the order of the table.

    A test says ``@pytest.mark.proves("C009")``, on itself, on its class, or as ``pytestmark`` of its file; a demo has
    ``PROVES = ("C172", "C173")`` at its head, and ``MINUTES`` if it is slow; a page has ``<!-- proves C098 -->`` on the
    line above a block of code that is run, or of a demo's output.

    Raises:
        DataError: a mark with an unknown row, or one in a page that stands above nothing that runs.
    """
    found: dict[str, list[Proof]] = {row.id: [] for row in rows()}
    marks = [*_in_tests(tree), *_in_demos(tree), *_in_pages(tree)]
    for id, proof in marks:
        if id not in found:
            raise DataError("a row of the tutorials, C001 to C283 or F1 to F14", f"{id!r} in {proof.place}")
        if proof not in found[id]:
            found[id].append(proof)
    return {id: proofs for id, proofs in found.items() if proofs}


def _in_tests(tree: Path) -> Iterator[tuple[str, Proof]]:
    for path in sorted((tree / "tests").rglob("test_*.py")):
        place = path.relative_to(tree).as_posix()
        module = ast.parse(path.read_text(encoding="utf-8"))
        ids, slow = _marks(_assigned(module.body, "pytestmark"))
        yield from _in_scope(module.body, place, place, ids, slow)


def _in_scope(body: list[ast.stmt], node: str, place: str, ids: list[str], slow: bool) -> Iterator[tuple[str, Proof]]:
    """The tests of a module or class, with the marks that they inherit."""
    for item in body:
        if not isinstance(item, (ast.ClassDef, ast.FunctionDef)) or not item.name.lower().startswith("test"):
            continue
        own, is_slow = _marks(item.decorator_list)
        if isinstance(item, ast.ClassDef):
            yield from _in_scope(item.body, f"{node}::{item.name}", place, ids + own, slow or is_slow)
        else:
            for id in ids + own:
                yield id, Proof(f"{node}::{item.name}", place, slow or is_slow)


def _marks(expressions: list[ast.expr]) -> tuple[list[str], bool]:
    """The rows that some decorators name, and whether one of them is ``slow``."""
    ids: list[str] = []
    slow = False
    for expression in expressions:
        for node in ast.walk(expression):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.proves":
                ids += [ast.literal_eval(argument) for argument in node.args]
            slow |= isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.slow"
    return ids, slow


def _assigned(body: list[ast.stmt], name: str) -> list[ast.expr]:
    """What a module assigns to a name at its head."""
    assignments = [node for node in body if isinstance(node, ast.Assign)]
    return [node.value for node in assignments if any(ast.unparse(target) == name for target in node.targets)]


def _in_demos(tree: Path) -> Iterator[tuple[str, Proof]]:
    for path in sorted((tree / "demos").rglob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for value in _assigned(body, "PROVES"):
            for id in ast.literal_eval(value):
                yield id, _of_demo(path.relative_to(tree), bool(_assigned(body, "MINUTES")))


def _of_demo(demo: Path, slow: bool) -> Proof:
    name = demo.relative_to("demos").with_suffix("").as_posix()
    return Proof(f"tests/test_demos.py::test_a_demo_runs[{name}]", demo.as_posix(), slow)


def _in_pages(tree: Path) -> Iterator[tuple[str, Proof]]:
    for path in sorted((tree / "docs").rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        place = path.relative_to(tree).as_posix()
        hits = list(_IN_PAGE.finditer(page))
        marks = len(re.findall(r"^<!-- proves", page, re.MULTILINE))
        if len(hits) != marks:
            got = f"{marks} marks, {len(hits)} of them above a block"
            raise DataError(
                "'<!-- proves C001 -->' right above a ```python or ```text demo: block", f"{got}, in {place}"
            )
        for hit in hits:
            if hit[2] == "python":
                before = page[: hit.start()]
                block = len(re.findall(r"^```python$", before, re.MULTILINE))
                name = path.relative_to(tree / "docs").as_posix()
                proof = Proof(
                    f"tests/test_docs.py::test_an_example_prints_what_the_page_says[{name}, block {block}]", place
                )
            else:
                demo = tree / hit[3].strip()
                if not demo.is_file():
                    raise DataError("the output of a demo", f"{hit[3].strip()!r}, which is no file, in {place}")
                body = ast.parse(demo.read_text(encoding="utf-8")).body
                proof = _of_demo(demo.relative_to(tree), bool(_assigned(body, "MINUTES")))
            for id in hit[1].split():
                yield id, proof
