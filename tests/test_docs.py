"""Every example in README.md, docs/ and the docstrings is run, and prints what stands beside it."""

from __future__ import annotations

import ast
import contextlib
import doctest
import functools
import importlib
import importlib.util
import io
import pkgutil
import re
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import numnet

TREE = Path(__file__).parents[1]
PAGES = [TREE / "README.md", *sorted((TREE / "docs").rglob("*.md"))]
OPTIONAL = {
    "PIL",
    "matplotlib",
    "pandas",
    "safetensors",
    "sklearn",
    "torch",
}  # a block that imports one of these is skipped where it is missing


class Fence(NamedTuple):
    """A fenced block of a page."""

    info: str  # what stands behind the first three backticks: "python", "text", "python no-run: why"
    line: int  # of its first line of content, counted from 1
    content: str


class Example(NamedTuple):
    """A Python block of a page, and the text block after it: what it has to print."""

    line: int
    code: str
    output: str


class Outcome(NamedTuple):
    """What became of an example: what it printed, or why it did not come to its end."""

    printed: str
    skipped: str = ""
    failed: str = ""


def fences(page: str) -> list[Fence]:
    """The fenced blocks of a page, in order."""
    found: list[Fence] = []
    opened: tuple[str, int] | None = None
    lines = page.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = line.removeprefix("```").strip(), number
            continue
        assert line == "```", f"line {number}: a fence inside the one that line {opened[1]} opened"
        info, start = opened
        found.append(Fence(info, start + 1, "\n".join(lines[start : number - 1])))
        opened = None
    assert opened is None, f"line {opened[1]}: a fence that nothing closes"
    return found


def examples(page: str) -> list[Example]:
    """The Python blocks of a page that are to run.

    A ``text`` block is the output of the ``python`` block before it. A figure that no code printed, and a block that
    is marked ``no-run`` without saying why, are errors.
    """
    found: list[Example] = []
    previous = ""
    for info, line, content in fences(page):
        language, _, mark = info.partition(" ")
        if language == "python" and mark:
            assert re.match(r"no-run: *\S", mark), f"line {line}: write ```python, or ```python no-run: and why"
        elif language == "python":
            found.append(Example(line, content, ""))
        elif language == "text" and not mark.startswith("demo: "):  # tests/test_demos.py sees to what demos print
            assert previous == "python", f"line {line}: a text block with no Python block before it that prints it"
            found[-1] = found[-1]._replace(output=content)
        previous = info
    return found


def normalised(output: str) -> str:
    """The output without empty lines around it, blanks at line ends, and the digits of what is rounding alone."""
    output = re.sub(r"\b\d\.\d+e-(09|[1-9]\d)\b|\b0\.0+e\+00\b", "≈0", output)
    return "\n".join(line.rstrip() for line in output.strip("\n").splitlines())


