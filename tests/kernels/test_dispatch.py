"""Which twin runs: decided by the array's type, and by ``using``, in one place."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from numnet import kernels
from numnet.errors import DtypeError, MissingExtraError, OptionError
from numnet.kernels import gpu, native, reference
from numnet.kernels.dispatch import dispatched
from numnet.window import Window

NATIVE = [name for name in reference.__all__ if hasattr(native, name)]


def test_every_reference_twin_is_a_kernel_of_the_same_signature():
    assert set(kernels.__all__) == {*reference.__all__, "twin", "using"}
    for name in reference.__all__:
        assert inspect.signature(getattr(kernels, name)) == inspect.signature(getattr(reference, name))
        assert getattr(kernels, name).__doc__ == getattr(reference, name).__doc__


def test_the_design_page_names_every_kernel():
    page = (Path(__file__).parents[2] / "docs" / "design.md").read_text("utf-8")
    table = page.partition("**The kernel names.**")[2].partition("Speed without disguise")[0]
    assert [name for name in reference.__all__ if name.removesuffix("_backward") not in table] == []


def test_the_reference_is_written_against_no_array_library():
    for file in Path(reference.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
            assert not {"numpy", "cupy", "scipy"} & {str(n).partition(".")[0] for n in names}, file.name


def test_the_compiled_twin_runs_where_there_is_one():
    for name in reference.__all__:
        assert kernels.twin(name) == ("native" if name in NATIVE else "reference")


def test_using_the_reference_holds_for_the_block_alone():
    before = {name: kernels.twin(name) for name in reference.__all__}
    with kernels.using("reference"):
        assert {kernels.twin(name) for name in reference.__all__} == {"reference"}
        with kernels.using("native"):
            assert {name: kernels.twin(name) for name in reference.__all__} == before
        assert kernels.twin("conv") == "reference"
    with pytest.raises(ZeroDivisionError), kernels.using("reference"):
        1 / 0  # noqa: B018
    assert {name: kernels.twin(name) for name in reference.__all__} == before


def test_using_the_reference_holds_for_this_thread_alone():
    elsewhere = kernels.twin("relu")
    with ThreadPoolExecutor(1) as pool, kernels.using("reference"):
        assert pool.submit(kernels.twin, "relu").result() == elsewhere


def test_using_decides_what_runs(monkeypatch):
    calls = []

    def relu(x):
        calls.append("reference")
        return reference.relu(x)

    def relu_native(x):
        calls.append("native")
        return reference.relu(x)

    monkeypatch.setattr(native, "relu", relu_native, raising=False)
    kernel = dispatched(relu)
    x = np.array([-1.0, 2.0])
    np.testing.assert_array_equal(kernel(x), [0, 2])
    with kernels.using("reference"):
        np.testing.assert_array_equal(kernel(x), [0, 2])
    assert calls == ["native", "reference"]


def test_results_do_not_depend_on_the_twin():
    rng = np.random.default_rng(0)
    x, W, b = rng.standard_normal((2, 3, 6, 6)), rng.standard_normal((4, 3, 3, 3)), rng.standard_normal(4)
    window = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    z = kernels.conv(x, W, b, window, 1)
    with kernels.using("reference"):
        np.testing.assert_allclose(z, kernels.conv(x, W, b, window, 1), rtol=1e-12, atol=1e-12)


def test_an_array_of_the_gpu_goes_to_the_gpu(monkeypatch):
    """A stand-in for CuPy: an array class, and the operations that tanh needs."""

    class Array:
        def __init__(self, numbers):
            self.numbers = numbers

    cupy = types.ModuleType("cupy")
    cupy.ndarray = Array
    cupy.tanh = lambda x: Array(np.tanh(x.numbers))
    cupy.asarray = lambda x: x
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    a = kernels.tanh(Array(np.ones(3)))
    assert isinstance(a, Array)
    np.testing.assert_array_equal(a.numbers, np.tanh(np.ones(3)))


def test_a_fused_gpu_kernel_is_found_by_its_name(monkeypatch):
    monkeypatch.setattr(gpu, "tanh", lambda x: "fused", raising=False)
    assert dispatched(reference.tanh)(object()) == "fused"


def test_unknown_choices_are_refused():
    with pytest.raises(OptionError, match="conv_backward"):
        kernels.twin("convolution")
    with pytest.raises(OptionError, match="native"), kernels.using("gpu"):
        pass


def test_without_cupy_the_gpu_is_not_available(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # makes `import cupy` fail
    assert not gpu.is_available()
    with pytest.raises(MissingExtraError, match=r"numnet\[gpu\]"):
        gpu.to_gpu(np.ones(3))


def test_to_cpu_leaves_numpy_arrays_alone():
    x = np.ones(3)
    assert gpu.to_cpu(x) is x
    with pytest.raises(DtypeError, match="convert it"):
        gpu.to_cpu([1.0, 2.0])


def test_transfers_through_cupy(monkeypatch):
    """A stand-in for CuPy with one GPU."""

    class Array:
        shape, dtype = (3,), np.dtype(float)

        def get(self):
            return np.ones(3)

    class Device:
        chosen = "none"

        def __init__(self, number):
            Device.chosen = number

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    there = Array()
    cupy = types.ModuleType("cupy")
    cupy.ndarray = Array
    cupy.asarray = lambda x: x if x is there else there
    runtime = types.SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError)
    cupy.cuda = types.SimpleNamespace(Device=Device, runtime=runtime)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    assert gpu.is_available()
    assert gpu.to_gpu(np.ones(3), 1) is there
    assert Device.chosen == 1
    assert gpu.to_gpu(there) is there
    np.testing.assert_array_equal(gpu.to_cpu(there), np.ones(3))

    def no_driver():
        raise RuntimeError

    runtime.getDeviceCount = no_driver
    assert not gpu.is_available()
