"""Who may import whom: docs/design.md says it once, and this test reads it there and holds every module to it."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import numnet

TREE = Path(__file__).parents[1]
PAGE = TREE / "docs" / "design.md"
PACKAGE = Path(numnet.__file__).parent

# The page speaks in words where a module's name would say less; every other name on it is a module's own.
MODULES = {
    "array module shim": ["arrays"],
    "nested tuples": ["nested"],
    "window geometry": ["window"],
    "command line": ["cli", "demo", "_config", "__main__"],
}


def rows_of(page: str) -> list[list[str]]:
    """The rows of the page's block, first imported first, each the dotted names in it: ``call · tensor``.

    ``nn: module, init → layers`` is a package: its modules left of the arrow are a row of their own, ``nn.module`` and
    ``nn.init``, and the rest of it, ``nn``, is the next. What stands in brackets explains, and names nothing.
    """
    block = re.search(r"^## Who may import whom$.*?^```$(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert block, "docs/design.md has no block under 'Who may import whom'"
    rows = []
    for line in block[1].strip().splitlines():
        package, colon, inside = re.sub(r"\(.*?\)", "", line).partition(":")
        names = [name.strip() for name in package.split("·")]
        if "→" in inside:
            rows.append([f"{names[0]}.{first.strip()}" for first in inside.partition("→")[0].split(",")])
        rows.append(names if colon else [module for name in names for module in MODULES.get(name, [name])])
    return rows


def row_number(module: str, rows: list[list[str]]) -> int:
    """The row of the longest name that ``module`` is or lies under: ``nn.conv`` lies under ``nn``."""
    found = [(len(name), n) for n, row in enumerate(rows) for name in row if f"{module}.".startswith(f"{name}.")]
    assert found, f"numnet.{module} stands in no row of docs/design.md, 'Who may import whom': give it one"
    return max(found)[1]


def imports_of(module: str, source: str, is_package: bool) -> Iterator[tuple[str, int, bool]]:
    """Every import of something of numnet: its full name without ``numnet.``, the line, and whether in a function."""
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    in_functions = {id(node) for function in functions for node in ast.walk(function)}
    package = ["numnet", *module.split(".")]
    if not is_package:
        package.pop()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            names = [".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names = re.findall(r"(?<=['\"])(?:numnet|\.)[\w.]*", ast.unparse(node))
            names = [f"numnet{name}" if name.startswith(".") else name for name in names]
        for name in names:
            if f"{name}.".startswith("numnet."):
                yield name.removeprefix("numnet").removeprefix("."), node.lineno, id(node) in in_functions


def violations(modules: Mapping[str, str], packages: set[str], rows: list[list[str]]) -> list[str]:
    """What breaks the order: imports from a row below, imports inside functions, circles."""
    found = []
    graph: dict[str, set[str]] = {}
    for module, source in modules.items():
        for name, line, in_function in imports_of(module, source, module in packages):
            target = name
            while target and target not in modules:  # a class or function of a module: an import of that module
                target = target.rpartition(".")[0]
            place = f"numnet.{module}, line {line}: imports numnet.{name}"
            if in_function:
                found.append(f"{place} inside a function")
            if not target:
                if row_number(module, rows) < len(rows) - 1:  # the last row stands on everything
                    found.append(f"{place}, and so numnet itself, which imports everything")
                continue
            gathers = module in packages and target.startswith(f"{module}.")  # a package's __init__, what lies in it
            if not gathers and row_number(target, rows) > row_number(module, rows):
                found.append(f"{place}, which stands below it")
            graph.setdefault(module, set()).add(target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found.append("a circle: " + " → ".join(reversed(error.args[1])))
    return found


def test_the_package_keeps_the_order_of_the_page() -> None:
    modules, packages = {}, set()
    for path in sorted(PACKAGE.rglob("*.py")):
        *folders, file = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(folders if file == "__init__" else [*folders, file])
        if name:  # numnet/__init__.py itself may import everything
            modules[name] = path.read_text(encoding="utf-8")
            packages |= {name} if file == "__init__" else set()
    assert violations(modules, packages, rows_of(PAGE.read_text(encoding="utf-8"))) == []


def test_the_extension_imports_nothing_of_numnet() -> None:
    sources = [path for path in (TREE / "numnet" / "_ext").iterdir() if path.suffix in {".pyx", ".pxd", ".pxi"}]
    assert sources
    for path in sources:
        names = re.findall(
            r"^\s*(?:from|c?import)\s+(numnet\S*|\.\.\S*)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        assert [name for name in names if not name.startswith("numnet._ext")] == [], path.name


ROWS = [["_ext"], ["arrays", "window"], ["kernels"], ["nn.module", "nn.init"], ["nn"], ["optim"], ["cli"]]


def test_the_page_is_read_as_it_is_written() -> None:
    page = """
## Who may import whom

Words.

```
_ext                        (nothing of numnet)
array module shim · window geometry
kernels: reference, native
nn: module, init → layers, losses
optim
cli
```

```
not this one
```
"""
    assert rows_of(page) == ROWS


GOOD = dict.fromkeys(["arrays", "kernels", "nn", "nn.module", "nn.linear", "optim"], "")
GOOD["nn.conv"] = "from .linear import Linear"


@pytest.mark.parametrize(
    "module, source, complaint",
    [
        ("arrays", "from .kernels import conv", "numnet.arrays, line 1: imports numnet.kernels.conv, which stands"),
        ("arrays", "import numnet.optim", "stands below"),
        ("arrays", "from numnet import optim", "stands below"),
        ("arrays", "from . import optim", "stands below"),
        ("nn.module", "from .conv import Conv2d", "stands below"),
        ("nn.conv", "from ..optim import SGD", "stands below"),
        ("optim", "def f():\n    from . import nn", "inside a function"),
        ("optim", "class A:\n    def f(self):\n        import numnet.nn.conv", "inside a function"),
        ("optim", "import importlib\ndef f():\n    importlib.import_module('numnet.nn')", "inside a function"),
        ("optim", "def f():\n    return import_module('.nn', __package__)", "inside a function"),
        ("optim", "if True:\n    from . import tensor", "numnet itself"),
        ("optim", "import numnet", "numnet itself"),
        ("nn.linear", "from . import conv", "a circle: nn.linear → nn.conv → nn.linear"),
        ("nn.linear", "from ..nn.conv import Conv2d", "a circle: "),
        ("nn", "from . import stray\nfrom .. import stray", "numnet itself"),
    ],
)
def test_a_module_that_breaks_the_order_is_caught(module: str, source: str, complaint: str) -> None:
    found = violations(GOOD | {module: source}, {"nn"}, ROWS)
    assert any(complaint in violation for violation in found), found


@pytest.mark.parametrize(
    "module, source",
    [
        ("arrays", "import numpy"),
        ("arrays", "from numnetwork import arrays"),
        ("nn", "from .conv import Conv2d\nfrom . import module"),
        ("nn.conv", "from ..arrays import Array\nfrom .module import Module\nfrom .linear import Linear"),
        ("optim", "from numnet.nn.conv import Conv2d\nfrom . import nn"),
        ("optim", "def f():\n    import matplotlib"),
        ("cli", "from . import __version__"),
    ],
)
def test_a_module_that_keeps_the_order_is_let_through(module: str, source: str) -> None:
    assert violations(GOOD | {module: source}, {"nn"}, ROWS) == []


def test_a_module_without_a_row_is_caught() -> None:
    with pytest.raises(AssertionError, match=r"numnet\.stray stands in no row"):
        violations(GOOD | {"stray": "from . import arrays"}, {"nn"}, ROWS)