def missing(code: str) -> list[str]:
    """The optional packages that ``code`` imports and that are not installed."""
    nodes = list(ast.walk(ast.parse(code)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    packages = {name.partition(".")[0] for name in names} & OPTIONAL
    return sorted(name for name in packages if importlib.util.find_spec(name) is None)


def run(page: str, name: str = "page") -> list[Outcome]:
    """Run the examples of a page in order and in one namespace; what one of them breaks, those after it miss."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outcomes: list[Outcome] = []
    with np.printoptions():  # a page may set them, for itself
        for line, code, _ in examples(page):
            if absent := missing(code):
                outcomes.append(Outcome("", skipped=f"{name}, line {line}, needs {', '.join(absent)}"))
                continue
            if broken := [outcome.failed for outcome in outcomes if outcome.failed]:
                outcomes.append(Outcome("", failed=f"not run, because of an earlier block:\n{broken[0]}"))
                continue
            printed = io.StringIO()
            try:
                # The empty lines let a traceback name the lines of the page.
                program = compile("\n" * (line - 1) + code, name, "exec", dont_inherit=True)
                with contextlib.redirect_stdout(printed):
                    exec(program, namespace)
                outcomes.append(Outcome(printed.getvalue()))
            except NameError as error:
                needed = [outcome.skipped for outcome in outcomes if outcome.skipped]
                if needed:
                    outcomes.append(Outcome("", skipped=f"{needed[0]}, and line {line} needs its {error.name}"))
                else:
                    outcomes.append(Outcome("", failed=traceback.format_exc()))
            except Exception:
                outcomes.append(Outcome("", failed=traceback.format_exc()))
    return outcomes


@functools.cache
def run_file(path: Path) -> list[Outcome]:
    return run(path.read_text(encoding="utf-8"), str(path.relative_to(TREE)))


def check(example: Example, outcome: Outcome) -> None:
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert not outcome.failed, outcome.failed
    assert normalised(outcome.printed) == normalised(example.output), "printed == what the page says"


@pytest.mark.parametrize(
    "path, position",
    [
        pytest.param(path, i, id=f"{path.relative_to(TREE).as_posix().removeprefix('docs/')}, block {i}")
        for path in PAGES
        for i in range(len(examples(path.read_text(encoding="utf-8"))))
    ],
)
def test_an_example_prints_what_the_page_says(path: Path, position: int) -> None:
    check(examples(path.read_text(encoding="utf-8"))[position], run_file(path)[position])


def test_the_pages_to_read_first_have_examples() -> None:
    read = {path.name for path in PAGES if examples(path.read_text(encoding="utf-8"))}
    assert {"README.md", "derivation.md", "add_a_layer.md"} <= read


@pytest.mark.parametrize(
    "command", ['pip install ".[demos]" && numnet demo', 'pip install ".[test]" && pytest -n auto']
)
def test_the_two_commands_stand_alone_on_the_first_screen(command: str) -> None:
    page = (TREE / "README.md").read_text(encoding="utf-8")
    assert ("sh", command) in [(fence.info, fence.content) for fence in fences(page) if fence.line <= 25]


def test_links_between_the_pages_lead_somewhere() -> None:
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for fence in fences(text):
            text = text.replace(fence.content, "")
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            assert "://" in target or (path.parent / target).exists(), f"{path.name} links to {target}"


def test_examples_in_docstrings_print_what_they_say() -> None:
    failed = attempted = 0
    for found in pkgutil.walk_packages(numnet.__path__, "numnet."):
        if found.name.endswith("__main__") or "._ext." in found.name:
            continue
        try:
            module = importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            if (error.name or "numnet").partition(".")[0] in OPTIONAL:
                continue
            raise
        result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
        failed += result.failed
        attempted += result.attempted
    assert attempted
    assert not failed


PAGE = """
```python
x = 6
print(x * 7)
```

Words.

```text
42
```

```python no-run: it would never end
while True: pass
```

```python
print(x)
```

```text
6
```
"""


def outcome_of(page: str, position: int) -> None:
    check(examples(page)[position], run(page)[position])


def test_a_right_page_passes() -> None:
    assert [example.line for example in examples(PAGE)] == [3, 18]
    outcome_of(PAGE, 0)
    outcome_of(PAGE, 1)


@pytest.mark.parametrize(
    "right, wrong, position, complaint",
    [
        ("\n42\n", "\n41\n", 0, "what the page says"),
        ("```text\n42\n```", "", 0, "what the page says"),
        ("print(x * 7)", "pass", 0, "what the page says"),
        ("x = 6", "x = 1 / 0", 0, "line 3, in <module>"),
        ("x = 6", "x = 1 / 0", 1, "not run, because of an earlier block"),
        ("print(x)", "print(y)", 1, "NameError"),
    ],
)
def test_a_wrong_page_fails(right: str, wrong: str, position: int, complaint: str) -> None:
    assert right in PAGE
    with pytest.raises(AssertionError, match=complaint):
        outcome_of(PAGE.replace(right, wrong, 1), position)


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("no-run: it would never end", "no-run"),
        ("no-run: it would never end", "slow"),
        ("```python\nprint(x)", "```\nprint(x)"),
        ("6\n```\n", "6\n"),
        ("x = 6", "```python"),
    ],
)
def test_a_page_that_hides_an_example_is_refused(right: str, wrong: str) -> None:
    assert right in PAGE
    with pytest.raises(AssertionError, match="line "):
        examples(PAGE.replace(right, wrong, 1))


def test_a_missing_package_skips_a_block_and_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "OPTIONAL", {"no_such_package"})
    page = "```python\nimport no_such_package as y\n```\n```python\ny\n```\n```python\nx = 1\n```\n"
    outcomes = run(page)
    assert [bool(outcome.skipped) for outcome in outcomes] == [True, True, False]
    assert "needs no_such_package" in outcomes[0].skipped
    assert "needs its y" in outcomes[1].skipped
