"""The switches of the compiled kernels: instruction set, threads, processes that fork."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from numnet import _ext

if "runtime" not in _ext.modules:
    pytest.skip(f"the extension is not there: {_ext.reason}", allow_module_level=True)
runtime = _ext.modules["runtime"]


def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Another Python, which starts with these environment variables."""
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_the_environment_chooses_the_instruction_set():
    show = "from numnet import _ext; print(_ext.modules['runtime'].get_isa())"
    for isa in runtime.available_isas():
        assert run(show, NUMNET_ISA=isa).stdout.strip() == isa
    assert run(show, NUMNET_ISA="").stdout.strip() == runtime.available_isas()[-1]


def test_an_instruction_set_that_cannot_run_is_refused():
    with pytest.raises(ValueError, match="'mmx' cannot run here; available: baseline"):
        runtime.set_isa("mmx")
    answer = run("from numnet import _ext; print(_ext.modules['runtime'].get_isa())", NUMNET_ISA="mmx")
    assert answer.stdout.strip() == runtime.available_isas()[-1]
    assert "RuntimeWarning: NUMNET_ISA: instruction set 'mmx' cannot run here" in answer.stderr


@pytest.mark.skipif(not runtime.has_openmp(), reason="built without OpenMP: there is one thread")
def test_the_environment_chooses_the_number_of_threads():
    show = "from numnet import _ext; print(_ext.modules['runtime'].get_num_threads())"
    assert run(show, NUMNET_NUM_THREADS="", OMP_NUM_THREADS="3,2").stdout.strip() == "3"
    assert run(show, NUMNET_NUM_THREADS="5", OMP_NUM_THREADS="3").stdout.strip() == "5"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert run(show, NUMNET_NUM_THREADS="", OMP_NUM_THREADS="").stdout.strip() == str(cores)


@pytest.mark.skipif(not runtime.has_openmp(), reason="built without OpenMP: there is one thread")
@pytest.mark.parametrize("value", ["²", "0", "-2", "2.0", "many", "5000"])
def test_a_number_of_threads_in_the_environment_that_is_none_is_ignored_aloud(value: str):
    show = "from numnet import _ext; print(_ext.modules['runtime'].get_num_threads())"
    answer = run(show, NUMNET_NUM_THREADS=value, OMP_NUM_THREADS="3")
    assert answer.stdout.strip() == "3"
    expected = f"RuntimeWarning: NUMNET_NUM_THREADS='{value}' is ignored: expected an integer from 1 to 4096; using 3"
    assert expected in answer.stderr


@pytest.mark.parametrize("variable, default", [("NUMNET_WINOGRAD", 1), ("NUMNET_NO_CACHE", 0)])
def test_a_switch_that_is_neither_0_nor_1_is_ignored_aloud(variable: str, default: int):
    answer = run("from numnet import _ext", **{variable: "false"})
    assert f"RuntimeWarning: {variable}='false' is ignored: expected 0 or 1; using {default}" in answer.stderr
    assert all("Warning" not in run("from numnet import _ext", **{variable: v}).stderr for v in ("", "0", "1"))


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "2", None, 10**9])
def test_a_number_of_threads_that_is_none_is_refused(count: object):
    before = runtime.get_num_threads()
    with pytest.raises(ValueError, match="an integer from 1 to 4096"):
        runtime.set_num_threads(count)
    assert runtime.get_num_threads() == before


def test_the_setup_builds_what_is_looked_for():
    setup = ast.parse((Path(__file__).parents[2] / "setup.py").read_text(encoding="utf-8"))
    assigned = [node for node in setup.body if isinstance(node, ast.Assign)]
    lists = {node.targets[0].id: node.value for node in assigned if isinstance(node.targets[0], ast.Name)}
    assert list(ast.literal_eval(lists["FAMILIES"])) == list(_ext.modules)
    assert ast.literal_eval(lists["PYTHON"]) == _ext.PYTHON


def test_the_environment_switches_the_extension_off():
    answer = run("from numnet import _ext; print(_ext.modules, _ext.reason)", NUMNET_NO_EXT="1")
    assert answer.stdout.strip() == "{} switched off by NUMNET_NO_EXT"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_works_on_one_thread():
    program = """
import os
import numpy as np
from numnet import _ext
products, runtime = _ext.modules["products"], _ext.modules["runtime"]
runtime.set_num_threads(2)
a = np.ones((300, 300), np.float32)
b = products.matmul(a, a)
child = os.fork()
if child == 0:
    ok = runtime.get_num_threads() == 1 and np.array_equal(products.matmul(a, a), b)
    runtime.set_num_threads(2)
    ok = ok and np.array_equal(products.matmul(a, a), b)
    os._exit(0 if ok else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(program, PYTHONWARNINGS="ignore").stdout.strip() == "0"


def test_the_threads_of_others_stay_as_they_are():
    torch = pytest.importorskip("torch", reason="PyTorch's number of threads is the one in question")
    theirs, ours = torch.get_num_threads(), runtime.get_num_threads()
    runtime.set_num_threads(3)
    assert torch.get_num_threads() == theirs
    runtime.set_num_threads(ours)
